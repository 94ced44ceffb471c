"""The staff panel through Flask's own client: every form, filled rightly and wrongly."""

import re
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.factories import controller_live
from tests.web.browser import TOKEN, Browser, by
from tpkit.domain.lifecycle import Stage
from tpkit.domain.status import TimeTrust
from tpkit.errors import StoreUnavailableError
from tpkit.store import live, messages, place, readings, requests
from tpkit.store.record import Record


def test_opening_and_closing(staff: Browser, record: Record) -> None:
    assert staff.post("stage", stage="open", level="2", hours="08–22").status_code == 303
    assert record.read(place.stage).stage == Stage.OPEN
    page = staff.get().text
    assert "Öppet eller stängt: Öppet" in page
    assert 'value="closing"' in page
    assert 'value="standby"' not in page

    answer = staff.post("stage", stage="standby", level="2", hours="")
    assert answer.status_code == 409
    assert "Det steget går inte härifrån" in answer.text
    assert record.read(place.stage).stage == Stage.OPEN


def test_words_services_and_readings(staff: Browser, record: Record) -> None:
    staff.post("word", subject="power", word="limited")
    staff.post("service", code="water", state="limited", place="Köket")
    staff.post("reading", fuel="62,5")

    assert record.read(place.words)["power"].word == "limited"
    assert record.read(place.services)[0].place == "Köket"
    newest = record.read(lambda c: readings.latest(c, record.boot, record.clock.now(), 0))
    assert newest["tank.fuel_level"].value == 62.5
    assert {who for who, kind in by(record) if kind != "first_code"} == {"lead-1"}


def test_a_recount_waits_for_the_controller(staff: Browser, record: Record) -> None:
    staff.post("recount", inside="37")

    [asked] = record.read(requests.waiting)
    assert (asked.kind, asked.args, asked.by) == ("recount", {"inside": 37}, "lead-1")
    assert "Väntar på mätningen" in staff.get().text


NONSENSE = [
    "",
    " ",
    "abc",
    "-1",
    "1e99",
    "nan",
    "inf",
    "10001",
    "<script>alert(1)</script>",
    "٣٧٠٠٠",
    "3;DROP TABLE journal",
    "9" * 400,
]


@pytest.mark.parametrize("value", NONSENSE)
@pytest.mark.parametrize(("form", "field"), [("recount", "inside"), ("reading", "fuel")])
def test_a_number_that_is_none_is_refused_by_name(
    staff: Browser, record: Record, form: str, field: str, value: str
) -> None:
    before = by(record)
    answer = staff.post(form, **{field: value})

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "<script>alert" not in answer.text
    assert by(record) == before


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ("stage", {"stage": "flying", "level": "2", "hours": ""}),
        ("stage", {"stage": "open", "level": "9", "hours": ""}),
        ("stage", {"stage": "open", "level": "1.5", "hours": ""}),
        ("stage", {"stage": "open", "level": "2", "hours": "x" * 81}),
        ("word", {"subject": "weather", "word": "gone"}),
        ("word", {"subject": "power", "word": "nearly_full"}),
        ("service", {"code": "casino", "state": "open", "place": ""}),
        ("service", {"code": "water", "state": "wet", "place": ""}),
        ("service", {"code": "water", "state": "open", "place": "x" * 81}),
        ("service", {"code": "water", "state": "open", "place": "a\x00b"}),
        ("clock", {"clock": "yesterday"}),
        ("clock", {"clock": ""}),
        ("language", {"language": "tlh"}),
    ],
)
def test_what_is_not_in_the_list_is_refused(
    staff: Browser, record: Record, form: str, fields: dict[str, str]
) -> None:
    before = by(record)

    assert staff.post(form, **fields).status_code == 422
    assert by(record) == before


def post_message(staff: Browser, **fields: str) -> TestResponse:
    return staff.post("message", page=f"message?phrase={fields['phrase']}", **fields)


def test_a_message_from_a_phrase(staff: Browser, record: Record) -> None:
    assert "Strömmen är borta" in staff.get("message").text
    form = staff.get("message?phrase=power.outage").text
    assert 'name="place"' in form
    assert 'name="source"' in form
    answer = post_message(
        staff, phrase="power.outage", place="Ekby", source="natbolag", note="Hej", note_lang="sv"
    )

    assert answer.status_code == 303
    [message] = record.read(messages.current)
    assert (message.slots, message.author) == ({"place": "Ekby", "source": "natbolag"}, "lead-1")
    assert "Område: <bdi>Ekby</bdi>" in staff.get().text
    staff.post("withdraw", id=message.id)
    assert record.read(messages.current) == []


