"""What the technicians' commands share: which device is meant, and how a person is told about it."""

import argparse
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tpkit import config
from tpkit.config import BusSection, DeviceSection
from tpkit.errors import ConfigError
from tpkit.hardware import profile as profiles
from tpkit.hardware.inputs import profile_of
from tpkit.hardware.profile_form import Profile

BAUD_RATES = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
LINE_OPTIONS = ("baud", "parity", "stop_bits", "echo", "device_id", "profile")

REASONS = {
    "absent": "the device does not have it",
    "over_range": "above what the device can measure",
    "under_range": "below what the device can measure",
    "sensor_fault": "the device reports a faulty sensor",
    "bad_data": "the device reports bad data",
    "digital_high": "a switch is fitted, not a sender; it is closed or high",
    "digital_low": "a switch is fitted, not a sender; it is open or low",
    "reserved": "a code without meaning",
    "implausible": "a number that no machine of this kind shows",
    "unknown_code": "a code that the profile does not know",
    "not_valid_now": "counts only in another state of the device",
    "refused_1": "the device does not know this way of asking",
    "refused_2": "the device has no such register",
    "refused_3": "the device does not like the length of the question",
    "refused_4": "the device reports a failure of its own",
    "refused_6": "the device stayed busy",
    "refused_10": "the gateway is there, the device behind it is not",
    "refused_11": "the gateway is there, the device behind it did not answer",
    "no_response": "no whole answer in time",
    "wrong_answer": "an answer came, but not to this question",
    "bus_unavailable": "the line or connection is gone",
}
"""The reasons of `Reading.reason` and the codes of bus errors, in words."""


class Target(Struct, frozen=True):
    """One device and the way to it. `name` and `state` (the record's folder) are empty unless configured."""

    bus: BusSection
    device_id: int
    profile_name: str
    profile: Profile
    timeout_s: float
    name: str = ""
    state: str = ""

    @property
    def title(self) -> str:
        """What is read and how, as the first line of every table."""
        kind = f"{self.profile.title} ({self.profile_name})"
        return f"{kind}: device {self.device_id} at {self.place}, {self.line}"

    @property
    def place(self) -> str:
        """Where the line or connection is."""
        return self.bus.port or f"{self.bus.host}:{self.bus.tcp_port}"

    @property
    def line(self) -> str:
        """How frames travel, with the settings of a serial line."""
        if self.bus.host is not None:
            return "Modbus TCP" if self.bus.framing == "tcp" else "RTU over TCP"
        echo = ", with echo" if self.bus.echo else ""
        return f"RTU, {self.bus.baud} baud, 8{self.bus.parity}{self.bus.stop_bits}{echo}"


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which device is meant; `target` reads them."""
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--tcp", type=endpoint, metavar="HOST[:PORT]", help="a device or gateway on the network")
    way.add_argument(
        "--rtu-over-tcp",
        type=endpoint,
        metavar="HOST:PORT",
        help="a serial device server that passes bytes on",
    )
    way.add_argument("--rtu", metavar="PORT", help="a serial adapter, best by its name in /dev/serial/by-id")
    way.add_argument("--device", metavar="NAME", help="a device of kit.toml, with all its settings")
    parser.add_argument("--profile", metavar="NAME", help="see: tpkit device profiles; or a file NAME.toml")
    parser.add_argument("--device-id", type=int, metavar="N", help="Modbus address, 0 to 255")
    parser.add_argument("--baud", type=int, choices=BAUD_RATES, metavar="N")
    parser.add_argument("--parity", choices=("N", "E", "O"))
    parser.add_argument("--stop-bits", type=int, choices=(1, 2))
    parser.add_argument("--echo", action="store_true", default=None, help="the adapter hears what it sends")
    parser.add_argument("--timeout", type=float, metavar="S", help="seconds to wait for an answer")
    add_config(parser)
    add_json(parser)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add --config."""
    parser.add_argument("--config", type=Path, default=Path("/etc/tpkit/kit.toml"), metavar="FILE")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help="for programs")


def endpoint(text: str) -> tuple[str, int | None]:
    """HOST, HOST:PORT or [IPv6]:PORT. Raises ArgumentTypeError."""
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+)(?::(\d{1,5}))?", text)
    if found is None or (found[2] and not 1 <= int(found[2]) <= 65535):
        raise argparse.ArgumentTypeError(f'"{text}" is not HOST or HOST:PORT, such as 192.168.10.5:502')
    return found[1].strip("[]"), int(found[2]) if found[2] else None


