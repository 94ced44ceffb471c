"""History rows: one a minute with every point, and one for each bin of door counts.

A row is both the kit's own history and what the uplink sends; it is stored once.
"""

import zlib
from typing import Any

import msgspec

from tpkit.store.record import Stamp, Transaction

MINUTE, DOORS = "minute", "doors"
Columns = dict[str, float | int | str | None]


def add(tx: Transaction, kind: str, columns: Columns, stamp: Stamp) -> int:
    """Store one row made at `stamp` (which may be some minutes ago) and return its record number."""
    number = tx.next_number()
    row: dict[str, Any] = msgspec.structs.asdict(stamp)
    tx.insert("history", **row, n=number, kind=kind, body=pack(columns))
    return number


def pack(columns: Columns) -> bytes:
    """A row as it lies on the card: names and values, compressed."""
    return zlib.compress(msgspec.json.encode(columns), 6)


def unpack(body: bytes) -> Columns:
    """The names and values of a stored row."""
    columns: Columns = msgspec.json.decode(zlib.decompress(body))
    return columns
