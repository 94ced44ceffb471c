"""Which device and which way to it the options mean."""

import argparse
from pathlib import Path

import pytest

from tests.hardware.fault_server import RtuFaultServer
from tests.tools.command import made_file
from tpkit.config import BusSection
from tpkit.tools.device_common import Target, add_connection, target


def meant(*options: object) -> Target:
    parser = argparse.ArgumentParser()
    add_connection(parser)
    return target(parser.parse_args([str(option) for option in options]))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A profile of devices that leave the factory with odd settings."""
    return made_file(
        tmp_path, 'name = "engine.speed", address = 0, type = "u16"', timeout_s="0.7",
        defaults='{ device_id = 33, baud = 2400, parity = "E", stop_bits = 2, tcp_port = 8899 }',
    )  # fmt: skip


def test_what_is_not_typed_is_as_the_profile_says(made: Path) -> None:
    line = meant("--rtu", "/dev/x", "--profile", made)
    assert line.bus == BusSection(port="/dev/x", baud=2400, parity="E", stop_bits=2)
    assert (line.device_id, line.timeout_s, line.name) == (33, 0.7, "")
    assert line.line == "RTU, 2400 baud, 8E2"

    network = meant("--tcp", "gx.lan", "--profile", made).bus
    assert (network.host, network.tcp_port, network.framing, network.port) == ("gx.lan", 8899, "tcp", None)


def test_what_is_typed_counts(made: Path) -> None:
    options = (
        "--baud",
        9600,
        "--parity",
        "N",
        "--stop-bits",
        1,
        "--echo",
        "--device-id",
        5,
        "--timeout",
        0.3,
    )
    line = meant("--rtu", "/dev/x", "--profile", made, *options)

    assert line.bus == BusSection(port="/dev/x", baud=9600, parity="N", stop_bits=1, echo=True)
    assert (line.device_id, line.timeout_s) == (5, 0.3)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("192.168.10.5", "192.168.10.5", 8899), ("gx:1502", "gx", 1502), ("[fe80::1]:502", "fe80::1", 502),
     ("[::1]", "::1", 8899)],
)  # fmt: skip
def test_hosts(made: Path, text: str, host: str, port: int) -> None:
    bus = meant("--tcp", text, "--profile", made).bus
    assert (bus.host, bus.tcp_port) == (host, port)


def test_a_serial_device_server(made: Path) -> None:
    bus = meant("--rtu-over-tcp", "10.0.0.7:4001", "--profile", made).bus
    assert (bus.host, bus.tcp_port, bus.framing) == ("10.0.0.7", 4001, "rtu")


def test_modbus_tcp_has_502_unless_the_profile_knows_better() -> None:
    assert meant("--tcp", "h", "--profile", "dse-generic").bus.tcp_port == 502


def test_a_device_of_kit_toml(kit_toml: Path, rtu: RtuFaultServer) -> None:
    """The profile says 1 s, kit.toml 3 s; what is typed counts most."""
    genset = meant("--device", "genset", "--config", kit_toml)

    assert genset.bus.port == str(rtu.link)
    assert (genset.device_id, genset.profile_name, genset.timeout_s) == (10, "dse-generic", 3.0)
    assert (genset.name, genset.state) == ("genset", str(kit_toml.parent))
    assert meant("--device", "genset", "--config", kit_toml, "--timeout", 0.4).timeout_s == 0.4
