"""The life of the point, as persons say it. Nothing here is ever decided by a clock."""

from enum import StrEnum

from tpkit.errors import StepRefusedError


class Stage(StrEnum):
    """Where the point stands. `unknown` means that nobody has said anything yet."""

    UNKNOWN = "unknown"
    STANDBY = "standby"
    ACTIVATING = "activating"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


STEPS: dict[Stage, frozenset[Stage]] = {
    Stage.UNKNOWN: frozenset({Stage.STANDBY, Stage.ACTIVATING, Stage.OPEN, Stage.CLOSED}),
    Stage.STANDBY: frozenset({Stage.ACTIVATING, Stage.OPEN}),
    Stage.ACTIVATING: frozenset({Stage.OPEN, Stage.STANDBY}),
    Stage.OPEN: frozenset({Stage.CLOSING, Stage.CLOSED}),
    Stage.CLOSING: frozenset({Stage.OPEN, Stage.CLOSED}),
    Stage.CLOSED: frozenset({Stage.ACTIVATING, Stage.OPEN, Stage.STANDBY}),
}


def check_step(stage: Stage, to: Stage) -> None:
    """Raise StepRefusedError unless a person may take the point from `stage` to `to`."""
    if to not in STEPS[stage]:
        allowed = ", ".join(sorted(STEPS[stage]))
        raise StepRefusedError(f"The point is {stage}: it cannot become {to}, only {allowed}.")


class PowerWord(StrEnum):
    """What residents are told about electricity here; only a person says it."""

    WORKS = "works"
    LIMITED = "limited"
    GONE = "gone"


class RoomWord(StrEnum):
    """What residents are told about room here; only a person says it."""

    ROOM = "room"
    NEARLY_FULL = "nearly_full"
    FULL = "full"


PUBLIC_WORDS: dict[str, frozenset[str]] = {
    "power": frozenset(PowerWord),
    "room": frozenset(RoomWord),
}
