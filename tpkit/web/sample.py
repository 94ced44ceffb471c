"""A full, invented state, to look at every page without a kit."""

from datetime import UTC, datetime, timedelta

from tpkit.config import SiteSection
from tpkit.domain.messages import Draft, Message, compose
from tpkit.domain.services import PUBLIC_SERVICES
from tpkit.domain.status import TimeTrust
from tpkit.web import translations
from tpkit.web.facts import Facts, OfferedService, Word

NOW = datetime(2026, 1, 15, 17, 5, tzinfo=UTC)
SITE = SiteSection(
    name="Ellenbergaskolan",
    kit="sample-0001",
    org="se0000",
    municipality="Demokommun",
    p4_mhz=96.2,
    capacity=120,
    demo=True,
)
MESSAGES = (
    ("storm.indoors", {"source": "smhi", "time_said": "2026-01-15T16:40+00:00"}, ""),
    ("power.outage", {"place": "Ekby", "source": "natbolag"}, ""),
    ("road.closed", {"place": "Väg 73, Ösmo", "source": "trafikverket"}, ""),
    (
        "food.meal",
        {"place": "Matsalen", "time_span": "2026-01-15T17:00+00:00/2026-01-15T18:30+00:00"},
        "",
    ),
    ("child.corner", {"place": "Gymnastiksalen"}, "Ta gärna med en leksak."),
    ("point.next_news", {"time": "2026-01-15T19:00+00:00"}, ""),
)


def languages() -> tuple[str, ...]:
    """Every language there is."""
    return tuple(translations.languages())


def facts() -> Facts:
    """Every public service, six messages, everything confirmed."""
    places = ("Matsalen", "Entrén", "Köket", "Biblioteket")
    said = NOW - timedelta(minutes=50)
    return Facts(
        site=SITE,
        now=NOW,
        trust=TimeTrust.NTP,
        stage=Word("open", said),
        hours="08–22",
        power=Word("limited", said),
        room=Word("nearly_full", said),
        services=tuple(
            OfferedService(code, ("open", "limited", "closed")[number % 3], places[number % 4])
            for number, code in enumerate(PUBLIC_SERVICES)
        ),
        messages=tuple(_message(number, *row) for number, row in enumerate(MESSAGES)),
        measuring=True,
    )


def _message(number: int, phrase: str, slots: dict[str, str], note: str) -> Message:
    return compose(
        Draft(phrase, slots, note),
        message_id=f"sample-{number}",
        author="lead-1",
        languages=languages(),
        now=NOW,
    )
