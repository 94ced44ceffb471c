"""One value from the wire to every screen, and to no public page."""

import itertools
import json
import re
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.ground import Line, mbpoll, until
from tests.e2e.kit import DOOR, LANGUAGES, NAME, ORG, Doorway, Kit, Site, Staff, words_of
from tests.e2e.machines import (
    BATTERY_HOURS,
    DSE,
    DSE_BAUD,
    DSE_MEANS,
    DSE_UNIT,
    FUEL,
    FUEL_HOURS,
    FUEL_HOURS_SURELY,
    GX,
    GX_MEANS,
    GX_UNIT,
    LITRES,
    LOAD_L1,
    SOC,
    SOURCE,
    dse_server,
)
from tests.e2e.silence import Silence
from tpkit.bench.volunteer import Volunteer

TOPIC = f"tp/v1/{ORG}/{{}}/live"
WITHIN_S = 8.0  # a turn of the bus, of the controller and of `live`, on a busy machine

# What a public page may hold of numbers: 112, 113 13, the P4 frequency, times of day.
PUBLIC_NUMBERS = re.compile(r"\b112\b|\b113 13\b|P4 96[.,]2|\b[0-2]\d:[0-5]\d\b")
# Words of what is measured, in the three languages: fuel, litres, hours left, load, percent, Rakel.
MEASURED = re.compile(
    r"bränsle|diesel|liter|litre|fuel|räcker|lasts|timm|hour|kW|%|٪|procent|percent|rakel|lead-1|larm|alarm"
    r"|وقود|\bلتر|\bساعة|\bساعات|بالمئة|ديزل|إنذار",
    re.IGNORECASE,
)


@pytest.fixture(autouse=True)
def _image(site: Site, staff: Staff) -> None:
    """Each test begins with the machines as `images` has them, and an open place."""
    site.gx.set(GX)
    site.genset.set(DSE)
    until("the kit shows the image again", lambda: _fuel(site.kit) == 63.0)


def _samples(kit: Kit) -> dict[tuple[str, str], dict[str, object]]:
    samples = kit.live("controller")["status"]["samples"]
    return {(sample["device"], sample["point"]): sample for sample in samples}


def _fuel(kit: Kit) -> object:
    return _samples(kit)["genset", "tank.fuel_level"]["value"]


def _retained(site: Site, name: str = NAME) -> dict[str, Any]:
    text = site.broker.retained(TOPIC.format(name))
    return dict(json.loads(text)) if text else {"power": {}}


def test_every_register_is_decoded_as_the_makers_tables_have_it(site: Site) -> None:
    status = site.kit.status()
    found = {(sample["device"], sample["point"]): sample["value"] for sample in status["samples"]}
    expected = {("gx", point): value for point, value in GX_MEANS.items()}
    expected |= {("genset", point): value for point, value in DSE_MEANS.items()}
    assert {key: found[key] for key in expected} == pytest.approx(expected)


def test_the_status_command_shows_what_was_worked_out_by_hand(site: Site) -> None:
    status = site.kit.status()
    assert status["load"]["value"] == 3600.0
    assert status["source"] == "battery"
    assert status["fuel"]["level"]["value"] == 63.0
    assert status["fuel"]["litres"] == pytest.approx(LITRES)
    assert status["fuel"]["endurance"]["hours"] == pytest.approx(FUEL_HOURS, abs=0.01)
    assert status["fuel"]["endurance"]["at_least"] == pytest.approx(FUEL_HOURS_SURELY, abs=0.01)
    assert status["battery"]["endurance"]["hours"] == pytest.approx(BATTERY_HOURS, abs=0.01)
    assert (status["verdict"], status["alarms"]) == ("ok", [])


def test_the_panel_shows_the_same_to_a_volunteer(site: Site) -> None:
    volunteer = Volunteer(f"http://127.0.0.1:{site.kit.port}")
    volunteer.log_in(site.kit.code)
    panel = words_of(volunteer.post("language", language="sv"))
    assert "ALLT FUNGERAR" in panel
    assert "Bränsle 63 %" in panel
    assert "126 liter" in panel
    assert "Batteri 87 %" in panel
    assert "Förbrukning 3,6 kW Från batteriet" in panel
    assert "65535" not in panel


