"""What goes over MQTT: topics and payloads of `tp/v1`, nothing else spells one.

Times `t` are UTC milliseconds. A record's key is (kit, ep, n) everywhere.
"""

from typing import Any

from msgspec import Struct

VERSION = 1


def topic(org: str, kit: str, leaf: str) -> str:
    """The topic of one kit; `leaf` is status, birth, live, event, ack, hist or below down/."""
    return f"tp/v1/{org}/{kit}/{leaf}"


class Status(Struct, frozen=True, omit_defaults=True):
    """Retained: is the kit connected? The will says no."""

    v: int
    on: bool
    why: str = ""


class Birth(Struct, frozen=True):
    """Retained: who this kit is. Sent on connecting when it has changed."""

    v: int
    kit: str
    org: str
    name: str
    sw: str
    ep: str
    boot: int
    priority: int
    demo: bool
    points: list[str]


class Site(Struct, frozen=True):
    """Open state as a person said it, and where the point is."""

    state: str
    level: int
    role: str
    exercise: bool
    lat: float | None
    lon: float | None
    pos_q: str


class Power(Struct, frozen=True):
    """Source of power now; watts out, percent, hours. None is *not known*, never zero."""

    src: str
    soc: float | None
    w_out: float | None
    hours_left: float | None
    fuel_pct: float | None


class WireAlarm(Struct, frozen=True):
    """An active alarm; `since` is None while the clock is not trusted."""

    code: str
    subject: str
    since: int | None
    sev: int


class Backlog(Struct, frozen=True):
    """Records not yet confirmed by central."""

    rec: int
    oldest: int | None


class Live(Struct, frozen=True):
    """Retained: the present picture. `next_s` is when the next one comes at the latest."""

    v: int
    kit: str
    ep: str
    n_max: int
    boot: int
    mono: int
    t: int | None
    q: str
    err_ms: int | None
    next_s: int
    site: Site
    services: dict[str, str]
    power: Power
    people: dict[str, int | None]
    uplink: str
    backlog: Backlog
    alarms: list[WireAlarm]
    priority: int
    demo: bool = False


class Event(Struct, frozen=True, omit_defaults=True):
    """One thing that happened, told once: an alarm's edge, a message, a step of the lifecycle."""

    v: int
    kit: str
    ep: str
    n: int
    id: str
    boot: int
    mono: int
    t: int | None
    q: str
    code: str
    edge: str = ""
    sev: int = 0
    subject: str = ""
    by: str = ""
    data: dict[str, Any] = {}


class Hist(Struct, frozen=True):
    """A batch of history rows in columns, newest first; zlib of its JSON goes on the wire.

    `d` holds a row each, values in the order of `c`; `dn` counts down from `n1`, `dt` (ms) from `t0`.
    """

    v: int
    kit: str
    ep: str
    kind: str
    n0: int
    n1: int
    t0: int
    c: list[str]
    d: list[list[float | str | None]]


class Receipt(Struct, frozen=True):
    """Central's word that records are stored: inclusive ranges of n in the life `ep`."""

    v: int
    ep: str
    stored: list[tuple[int, int]]
    now: int
