"""Kills services at random moments while they write, and holds the record to every word it gave."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from tests.conftest import wait_until
from tpkit.store.record import FILE_NAME

ROLES = ("controller", "web", "uplink")
LONGEST_LIFE_S = 0.6


class Outcome(NamedTuple):
    """How much each role acknowledged, and the database's files as the services left them."""

    told: dict[str, int]
    files: dict[str, os.stat_result]


class Service(Protocol):
    """A running service: a process of whatever kind."""

    def kill(self) -> None: ...
    def is_alive(self) -> bool: ...


class Child:
    """A service in a process of its own, as the same user."""

    def __init__(self, role: str, state_dir: Path, log: Path) -> None:
        with log.open("ab") as out:
            command = [sys.executable, "-m", "tests.store.worker", role, str(state_dir)]
            self._process = subprocess.Popen(command, stdout=out)

    def kill(self) -> None:
        """End it without warning."""
        self._process.kill()
        self._process.wait()

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None


def kill_again_and_again(
    state_dir: Path, rounds: int, start: Callable[[str, Path, Path], Service] = Child
) -> Outcome:
    """Run the three roles and kill one of them `rounds` times.

    `start` starts a role on a directory with a log for its acknowledgements. Raises AssertionError if
    anything that was acknowledged is missing, or if the file is damaged.
    """
    chance = random.Random(rounds)
    logs = {role: state_dir.with_name(f"{role}.log") for role in ROLES}
    running = {role: start(role, state_dir, logs[role]) for role in ROLES}
    try:
        for _ in range(rounds):
            time.sleep(chance.uniform(0.05, LONGEST_LIFE_S))  # the moment of the kill is the test
            role = chance.choice(ROLES)
            running[role].kill()
            assert all(running[other].is_alive() for other in ROLES if other != role), "the others go on"
            running[role] = start(role, state_dir, logs[role])
        assert wait_until(lambda: all(log.stat().st_size for log in logs.values()), 20)
        assert [role for role in ROLES if not running[role].is_alive()] == []
    finally:
        for service in running.values():
            service.kill()
    files = {path.name.removeprefix(FILE_NAME): path.stat() for path in state_dir.glob(f"{FILE_NAME}*")}
    return Outcome(_check(state_dir / FILE_NAME, logs), files)


def _check(path: Path, logs: dict[str, Path]) -> dict[str, int]:
    words = {role: [line.split() for line in log.read_text().splitlines()] for role, log in logs.items()}
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        passages = {row[0] for row in connection.execute("SELECT id FROM passage")}
        owed = {row[0] for row in connection.execute("SELECT n FROM outbox")}
        ranges = connection.execute("SELECT first, last FROM stored").fetchall()
        newest = connection.execute("SELECT n FROM counter").fetchone()[0]
        numbers = [row[0] for row in connection.execute("SELECT n FROM history")] + list(owed)
    finally:
        connection.close()
    told = {int(word[1]) for word in words["controller"]}
    assert told <= passages, f"lost passages {sorted(told - passages)[:5]}"
    assert passages == set(range(1, len(passages) + 1)), "no hole and no double"
    events = {int(word[1]) for word in words["web"]}
    kept = {n for n in events if n in owed or any(first <= n <= last for first, last in ranges)}
    assert events == kept, f"lost events {sorted(events - kept)[:5]}"
    assert max(numbers, default=0) <= newest
    assert len(set(numbers)) == len(numbers), "a number was given out twice"
    return {role: len(told) for role, told in words.items()}
