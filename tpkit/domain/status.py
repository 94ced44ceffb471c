"""SiteStatus: everything measured and judged, as one picture that every screen shows."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from tpkit.domain.alarms import Alarm
from tpkit.domain.endurance import Endurance
from tpkit.domain.samples import Sample

SILENT_AFTER_S = 10.0  # a controller that has not written for this long is taken for dead


class Verdict(StrEnum):
    """The four states of the panel, in fixed words: ALLT FUNGERAR, SE EFTER, GÖR NU, VET INTE."""

    OK = "ok"
    LOOK = "look"
    ACT = "act"
    UNKNOWN = "unknown"


class TimeTrust(StrEnum):
    """What tpkit's time rests on, best first."""

    GNSS = "gnss"
    NTP = "ntp"
    RTC = "rtc"
    CENTRAL = "central"
    STAFF = "staff"
    FLOOR = "floor"
    NONE = "none"

    @property
    def is_trusted(self) -> bool:
        """Whether clock times may be shown; below `staff` screens show durations."""
        return self not in (TimeTrust.FLOOR, TimeTrust.NONE)


class DeviceHealth(Struct, frozen=True):
    """How a device answers. `since_mono_ms` is when `state` began; `detail` says why, in English.

    `is_checked` is whether a person has compared it with its own display on this site.
    """

    name: str
    bus: str
    profile: str
    state: str  # "answering" | "silent" | "not_yet"
    since_mono_ms: int
    reason: str
    detail: str
    answers: int
    failures: int
    is_checked: bool


class BusHealth(Struct, frozen=True):
    """The quality of a line since the controller started: what came, and how often it was opened."""

    name: str
    answers: int
    no_answers: int
    refusals: int
    wrong_answers: int
    late: int
    reopened: int


class Fuel(Struct, frozen=True):
    """The tank: level as measured or typed, litres by the tank's shape, and how long it lasts."""

    level: Sample
    litres: float | None
    endurance: Endurance


class Battery(Struct, frozen=True):
    """The battery: its samples, and how long it lasts when it alone carries the load."""

    state_of_charge: Sample
    power: Sample
    endurance: Endurance


class People(Struct, frozen=True):
    """How many are inside, with an interval, and the figure of the last full bin that may leave the kit.

    `binned` is rounded to 5 below 10 and None until the first bin has ended.
    """

    inside: int
    low: int
    high: int
    ins: int
    outs: int
    counted: bool
    binned: int | None


class SiteStatus(Struct, frozen=True):
    """The whole picture. Samples that are not there are samples without value, never left out.

    `verdict_code` and `verdict_subject` name the one thing behind the verdict: an alarm, a silent
    device, a value that is missing. `source` is where the site's power comes from now.
    """

    at: datetime
    mono_ms: int
    boot: int
    trust: TimeTrust
    verdict: Verdict
    verdict_code: str
    verdict_subject: str
    verdict_since_mono_ms: int
    source: str  # "generator" | "battery" | "grid" | "unknown"
    load: Sample
    fuel: Fuel | None
    battery: Battery | None
    people: People
    alarms: tuple[Alarm, ...]
    devices: tuple[DeviceHealth, ...]
    buses: tuple[BusHealth, ...]
    samples: tuple[Sample, ...]


class TimeReference(Struct, frozen=True):
    """tpkit's time: UTC at one instant of boot time, and how fast it runs (1 but in the demo)."""

    boot_id: str
    boot_ms: int
    utc_ms: int
    trust: TimeTrust
    speed: float = 1.0