def seconds(text: str) -> float:
    """A duration above 0 and of a day at most. Raises ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number of seconds above 0')
    return value


def rounds(text: str) -> int:
    """How often everything is read, 1 to 10000. Raises ArgumentTypeError."""
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number from 1 to 10000')
    return int(text)


def target(options: argparse.Namespace) -> Target:
    """The device that the options name. Raises ConfigError."""
    return _configured(options) if options.device is not None else _typed(options)


def load_profile(name: str) -> Profile:
    """A profile that comes with tpkit, or one in a file whose name ends in .toml. Raises ConfigError."""
    return profiles.load(str(Path(name).absolute()) if name.endswith(".toml") else name)


def _configured(options: argparse.Namespace) -> Target:
    doubled = [f"--{name.replace('_', '-')}" for name in LINE_OPTIONS if getattr(options, name) is not None]
    if doubled:
        raise ConfigError([f"{' '.join(doubled)}: with --device these come from {options.config}."])
    settings = config.load(options.config)
    device = settings.device.get(options.device)
    if device is None:
        known = ", ".join(settings.device) or "none"
        raise ConfigError(
            [f'--device "{options.device}": {options.config} has no such device; it has: {known}']
        )
    profile = profile_of(device)
    timeout_s = _timeout_s(options, device.timeout_s or profile.timeout_s)
    return Target(
        settings.bus[device.bus], device.device_id, device.profile, profile, timeout_s, options.device,
        settings.paths.state,
    )  # fmt: skip


def _typed(options: argparse.Namespace) -> Target:
    if options.profile is None:
        raise ConfigError(["--profile is missing: what kind of device is it? See: tpkit device profiles"])
    profile = load_profile(options.profile)
    device_id = profile.defaults.device_id if options.device_id is None else options.device_id
    if options.rtu and not 1 <= device_id <= 247:
        raise ConfigError([f"--device-id {device_id}: on RS-485 an address is 1 to 247"])
    faults: list[str] = []
    bus = config.decode(BusSection, _bus(options, profile), "the connection", faults)
    given = {"bus": "here", "device_id": device_id, "profile": options.profile}
    config.decode(DeviceSection, given, "the device", faults)
    if faults:
        raise ConfigError(faults)
    return Target(bus, device_id, options.profile, profile, _timeout_s(options, profile.timeout_s))


def _bus(options: argparse.Namespace, profile: Profile) -> dict[str, Any]:
    """A [bus] as kit.toml would have it: what was typed, else what the profile takes for usual."""
    usual = profile.defaults
    line = {
        "baud": options.baud or usual.baud,
        "parity": options.parity or usual.parity,
        "stop_bits": options.stop_bits or usual.stop_bits,
    }
    if options.rtu is not None:
        return {"port": options.rtu, "echo": bool(options.echo), **line}
    host, port = options.tcp or options.rtu_over_tcp
    framing = "tcp" if options.tcp else "rtu"
    if port is None and framing == "rtu":
        raise ConfigError([f"--rtu-over-tcp {host}: give the port too, as {host}:PORT"])
    return {"host": host, "tcp_port": port or usual.tcp_port or 502, "framing": framing, **line}


def _timeout_s(options: argparse.Namespace, usual: float) -> float:
    wanted = usual if options.timeout is None else float(options.timeout)
    if not 0.05 <= wanted <= 10:
        raise ConfigError([f"--timeout {wanted:g}: must be from 0.05 to 10 seconds"])
    return wanted


def shown(value: float | str | None) -> str:
    """A value for people; "-" if there is none."""
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return value or "-"


def say(text: str) -> None:
    """A line for whoever ran the command, there at once. Ends the program when nobody reads any more."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the end
        raise SystemExit(0) from None


def print_json(value: object) -> None:
    """`value` as indented JSON."""
    say(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def table(head: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> list[str]:
    """Lines with columns as wide as they must be; columns in `right` end at one edge."""
    lines = [tuple(str(cell) for cell in line) for line in (head, *rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def in_words(reason: str) -> str:
    """A reason for people; one that has no words here stays as it is."""
    return REASONS.get(reason, reason.replace("_", " "))
