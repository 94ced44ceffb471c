"""tpkit's time: boot time plus an offset that the controller keeps and the others read."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tpkit.domain.status import TimeReference, TimeTrust


def boot_ms() -> int:
    """Milliseconds since the machine started, sleep included; never stepped, never scaled."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def boot_id() -> str:
    """The kernel's random name of this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


def system_reference(trust: TimeTrust, speed: float = 1.0) -> TimeReference:
    """A reference that starts at what the system clock says now."""
    return TimeReference(boot_id(), boot_ms(), time.time_ns() // 1_000_000, trust, speed)


class Clock:
    """Reads tpkit's time. Intervals use `mono_ms`, which is boot time whatever the clock does."""

    def __init__(self, reference: TimeReference) -> None:
        self.reference = reference

    @property
    def trust(self) -> TimeTrust:
        """What the time rests on."""
        return self.reference.trust

    def mono_ms(self) -> int:
        """Boot time in ms."""
        return boot_ms()

    def now(self) -> datetime:
        """Tpkit's time, aware, in UTC."""
        elapsed_ms = (boot_ms() - self.reference.boot_ms) * self.reference.speed
        return datetime.fromtimestamp(self.reference.utc_ms / 1000, UTC) + timedelta(milliseconds=elapsed_ms)
