"""What to send next: the present first, then events, then history, each newest first.

Keeps in memory which record numbers are under way; only central's receipt makes that lasting.
"""

from collections import deque
from collections.abc import Iterable

from msgspec import Struct

from tpkit.config import Config
from tpkit.domain.wire import topic
from tpkit.store import delivery
from tpkit.store.record import Record
from tpkit.uplink import payloads

BATCH_ROWS = 60
OLDEST_EVERY = 10  # every tenth batch is the oldest, so that the tail shrinks too
HISTORY_WINDOW = 12  # of the messages under way; the rest is kept free for events
RECEIPT_WAIT_S = 15 * 60.0
NOBODY_LISTENS_WAIT_S = 60.0
REFUSED_WAIT_S = 3600.0


class Publication(Struct, frozen=True):
    """A message to publish, and the record numbers it carries."""

    topic: str
    payload: bytes
    numbers: tuple[int, ...] = ()
    retain: bool = False
    is_history: bool = False


class Lanes:
    """Chooses records and follows them until central has them."""

    def __init__(self, config: Config, record: Record) -> None:
        self._config = config
        self._record = record
        self._taken = record.read(delivery.confirmed)  # confirmed, sent, or under way
        self._receipts_seen = bool(len(self._taken))
        self._again: deque[tuple[float, tuple[int, ...]]] = deque()
        self._history_under_way = 0
        self._batches = 0

    def next(self) -> Publication | None:
        """The most urgent record that is not under way, or None. It counts as under way from now."""
        found = self._next_event() or self._next_batch()
        if found is not None:
            for number in found.numbers:
                self._taken.add(number, number)
            self._history_under_way += found.is_history
        return found

    def acknowledged(self, sent: Publication, now_s: float, *, heard: bool = True) -> None:
        """The broker has it. It is sent again unless a receipt comes; sooner if nobody listened."""
        self._history_under_way -= sent.is_history
        if not heard:
            self._later(now_s + NOBODY_LISTENS_WAIT_S, sent.numbers)
        elif self._receipts_seen:
            self._later(now_s + RECEIPT_WAIT_S, sent.numbers)

    def refused(self, sent: Publication, now_s: float) -> None:
        """The broker will not have it: kept, and tried again much later."""
        self._history_under_way -= sent.is_history
        self._later(now_s + REFUSED_WAIT_S, sent.numbers)

    def lost(self, sent: Iterable[Publication]) -> None:
        """The connection went away before the broker answered: to be sent again."""
        for publication in sent:
            self._release(publication.numbers)
        self._history_under_way = 0

    def received(self, ranges: list[tuple[int, int]]) -> None:
        """A receipt: central has these numbers for good."""
        self._receipts_seen = True
        self._record.write(lambda tx: delivery.confirm(tx, ranges))
        for first, last in ranges:
            self._taken.add(first, last)

    def remind(self, now_s: float) -> bool:
        """Free what has waited too long for its receipt; True if there was anything."""
        due = bool(self._again) and self._again[0][0] <= now_s
        while self._again and self._again[0][0] <= now_s:
            self._release(self._again.popleft()[1])
        return due

    def _later(self, at_s: float, numbers: tuple[int, ...]) -> None:
        if numbers:
            self._again.append((at_s, numbers))
            self._again = deque(sorted(self._again))

    def _release(self, numbers: tuple[int, ...]) -> None:
        confirmed = self._record.read(delivery.confirmed)
        for number in numbers:
            if number not in confirmed:
                self._taken.discard(number, number)

    def _gaps(self) -> list[tuple[int, int]]:
        newest = self._record.read(delivery.newest_number)
        return list(self._taken.gaps(newest))

    def _next_event(self) -> Publication | None:
        gaps = self._gaps()[::-1]
        owed = self._record.read(lambda c: delivery.event_within(c, gaps))
        if owed is None:
            return None
        site = self._config.site
        payload = payloads.event(self._config, self._record, owed)
        return Publication(topic(site.org, site.kit, "event"), payload, (owed.n,))

    def _next_batch(self) -> Publication | None:
        if self._history_under_way >= HISTORY_WINDOW:
            return None
        oldest = (self._batches + 1) % OLDEST_EVERY == 0
        gaps = self._gaps()
        if not oldest:
            gaps.reverse()
        rows = self._record.read(lambda c: delivery.rows_within(c, gaps, BATCH_ROWS, oldest=oldest))
        if not rows:
            return None
        self._batches += 1
        site = self._config.site
        payload = payloads.batch(self._config, self._record, rows)
        numbers = tuple(row.n for row in rows)
        return Publication(topic(site.org, site.kit, "hist"), payload, numbers, is_history=True)
