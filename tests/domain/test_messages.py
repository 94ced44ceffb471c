"""What may be posted, and what is refused with the field that must change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tpkit.domain.messages import Draft, Message, compose, is_shown
from tpkit.domain.phrases import PHRASES, Severity
from tpkit.errors import MessageRefusedError

WHEN = "2026-11-23T15:00+00:00"


def posted(
    phrase: str, now: datetime, *, author: str = "duty-1", note: str = "", note_lang: str = "sv", **slots: str
) -> Message:
    return compose(
        Draft(phrase, slots, note, note_lang),
        message_id="m1", author=author, languages=("sv", "en", "ar"), now=now,
    )  # fmt: skip


def test_a_message_has_its_slots_its_weight_and_its_end(now: datetime) -> None:
    message = posted("power.outage", now, place=" Ekby ", source="natbolag")

    assert message.slots == {"place": "Ekby", "source": "natbolag"}
    assert message.severity == Severity.MODERATE
    assert message.expires == now + timedelta(hours=12)
    assert message.note_lang == ""


@pytest.mark.parametrize(
    ("slots", "field", "reason"),
    [
        ({"source": "natbolag"}, "place", "missing"),
        ({"place": "   ", "source": "natbolag"}, "place", "missing"),
        ({"place": "x" * 81, "source": "natbolag"}, "place", "too_long"),
        ({"place": "Ek\x07by", "source": "natbolag"}, "place", "control_characters"),
        ({"place": "Ek\nby", "source": "natbolag"}, "place", "control_characters"),
        ({"place": "Ekby"}, "source", "missing"),
        ({"place": "Ekby", "source": "min granne"}, "source", "choose"),
    ],
)
def test_a_slot_that_is_missing_or_wrong_is_named(
    slots: dict[str, str], field: str, reason: str, now: datetime
) -> None:
    with pytest.raises(MessageRefusedError) as refused:
        posted("power.outage", now, **slots)
    assert (refused.value.field, refused.value.reason) == (field, reason)


@pytest.mark.parametrize("value", ["tomorrow", "14:00", "2026-13-01T00:00+00:00", "2026-11-23T14:00"])
def test_a_time_needs_date_clock_and_offset(value: str, now: datetime) -> None:
    with pytest.raises(MessageRefusedError) as refused:
        posted("point.next_news", now, time=value)
    assert (refused.value.field, refused.value.reason) == ("time", "time")


def test_a_span_must_run_forwards(now: datetime) -> None:
    late = "2026-11-23T16:00+00:00"
    assert (
        posted("food.meal", now, place="Matsalen", time_span=f"{WHEN}/{late}").slots["time_span"]
        == f"{WHEN}/{late}"
    )
    for wrong in (f"{late}/{WHEN}", WHEN, f"{WHEN}/", "/"):
        with pytest.raises(MessageRefusedError) as refused:
            posted("food.meal", now, place="Matsalen", time_span=wrong)
        assert refused.value.reason == "span"


def test_an_official_phrase_needs_the_leader(now: datetime) -> None:
    with pytest.raises(MessageRefusedError) as refused:
        posted("storm.indoors", now, source="smhi", time_said=WHEN)
    assert refused.value.reason == "lead_only"
    assert posted("storm.indoors", now, author="lead-1", source="smhi", time_said=WHEN).author == "lead-1"


def test_every_official_phrase_names_source_and_time() -> None:
    for key, phrase in PHRASES.items():
        if phrase.official:
            assert {"source", "time_said"} <= set(phrase.slots), key


def test_an_unknown_phrase_is_refused(now: datetime) -> None:
    with pytest.raises(MessageRefusedError) as refused:
        posted("no.such", now)
    assert refused.value.field == "phrase"


def test_a_note_keeps_its_lines_and_its_language(now: datetime) -> None:
    message = posted("rumour.check", now, note="Hej!\r\nVälkommen 😀 <b>", note_lang="sv")

    assert (message.note, message.note_lang) == ("Hej!\nVälkommen 😀 <b>", "sv")


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        ({"note": "x" * 501}, "note"),
        ({"note": "hej", "note_lang": "xx"}, "note_lang"),
        ({"note": "\x00"}, "note"),
    ],
)
def test_a_note_that_cannot_be_shown_is_refused(extra: dict[str, Any], field: str, now: datetime) -> None:
    with pytest.raises(MessageRefusedError) as refused:
        posted("rumour.check", now, **extra)
    assert refused.value.field == field


def test_only_a_dropping_phrase_ends_by_time_and_only_on_a_trusted_clock(now: datetime) -> None:
    drops = posted("food.hot_drinks", now, place="Köket")
    stays = posted("power.outage", now, place="Ekby", source="natbolag")
    later = now + timedelta(days=9)

    assert not is_shown(drops, later, trusted=True)
    assert is_shown(drops, later, trusted=False)
    assert is_shown(stays, later, trusted=True)
    assert is_shown(drops, datetime(1970, 1, 1, tzinfo=UTC), trusted=True)


def test_nothing_severe_ever_drops_by_itself() -> None:
    assert not [key for key, phrase in PHRASES.items() if phrase.drops and phrase.severity >= Severity.SEVERE]
