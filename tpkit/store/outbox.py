"""Events owed to central. Everyone puts them in; only the uplink takes them out, on a receipt."""

from typing import Any

import msgspec
from msgspec import Struct

from tpkit.store.record import Transaction


class EventBody(Struct, frozen=True, omit_defaults=True):
    """What an event says, without the envelope that the uplink adds when it sends."""

    code: str
    edge: str = ""
    sev: int = 0
    subject: str = ""
    by: str = ""
    data: dict[str, Any] = {}


def put(tx: Transaction, event: EventBody) -> int:
    """Owe central this event; return its record number."""
    number = tx.next_number()
    tx.insert("outbox", n=number, leaf="event", body=msgspec.json.encode(event))
    return number
