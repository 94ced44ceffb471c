"""Alarms that are on, and their edges as journal entries and events, committed together."""

from datetime import UTC, datetime

from tpkit.domain.alarms import Alarm, Edge
from tpkit.store import journal, outbox
from tpkit.store.database import Connection
from tpkit.store.record import Transaction


def apply(tx: Transaction, edges: list[Edge]) -> None:
    """Store what was raised and cleared, and owe central the news."""
    for edge in edges:
        alarm = edge.alarm
        if edge.raised:
            tx.insert(
                "alarm", code=alarm.code, subject=alarm.subject,
                detail=alarm.detail, severity=alarm.severity,
            )  # fmt: skip
        else:
            tx.connection.execute(
                "UPDATE alarm SET cleared = 1, cleared_at = ? WHERE code = ? AND subject = ? AND cleared = 0",
                (tx.stamp.at, alarm.code, alarm.subject),
            )
        word = "raise" if edge.raised else "clear"
        journal.add(tx, "controller", "alarm", code=alarm.code, subject=alarm.subject, edge=word)
        outbox.put(tx, outbox.EventBody(alarm.code, edge=word, sev=alarm.severity, subject=alarm.subject))


def active(connection: Connection, boot: int) -> list[Alarm]:
    """Alarms that are on; those from an earlier boot count as on since this boot began."""
    rows = connection.execute(
        "SELECT code, subject, detail, severity, at, boot, mono FROM alarm WHERE cleared = 0"
    )
    return [
        Alarm(
            code, subject, detail, severity,
            datetime.fromtimestamp((at or 0) / 1000, UTC), mono if row_boot == boot else 0,
        )
        for code, subject, detail, severity, at, row_boot, mono in rows
    ]  # fmt: skip
