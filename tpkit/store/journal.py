"""The journal: what happened and who did it, by role. Rows are added and never changed."""

from typing import Any

import msgspec
from msgspec import Struct

from tpkit.store.database import Connection
from tpkit.store.record import Transaction


class Entry(Struct, frozen=True):
    """One journal entry; `at` is UTC ms or None, `mono` boot time in ms."""

    at: int | None
    boot: int
    mono: int
    by: str
    kind: str
    body: dict[str, Any]


def add(tx: Transaction, by: str, kind: str, **body: Any) -> None:
    """Write one entry. `by` is a role code such as `lead-1`, or the name of a service."""
    tx.insert("journal", by=by, kind=kind, body=msgspec.json.encode(body))


def newest(connection: Connection, count: int) -> list[Entry]:
    """The newest `count` entries, newest first."""
    rows = connection.execute(
        "SELECT at, boot, mono, by, kind, body FROM journal ORDER BY id DESC LIMIT ?", (count,)
    )
    return [
        Entry(at, boot, mono, by, kind, msgspec.json.decode(body)) for at, boot, mono, by, kind, body in rows
    ]
