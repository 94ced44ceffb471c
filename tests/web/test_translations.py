"""Catalogues: the same keys, the same blanks, no markup, and a fallback that says what it is."""

from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from tpkit.domain.lifecycle import PUBLIC_WORDS, Stage
from tpkit.domain.phrases import PHRASES, SOURCES, Severity
from tpkit.domain.points import HAND_POINTS
from tpkit.domain.services import INTERNAL_SERVICES, PUBLIC_SERVICES, ServiceState
from tpkit.tools.cldr import table
from tpkit.web import translations
from tpkit.web.assets import assets_dir
from tpkit.web.translations import Catalogue, catalogue, languages, slots_of

FOLDER = assets_dir() / "translations"
FILES = sorted(FOLDER.glob("*/*.po"))


def texts(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_catalogue_has_exactly_the_swedish_keys_blanks_and_no_markup(path: Path) -> None:
    swedish, own = texts(FOLDER / "sv" / path.name), texts(path)

    assert set(own) == set(swedish)
    for key, text in own.items():
        assert text, key
        assert slots_of(text) == slots_of(swedish[key]), key
        assert "<" not in text, key
        assert "%" not in text, key


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_string_says_who_reviewed_it(path: Path) -> None:
    with path.open("rb") as file:
        for message in read_po(file):
            if message.id:
                assert [note for note in message.user_comments if note.startswith("review: ")], message.id


def test_every_language_has_pages_and_phrases() -> None:
    for tag in languages():
        assert {path.name for path in (FOLDER / tag).iterdir()} >= {"pages.po", "phrases.po"}


def test_every_phrase_is_translated_with_its_own_slots() -> None:
    for tag in languages():
        own = texts(FOLDER / tag / "phrases.po")
        assert {key.removeprefix("phrase.") for key in own} == set(PHRASES)
        for key, phrase in PHRASES.items():
            assert slots_of(own[f"phrase.{key}"]) == set(phrase.slots), key


def test_a_slot_stands_after_a_colon_or_a_dash_so_that_nothing_is_inflected() -> None:
    for tag in languages():
        for key, text in texts(FOLDER / tag / "phrases.po").items():
            for slot in slots_of(text):
                assert f": {{{slot}}}" in text, (tag, key)


def test_whatever_the_pages_may_have_to_say_has_a_text() -> None:
    said = catalogue("sv", "pages", "phrases")
    wanted = [f"stage.{stage}" for stage in Stage]
    wanted += [f"{subject}.{word}" for subject, words in PUBLIC_WORDS.items() for word in words]
    wanted += [f"service.{code}" for code in PUBLIC_SERVICES]
    wanted += [f"service_state.{state}" for state in ServiceState]
    wanted += [f"severity.{severity.name.lower()}" for severity in Severity]
    wanted += [f"source.{source}" for source in SOURCES]
    wanted += [f"page.{subject}" for subject in PUBLIC_WORDS]
    assert [key for key in wanted if not said.has(key)] == []


def test_whatever_the_panel_may_have_to_say_has_a_text() -> None:
    from tpkit.domain.alarms import RULES
    from tpkit.domain.status import Verdict
    from tpkit.hardware import profile
    from tpkit.hardware.sunspec_models import LAYOUTS

    said = catalogue("sv", "staff", "pages")
    wanted = [f"alarm.{code}" for code in RULES] + [f"verdict.{verdict}" for verdict in Verdict]
    wanted += [f"service.{code}" for code in INTERNAL_SERVICES] + [f"point.{point}" for point in HAND_POINTS]
    points = [item for layout in LAYOUTS.values() for item in layout.points]
    points += [item for name in profile.names() for item in profile.load(name).point]
    wanted += [f"machine.{item.name[6:]}" for item in points if item.name.startswith("alarm.")]
    wanted += [f"reason.{reason}" for item in points for reason in item.sentinels.values()]
    wanted += [
        f"reason.{code}"
        for code in (
            "no_response",
            "wrong_answer",
            "bus_unavailable",
            "refused",
            "silent",
            "not_yet",
            "implausible",
            "unknown_code",
            "not_valid_now",
            "not_measured",
        )
    ]
    wanted += [
        f"endurance.{why}"
        for why in (
            "no_generator",
            "no_fuel_level",
            "no_load",
            "no_burn",
            "no_state_of_charge",
            "no_battery_power",
            "charging",
        )
    ]
    assert [key for key in wanted if not said.has(key)] == []


def test_the_extract_of_cldr_is_what_the_installed_babel_says() -> None:
    for tag, extract in table().items():
        assert translations.cldr(tag) == extract


def test_a_missing_text_falls_back_to_swedish_and_says_that_it_is_swedish(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arabic = Catalogue("ar", "pages")
    monkeypatch.delitem(arabic._texts, "page.help")

    assert arabic.say("page.help") == '<span lang="sv" dir="ltr">Hjälp</span>'
    assert arabic.text("page.help") == "Hjälp"
    translations._texts.cache_clear()


def test_a_value_is_escaped_and_isolated() -> None:
    said = catalogue("en", "pages")

    assert (
        said.say("page.place", place='<i onclick="x">') == "Place: <bdi>&lt;i onclick=&#34;x&#34;&gt;</bdi>"
    )
    assert said.say("page.place", place="{source}") == "Place: <bdi>{source}</bdi>"
