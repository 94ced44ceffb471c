"""What the panel refuses: forged forms, words that no list has, times that no clock shows, too much."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.kit import Kit, Staff, ask, words_of

FORMS = {
    "stage": {"stage": "closed", "level": "1", "hours": ""},
    "word": {"subject": "power", "word": "gone"},
    "service": {"code": "water", "state": "open", "place": "Entrén"},
    "recount": {"inside": "12"},
    "reading": {"fuel": "50"},
    "clock": {"clock": "2026-12-01T12:00"},
    "message": {"phrase": "rumour.check"},
    "withdraw": {"id": "0123456789ab"},
    "language": {"language": "en"},
    "logout": {},
}
NONSENSE = ("", "-1", "1e99", "abc", "<script>alert(1)</script>", "9" * 2000, "الساعة الثامنة")
NO_TIME = (*NONSENSE, "2026-02-30T10:00", "25:00", "0001-01-01T00:00", "0001-01-01T00:00+14:00")
NO_CHOICE = (
    ("stage", "stage"), ("stage", "level"), ("word", "subject"), ("word", "word"), ("service", "code"),
    ("service", "state"), ("language", "language"),
)  # fmt: skip


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """Only web: nothing here needs the others."""
    with Kit(tmp_path_factory.mktemp("desk")) as running:
        running.start("web")
        yield running
        assert running.processes["web"].poll() is None, running.logs()
        assert "Traceback" not in running.logs(), running.logs()


@pytest.fixture(scope="module")
def staff(kit: Kit) -> Staff:
    lead = Staff(kit)
    lead.log_in(kit.code)
    assert lead.post("stage", stage="open", level="2", hours="").status == 303
    return lead


def _journal(kit: Kit) -> list[tuple[object, ...]]:
    """Everything done so far."""
    return kit.rows("SELECT id, by, kind, body FROM journal")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("forgery", ["missing", "forged", "from another session"])
def test_a_form_without_this_sessions_token_changes_nothing(
    kit: Kit, staff: Staff, form: str, forgery: str
) -> None:
    before = _journal(kit)
    token = {"missing": "", "forged": "a" * 91, "from another session": Staff(kit).token("login")}[forgery]
    answer = staff.post(form, token=token, **FORMS[form])
    assert answer.status == 403
    assert _journal(kit) == before
    assert "<h2" in staff.get().text, "the session has ended"
    assert 'lang="sv"' in staff.get().text


@pytest.mark.parametrize("form", [form for form in FORMS if form not in ("logout", "language")])
def test_a_form_without_login_changes_nothing(kit: Kit, staff: Staff, form: str) -> None:
    before = _journal(kit)
    stranger = Staff(kit)
    answer = stranger.post(form, page="login", **FORMS[form])
    assert (answer.status, answer.headers["Location"]) == (302, "/staff/login")
    assert _journal(kit) == before
    assert stranger.get("glance").status == 401


@pytest.mark.parametrize(("form", "field"), NO_CHOICE)
def test_a_word_that_no_list_has_is_refused_and_the_panel_stays(
    kit: Kit, staff: Staff, form: str, field: str
) -> None:
    before = _journal(kit)
    for typed in NONSENSE:
        answer = staff.post(form, **{**FORMS[form], field: typed})
        assert answer.status == 422, typed
        assert 'role="alert"' in answer.text
        assert "Läget nu" in words_of(answer.text)
        assert "<script>alert" not in answer.text
    assert _journal(kit) == before


@pytest.mark.parametrize("field", ["source", "note_lang"])
def test_a_message_with_an_unknown_source_or_language_is_refused(kit: Kit, staff: Staff, field: str) -> None:
    before = _journal(kit)
    whole = {"phrase": "power.outage", "place": "Ekby", "source": "kommun", "note": "Hej", "note_lang": "sv"}
    for typed in NONSENSE:
        answer = staff.post("message", **{**whole, field: typed})
        assert answer.status == 422, typed
        assert "Ekby" in answer.text, "what was typed is lost"
        assert "<script>alert" not in answer.text
    assert _journal(kit) == before


@pytest.mark.parametrize("typed", NO_TIME)
def test_what_is_no_time_is_refused_for_the_clock_and_in_a_message(
    kit: Kit, staff: Staff, typed: str
) -> None:
    before = _journal(kit)
    assert staff.post("clock", clock=typed).status == 422
    assert staff.post("message", phrase="point.next_news", time=typed).status == 422
    span = {"phrase": "water.here", "place": "Köket", "time_span_from": typed, "time_span_to": typed}
    assert staff.post("message", **span).status == 422
    assert _journal(kit) == before


def test_a_span_that_ends_before_it_begins_is_refused(staff: Staff) -> None:
    span = {"time_span_from": "2026-12-01T12:00", "time_span_to": "2026-12-01T11:00"}
    answer = staff.post("message", phrase="water.here", place="Köket", **span)
    assert (answer.status, "slutet måste komma efter början" in answer.text) == (422, True)


@pytest.mark.parametrize("typed", ["9999-12-31T23:59", "9999-12-31T23:30+00:00"])
def test_a_time_at_the_end_of_the_calendar_does_not_bring_the_pages_down(tmp_path: Path, typed: str) -> None:
    with Kit(tmp_path) as own:
        own.start("web")
        lead = Staff(own)
        lead.log_in(own.code)
        lead.post("message", phrase="point.next_news", time=typed)
        assert lead.post("message", phrase="rumour.check").status == 303
        own.await_page("Det går rykten")
        assert own.processes["web"].poll() is None
        assert lead.post("clock", clock=typed).status == 422


def test_too_much_at_once_is_refused_and_the_panel_stays(kit: Kit, staff: Staff) -> None:
    before = _journal(kit)
    assert staff.post("message", phrase="heat.here", place="Ekby", note="x" * 100_000).status == 413
    assert staff.get().status == 200
    assert _journal(kit) == before


def test_the_address_of_a_refused_form_leads_back_to_the_panel(staff: Staff) -> None:
    """A browser without script asks for it by GET a little later: the page refreshes itself."""
    wrong = {"stage": {"stage": "x"}, "word": {}, "service": {}, "recount": {}, "reading": {}, "clock": {}}
    for form, fields in wrong.items():
        assert staff.post(form, **fields).status == 422
    answers = {form: staff.get(form) for form in wrong}
    places = {form: (answer.status, answer.headers.get("Location")) for form, answer in answers.items()}
    assert places == dict.fromkeys(wrong, (302, "/staff/"))


def test_a_wrong_code_is_refused_and_guessing_gets_slower(tmp_path: Path) -> None:
    with Kit(tmp_path) as own:
        own.start("web")
        thief = Staff(own)
        answers = [thief.post("login", page="login", code=code) for code in ("000000", *NONSENSE)]
        wrong = own.code == "000000"
        assert [answer.status for answer in answers] == [302 if wrong else 403, *[429] * len(NONSENSE)]
        assert all('role="alert"' in answer.text for answer in answers)
        assert "Vänta" in answers[-1].text
        assert ask(own.port, "/staff/").status == 302
        assert "Traceback" not in own.logs(), own.logs()
