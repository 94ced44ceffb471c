"""Who gets into the panel, and what keeps others out."""

import re
from pathlib import Path

import pytest

from tests.web.browser import Browser, by
from tpkit.store import requests
from tpkit.store.record import Record
from tpkit.web import access


def test_the_first_code_is_six_digits_for_this_user_only_and_made_once(
    record: Record, tmp_path: Path, code: str
) -> None:
    assert re.fullmatch(r"\d{6}", code)
    assert oct((tmp_path / access.FIRST_CODE_FILE).stat().st_mode)[-3:] == "600"
    access.session_secret(tmp_path)
    assert oct((tmp_path / access.SECRET_FILE).stat().st_mode)[-3:] == "600"
    access.ensure_first_code(record, tmp_path)
    assert (tmp_path / access.FIRST_CODE_FILE).read_text().strip() == code
    dump = record.read(lambda c: str(c.execute("SELECT * FROM staff").fetchall()))
    assert code not in dump


def test_the_right_code_opens_the_panel(stranger: Browser, code: str) -> None:
    answer = stranger.post("login", page="login", code=code)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/staff/")
    assert "lead-1" in stranger.get().text


@pytest.mark.parametrize("page", ["", "message"])
def test_a_stranger_sees_only_the_login(stranger: Browser, page: str) -> None:
    answer = stranger.get(page)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/staff/login")
    assert stranger.get("glance").status_code == 401


@pytest.mark.parametrize(
    "form", ["stage", "word", "service", "recount", "reading", "clock", "message", "withdraw"]
)
def test_a_stranger_changes_nothing(stranger: Browser, record: Record, form: str) -> None:
    before = by(record)
    answer = stranger.post(
        form, page="login", stage="open", subject="power", word="gone", inside="5", fuel="5", id="m"
    )

    assert answer.status_code == 302
    assert by(record) == before


def test_a_wrong_code_makes_the_next_try_wait(stranger: Browser, code: str) -> None:
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert "Fel kod" in stranger.post("login", page="login", code=wrong).text
    answer = stranger.post("login", page="login", code=code)

    assert answer.status_code == 429
    assert "Vänta" in answer.text


def test_the_delay_grows_to_a_minute_and_a_right_code_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(access.time, "monotonic", lambda: now[0])
    delay = access.Delay()
    waits = []
    for _ in range(9):
        delay.note("a", failed=True)
        waits.append(delay.left_s("a"))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert delay.left_s("b") == 0
    now[0] += 60
    assert delay.left_s("a") == 0
    delay.note("a", failed=False)
    delay.note("a", failed=True)
    assert delay.left_s("a") == 1


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(stranger: Browser, code: str) -> None:
    cookie = stranger.post("login", page="login", code=code).headers["Set-Cookie"]

    for word in ("HttpOnly", "SameSite=Strict", "Path=/staff"):
        assert word in cookie


def test_every_answer_forbids_foreign_content(staff: Browser) -> None:
    for page in ("", "message", "login", "glance"):
        headers = staff.get(page).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_a_form_without_its_token_is_refused(staff: Browser, record: Record) -> None:
    for data in ({}, {"csrf_token": "forged"}):
        answer = staff.client.post("/staff/recount", data={"inside": "5", **data})
        assert answer.status_code == 403
        assert "Traceback" not in answer.text
    assert record.read(requests.waiting) == []


def test_logging_out_ends_the_session(staff: Browser) -> None:
    staff.post("logout")

    assert staff.get().status_code == 302
