"""The three services as three users on one file, as they are on the kit."""

import contextlib
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.killing import kill_again_and_again
from tests.store.worker import WORK, work
from tpkit.domain.status import TimeTrust
from tpkit.store.clock import Clock, system_reference
from tpkit.store.record import open_record
from tpkit.store.rights import Role

pytestmark = pytest.mark.system

GROUP = 61_000  # numbers without names do: the kernel knows no names
USERS = {"controller": 61_001, "web": 61_002, "uplink": 61_003}
ROUNDS = int(os.environ.get("TPKIT_ROUNDS", "25"))


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A directory as tmpfiles.d makes it: root:tpkit 2770, on a real disk, reachable by everyone."""
    folder = Path(tempfile.mkdtemp(prefix="tpkit-system-", dir="/var/tmp"))
    folder.chmod(0o755)
    state = folder / "state"
    state.mkdir()
    os.chown(state, 0, GROUP)
    state.chmod(0o2770)
    yield state
    shutil.rmtree(folder)


class ForkedUser:
    """A service in a forked process that has become another user: no file of ours need be readable to it."""

    def __init__(self, role: str, state_dir: Path, log: Path) -> None:
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.dup2(os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY), 1)
                os.setgroups([])
                os.setgid(GROUP)
                os.setuid(USERS[role])
                work(Role(role), state_dir)
            finally:
                os._exit(1)

    def kill(self) -> None:
        """End it without warning."""
        if self.is_alive():
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def is_alive(self) -> bool:
        """Whether it still runs."""
        with contextlib.suppress(ChildProcessError):
            return os.waitpid(self._pid, os.WNOHANG) == (0, 0)
        return False


@pytest.mark.timeout(3600)
def test_three_users_share_the_record_and_survive_kills(state_dir: Path, tmp_path: Path) -> None:
    _warm_up(tmp_path)
    told, files = kill_again_and_again(state_dir, ROUNDS, ForkedUser)

    assert all(count > 10 for count in told.values()), told
    assert set(files) == {"", "-wal", "-shm"}
    assert {(stat.S_IMODE(found.st_mode), found.st_gid) for found in files.values()} == {(0o660, GROUP)}
    assert {found.st_uid for found in files.values()} <= set(USERS.values())


def _warm_up(folder: Path) -> None:
    """Import and read here what the forked users may not be allowed to read."""
    for role, step in WORK.items():
        record = open_record(folder, role, Clock(system_reference(TimeTrust.NTP)))
        record.write(step)
        record.close()


def test_a_user_outside_the_group_sees_nothing(state_dir: Path) -> None:
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setgid(61_900)
        os.setuid(61_900)
        os._exit(0 if not os.access(state_dir, os.R_OK | os.X_OK) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
