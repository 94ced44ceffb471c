"""The public pages: what residents read, and what they never do."""

import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser

import msgspec
import pytest

from tests.factories import sample, site_status
from tpkit.config import Config
from tpkit.domain.endurance import Endurance
from tpkit.domain.lifecycle import Stage
from tpkit.domain.messages import Draft, compose
from tpkit.domain.services import ServiceState
from tpkit.domain.status import Fuel, TimeTrust
from tpkit.store import messages, place, readings
from tpkit.store.record import Record
from tpkit.web import sample as sample_state
from tpkit.web.facts import Facts, gather
from tpkit.web.pages import render_front, render_stale, render_starting

TAGS = ("sv", "en", "ar")
MOST_BYTES = 14_000


class Page(HTMLParser):
    """What a browser would fetch and what a reader would hear."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._skipped = 0
        self.feed(content.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        self._skipped += tag == "style"
        if tag in ("script", "img", "iframe", "object", "embed", "audio", "video", "form", "input", "base"):
            self.fetched.append(tag)
        if tag == "link" and given.get("href") != "data:,":
            self.fetched.append(str(given))

    def handle_endtag(self, tag: str) -> None:
        self._skipped -= tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._skipped:
            self.text += data


@pytest.fixture
def facts(config: Config, record: Record) -> Callable[..., Facts]:
    def read(**changes: object) -> Facts:
        found = gather(config, record, measuring=True)
        return msgspec.structs.replace(found, **changes)

    return read


def front(facts: Facts, tag: str = "sv") -> Page:
    return Page(render_front(facts, TAGS)[f"{tag}/index.html"])


@pytest.mark.parametrize("tag", TAGS)
def test_a_page_is_one_response_without_script_and_not_too_large(tag: str) -> None:
    content = render_front(sample_state.facts(), TAGS)[f"{tag}/index.html"]

    assert Page(content).fetched == []
    assert len(content) <= MOST_BYTES
    assert b"<script" not in content
    assert re.findall(rb"https?://|//[a-z]", content) == []


@pytest.mark.parametrize(("tag", "direction"), [("sv", "ltr"), ("en", "ltr"), ("ar", "rtl")])
def test_a_page_says_its_language_and_direction(tag: str, direction: str) -> None:
    page = front(sample_state.facts(), tag)
    html = next(given for name, given in page.tags if name == "html")

    assert (html["lang"], html["dir"]) == (tag, direction)
    links = {given["href"] for name, given in page.tags if name == "a"}
    assert links == {f"/{other}/" for other in TAGS if other != tag}


@pytest.mark.parametrize("tag", TAGS)
def test_the_word_and_the_numbers_stand_on_every_page(tag: str, config: Config) -> None:
    for pages in (
        render_front(sample_state.facts(), TAGS),
        render_stale(sample_state.facts(), TAGS),
        render_starting(config.site, TAGS),
    ):
        text = Page(pages[f"{tag}/index.html"]).text
        frequency = {"sv": "P4 96,2 MHz", "en": "P4 96.2 MHz", "ar": "P4 96.2 MHz"}[tag]
        for word in ("trygghetspunkt", "112", "113 13", frequency):
            assert word in text, word


def test_a_new_place_is_neither_open_nor_closed(facts) -> None:
    text = front(facts()).text

    assert "Läget är inte känt" in text
    assert "Fråga personalen eller knacka på" in text
    assert "Stängt" not in text
    assert "Öppet" not in text


@pytest.mark.parametrize(
    ("steps", "swedish", "arabic"),
    [
        ([Stage.OPEN], "Öppet", "مفتوح"),
        ([Stage.OPEN, Stage.CLOSING], "Stänger", "سيغلق"),
        ([Stage.CLOSED], "Stängt", "مغلق"),
    ],
)
def test_the_state_is_what_a_person_said_last(
    facts, record: Record, steps: list[Stage], swedish: str, arabic: str
) -> None:
    for step in steps:
        record.write(lambda tx, step=step: place.set_stage(tx, step, level=2, hours="08–22", by="lead-1"))

    assert swedish in front(facts()).text
    assert arabic in front(facts(), "ar").text


def test_no_clock_closes_an_open_place(facts, record: Record) -> None:
    record.write(lambda tx: place.set_stage(tx, Stage.OPEN, level=1, hours="08–12", by="lead-1"))
    for trust in TimeTrust:
        for years in (-56, 0, 9):
            now = record.clock.now() + timedelta(days=365 * years)
            text = front(facts(now=now, trust=trust)).text
            assert "Öppet" in text


def test_power_and_room_are_what_was_confirmed_or_ask(facts, record: Record) -> None:
    assert front(facts()).text.count("Fråga personalen") >= 3
    record.write(lambda tx: place.set_word(tx, "power", "limited", "duty-1"))
    record.write(lambda tx: place.set_word(tx, "room", "full", "duty-1"))
    text = front(facts()).text

    assert "Begränsad" in text
    assert "Fullt: fråga vid dörren" in text
    assert "Bekräftat av personalen: måndag 15:02" in text


def test_internal_services_and_those_that_are_not_here_are_not_shown(facts, record: Record) -> None:
    for code, state, where in (
        ("water", ServiceState.LIMITED, "Köket"),
        ("beds", ServiceState.NOT_HERE, "Aulan"),
        ("fuel", ServiceState.OPEN, "Gården"),
    ):
        record.write(lambda tx, row=(code, state, where): place.set_service(tx, *row, "lead-1"))
    text = front(facts()).text

    assert "Dricksvatten: Begränsat. Plats: Köket" in text
    assert "Aulan" not in text
    assert "Gården" not in text


def test_what_is_measured_is_on_no_page(facts, config: Config, record: Record) -> None:
    # The raw values are unlike any other number of the page: if one leaks, the test sees it.
    fuel = Fuel(sample("tank.fuel_level", 63.7, "%"), 127.4, Endurance(51.3, 38.9, 70.1))
    status = site_status(fuel=fuel)
    record.write(lambda tx: readings.add(tx, "tank.fuel_level", 43.9, "duty-1"))
    record.write(lambda tx: place.set_service(tx, "fuel", ServiceState.OPEN, "Gården", "lead-1"))
    for pages in (
        render_front(facts(), TAGS),
        render_stale(facts(), TAGS),
        render_starting(config.site, TAGS),
    ):
        for content in pages.values():
            text = Page(content).text
            for raw in (
                "63",
                "127",
                "51",
                "38",
                "81",
                "3400",
                "3.4",
                "43",
                "duty-1",
                "lead-1",
                "Gården",
                " kW",
                "%",
            ):
                assert raw not in text.replace("15:38", ""), raw
    assert status.people.inside == 37


def test_a_message_stands_in_every_language_with_the_swedish_beside_it(facts, record: Record) -> None:
    message = compose(
        Draft("power.outage", {"place": "Ekby <b>", "source": "natbolag"}, "Hälsning & tack", "sv"),
        message_id="m1", author="lead-1", languages=TAGS, now=record.clock.now(),
    )  # fmt: skip
    record.write(lambda tx: messages.post(tx, message))

    swedish = "Strömmen är borta. Område: Ekby <b>. Källa: elnätsbolaget."
    assert front(facts()).text.count(swedish) == 1
    for tag, words in (
        ("en", "There is no electricity. Area: Ekby <b>."),
        ("ar", "الكهرباء مقطوعة. المنطقة: Ekby <b>."),
    ):
        page = front(facts(), tag)
        assert words in page.text
        assert swedish in page.text
        assert "Hälsning & tack" in page.text
        assert ("p", {"lang": "sv", "dir": "ltr"}) in page.tags
        assert not [name for name, _ in page.tags if name == "b"]


def test_an_old_message_leaves_by_itself_only_if_its_phrase_drops(facts, record: Record) -> None:
    for phrase in ("tele.charge", "road.closed"):
        old = compose(
            Draft(phrase, {"place": "Ekby", "source": "kommun"}), message_id=phrase, author="lead-1",
            languages=TAGS, now=record.clock.now() - timedelta(days=20),
        )  # fmt: skip
        record.write(lambda tx, old=old: messages.post(tx, old))

    assert [message.phrase for message in facts().messages] == ["road.closed"]


def test_every_value_in_a_sentence_is_isolated(facts, record: Record) -> None:
    message = compose(
        Draft("road.closed", {"place": "Väg 73", "source": "trafikverket"}),
        message_id="m1", author="lead-1", languages=TAGS, now=record.clock.now(),
    )  # fmt: skip
    record.write(lambda tx: messages.post(tx, message))

    assert b"<bdi>V\xc3\xa4g 73</bdi>" in render_front(facts(), TAGS)["ar/index.html"]


def test_severe_messages_stand_above_the_rest() -> None:
    text = front(sample_state.facts()).text

    assert text.index("Stark vind") < text.index("Strömmen är borta") < text.index("Mat serveras")
    assert "Från: Personalen här, ledaren" in text


def test_times_have_a_weekday_and_digits() -> None:
    assert "Den här sidan gjordes: torsdag 18:05" in front(sample_state.facts()).text
    assert "Thursday 18:05" in front(sample_state.facts(), "en").text
    assert "الخميس 18:05" in front(sample_state.facts(), "ar").text


def test_a_doubtful_clock_and_a_dead_controller_are_said(facts) -> None:
    calm = front(facts()).text
    assert "Klockan här kan gå fel" not in calm
    assert "svarar inte" not in calm
    text = front(facts(trust=TimeTrust.FLOOR, measuring=False)).text
    assert "Klockan här kan gå fel" in text
    assert "En del av utrustningen här svarar inte. Det som personalen har skrivit gäller." in text


@pytest.mark.parametrize(
    ("tag", "word"), [("sv", "DEMO: påhittade värden"), ("en", "DEMO: invented values"), ("ar", "عرض تجريبي")]
)
def test_a_demo_says_so_in_title_and_text_on_every_set(
    tag: str, word: str, make_config, record: Record
) -> None:
    config = make_config(demo=True)
    facts = gather(config, record, measuring=True)
    for pages in (render_front(facts, TAGS), render_stale(facts, TAGS), render_starting(config.site, TAGS)):
        content = pages[f"{tag}/index.html"].decode("utf-8")
        assert word in content.partition("</title>")[0]
        assert word in content.partition("<body>")[2]


def test_what_is_not_a_demo_never_says_so(facts, config: Config) -> None:
    for pages in (render_front(facts(), TAGS), render_starting(config.site, TAGS)):
        assert all(b"DEMO" not in content for content in pages.values())


def test_the_stale_page_promises_nothing(facts, record: Record) -> None:
    record.write(lambda tx: place.set_stage(tx, Stage.OPEN, level=2, hours="08–22", by="lead-1"))
    record.write(lambda tx: place.set_service(tx, "food", ServiceState.OPEN, "Matsalen", "duty-1"))
    record.write(lambda tx: place.set_word(tx, "power", "works", "duty-1"))
    text = Page(render_stale(facts(), TAGS)["sv/index.html"]).text

    assert "Sidan har inte uppdaterats sedan: måndag 15:02. Fråga personalen." in text
    assert "Senast kända läge: Öppet" in text
    for promise in ("Matsalen", "Fungerar", "08–22"):
        assert promise not in text


def test_the_starting_page_knows_nothing(config: Config) -> None:
    text = Page(render_starting(config.site, TAGS)["sv/index.html"]).text

    assert "Informationssidan startar. Fråga personalen." in text
    assert "Öppet" not in text
    assert "Stängt" not in text
    assert not re.search(r"\d\d:\d\d", text)


def test_an_unreviewed_translation_says_so_in_both_languages() -> None:
    page = front(sample_state.facts(), "en")

    assert "No native speaker has checked this translation" in page.text
    assert "Översättningen är inte granskad" in page.text
    assert "Översättningen" not in front(sample_state.facts()).text
