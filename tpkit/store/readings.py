"""Readings that a person took and typed: dip stick, gauge, thermometer."""

from datetime import UTC, datetime, timedelta

from tpkit.domain.points import POINTS
from tpkit.domain.samples import Quality, Sample
from tpkit.store import journal, outbox
from tpkit.store.database import Connection
from tpkit.store.record import Transaction

HAND = "hand"
"""The device name that hand readings carry."""


def add(tx: Transaction, point: str, value: float, by: str) -> None:
    """Store a reading of `point` in the vocabulary's unit."""
    tx.insert("reading", by=by, point=point, value=value)
    journal.add(tx, by, "reading", point=point, value=value)
    outbox.put(tx, outbox.EventBody("reading", subject=point, by=by, data={"value": value}))


def latest(connection: Connection, boot: int, now: datetime, mono_ms: int) -> dict[str, Sample]:
    """The newest reading of each point as a sample of quality `manual`.

    One from before this boot gets its age from the clock, since boot time does not reach back.
    """
    rows = connection.execute(
        "SELECT point, value, at, boot, mono FROM reading "
        "WHERE id IN (SELECT max(id) FROM reading GROUP BY point)"
    )
    samples = {}
    for name, value, at, row_boot, mono in rows:
        taken = now if at is None else datetime.fromtimestamp(at / 1000, UTC)
        if row_boot != boot:
            mono = mono_ms - (now - taken) // timedelta(milliseconds=1)
        samples[name] = Sample(HAND, name, float(value), POINTS[name].unit, Quality.MANUAL, taken, mono)
    return samples
