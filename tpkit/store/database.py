"""The record: one SQLite file shared by three services, each with its own rights.

How it is opened decides that it stays whole: WAL, every commit synced, every write a
BEGIN IMMEDIATE, one writer a process. Nothing but SQLite ever opens the file once it exists:
closing any other handle drops SQLite's locks, and committed rows can be lost in silence.
"""

import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from tpkit.errors import NotTheirTableError, SchemaTooNewError, StoreUnavailableError
from tpkit.store.rights import Role, guard

T = TypeVar("T")
Connection = sqlite3.Connection

MAJOR = 1  # within one major version migrations only add, so an older program runs on a newer file
MIGRATIONS_PER_MAJOR = 1000
APPLICATION_ID = 0x74706B31  # "tpk1"
BUSY_TIMEOUT_S = 5.0
OPEN_AGAIN_S = 0.02


class Database:
    """One service's way into the record. Thread-safe; one write at a time within the process."""

    def __init__(self, path: Path, role: Role) -> None:
        self._path = path
        self._role = role
        self._readers = threading.local()
        self._write_lock = threading.Lock()
        try:
            _create_with_group_rights(path)
            self._writer = self._open()
        except sqlite3.Error as error:
            raise _unavailable(path, error) from error
        self._writer.set_authorizer(guard(role))

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction that is on disk when this returns; roll back if it raises.

        `work` prepares nothing and waits for nothing. Raises NotTheirTableError if it touches what
        this role may not write, StoreUnavailableError if the disk or a lock prevents the commit.
        """
        with self._write_lock:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                result = work(self._writer)
                self._writer.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                if "not authorized" in str(error):
                    message = f"The {self._role} service may not do this to the record: {error}"
                    raise NotTheirTableError(message) from error
                raise _unavailable(self._path, error) from error
            except BaseException:
                self._roll_back()
                raise
            return result

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on this thread's read-only connection, in one snapshot."""
        try:
            reader = self._reader()
            reader.execute("BEGIN")
            try:
                return work(reader)
            finally:
                reader.execute("COMMIT")
        except sqlite3.Error as error:
            raise _unavailable(self._path, error) from error

    def changes(self) -> int:
        """A number that changes when another connection has committed; cheap enough for every second."""
        row = self._reader().execute("PRAGMA data_version").fetchone()
        return int(row[0])

    def close(self) -> None:
        """Close this thread's connections; other threads' close when they end."""
        with suppress(AttributeError):
            self._readers.connection.close()
        with self._write_lock:
            self._writer.close()

    def _open(self) -> Connection:
        """Connect and migrate. Switching a new file to WAL ignores the busy timeout, so we wait ourselves."""
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                connection = self._connect()
                _check_version(connection, self._path)
                connection.execute("PRAGMA journal_mode = WAL")
                _migrate(connection, self._path)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(OPEN_AGAIN_S)
            else:
                return connection

    def _connect(self) -> Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -512")
        return connection

    def _reader(self) -> Connection:
        connection: Connection | None = getattr(self._readers, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            self._readers.connection = connection
        return connection

    def _roll_back(self) -> None:
        if self._writer.in_transaction:
            with suppress(sqlite3.Error):
                self._writer.execute("ROLLBACK")


def _create_with_group_rights(path: Path) -> None:
    """Make an empty 0660 file, because SQLite's own 0640 would lock the other services out."""
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o660)
    except FileExistsError:
        return
    except OSError as error:
        raise _unavailable(path, error) from error
    os.fchmod(handle, 0o660)
    os.close(handle)


def _migrate(connection: Connection, path: Path) -> None:
    """Bring the file to this program's schema; the first service to open it does the work."""
    connection.execute("BEGIN EXCLUSIVE")
    try:
        version = _check_version(connection, path)
        for number, script in _migrations():
            if number > version:
                for statement in _statements(script):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _check_version(connection: Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version >= (MAJOR + 1) * MIGRATIONS_PER_MAJOR:
        raise SchemaTooNewError(
            f"{path} was written by tpkit {version // MIGRATIONS_PER_MAJOR}, and this is tpkit "
            f"{MAJOR}: start the newer version, or restore a backup made by this one."
        )
    owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
    is_empty = not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    if owner != APPLICATION_ID and (owner or version or not is_empty):
        raise StoreUnavailableError(
            f"{path} is the database of another program: move it away, or set another [paths] state."
        )
    return version


@cache
def _migrations() -> list[tuple[int, str]]:
    """All schema files as (number within this major version, text), in order."""
    found = []
    for entry in files("tpkit.store").joinpath("schema").iterdir():
        if match := re.fullmatch(r"(\d{4})_\w+\.sql", entry.name):
            number = MAJOR * MIGRATIONS_PER_MAJOR + int(match[1])
            found.append((number, entry.read_text("utf-8")))
    return sorted(found)


def _statements(script: str) -> list[str]:
    statements, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements


def _unavailable(path: Path, error: Exception) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"The record {path} cannot be used ({error}): check that the directory exists, that this "
        f"user may write there (group tpkit), and that the disk is not full."
    )