def test_an_independent_subscriber_gets_the_same_as_retained_live(site: Site) -> None:
    Doorway(site.kit).enter(3)
    until("three people are counted", lambda: site.kit.live("controller")["status"]["people"]["inside"] == 3)
    shown = {"src": "battery", "soc": 87.0, "w_out": 3600.0, "hours_left": 83.3, "fuel_pct": 63.0}
    until("live has the image", lambda: _retained(site)["power"] == shown, WITHIN_S)
    assert _retained(site)["people"]["in"] in (None, 5)  # 5 once an hour has ended: never the three


def test_mbpoll_reads_the_raw_words_that_the_kit_decodes(site: Site, modbus_program: Path) -> None:
    where = ("-m", "tcp", "-p", str(site.gx.port), "-a", str(GX_UNIT), "127.0.0.1")
    assert mbpoll(*where, first=817, count=10) == {at: GX[at] for at in range(817, 827)}
    assert mbpoll(*where, first=840, count=7) == {at: GX[at] for at in range(840, 847)}
    with (
        closing(Line(DSE_BAUD)) as line,
        closing(dse_server(modbus_program, line)),
    ):
        where = ("-m", "rtu", "-b", str(DSE_BAUD), "-P", "none", "-a", str(DSE_UNIT), line.near)
        assert mbpoll(*where, first=1024, count=42) == {at: DSE[at] for at in range(1024, 1066)}


def test_a_changed_register_follows_everywhere(site: Site, staff: Staff) -> None:
    site.genset.set({FUEL: 41})
    site.gx.set({SOC: 58, LOAD_L1: 2100})  # 2100 + 1100 + 1500 = 4700 W
    until("the status command has it", lambda: site.kit.status()["fuel"]["level"]["value"] == 41.0, WITHIN_S)
    until("the panel has the fuel", lambda: "41 %" in staff.tile("fuel")[1], WITHIN_S)
    until("the panel has the battery", lambda: "58 %" in staff.tile("battery")[1], WITHIN_S)
    until("the panel has the load", lambda: "4,7 kW Från batteriet" in staff.tile("load")[1], WITHIN_S)
    site.gx.set({SOURCE: 2})  # the generator: another source is told at once
    until("the panel has the source", lambda: "Från generatorn" in staff.tile("load")[1], WITHIN_S)
    power = {"src": "generator", "soc": 58.0, "w_out": 4700.0, "fuel_pct": 41.0}
    until("live has it all", lambda: _retained(site)["power"].items() >= power.items(), 3)


def test_residents_get_nothing_that_is_measured(site: Site, staff: Staff) -> None:
    Doorway(site.kit).enter(7)
    until("seven people are counted", lambda: site.kit.live("controller")["status"]["people"]["inside"] >= 7)
    assert staff.post("recount", inside="73").status == 303
    until("the recount is on the panel", lambda: "73" in staff.tile("people")[1])
    staff.post("service", code="fuel", state="open", place="")
    staff.post("service", code="rakel", state="open", place="")
    staff.post("service", code="water", state="open", place="Entrén")
    until("the public page has the water", lambda: "Entrén" in site.kit.page("sv"))

    pages = site.kit.published()
    assert {f"/{tag}/" for tag in LANGUAGES} < set(pages)
    assert len(pages) >= 5 * len(LANGUAGES)  # served, current, stale, starting, last
    for name, page in pages.items():
        left = PUBLIC_NUMBERS.sub("", words_of(page))
        assert re.findall(r"[0-9٠-٩]+", left) == [], name
        assert MEASURED.findall(words_of(page)) == [], name
        bare = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
        for raw in ("63", "87", "3600", "3.6", "126", "83", "64", "73", "2.68"):
            assert raw not in PUBLIC_NUMBERS.sub("", bare), (name, raw)


