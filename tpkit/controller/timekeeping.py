"""tpkit's time: kept by the controller from what hints there are, never by setting the system clock."""

import ctypes
import logging
from datetime import UTC, datetime

from tpkit.domain.status import TimeReference, TimeTrust
from tpkit.store.clock import Clock, boot_id, system_reference

log = logging.getLogger(__name__)

EARLIEST = datetime(2026, 11, 1, tzinfo=UTC)  # no kit of this version has run before this
CHECK_MS = 60_000
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


def kernel_clock_is_synchronised() -> bool:
    """Whether something (chrony) disciplines the system clock, as adjtimex(2) tells it."""
    state = ctypes.create_string_buffer(512)
    return ctypes.CDLL(None, use_errno=True).adjtimex(state) not in (TIME_ERROR, -1)


def system_trust(now: datetime) -> TimeTrust:
    """What the system clock deserves: `ntp`, `floor`, or `none` when it is before this version."""
    if now < EARLIEST:
        return TimeTrust.NONE
    return TimeTrust.NTP if kernel_clock_is_synchronised() else TimeTrust.FLOOR


class TimeKeeper:
    """Chooses the reference of the one clock that the whole service shares."""

    def __init__(self, earlier: TimeReference | None, speed: float) -> None:
        self._speed = speed
        self._checked_mono_ms = 0
        fresh = system_reference(TimeTrust.NONE, speed)
        self.clock = Clock(fresh)
        if earlier and earlier.boot_id == boot_id() and earlier.speed == speed:
            self.clock.reference = earlier
        else:
            self._follow_system()

    def step(self) -> None:
        """Look at the system clock again if a minute has passed."""
        mono_ms = self.clock.mono_ms()
        if mono_ms - self._checked_mono_ms < CHECK_MS or self._speed != 1:
            return
        self._checked_mono_ms = mono_ms
        if self.clock.trust != TimeTrust.STAFF or kernel_clock_is_synchronised():
            self._follow_system()

    def set_by_staff(self, utc_ms: int, asked_mono_ms: int) -> str:
        """Take a person's word for the time, unless a better source is at hand. Returns the outcome."""
        if self.clock.trust in (TimeTrust.GNSS, TimeTrust.NTP, TimeTrust.RTC, TimeTrust.CENTRAL):
            return "clock_is_better"
        self.clock.reference = TimeReference(boot_id(), asked_mono_ms, utc_ms, TimeTrust.STAFF, self._speed)
        log.warning("Clock was set by staff utc_ms=%d", utc_ms)
        return "done"

    def _follow_system(self) -> None:
        reference = system_reference(TimeTrust.NONE, self._speed)
        now = datetime.fromtimestamp(reference.utc_ms / 1000, UTC)
        self.clock.reference = system_reference(system_trust(now), self._speed)
