"""The pages in a real browser at phone size: residents reading, a volunteer clicking, axe looking."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect, sync_playwright

from tests.e2e.ground import need, until
from tests.e2e.kit import LANGUAGES, Kit, Staff, words_of
from tests.e2e.machines import TANK

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
DIRECTION = {"sv": "ltr", "en": "ltr", "ar": "rtl"}
TOUCH_PX = 56
LONG_WORD = "Storstadsgymnasieidrottshallsfoajéavdelningsbrandskyddsdokumentationsansvarig"
RTL = "مدرسة إلينبرغا، الطابق 2"
OUTAGE = "Strömmen är borta. Område: Ekby. Källa: elnätsbolaget."
NONSENSE = {
    "nothing": "", "minus": "-1", "too much": "1e99", "letters": "abc", "not a number": "nan",
    "2000 characters": "9" * 2000, "right to left": RTL, "markup": "<script>alert(1)</script>",
}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = need("chromium", "chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture(scope="module")
def full(kit: Kit, staff: Staff) -> Kit:
    """An open place with something of everything on its page."""
    for form, sent in (
        ("word", {"subject": "power", "word": "works"}),
        ("word", {"subject": "room", "word": "nearly_full"}),
        ("service", {"code": "warmth", "state": "open", "place": "Matsalen"}),
        ("service", {"code": "water", "state": "limited", "place": RTL}),
        ("message", {"phrase": "road.closed", "place": "<b>Väg</b> 73 & 9", "source": "trafikverket"}),
    ):
        assert staff.post(form, **sent).status == 303
    until("the page has it all", lambda: "73" in kit.page("ar"))
    return kit


@pytest.fixture(scope="module")
def crammed(full: Kit, staff: Staff) -> Kit:
    """The same with a word that is wider than a phone wherever staff can write; for the last tests."""
    assert staff.post("service", code="beds", state="open", place=LONG_WORD).status == 303
    sent = {"phrase": "heat.here", "place": LONG_WORD, "note": LONG_WORD, "note_lang": "sv"}
    assert staff.post("message", **sent).status == 303
    until("the page has it all", lambda: full.page("ar").count(LONG_WORD) >= 3)
    return full


def _context(browser: Browser, width: int = 360, **more: object) -> BrowserContext:
    return browser.new_context(
        viewport={"width": width, "height": 740}, has_touch=True, is_mobile=True, locale="sv-SE", **more
    )


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A resident's or a volunteer's phone, 360 px wide."""
    context = _context(browser)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def session(browser: Browser, kit: Kit) -> object:
    """The cookies of a volunteer who logged in by clicking."""
    context = _context(browser)
    _log_in(context.new_page(), kit)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def volunteer(browser: Browser, full: Kit, session: object) -> Iterator[Page]:
    """The panel on a volunteer's phone; any alert box or error of the page's script fails the test."""
    context = _context(browser, storage_state=session)
    page = context.new_page()
    surprises: list[str] = []
    page.on("dialog", lambda dialog: (surprises.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: surprises.append(str(error)))
    page.goto(_url(full, "/staff/"))
    yield page
    context.close()
    assert surprises == []


def _url(kit: Kit, path: str) -> str:
    return f"http://127.0.0.1:{kit.port}{path}"


def _log_in(page: Page, kit: Kit) -> None:
    page.goto(_url(kit, "/staff/"))
    page.get_by_label("Kod, sex siffror").fill(kit.code)
    page.get_by_role("button", name="Logga in").click()
    expect(page.get_by_role("heading", name="Läget nu")).to_be_visible()


def _too_wide(page: Page) -> int:
    """By how many pixels the page can be scrolled sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def _submit(page: Page, button: str) -> Response:
    """Press a button and return the answer to its form."""
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        page.locator(button).first.click()
    page.wait_for_load_state()
    return answer.value


def _axe(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{fault['id']}: {[node['html'] for node in fault['nodes']]}" for fault in found]


def _unfold(page: Page, field: str) -> None:
    """Open the fold that hides a field, if there is one."""
    for summary in page.locator(f"details:not([open]):has(#{field}) > summary").all():
        summary.click()


def _lift_limits(page: Page) -> None:
    """Take off what the browser itself refuses, so that the kit has to."""
    page.evaluate(
        "document.querySelectorAll('form').forEach(form => form.noValidate = true);"
        "document.querySelectorAll('[maxlength]').forEach(field => field.removeAttribute('maxlength'))"
    )


@pytest.mark.parametrize("path", ["/sv/", "/ar/", "/staff/login"])
def test_axe_finds_nothing_on_pages_for_everybody(phone: Page, full: Kit, path: str) -> None:
    phone.goto(_url(full, path))
    assert _axe(phone) == []


def test_axe_finds_nothing_on_the_panel_and_its_forms(volunteer: Page, full: Kit) -> None:
    assert _axe(volunteer) == []
    volunteer.goto(_url(full, "/staff/message"))
    assert _axe(volunteer) == []
    volunteer.goto(_url(full, "/staff/message?phrase=food.meal"))
    assert _axe(volunteer) == []
    _lift_limits(volunteer)
    assert _submit(volunteer, "main form button").status == 422
    assert _axe(volunteer) == []


@pytest.mark.parametrize("path", ["", "login", "message", "message?phrase=storm.indoors"])
def test_every_control_of_the_panel_is_high_enough_for_cold_fingers(
    volunteer: Page, full: Kit, path: str
) -> None:
    volunteer.goto(_url(full, f"/staff/{path}"))
    low = volunteer.evaluate(
        """low => [...document.querySelectorAll('button, input:not([type=hidden]), select, textarea, summary, a')]
            .filter(control => control.getBoundingClientRect().height < low)
            .map(control => control.outerHTML)""",
        TOUCH_PX,
    )
    assert low == []
    assert volunteer.locator("button:visible").count() >= 2


def test_a_message_is_posted_by_clicking_seen_in_every_language_and_withdrawn(
    volunteer: Page, phone: Page, full: Kit
) -> None:
    volunteer.get_by_role("link", name="Nytt meddelande").click()
    volunteer.get_by_role("link", name="Strömmen är borta. Område").click()
    volunteer.get_by_label("Plats", exact=True).fill("Ekby")
    volunteer.get_by_label("Källa").select_option(label="elnätsbolaget")
    volunteer.get_by_label("Eget tillägg").fill("Ta med en ficklampa.")
    volunteer.get_by_role("button", name="Visa för alla").click()
    posted = volunteer.locator("form.message").filter(has_text=OUTAGE)
    expect(posted).to_have_count(1)

    seen = {
        "sv": OUTAGE,
        "en": "There is no electricity. Area: Ekby. Source: the electricity network company.",
        "ar": "الكهرباء مقطوعة. المنطقة: Ekby. المصدر: ",
    }
    for tag, text in seen.items():
        until("the message is on the page", lambda tag=tag, text=text: text in words_of(full.page(tag)))
        phone.goto(_url(full, f"/{tag}/"))
        expect(phone.get_by_text("Ta med en ficklampa.")).to_be_visible()

    posted.get_by_role("button", name="Ta bort").click()
    expect(posted).to_have_count(0)
    for tag, text in seen.items():
        until("the message is gone", lambda tag=tag, text=text: text not in words_of(full.page(tag)))


def test_a_recount_and_a_hand_reading_show_on_the_panel(phone: Page, tmp_path: Path) -> None:
    with Kit(tmp_path, TANK) as own:  # a generator without Modbus
        own.start("controller", "web")
        _log_in(phone, own)
        expect(phone.locator("#tile-fuel")).to_contain_text("mäts inte här")
        phone.get_by_label("Bränslenivå i procent").fill("48,6")  # of 200 litres: 97.2
        assert _submit(phone, "form[action$=reading] button").status == 303
        phone.get_by_label("Antal personer här inne").fill("37")
        assert _submit(phone, "form[action$=recount] button").status == 303
        expect(phone.locator("#tile-people .value")).to_have_text("37")
        expect(phone.locator("#tile-fuel .value")).to_have_text("49 %")
        expect(phone.locator("#tile-fuel")).to_contain_text("97 liter")
        expect(phone.locator("#tile-fuel")).to_contain_text("för hand, just nu")


def test_the_panel_works_without_script(browser: Browser, full: Kit) -> None:
    context = _context(browser, java_script_enabled=False)
    page = context.new_page()
    _log_in(page, full)
    page.get_by_label("Antal personer här inne").fill("41")
    page.locator("form[action$=recount] button").click()

    def counted() -> bool:
        page.goto(_url(full, "/staff/"))
        return page.locator("#tile-people .value").inner_text() == "41"

    until("the count is on the panel", counted)
    page.get_by_role("link", name="Nytt meddelande").click()
    page.get_by_role("link", name="Varm dryck").click()
    page.get_by_label("Plats", exact=True).fill("Utan skript")
    page.get_by_role("button", name="Visa för alla").click()
    posted = page.locator("form.message").filter(has_text="Varm dryck. Plats: Utan skript.")
    posted.get_by_role("button", name="Ta bort").click()
    expect(posted).to_have_count(0)
    page.get_by_role("button", name="Logga ut").click()
    expect(page.get_by_label("Kod, sex siffror")).to_be_visible()
    context.close()


@pytest.mark.parametrize(
    ("field", "name"), [("inside", "Antal personer här inne"), ("fuel", "Bränslenivå i procent")]
)
def test_nonsense_for_a_number_is_refused_in_words_and_the_panel_stays(
    volunteer: Page, field: str, name: str
) -> None:
    for typed in NONSENSE.values():
        _lift_limits(volunteer)
        volunteer.locator(f"#{field}").fill(typed)
        assert _submit(volunteer, f"form:has(#{field}) button").status == 422, typed
        fault = volunteer.locator(".fault[role=alert]:visible")
        expect(fault).to_contain_text(f"{name}: ")
        expect(volunteer.locator("#tile-fuel")).to_be_visible()


@pytest.mark.parametrize("field", ["hours", "place-beds", "place", "note"])
def test_nonsense_for_a_text_is_shown_as_text_and_too_much_is_refused(
    volunteer: Page, full: Kit, field: str
) -> None:
    button = {"hours": "[value=closing]", "place-beds": "[value=open]"}.get(field, ":not([name])")
    for name, typed in NONSENSE.items():
        if name in ("too much", "letters", "not a number"):
            continue  # as good a text as any
        if field in ("place", "note"):
            volunteer.goto(_url(full, "/staff/message?phrase=heat.here"))
            volunteer.locator("#place").fill("Ekby")
        _lift_limits(volunteer)
        _unfold(volunteer, field)
        volunteer.locator(f"#{field}").fill(typed)
        answer = _submit(volunteer, f"form:has(#{field}) button{button}")
        if name == "2000 characters" or (field, name) == ("place", "nothing"):
            assert answer.status == 422, name
            expect(volunteer.locator(".fault[role=alert]:visible")).to_have_count(1)
            continue
        assert answer.status == 303, name
        if field == "hours":  # so that there is a step to take next time
            assert _submit(volunteer, "form:has(#hours) button[value=open]").status == 303
    for tag in LANGUAGES:
        for name in ("markup", "right to left") if field in ("place", "note") else ("markup",):
            until(f"{name} is read", lambda name=name, tag=tag: NONSENSE[name] in words_of(full.page(tag)))
        assert "<script" not in full.page(tag)
    expect(volunteer.get_by_role("heading", name="Läget nu")).to_be_visible()


@pytest.mark.parametrize("width", [320, 360])
@pytest.mark.parametrize("tag", LANGUAGES)
def test_a_public_page_is_one_response_and_fits_a_narrow_phone(
    browser: Browser, crammed: Kit, tag: str, width: int
) -> None:
    context = _context(browser, width)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(_url(crammed, f"/{tag}/"))
    assert asked == [_url(crammed, f"/{tag}/")]
    html = page.locator("html")
    assert (html.get_attribute("lang"), html.get_attribute("dir")) == (tag, DIRECTION[tag])
    assert page.evaluate("getComputedStyle(document.body).direction") == DIRECTION[tag]
    assert page.evaluate("window.innerWidth") == width
    assert _too_wide(page) == 0
    assert page.locator("script, iframe, object, embed, form, img").count() == 0
    assert {link.get_attribute("href") for link in page.locator("a").all()} == {
        f"/{other}/" for other in LANGUAGES if other != tag
    }
    expect(page.get_by_text("<b>Väg</b> 73 & 9").first).to_be_visible()
    context.close()


@pytest.mark.parametrize("path", ["", "message", "message?phrase=storm.indoors"])
@pytest.mark.parametrize("width", [320, 360])
def test_the_panel_fits_a_narrow_phone(
    browser: Browser, crammed: Kit, session: object, path: str, width: int
) -> None:
    context = _context(browser, width, storage_state=session)
    page = context.new_page()
    page.goto(_url(crammed, f"/staff/{path}"))
    assert _too_wide(page) == 0
    context.close()
