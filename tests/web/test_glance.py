"""The glance in words: never green on silence, an age on everything."""

import re
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.factories import AT, controller_live, sample
from tpkit.domain.alarms import Alarm
from tpkit.domain.endurance import Endurance
from tpkit.domain.samples import Quality
from tpkit.domain.status import DeviceHealth, Fuel, TimeTrust, Verdict
from tpkit.store.clock import boot_ms
from tpkit.store.live import FORMAT, UplinkLive
from tpkit.web.glance import Glance, Teller, Tile
from tpkit.web.translations import catalogue

SWEDISH = catalogue("sv", "staff", "pages")


def plain(markup: str) -> str:
    return re.sub(r"<[^>]+>", "", str(markup))


def glance(*, after_s: float = 0, uplink: UplinkLive | None = None, **changes: Any) -> Glance:
    shown = controller_live(**changes)
    return Teller(SWEDISH, shown, uplink, boot_ms() + int(after_s * 1000)).glance()


def tile(found: Glance, key: str) -> Tile:
    return next(tile for tile in found.tiles if tile.key == key)


@pytest.mark.parametrize(
    ("verdict", "word", "shape"),
    [
        (Verdict.OK, "ALLT FUNGERAR", "✓"),
        (Verdict.LOOK, "SE EFTER", "!"),
        (Verdict.ACT, "GÖR NU", "▲"),
        (Verdict.UNKNOWN, "VET INTE", "?"),
    ],
)
def test_four_states_in_fixed_words_and_shapes(verdict: Verdict, word: str, shape: str) -> None:
    found = glance(verdict=verdict)

    assert (plain(found.word), found.shape, found.verdict) == (word, shape, verdict)


def test_a_silent_controller_is_never_green() -> None:
    assert glance(after_s=9).verdict == Verdict.OK
    found = glance(after_s=95)

    assert (found.verdict, found.measuring) == (Verdict.UNKNOWN, False)
    assert plain(found.why).startswith("Mätningen svarar inte. Senast: 2 min sedan.")
    assert [tile.key for tile in found.tiles] == ["uplink"]


def test_a_controller_that_never_started_is_said() -> None:
    found = Teller(SWEDISH, None, None, boot_ms()).glance()

    assert found.verdict == Verdict.UNKNOWN
    assert "Mätningen har inte startat" in plain(found.why)


def test_fuel_says_until_when_it_lasts_safe_time_first() -> None:
    fuel = tile(glance(), "fuel")

    assert (plain(fuel.value), plain(fuel.age)) == ("63 %", "just nu")
    # 15:02 Swedish time on Monday, +38 h and +50 h
    assert plain(fuel.detail) == "Räcker säkert till onsdag 05:02, troligen onsdag 17:02 · 126 liter"


def test_without_a_trusted_clock_it_says_hours() -> None:
    fuel = tile(glance(trust=TimeTrust.FLOOR), "fuel")

    assert plain(fuel.detail) == "Räcker säkert 38 timmar, troligen 50 · 126 liter"


def test_not_knowing_how_long_is_said_with_the_reason() -> None:
    unknown = Fuel(sample("tank.fuel_level", 63.0, "%"), 126.0, Endurance(None, because="no_load"))

    assert plain(tile(glance(fuel=unknown), "fuel").detail).startswith("Kan inte räkna tid utan förbrukning")


def test_a_doubtful_value_shows_its_age_and_why() -> None:
    level = sample(
        "tank.fuel_level",
        63.0,
        "%",
        quality=Quality.UNCERTAIN,
        reason="no_response",
        mono_ms=boot_ms() - 25_000,
    )
    fuel = tile(glance(fuel=Fuel(level, 126.0, Endurance(50.0, 38.0, 70.0))), "fuel")

    assert plain(fuel.age) == "20 s sedan · enheten svarar inte"
    assert fuel.state == "uncertain"


