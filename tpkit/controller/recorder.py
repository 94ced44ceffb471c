"""History on the card: one packed row a minute, written five at a time, and door counts in bins."""

from msgspec import Struct

from tpkit.domain.samples import Quality, Sample
from tpkit.domain.status import SiteStatus
from tpkit.store import history
from tpkit.store.database import Connection
from tpkit.store.history import Columns
from tpkit.store.record import Record, Stamp, Transaction

ROWS_A_COMMIT = 5  # a power cut loses at most this many minutes of trend
MINUTE_MS = 60_000
BIN_MS, LONG_BIN_MS = 15 * MINUTE_MS, 60 * MINUTE_MS
FEW = 10  # with fewer people inside than this, a short bin could be one known person


class Spread:
    """Mean, least and greatest of the numbers seen in a minute."""

    def __init__(self) -> None:
        self.count, self.total = 0, 0.0
        self.least, self.greatest = float("inf"), float("-inf")

    def add(self, number: float) -> None:
        """Take one number."""
        self.count += 1
        self.total += number
        self.least, self.greatest = min(self.least, number), max(self.greatest, number)


class MinuteRows:
    """Gathers one status a second into one row a minute."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._minute: int | None = None
        self._numbers: dict[str, Spread] = {}
        self._words: dict[str, str] = {}
        self._rows: list[tuple[Columns, Stamp]] = []

    def note(self, status: SiteStatus) -> None:
        """Take the present picture; when a minute is over, its row is made."""
        minute = int(status.at.timestamp() * 1000) // MINUTE_MS
        if self._minute is not None and minute != self._minute:
            self._rows.append((self._row(), self._record.stamp()))
            self._numbers, self._words = {}, {}
        self._minute = minute
        for name, value in _columns(status).items():
            if isinstance(value, str):
                self._words[name] = value
            elif value is not None:
                self._numbers.setdefault(name, Spread()).add(value)
        if len(self._rows) >= ROWS_A_COMMIT:
            self.flush()

    def flush(self) -> None:
        """Commit the rows that wait: on an alarm, at shutdown, every five minutes."""
        rows = self._rows
        if rows:
            self._record.write(
                lambda tx: [history.add(tx, history.MINUTE, columns, stamp) for columns, stamp in rows]
            )
            self._rows = []

    def _row(self) -> Columns:
        row: Columns = dict(self._words)
        for name, spread in self._numbers.items():
            row[name] = round(spread.total / spread.count, 2)
        load = self._numbers.get("w_out")
        if load is not None:
            row["w_out_min"], row["w_out_max"] = round(load.least), round(load.greatest)
        return row


def _columns(status: SiteStatus) -> dict[str, float | str | None]:
    columns = {f"{sample.device}:{sample.point}": _value(sample) for sample in status.samples}
    columns["w_out"] = status.load.number
    if status.fuel is not None:
        columns["fuel_pct"] = status.fuel.level.number
        columns["hours_left"] = status.fuel.endurance.hours
    if status.battery is not None:
        columns["soc"] = status.battery.state_of_charge.number
    return columns


def _value(sample: Sample) -> float | str | None:
    return None if sample.quality == Quality.BAD else sample.value


class Bin(Struct, frozen=True):
    """The last bin that has ended: when, what it counted up to, and the occupancy it showed."""

    ended_ms: int
    upto: int
    inside: int


class DoorBins:
    """Ends a bin of door counts every 15 minutes, every hour while few are inside."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._last = record.read(_last_bin)
        self._seen_ms: int | None = None
        self._offset_ms = 0

    @property
    def inside(self) -> int | None:
        """The occupancy that may leave the kit: that of the last ended bin, rounded to 5 below 10."""
        return None if self._last is None else self._last.inside

    def step(self, now_ms: int, mono_ms: int, inside: int) -> None:
        """End the bin if its time has come since the last step; a clock that was set ends none."""
        offset_ms = now_ms - mono_ms
        if self._seen_ms is None:
            self._seen_ms = min(now_ms, self._last.ended_ms) if self._last else now_ms
        elif abs(offset_ms - self._offset_ms) > MINUTE_MS:
            self._seen_ms = now_ms
        self._offset_ms = offset_ms
        length_ms = LONG_BIN_MS if inside < FEW else BIN_MS
        ended_ms = now_ms // length_ms * length_ms
        if self._seen_ms < ended_ms:
            upto = self._last.upto if self._last else 0
            self._last = self._record.write(lambda tx: _end_bin(tx, Bin(ended_ms, upto, rounded(inside))))
        self._seen_ms = max(self._seen_ms, now_ms)


def rounded(inside: int) -> int:
    """An occupancy as it may leave the kit: to the nearest 5 below 10."""
    return inside if inside >= FEW else 5 * round(inside / 5)


def _end_bin(tx: Transaction, ended: Bin) -> Bin:
    ins, outs, upto = tx.connection.execute(
        "SELECT coalesce(sum(direction > 0), 0), coalesce(sum(direction < 0), 0), "
        "coalesce(max(id), :upto) FROM passage WHERE id > :upto",
        {"upto": ended.upto},
    ).fetchone()
    ended = Bin(ended.ended_ms, upto, ended.inside)
    columns: Columns = {
        "ended": ended.ended_ms, "upto": upto, "in": ins, "out": outs, "inside": ended.inside,
    }  # fmt: skip
    history.add(tx, history.DOORS, columns, tx.stamp)
    return ended


def _last_bin(connection: Connection) -> Bin | None:
    row = connection.execute(
        "SELECT body FROM history WHERE kind = ? ORDER BY n DESC LIMIT 1", (history.DOORS,)
    ).fetchone()
    if row is None:
        return None
    columns = history.unpack(row[0])
    return Bin(*(int(columns[name] or 0) for name in ("ended", "upto", "inside")))
