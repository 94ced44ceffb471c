"""`tpkit device log`: every byte both ways with its time, to send to someone who can help."""

import argparse
import platform
import time
from importlib.metadata import version
from io import TextIOBase
from pathlib import Path
from typing import Any

from tpkit import __version__
from tpkit.errors import BusError, ConfigError
from tpkit.tools.device_common import Target, add_connection, print_json, rounds, say, target
from tpkit.tools.device_session import Session


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "log", help="write the raw frames to a file, to send to someone who can help"
    )
    add_connection(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="a file that is not there yet"
    )
    parser.add_argument(
        "--rounds", type=rounds, default=3, metavar="N", help="how often everything is read (3)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read everything some times and write down what went over the wire."""
    wanted = target(options)
    try:
        file = options.out.open("x", encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"--out {options.out}: cannot be written ({error.strerror})."]) from None
    with file:
        log = FrameLog(file, wanted)
        failure = _record(log, wanted, options.rounds)
    if options.json:
        print_json({"file": str(options.out), "sent": log.sent, "received": log.received})
    else:
        say(f"{options.out}: {log.sent} questions, {log.received} pieces of answers. It holds no passwords.")
    if failure is not None:
        raise failure
    return 0


class FrameLog:
    """Lines of frames in hex, each with its time in seconds since the beginning."""

    def __init__(self, file: TextIOBase, wanted: Target) -> None:
        self.sent = 0
        self.received = 0
        self._file = file
        self._host = wanted.bus.host
        self._began = time.monotonic()
        file.writelines(f"# {line}\n" for line in head(wanted))

    def hear(self, is_sent: bool, data: bytes) -> None:
        """Write one frame, or a piece of one as it came."""
        if is_sent:
            self.sent += 1
        else:
            self.received += 1
        self._write(f"{'>' if is_sent else '<'} {data.hex(' ')}")

    def note(self, text: str) -> None:
        """Write a sentence; the host's name or address is left out."""
        for line in text.splitlines():
            self._write(f"! {line.replace(self._host, 'HOST') if self._host else line}")

    def _write(self, text: str) -> None:
        self._file.write(f"{time.monotonic() - self._began:10.6f} {text}\n")


def head(wanted: Target) -> list[str]:
    """What a helper must know to read the log; no host, no name, nothing from kit.toml but the line."""
    port = wanted.bus.port or f"port {wanted.bus.tcp_port}"
    profile = wanted.profile
    return [
        f"tpkit {__version__}, pymodbus {version('pymodbus')}, Python {platform.python_version()}",
        f"began {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} by this computer's clock",
        f"profile {wanted.profile_name}: {profile.title}; {profile.confidence}; source: {profile.source}",
        f"line: {wanted.line}, {port}",
        f"device {wanted.device_id}, timeout {wanted.timeout_s:g} s",
        "seconds, > sent or < received, bytes in hex; ! is a remark",
    ]


def _record(log: FrameLog, wanted: Target, times: int) -> BusError | None:
    failure = None
    with Session(wanted, trace=log.hear) as session:
        for number in range(1, times + 1):
            log.note(f"round {number}")
            try:
                points = session.read()
            except BusError as error:
                failure = error
                log.note(str(error))
            else:
                failure = None
                for one in points:
                    log.note(
                        f"{one.item.name} = {one.reading.value} {one.unit} {one.reading.reason}".rstrip()
                    )
    return failure
