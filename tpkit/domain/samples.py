"""Readings and samples: a measured value never travels without its unit, quality and time."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Quality(StrEnum):
    """How far a value can be trusted, in the words of OPC UA plus `manual` for hand readings."""

    GOOD = "good"
    UNCERTAIN = "uncertain"  # the last good value of a device that has since gone quiet
    BAD = "bad"  # no value; the reason says why
    MANUAL = "manual"  # read and typed by a person


class Reading(Struct, frozen=True):
    """What one answer of a device says about one point. No value means `reason` says why."""

    point: str
    value: float | str | None
    reason: str = ""


class Sample(Struct, frozen=True):
    """One value of one point, or the fact that there is none.

    `taken_at` and `mono_ms` (boot time, ms) are those of the measurement: of the last good one
    when there is no value any more, and None / 0 when there never was one.
    """

    device: str
    point: str
    value: float | str | None
    unit: str
    quality: Quality
    taken_at: datetime | None
    mono_ms: int
    reason: str = ""

    @property
    def number(self) -> float | None:
        """The value if it is a number, else None."""
        return self.value if isinstance(self.value, float) else None

    def age_s(self, mono_ms: int) -> float | None:
        """Seconds of boot time since the measurement, or None if there never was one."""
        return None if self.taken_at is None else max(0.0, (mono_ms - self.mono_ms) / 1000)


VALUE_LIFETIME_S = 30.0  # after this much silence a value is no longer shown, only when it was last seen
MISSED_READS = 3  # of a point that is asked for seldom


class LastKnown:
    """The present sample of one point: the last good value while it is young, then no value.

    A bad reading never replaces a good one at once; it starts the ageing. So the panel shows a
    growing age first and "no value since" afterwards, and never a number the device did not send.
    """

    def __init__(self, device: str, point: str, unit: str, every_s: float = 1.0) -> None:
        self._lifetime_s = max(VALUE_LIFETIME_S, MISSED_READS * every_s)
        self._good: Sample | None = None
        self._reason = "not_yet"
        self._device, self._point, self._unit = device, point, unit

    def take(self, reading: Reading, *, now: datetime, mono_ms: int) -> None:
        """Accept what a device just said about this point."""
        if reading.value is None:
            self._reason = reading.reason
            return
        self._reason = ""
        self._good = Sample(self._device, self._point, reading.value, self._unit, Quality.GOOD, now, mono_ms)

    def fail(self, reason: str) -> None:
        """Note that nothing came; `reason` is the code of the error."""
        self._reason = reason

    def at(self, mono_ms: int) -> Sample:
        """The sample as it stands at boot time `mono_ms`."""
        good = self._good
        if good is None:
            return Sample(self._device, self._point, None, self._unit, Quality.BAD, None, 0, self._reason)
        age_s = (mono_ms - good.mono_ms) / 1000
        if age_s > self._lifetime_s:
            reason = self._reason or "silent"
            return Sample(
                good.device, good.point, None, good.unit, Quality.BAD,
                good.taken_at, good.mono_ms, reason,
            )  # fmt: skip
        if self._reason:
            return Sample(
                good.device, good.point, good.value, good.unit, Quality.UNCERTAIN,
                good.taken_at, good.mono_ms, self._reason,
            )  # fmt: skip
        return good
