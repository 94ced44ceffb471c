"""What every test may use, and the table of what was skipped and how to have it."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tpkit.domain.status import TimeReference, TimeTrust
from tpkit.store.clock import Clock, boot_id, boot_ms
from tpkit.store.record import Record, open_record
from tpkit.store.rights import Role

NOW = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
NO_SKIP = "TPKIT_NO_SKIP"
PACKAGES = Path(__file__).parent / "system" / "packages"


def wait_until(condition: Callable[[], object], timeout_s: float = 10.0) -> bool:
    """Poll until `condition()` is true; False when the time is up."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def clock() -> Clock:
    """tpkit's time, standing at NOW when the test begins, trusted."""
    reference = TimeReference(boot_id(), boot_ms(), int(NOW.timestamp() * 1000), TimeTrust.NTP)
    return Clock(reference)


@pytest.fixture
def open_as(tmp_path: Path, clock: Clock) -> Iterator[Callable[[Role], Record]]:
    """Opens the record of this test as one of the services."""
    opened: list[Record] = []

    def open_role(role: Role) -> Record:
        opened.append(open_record(tmp_path, role, clock))
        return opened[-1]

    yield open_role
    for record in opened:
        record.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was skipped and the one line that installs it."""
    skipped = terminalreporter.stats.get("skipped", [])
    if not skipped:
        return
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    terminalreporter.section("skipped here")
    for reason, count in reasons.items():
        terminalreporter.write_line(f"  {count:4} tests   {reason.partition(':')[0]}")
    lines = PACKAGES.read_text("utf-8").splitlines()
    packages = " ".join(line.partition("#")[0].strip() for line in lines[1:])
    terminalreporter.write_line(f"To run them too: sudo apt install {packages}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where everything must run, a skipped test is a failed run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get(NO_SKIP) and exitstatus == 0 and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