def test_a_head_count_leaves_the_kit_only_when_its_bin_has_ended(tmp_path: Path) -> None:
    def shown() -> dict[str, Any]:
        return dict(kit.live("controller")["status"])

    with Kit(tmp_path, DOOR) as kit:
        kit.start("controller", "web")
        lead = Staff(kit)
        lead.log_in(kit.code)
        lead.post("clock", clock="2026-12-01T12:20")  # far from a quarter's end, unless the host knows better
        until("the clock is taken or refused", lambda: "Väntar" not in lead.words())
        Doorway(kit).enter(3)
        until("three people are counted", lambda: shown()["people"]["inside"] == 3)
        began = shown()
        assert began["people"]["binned"] is None
        assert lead.post("recount", inside="88").status == 303
        until("the recount is shown", lambda: shown()["people"]["inside"] == 88)
        until("a second has passed", lambda: shown()["mono_ms"] > began["mono_ms"] + 2000)
        assert shown()["people"]["binned"] is None or _quarter(shown()) != _quarter(began)


def _quarter(status: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(status["at"]).timestamp() // (15 * 60))


@pytest.mark.parametrize(
    ("words", "point"),
    [
        ({FUEL: 0xFFFF}, "tank.fuel_level"),  # unimplemented
        ({FUEL: 0xFFF9}, "tank.fuel_level"),  # a fuel switch, not a level
        ({1052: 0x7FFF, 1053: 0xFFFF}, "generator.power_l1"),  # unimplemented, two signed words
    ],
)
def test_a_sentinel_is_never_shown_as_a_number(
    site: Site, staff: Staff, words: dict[int, int], point: str
) -> None:
    site.genset.set(words)
    key = ("genset", point)
    until("the kit has seen it", lambda: _samples(site.kit)[key]["reason"] in ("absent", "digital_low"))
    assert _samples(site.kit)[key]["quality"] != "good"
    screens = [staff.words(), json.dumps(site.kit.status()), site.broker.retained(TOPIC.format(NAME))]
    for screen in [*screens, *site.kit.published().values()]:
        for number in ("65535", "65529", "6553", "2147483647"):
            assert number not in screen


def test_a_gx_without_battery_monitor_has_no_charge_of_zero(site: Site, staff: Staff) -> None:
    site.gx.set({840: 0, 841: 0, 842: 0, SOC: 0, 846: 0})  # a GX shows what it does not know as 0
    key = ("gx", "battery.state_of_charge")
    until("the kit has seen it", lambda: _samples(site.kit)[key]["reason"] == "not_valid_now")
    assert _samples(site.kit)[key]["value"] != 0.0
    assert "Batteri 0 %" not in staff.words()


def test_nobody_ever_writes_to_a_machine(site: Site) -> None:
    """The C servers tell of any request but a read, and then this is not the next line they say."""
    assert site.gx.answered() > 5
    assert site.genset.answered() > 5


def test_when_a_machine_dies_its_age_grows_and_green_ends(silence: Silence) -> None:
    until("the story has been told", lambda: not silence.is_alive(), 90)
    assert silence.fault == ""
    looks = silence.looks
    states = [state for state, _ in itertools.groupby(look.fuel_state for look in looks)]
    assert states == ["good", "uncertain", "bad", "good"]
    old = [look.fuel for look in looks if look.fuel_state == "uncertain"]
    assert all("63 %" in words and "enheten svarar inte" in words for words in old)
    ages = [found[1] for words in old if (found := re.search(r"(\d+) s sedan", words))]
    assert [age for age, _ in itertools.groupby(ages)][:2] == ["10", "20"]
    assert set(ages[2:]) <= {"10", "20", "30"}  # the panel's age runs on between two pictures
    without = [look for look in looks if look.fuel_state == "bad"]
    assert {look.verdict for look in without} == {"unknown"}
    assert all("Inget värde" in look.fuel and "63" not in look.fuel for look in without)
    assert silence.live_without_fuel["fuel_pct"] is None
    assert silence.live_without_fuel["hours_left"] is None
    assert silence.live_without_fuel["soc"] == 87.0
    assert {look.load_state for look in looks} == {"good"}, "a dead device on one line delays another line"
