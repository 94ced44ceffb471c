"""The file itself: who may do what, what survives, and what is refused with a sentence."""

import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tpkit.errors import NotTheirTableError, SchemaTooNewError, StoreUnavailableError
from tpkit.store import journal
from tpkit.store.clock import Clock
from tpkit.store.database import APPLICATION_ID, Database
from tpkit.store.record import FILE_NAME, Record, open_record
from tpkit.store.rights import WRITES, Role

Opener = Callable[[Role], Record]


def test_a_new_file_is_writable_by_the_group_and_its_helpers_too(open_as: Opener, tmp_path: Path) -> None:
    open_as(Role.WEB)

    for name in (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o660, name


def test_every_commit_is_synced_to_the_disk(tmp_path: Path) -> None:
    database = Database(tmp_path / FILE_NAME, Role.WEB)

    fresh = database._connect()
    assert fresh.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert fresh.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    fresh.close()
    database.close()


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        (Role.CONTROLLER, "INSERT INTO message (id, boot, mono, q, body) VALUES ('m', 1, 1, 'ntp', x'')"),
        (Role.CONTROLLER, "UPDATE stage SET stage = 'closed'"),
        (Role.CONTROLLER, "DELETE FROM outbox"),
        (
            Role.WEB,
            "INSERT INTO passage (boot, mono, q, door, direction, confidence) VALUES (1, 1, 'ntp', 'd', 1, 1)",
        ),
        (Role.WEB, "UPDATE request SET done = 1"),
        (Role.WEB, "DELETE FROM history"),
        (Role.UPLINK, "DELETE FROM history"),
        (Role.UPLINK, "INSERT INTO staff VALUES ('lead-9', 'x')"),
        (Role.UPLINK, "DROP TABLE journal"),
        (Role.WEB, "PRAGMA user_version = 7"),
        (Role.WEB, "ATTACH DATABASE ':memory:' AS other"),
        *((role, "UPDATE journal SET by = 'x'") for role in (Role.CONTROLLER, Role.WEB, Role.UPLINK)),
        *((role, "DELETE FROM journal") for role in (Role.CONTROLLER, Role.WEB, Role.UPLINK)),
    ],
)
def test_a_service_cannot_write_what_is_not_its_own(role: Role, statement: str, open_as: Opener) -> None:
    record = open_as(role)

    with pytest.raises(NotTheirTableError, match=f"The {role} service may not"):
        record.write(lambda tx: tx.connection.execute(statement))


def test_every_table_has_somebody_who_writes_it(open_as: Opener) -> None:
    tables = open_as(Role.WEB).read(
        lambda c: {row[0] for row in c.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    )

    assert tables == {table for rights in WRITES.values() for table in rights}


def test_a_reader_cannot_write(open_as: Opener) -> None:
    open_as(Role.WEB)
    record = open_as(Role.READER)

    with pytest.raises(StoreUnavailableError):
        record.read(lambda c: c.execute("DELETE FROM journal"))
    with pytest.raises(NotTheirTableError):
        record.write(lambda tx: journal.add(tx, "reader", "x"))


def test_a_write_that_fails_leaves_nothing(open_as: Opener) -> None:
    record = open_as(Role.WEB)

    def half(tx: object) -> None:
        journal.add(tx, "lead-1", "first")
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        record.write(half)
    assert record.read(lambda c: journal.newest(c, 9)) == []
    record.write(lambda tx: journal.add(tx, "lead-1", "second"))
    assert [entry.kind for entry in record.read(lambda c: journal.newest(c, 9))] == ["second"]


def test_threads_of_one_service_take_turns(open_as: Opener) -> None:
    record = open_as(Role.WEB)
    threads = [
        threading.Thread(target=lambda: [record.write(lambda tx: tx.next_number()) for _ in range(50)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert record.write(lambda tx: tx.next_number()) == 201


def test_changes_shows_that_another_service_committed(open_as: Opener) -> None:
    web, controller = open_as(Role.WEB), open_as(Role.CONTROLLER)
    before = controller.changes()
    assert controller.changes() == before

    web.write(lambda tx: journal.add(tx, "lead-1", "x"))
    assert controller.changes() != before


def test_life_and_boot_are_kept(open_as: Opener, tmp_path: Path, clock: Clock) -> None:
    first, second = open_as(Role.WEB), open_as(Role.CONTROLLER)

    assert len(first.ep) == 8
    assert (first.ep, first.boot) == (second.ep, second.boot)
    other = open_record(_made(tmp_path / "other"), Role.WEB, clock)
    assert other.ep != first.ep
    other.close()


def test_a_file_of_a_newer_major_version_is_refused(open_as: Opener, tmp_path: Path, clock: Clock) -> None:
    open_as(Role.WEB).close()
    _set(tmp_path / FILE_NAME, "user_version", 2001)

    with pytest.raises(SchemaTooNewError, match=r"written by tpkit 2, and this is tpkit 1: start the newer"):
        open_record(tmp_path, Role.WEB, clock)


def test_a_file_of_the_same_major_version_with_more_in_it_is_used(
    open_as: Opener, tmp_path: Path, clock: Clock
) -> None:
    open_as(Role.WEB).close()
    _set(tmp_path / FILE_NAME, "user_version", 1999)

    newer = open_record(tmp_path, Role.WEB, clock)
    newer.write(lambda tx: journal.add(tx, "lead-1", "x"))
    newer.close()


def test_the_file_of_another_program_is_left_alone(tmp_path: Path, clock: Clock) -> None:
    _set(tmp_path / FILE_NAME, "application_id", APPLICATION_ID + 1)

    with pytest.raises(StoreUnavailableError, match="database of another program: move it away"):
        open_record(tmp_path, Role.WEB, clock)


@pytest.mark.parametrize("make", ["missing", "a file", "not a database"])
def test_a_place_that_cannot_be_used_is_named(make: str, tmp_path: Path, clock: Clock) -> None:
    place = tmp_path / "state"
    if make == "a file":
        place.write_text("x")
    elif make == "not a database":
        _made(place)
        (place / FILE_NAME).write_bytes(b"no database " * 100)

    with pytest.raises(
        StoreUnavailableError, match=r"kit\.db cannot be used .*check that the directory exists"
    ):
        open_record(place, Role.WEB, clock)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _set(path: Path, pragma: str, value: int) -> None:
    outside = sqlite3.connect(path)
    outside.execute(f"PRAGMA {pragma} = {value}")
    outside.commit()
    outside.close()
