"""What central has and has not: the uplink's side of the record."""

from collections.abc import Iterable

from msgspec import Struct

from tpkit.domain.ranges import RangeSet
from tpkit.store import history
from tpkit.store.database import Connection
from tpkit.store.history import Columns
from tpkit.store.record import Stamp, Transaction


class OwedEvent(Struct, frozen=True):
    """An event as it lies in the outbox; `body` is its JSON."""

    n: int
    stamp: Stamp
    body: bytes


class OwedRow(Struct, frozen=True):
    """A history row that central does not have."""

    n: int
    kind: str
    stamp: Stamp
    columns: Columns


class Backlog(Struct, frozen=True):
    """How many records central has not confirmed, and the time of the oldest (UTC ms)."""

    records: int
    oldest: int | None


def newest_number(connection: Connection) -> int:
    """The last record number given out."""
    return int(connection.execute("SELECT n FROM counter").fetchone()[0])


def event_within(connection: Connection, gaps: Iterable[tuple[int, int]]) -> OwedEvent | None:
    """The newest event whose number lies in one of `gaps` (highest gap first)."""
    for low, high in gaps:
        row = connection.execute(
            "SELECT n, at, boot, mono, q, body FROM outbox WHERE n BETWEEN ? AND ? ORDER BY n DESC LIMIT 1",
            (low, high),
        ).fetchone()
        if row:
            return OwedEvent(row[0], Stamp(*row[1:5]), row[5])
    return None


def rows_within(
    connection: Connection, gaps: Iterable[tuple[int, int]], limit: int, *, oldest: bool = False
) -> list[OwedRow]:
    """Up to `limit` history rows of one kind out of `gaps`, from one end of the first that has any."""
    order = "ASC" if oldest else "DESC"
    for low, high in gaps:
        found = connection.execute(
            "SELECT n, kind, at, boot, mono, q, body FROM history "  # noqa: S608
            f"WHERE n BETWEEN ? AND ? ORDER BY n {order} LIMIT ?",
            (low, high, limit),
        ).fetchall()
        if found:
            kind = found[0][1]
            return [
                OwedRow(row[0], row[1], Stamp(*row[2:6]), history.unpack(row[6]))
                for row in found
                if row[1] == kind
            ]
    return []


def confirmed(connection: Connection) -> RangeSet:
    """Every record number that central has confirmed."""
    return RangeSet(connection.execute("SELECT first, last FROM stored").fetchall())


def confirm(tx: Transaction, ranges: Iterable[tuple[int, int]]) -> None:
    """Take central's receipt: remember the ranges and take their events out of the outbox."""
    known = confirmed(tx.connection)
    before = set(known)
    for first, last in ranges:
        known.add(first, last)
    after = set(known)
    for first, _ in before - after:
        tx.connection.execute("DELETE FROM stored WHERE first = ?", (first,))
    for first, last in after - before:
        tx.connection.execute("INSERT OR REPLACE INTO stored VALUES (?, ?)", (first, last))
        tx.connection.execute("DELETE FROM outbox WHERE n BETWEEN ? AND ?", (first, last))


def backlog(connection: Connection) -> Backlog:
    """What central has not confirmed yet."""
    row = connection.execute(
        "SELECT count(*), min(at) FROM ("
        " SELECT n, at FROM outbox UNION ALL SELECT n, at FROM history) AS owed "
        "WHERE NOT EXISTS (SELECT 1 FROM stored WHERE owed.n BETWEEN first AND last)"
    ).fetchone()
    return Backlog(row[0], row[1])
