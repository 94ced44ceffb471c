"""Sentences translated beforehand, with blanks. The texts are in the translations, under `phrase.KEY`.

This is the first part of the list; none of these is *critical* (a phrase that may be shown only where
a native reader has signed it).
"""

from enum import IntEnum

from msgspec import Struct


class Severity(IntEnum):
    """CAP 1.2 severity; the higher, the further up on the page."""

    MINOR = 1
    MODERATE = 2
    SEVERE = 3
    EXTREME = 4


class Phrase(Struct, frozen=True):
    """One sentence: its weight, how long it holds, and the types of its slots.

    When `hours` have passed, a phrase that `drops` moves away by itself; any other stays until a
    person answers. An `official` one needs the lead role, a source and the time it was said.
    """

    severity: Severity
    hours: int
    slots: tuple[str, ...] = ()
    drops: bool = False
    official: bool = False


PHRASES: dict[str, Phrase] = {
    "point.next_news": Phrase(Severity.MINOR, 24, ("time",)),
    "power.outage": Phrase(Severity.MODERATE, 12, ("place", "source")),
    "power.no_estimate": Phrase(Severity.MINOR, 24, ("time",)),
    "power.back": Phrase(Severity.MINOR, 12, ("place", "source"), drops=True),
    "power.here_gone": Phrase(Severity.MODERATE, 1),
    "heat.here": Phrase(Severity.MINOR, 24, ("place",)),
    "heat.outage": Phrase(Severity.MODERATE, 12, ("place", "source")),
    "water.here": Phrase(Severity.MINOR, 24, ("place", "time_span")),
    "water.outage": Phrase(Severity.MODERATE, 12, ("place", "source")),
    "food.meal": Phrase(Severity.MINOR, 24, ("place", "time_span")),
    "food.hot_drinks": Phrase(Severity.MINOR, 12, ("place",), drops=True),
    "tele.charge": Phrase(Severity.MINOR, 24, ("place",), drops=True),
    "health.first_aid": Phrase(Severity.MINOR, 72, ("place",)),
    "child.corner": Phrase(Severity.MINOR, 24, ("place",), drops=True),
    "road.closed": Phrase(Severity.MODERATE, 6, ("place", "source")),
    "storm.indoors": Phrase(Severity.SEVERE, 6, ("source", "time_said"), official=True),
    "rumour.check": Phrase(Severity.MINOR, 24),
    "help.wanted": Phrase(Severity.MINOR, 12, ("place",), drops=True),
}

SOURCES = ("kommun", "raddningsledare", "lansstyrelse", "vma", "natbolag", "smhi", "trafikverket")
"""Who may be named as the source of a statement; translated under `source.CODE`."""
