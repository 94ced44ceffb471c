"""Devices at the other end of a connection and of a line."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hardware.fault_server import RtuFaultServer, TcpFaultServer
from tests.tools.command import PATIENT, UNIT, genset


@pytest.fixture
def tcp() -> Iterator[TcpFaultServer]:
    with TcpFaultServer() as server:
        genset(server)
        yield server


@pytest.fixture
def rtu(tmp_path: Path) -> Iterator[RtuFaultServer]:
    with RtuFaultServer(tmp_path / "rs485") as server:
        genset(server)
        yield server


@pytest.fixture
def there(tcp: TcpFaultServer) -> tuple[object, ...]:
    """The options that lead to the set on the network."""
    return ("--tcp", f"127.0.0.1:{tcp.port}", "--device-id", UNIT, "--profile", "dse-generic", *PATIENT)


@pytest.fixture
def line(rtu: RtuFaultServer) -> tuple[object, ...]:
    """The same on a serial line."""
    return ("--rtu", rtu.link, "--device-id", UNIT, "--profile", "dse-generic", *PATIENT)


@pytest.fixture
def kit_toml(rtu: RtuFaultServer, tmp_path: Path) -> Path:
    """A kit whose device "genset" is the set on the serial line."""
    path = tmp_path / "kit.toml"
    path.write_text(
        f"""
        [site]
        name = "Ekby"
        kit = "kit-0001"
        org = "se0180"
        municipality = "Ekby"
        [paths]
        state = "{tmp_path}"
        run = "{tmp_path}"
        pages = "{tmp_path}/pages"
        [bus.rs485]
        port = "{rtu.link}"
        [device.genset]
        bus = "rs485"
        device_id = {UNIT}
        profile = "dse-generic"
        timeout_s = 3.0
        """,
        encoding="utf-8",
    )
    return path