@pytest.mark.parametrize("is_checked", [False, True])
def test_a_device_that_nobody_compared_with_its_display_says_so(is_checked: bool) -> None:
    device = DeviceHealth("genset", "rs485", "dse-generic", "answering", 0, "", "", 9, 0, is_checked)
    found = glance(devices=(device,))

    for key in ("fuel", "battery", "load"):
        assert ("ej kontrollerad här" in plain(tile(found, key).age)) is not is_checked
    assert "ej kontrollerad" not in plain(tile(found, "people").age)


def test_a_value_that_is_gone_says_since_when_and_why() -> None:
    level = sample("tank.fuel_level", None, "%", reason="no_response", taken_at=AT)
    gone = Fuel(level, None, Endurance(None, because="no_fuel_level"))

    fuel = tile(glance(fuel=gone), "fuel")
    assert (plain(fuel.value), fuel.state) == ("Inget värde", "bad")
    assert plain(fuel.detail) == "Inget värde sedan måndag 15:02 (enheten svarar inte)"
    untrusted = tile(glance(fuel=gone, trust=TimeTrust.NONE), "fuel")
    assert plain(untrusted.detail) == "Inget värde sedan just nu (enheten svarar inte)"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("refused_2", "enheten nekar"),
        ("digital_low", "bara en brytare, inte en nivå"),
        ("something_new", "orsak something_new"),
    ],
)
def test_every_reason_has_words(reason: str, words: str) -> None:
    level = sample("tank.fuel_level", None, "%", reason=reason, taken_at=None)

    assert (
        plain(tile(glance(fuel=Fuel(level, None, Endurance(None, because="no_fuel_level"))), "fuel").detail)
        == words
    )


def test_a_hand_reading_says_so() -> None:
    level = sample("tank.fuel_level", 40.0, "%", quality=Quality.MANUAL, mono_ms=boot_ms() - 3 * 3_600_000)

    assert (
        plain(tile(glance(fuel=Fuel(level, 80.0, Endurance(20.0, 15.0, 30.0))), "fuel").age)
        == "för hand, 3 timmar sedan"
    )


def test_people_have_an_interval_and_ask_for_a_count() -> None:
    assert plain(tile(glance(), "people").detail) == "mellan 30 och 46"
    people = msgspec.structs.replace(controller_live().status.people, counted=False)
    assert plain(tile(glance(people=people), "people").detail) == "mellan 30 och 46 · Räkna nu"


def test_the_way_out_says_what_waits_and_when_central_confirmed() -> None:
    now = boot_ms()
    way = tile(
        glance(uplink=UplinkLive(FORMAT, now, "connected", now - 7_200_000, "", 3, now - 120_000)), "uplink"
    )
    assert (plain(way.value), plain(way.age)) == ("Ansluten", "ändrades 2 timmar sedan")
    assert plain(way.detail) == "3 poster väntar · centralen svarade 2 min sedan"
    silent = tile(glance(uplink=UplinkLive(FORMAT, now - 60_000, "connected", 0, "", 0, None)), "uplink")
    assert (plain(silent.value), silent.state) == ("Svarar inte", "bad")


def test_alarms_are_sentences_with_their_age() -> None:
    alarms = (
        Alarm("genset_shutdown", "low_oil_pressure", "shutdown", 3, AT, boot_ms() - 300_000),
        Alarm("device_silent", "gx", "no_response", 2, AT - timedelta(days=1), 0),
    )
    lines = glance(alarms=alarms).alarms

    assert [(plain(line.text), plain(line.since)) for line in lines] == [
        ("Generatorn har stoppats: lågt oljetryck", "5 min sedan"),
        ("En enhet svarar inte: gx", "sedan före omstarten"),
    ]


@pytest.mark.parametrize(
    ("code", "subject", "says"),
    [
        ("no_value", "tank.fuel_level", "Inget värde: bränslenivån"),
        ("clock_not_trusted", "", "Klockan är inte säker. Svara på frågan om tiden."),
        ("starting", "", "Mätningen startar"),
        ("fuel_low", "", "Bränslet börjar ta slut"),
    ],
)
def test_the_one_thing_behind_the_state_is_named(code: str, subject: str, says: str) -> None:
    assert plain(glance(verdict=Verdict.LOOK, verdict_code=code, verdict_subject=subject).why) == says
