"""Messages to residents: stored together with their journal entry and the event owed to central."""

from datetime import datetime

import msgspec

from tpkit.domain.messages import Message
from tpkit.store import journal, outbox
from tpkit.store.database import Connection
from tpkit.store.record import Transaction


def post(tx: Transaction, message: Message) -> None:
    """Store a message; the one it replaces is withdrawn in the same breath."""
    if message.replaces:
        _mark_withdrawn(tx, message.replaces)
    tx.insert("message", id=message.id, body=msgspec.json.encode(message))
    journal.add(tx, message.author, "message", id=message.id, phrase=message.phrase)
    data = {
        "phrase": message.phrase, "slots": message.slots, "note": message.note,
        "note_lang": message.note_lang, "from": _ms(message.effective),
        "until": _ms(message.expires), "replaces": message.replaces,
    }  # fmt: skip
    outbox.put(
        tx,
        outbox.EventBody(
            "message", sev=int(message.severity), subject=message.id, by=message.author, data=data
        ),
    )


def withdraw(tx: Transaction, message_id: str, by: str) -> bool:
    """Take a message off every page; False if it was not on them."""
    if not _mark_withdrawn(tx, message_id):
        return False
    journal.add(tx, by, "withdrawn", id=message_id)
    outbox.put(tx, outbox.EventBody("message_withdrawn", subject=message_id, by=by))
    return True


def current(connection: Connection) -> list[Message]:
    """Messages that have not been withdrawn, most severe first, then newest first."""
    rows = connection.execute("SELECT body FROM message WHERE withdrawn = 0 ORDER BY rowid DESC")
    found = [msgspec.json.decode(row[0], type=Message) for row in rows]
    return sorted(found, key=lambda message: -message.severity)


def _mark_withdrawn(tx: Transaction, message_id: str) -> bool:
    cursor = tx.connection.execute(
        "UPDATE message SET withdrawn = 1 WHERE id = ? AND withdrawn = 0", (message_id,)
    )
    return cursor.rowcount == 1


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
