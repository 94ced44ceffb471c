"""A bus with a fault server at its other end, on either kind of line."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.hardware.fault_server import RtuFaultServer, TcpFaultServer
from tests.hardware.gateway_server import GatewayFaultServer
from tests.hardware.line import Line


@pytest.fixture
def tcp() -> Iterator[TcpFaultServer]:
    with TcpFaultServer() as server:
        yield server


@pytest.fixture
def rtu(tmp_path: Path) -> Iterator[RtuFaultServer]:
    with RtuFaultServer(tmp_path / "rs485") as server:
        yield server


@pytest.fixture
def network(tcp: TcpFaultServer) -> Iterator[Line]:
    """A Modbus TCP connection."""
    line = Line(tcp)
    with closing(line.bus):
        yield line


@pytest.fixture
def serial(rtu: RtuFaultServer) -> Iterator[Line]:
    """An RS-485 line."""
    line = Line(rtu)
    with closing(line.bus):
        yield line


@pytest.fixture
def gateway() -> Iterator[Line]:
    """RTU frames over TCP."""
    with GatewayFaultServer() as server:
        line = Line(server, framing="rtu")
        with closing(line.bus):
            yield line


@pytest.fixture(params=["network", "serial", "gateway"])
def line(request: pytest.FixtureRequest) -> Line:
    """One after the other."""
    found: Line = request.getfixturevalue(request.param)
    return found
