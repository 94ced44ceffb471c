"""The record as a service sees it: transactions that stamp every row with time, boot and trust."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from tpkit.store.clock import Clock, boot_id
from tpkit.store.database import Connection, Database
from tpkit.store.rights import Role

T = TypeVar("T")
FILE_NAME = "kit.db"


class Stamp(Struct, frozen=True):
    """When a row was made: UTC ms (None while unknown), boot number, boot time in ms, clock trust."""

    at: int | None
    boot: int
    mono: int
    q: str


class Transaction:
    """An open write. Everything in it happens at one `stamp`, together or not at all."""

    def __init__(self, connection: Connection, stamp: Stamp) -> None:
        self.connection = connection
        self.stamp = stamp

    def insert(self, table: str, **columns: Any) -> int:
        """Add a stamped row and return its row id. `table` and column names come from code only."""
        row = {**msgspec.structs.asdict(self.stamp), **columns}
        marks = ", ".join(f":{name}" for name in row)
        sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608
        return int(self.connection.execute(sql, row).lastrowid or 0)

    def put(self, table: str, key: str, **columns: Any) -> None:
        """Add or replace the stamped row whose `key` column has this value."""
        row = {**msgspec.structs.asdict(self.stamp), **columns}
        marks = ", ".join(f":{name}" for name in row)
        changes = ", ".join(f"{name} = excluded.{name}" for name in row if name != key)
        sql = (
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks}) "  # noqa: S608
            f"ON CONFLICT ({key}) DO UPDATE SET {changes}"
        )
        self.connection.execute(sql, row)

    def next_number(self) -> int:
        """The next record number of this life of the database; never given out twice."""
        row = self.connection.execute("UPDATE counter SET n = n + 1 RETURNING n").fetchone()
        return int(row[0])


class Record:
    """A service's view of the record: reads, stamped writes, and who and when we are."""

    def __init__(self, database: Database, clock: Clock, ep: str, boot: int) -> None:
        self._database = database
        self.clock = clock
        self.ep = ep
        self.boot = boot

    def stamp(self) -> Stamp:
        """The present moment as rows keep it."""
        at = int(self.clock.now().timestamp() * 1000)
        known = self.clock.trust != "none"
        return Stamp(at if known else None, self.boot, self.clock.mono_ms(), self.clock.trust)

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one transaction; when this returns, it is on disk."""
        return self._database.write(lambda connection: work(Transaction(connection, self.stamp())))

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a snapshot."""
        return self._database.read(work)

    def changes(self) -> int:
        """A number that changes when another service has committed."""
        return self._database.changes()

    def close(self) -> None:
        """Close the record."""
        self._database.close()


def open_record(state_dir: Path, role: Role, clock: Clock) -> Record:
    """Open (and at the very first time create) the record in `state_dir`.

    Raises StoreUnavailableError or SchemaTooNewError, each with what to do.
    """
    database = Database(state_dir / FILE_NAME, role)
    ep, boot = database.write(_begin) if role is not Role.READER else database.read(_who)
    return Record(database, clock, ep, boot)


def _begin(connection: Connection) -> tuple[str, int]:
    """Give a new database its life and this boot its number, unless they have them."""
    connection.execute(
        "INSERT INTO life (ep) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM life)",
        (secrets.token_hex(4),),
    )
    connection.execute("INSERT OR IGNORE INTO boot (boot_id) VALUES (?)", (boot_id(),))
    return _who(connection)


def _who(connection: Connection) -> tuple[str, int]:
    ep = connection.execute("SELECT ep FROM life").fetchone()
    boot = connection.execute("SELECT boot FROM boot WHERE boot_id = ?", (boot_id(),)).fetchone()
    return (ep[0] if ep else "", boot[0] if boot else 0)
