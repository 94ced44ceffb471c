"""Alarms that start only after a condition has lasted, end only after it has been gone, and are told once.

Words after IEC 62682. Severity: 3 act now, 2 look into it, 1 know about it.
"""

from datetime import datetime

from msgspec import Struct


class Rule(Struct, frozen=True):
    """How urgent one kind of alarm is and how long its condition must hold and be gone, in seconds."""

    severity: int
    raise_after_s: float = 0.0
    clear_after_s: float = 60.0


RULES: dict[str, Rule] = {
    "genset_shutdown": Rule(3),
    "genset_warning": Rule(2),
    "battery_warning": Rule(2),
    "fuel_low": Rule(2, raise_after_s=30),
    "fuel_empty_soon": Rule(3, raise_after_s=30),
    "battery_low": Rule(2, raise_after_s=30),
    "battery_empty_soon": Rule(3, raise_after_s=30),
    "device_silent": Rule(2, raise_after_s=30, clear_after_s=5),
    "hall_crowded": Rule(2, raise_after_s=10),
    "hall_too_many": Rule(3, raise_after_s=10),
}


class Condition(Struct, frozen=True):
    """Something that is the case right now: a rule's code and what it is about (a device, a list)."""

    code: str
    subject: str = ""
    detail: str = ""


class Alarm(Struct, frozen=True):
    """An active alarm; `since_mono_ms` is boot time, 0 if it was already active at boot."""

    code: str
    subject: str
    detail: str
    severity: int
    since: datetime
    since_mono_ms: int


class Edge(Struct, frozen=True):
    """An alarm was raised or cleared."""

    alarm: Alarm
    raised: bool


class AlarmBook:
    """Follows conditions through time."""

    def __init__(self, active: list[Alarm] | None = None) -> None:
        self._active = {(alarm.code, alarm.subject): alarm for alarm in active or []}
        self._seen_since: dict[tuple[str, str], int] = {}
        self._gone_since: dict[tuple[str, str], int] = {}

    @property
    def active(self) -> list[Alarm]:
        """Active alarms, most severe first, then oldest first."""
        return sorted(self._active.values(), key=lambda alarm: (-alarm.severity, alarm.since))

    def step(
        self, conditions: list[Condition], *, now: datetime, mono_ms: int,
        unknown: frozenset[str] = frozenset(),
    ) -> list[Edge]:  # fmt: skip
        """Judge the conditions as they are at `now`.

        Alarms whose code is in `unknown` do not end: a silent sensor must not end an alarm.
        """
        present = {(c.code, c.subject): c for c in conditions}
        edges = [self._raise(c, now, mono_ms) for c in self._ripe(present, mono_ms)]
        edges += [self._clear(key) for key in self._faded(present, mono_ms, unknown)]
        return edges

    def _ripe(self, present: dict[tuple[str, str], Condition], mono_ms: int) -> list[Condition]:
        self._seen_since = {key: self._seen_since.get(key, mono_ms) for key in present}
        return [
            condition
            for key, condition in present.items()
            if key not in self._active
            and mono_ms - self._seen_since[key] >= RULES[condition.code].raise_after_s * 1000
        ]

    def _faded(
        self, present: dict[tuple[str, str], Condition], mono_ms: int, unknown: frozenset[str]
    ) -> list[tuple[str, str]]:
        gone = [key for key in self._active if key not in present and key[0] not in unknown]
        self._gone_since = {key: self._gone_since.get(key, mono_ms) for key in gone}
        return [key for key in gone if mono_ms - self._gone_since[key] >= RULES[key[0]].clear_after_s * 1000]

    def _raise(self, condition: Condition, now: datetime, mono_ms: int) -> Edge:
        alarm = Alarm(
            condition.code,
            condition.subject,
            condition.detail,
            RULES[condition.code].severity,
            now,
            mono_ms,
        )
        self._active[condition.code, condition.subject] = alarm
        return Edge(alarm, raised=True)

    def _clear(self, key: tuple[str, str]) -> Edge:
        self._gone_since.pop(key, None)
        return Edge(self._active.pop(key), raised=False)
