"""What staff ask of the controller: a row that waits until it has been done."""

from typing import Any

import msgspec
from msgspec import Struct

from tpkit.store import journal
from tpkit.store.database import Connection
from tpkit.store.record import Transaction


class Request(Struct, frozen=True):
    """One request. `kind` is `recount` {inside} or `set_clock` {utc_ms}."""

    id: int
    by: str
    kind: str
    args: dict[str, Any]
    boot: int
    mono: int


def ask(tx: Transaction, by: str, kind: str, **args: Any) -> int:
    """Leave a request and journal it, in one transaction; return its id."""
    journal.add(tx, by, kind, **args)
    return tx.insert("request", by=by, kind=kind, args=msgspec.json.encode(args))


def waiting(connection: Connection) -> list[Request]:
    """Requests that the controller has not dealt with yet, oldest first."""
    rows = connection.execute("SELECT id, by, kind, args, boot, mono FROM request WHERE done = 0 ORDER BY id")
    return [Request(row[0], row[1], row[2], msgspec.json.decode(row[3]), *row[4:]) for row in rows]


def finish(tx: Transaction, request: Request, outcome: str) -> None:
    """Mark a request as dealt with; `outcome` is `done` or a word for why not."""
    tx.connection.execute(
        "UPDATE request SET done = 1, done_at = ?, outcome = ? WHERE id = ?",
        (tx.stamp.at, outcome, request.id),
    )