def test_times_are_typed_in_swedish_time(staff: Browser, record: Record) -> None:
    post_message(staff, phrase="storm.indoors", source="smhi", time_said="2026-11-23T15:30", note_lang="sv")
    post_message(
        staff, phrase="food.meal", place="Matsalen", note_lang="sv",
        time_span_from="2026-07-01T12:00", time_span_to="2026-07-01T13:30",
    )  # fmt: skip

    slots = [message.slots for message in record.read(messages.current)]
    assert slots[0]["time_said"] == "2026-11-23T14:30+00:00"
    assert slots[1]["time_span"] == "2026-07-01T10:00+00:00/2026-07-01T11:30+00:00"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"phrase": "power.outage", "place": "", "source": "natbolag"}, "Plats: fyll i"),
        ({"phrase": "power.outage", "place": "x" * 2000, "source": "natbolag"}, "Plats: för lång text"),
        ({"phrase": "power.outage", "place": "Ekby", "source": "jag"}, "Källa: välj i listan"),
        ({"phrase": "point.next_news", "time": "soon"}, "Tid: skriv datum och tid"),
        (
            {
                "phrase": "food.meal",
                "place": "x",
                "time_span_from": "2026-07-01T12:00",
                "time_span_to": "2026-07-01T11:00",
            },
            "Från och till: slutet måste komma efter början",
        ),
        (
            {"phrase": "rumour.check", "note": "x" * 501},
            "Eget tillägg (inga namn, inga sjukdomar): för lång text",
        ),
        ({"phrase": "rumour.check", "note": "hej", "note_lang": "tlh"}, "Tilläggets språk: välj i listan"),
    ],
)
def test_a_message_that_is_refused_keeps_what_was_typed(
    staff: Browser, record: Record, fields: dict[str, str], says: str
) -> None:
    answer = post_message(staff, **fields)

    assert answer.status_code == 422
    assert says in re.sub(r"<[^>]+>", "", answer.text)
    assert record.read(messages.current) == []
    if len(fields.get("place", "")) > 1:
        assert fields["place"] in answer.text


def test_markup_in_a_message_is_text(staff: Browser) -> None:
    post_message(staff, phrase="road.closed", place="<script>alert(1)</script>", source="kommun")
    page = staff.get().text

    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_only_the_leader_posts_official_words(staff: Browser, record: Record) -> None:
    with staff.client.session_transaction(path="/staff/") as kept:
        kept["role"] = "duty-2"
    answer = post_message(staff, phrase="storm.indoors", source="smhi", time_said="2026-11-23T15:30")

    assert answer.status_code == 422
    assert "bara ledaren" in answer.text
    assert record.read(messages.current) == []


def test_the_clock_question_is_asked_and_answered(staff: Browser, record: Record, tmp_path: Path) -> None:
    file = live.controller_file(tmp_path)
    file.write(controller_live())
    assert 'name="clock"' not in staff.get().text
    file.write(controller_live(trust=TimeTrust.FLOOR))
    page = staff.get().text
    assert "Vad är klockan?" in page
    shown = re.search(r'name="clock" type="datetime-local" value="([^"]+)"', page)
    assert shown
    staff.post("clock", clock=shown[1])

    [asked] = record.read(requests.waiting)
    assert asked.kind == "set_clock"
    assert abs(asked.args["utc_ms"] - record.clock.now().timestamp() * 1000) < 10_000


def test_the_glance_costs_nothing_while_nothing_changes(staff: Browser, tmp_path: Path) -> None:
    file = live.controller_file(tmp_path)
    file.write(controller_live())
    first = staff.get("glance")
    again = staff.get("glance", **{"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
    file.write(controller_live(source="battery"))
    assert staff.get("glance", **{"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_a_disk_that_is_full_is_said_and_nothing_is_changed(
    staff: Browser, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreUnavailableError("disk is full")

    token = TOKEN.search(staff.get().text)
    assert token
    monkeypatch.setattr(Record, "write", full)
    answer = staff.client.post("/staff/recount", data={"csrf_token": token[1], "inside": "5"})

    assert answer.status_code == 503
    assert "Ingenting har ändrats" in answer.text or "Nothing has changed" in answer.text
    assert "disk is full" not in answer.text


def test_staff_read_swedish_or_english(staff: Browser) -> None:
    assert "Räkna människor" in staff.get().text
    staff.post("language", language="en")
    page = staff.get().text
    assert "Count people" in page
    assert '<html lang="en"' in page


def test_the_panel_is_usable_without_script(staff: Browser) -> None:
    page = staff.get().text

    assert '<noscript><meta http-equiv="refresh"' in page
    assert " onclick" not in page
    assert " style=" not in page


def test_an_unknown_page_is_not_found(staff: Browser) -> None:
    assert staff.get("nothing").status_code == 404
    assert staff.get("static/../staff.py").status_code == 404


def test_the_web_service_loads_no_bus_or_pin_library() -> None:
    import subprocess
    import sys

    code = "import sys, tpkit.web.service, tpkit.web.staff; print([m for m in ('pymodbus', 'serial', 'gpiozero', 'paho') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
