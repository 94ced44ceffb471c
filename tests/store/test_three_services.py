"""Three processes on one file, one of them killed again and again."""

import subprocess
import sys
from pathlib import Path

from tests.store.killing import kill_again_and_again


def test_nothing_acknowledged_is_lost_when_services_are_killed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    told, _ = kill_again_and_again(state, rounds=8)

    assert all(told.values()), told


def test_three_openers_at_the_same_instant_make_one_database(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.store.opening", str(tmp_path), "40"], capture_output=True, text=True
    )  # fmt: skip

    assert (run.returncode, run.stderr) == (0, "")
