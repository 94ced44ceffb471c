"""A running kit on independent ground: libmodbus behind its buses, mosquitto behind its uplink."""

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.e2e.ground import Broker, Line, need
from tests.e2e.kit import DOOR, SERVICES, Kit, Site, Staff
from tests.e2e.machines import DSE_BAUD, TANK, buses, dse_server, gx_server
from tests.e2e.silence import Silence
from tpkit.bench.receipts import ReceiptSender


@pytest.fixture(scope="session")
def modbus_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Modbus server of this folder, compiled against the system's libmodbus."""
    compiler, pkg_config = need("cc", "gcc"), need("pkg-config", "pkg-config")
    found = subprocess.run(
        [pkg_config, "--cflags", "--libs", "libmodbus"], capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip("needs libmodbus: apt install libmodbus-dev")
    program = tmp_path_factory.mktemp("modbus") / "modbus_server"
    source = Path(__file__).with_name("modbus_server.c")
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1"]
    subprocess.run(
        [compiler, *flags, str(source), *shlex.split(found.stdout), "-o", str(program)], check=True
    )
    return program


@pytest.fixture(scope="session")
def silence(tmp_path_factory: pytest.TempPathFactory, modbus_program: Path) -> Iterator[Silence]:
    """A story that goes on in the background while other tests run."""
    with closing(Silence(tmp_path_factory.mktemp("silence"), modbus_program)) as story:
        story.start()
        yield story


@pytest.fixture(scope="module")
def clock_speed() -> int:
    """How much faster than the wall tpkit's clock runs in this module."""
    return 1


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, modbus_program: Path, clock_speed: int, silence: Silence
) -> Iterator[Site]:
    """The three services, running, for the tests of one module. They must write no traceback, and end well.

    `silence` is asked for only so that its story begins as early as may be.
    """
    folder = tmp_path_factory.mktemp("kit")
    with ExitStack() as stack:
        gx = stack.enter_context(closing(gx_server(modbus_program)))
        line = stack.enter_context(closing(Line(DSE_BAUD)))
        genset = stack.enter_context(closing(dse_server(modbus_program, line)))
        broker = stack.enter_context(closing(Broker(folder)))
        central = stack.enter_context(closing(ReceiptSender("127.0.0.1", broker.port)))
        clock = f"\n[clock]\nspeed = {clock_speed}\n"
        kit = stack.enter_context(Kit(folder, TANK, DOOR, buses(gx, line), clock, broker=broker.address))
        kit.start(*SERVICES)
        yield Site(kit, gx, line, genset, broker, central)
        assert "Traceback" not in kit.logs(), kit.logs()
        assert kit.stop() == dict.fromkeys(SERVICES, 0), kit.logs()


@pytest.fixture(scope="module")
def kit(site: Site) -> Kit:
    return site.kit


@pytest.fixture(scope="module")
def staff(kit: Kit) -> Staff:
    """A lead, logged in, who has confirmed the clock and opened the place."""
    lead = Staff(kit)
    lead.log_in(kit.code)
    lead.confirm_clock()
    assert lead.post("stage", stage="open", level="2", hours="").status == 303
    return lead
