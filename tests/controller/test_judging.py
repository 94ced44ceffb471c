"""From what is known to one of four states, and the alarms behind it."""

from datetime import datetime
from typing import Any

import msgspec
import pytest

from tests.factories import sample
from tpkit.config import Config, parse
from tpkit.controller.judging import Judge, Picture
from tpkit.domain.occupancy import Occupancy
from tpkit.domain.samples import Quality, Sample
from tpkit.domain.status import DeviceHealth, SiteStatus, TimeTrust, Verdict
from tpkit.store.clock import boot_ms

SITE = """
[site]
name = "Ekby"
kit = "kit-0001"
org = "se0180"
municipality = "Ekby"
capacity = 100
[tank]
litres = 200
reserve_litres = 10
[generator]
rated_kw = 10
litres_per_hour = { 25 = 0.9, 50 = 1.6, 75 = 2.2, 100 = 2.9 }
[battery]
capacity_kwh = 10
floor_percent = 20
"""
DEVICE = DeviceHealth("genset", "rs485", "dse-generic", "answering", 0, "", "", 9, 0, True)


def config() -> Config:
    made, faults = parse(SITE)
    assert made is not None
    assert not faults
    return made


def calm(**points: float | str | None) -> tuple[Sample, ...]:
    """Samples of a calm site, with some changed; None is a value that is missing."""
    values: dict[str, tuple[float | str | None, str]] = {
        "tank.fuel_level": (63.0, "%"),
        "battery.state_of_charge": (81.0, "%"),
        "battery.power": (-900.0, "W"),
        "load.power_l1": (1000.0, "W"),
        "load.power_l2": (1500.0, "W"),
        "load.power_l3": (900.0, "W"),
        "inverter.source": ("generator", ""),
    }
    for name, value in points.items():
        key = name.replace("__", ".")
        values[key] = (value, values.get(key, ("", ""))[1])
    return tuple(sample(point, value, unit) for point, (value, unit) in values.items())


@pytest.fixture
def picture(now: datetime) -> Picture:
    return Picture(now, boot_ms(), 1, TimeTrust.NTP, calm(), {}, (DEVICE,), (), Occupancy(37, 4.0), 35)


@pytest.fixture
def judge() -> Judge:
    return Judge(config(), [])


def judged(judge: Judge, picture: Picture, *, after_s: float = 0, **changes: Any) -> SiteStatus:
    """The status `after_s` seconds later, having looked once before."""
    changed = msgspec.structs.replace(picture, **changes)
    judge.judge(changed)
    later = msgspec.structs.replace(changed, mono_ms=changed.mono_ms + int(after_s * 1000))
    return judge.judge(later)[0]


def test_a_calm_site_is_green(judge: Judge, picture: Picture) -> None:
    status = judged(judge, picture)

    assert (status.verdict, status.verdict_code) == (Verdict.OK, "")
    assert status.alarms == ()
    assert (status.load.value, status.load.unit, status.source) == (3400.0, "W", "generator")


def test_fuel_becomes_litres_and_hours(judge: Judge, picture: Picture) -> None:
    fuel = judged(judge, picture).fuel
    assert fuel is not None

    assert fuel.litres == pytest.approx(126.0)
    # 3.4 kW of 10: 0.9 + (0.34-0.25)/0.25·0.7 = 1.152 L/h; (126-10) / 1.152
    assert fuel.endurance.hours == pytest.approx(116 / 1.152)


def test_battery_hours_go_to_its_floor(judge: Judge, picture: Picture) -> None:
    battery = judged(judge, picture).battery
    assert battery is not None

    assert battery.endurance.hours == pytest.approx(0.61 * 10_000 / 900)


@pytest.mark.parametrize("missing", ["tank__fuel_level", "battery__state_of_charge"])
def test_green_is_impossible_without_a_deciding_value(judge: Judge, picture: Picture, missing: str) -> None:
    status = judged(judge, picture, samples=calm(**{missing: None}))

    assert (status.verdict, status.verdict_code) == (Verdict.UNKNOWN, "no_value")
    assert status.verdict_subject == missing.replace("__", ".")


def test_a_phase_that_is_missing_makes_the_load_unknown(judge: Judge, picture: Picture) -> None:
    status = judged(judge, picture, samples=calm(load__power_l2=None))

    assert status.load.value is None
    assert status.fuel is not None
    assert (status.fuel.endurance.hours, status.fuel.endurance.because) == (None, "no_load")


def test_the_load_is_as_doubtful_as_its_worst_phase(judge: Judge, picture: Picture) -> None:
    samples = [
        msgspec.structs.replace(one, quality=Quality.UNCERTAIN, reason="no_response", mono_ms=one.mono_ms - 9_000)
        if one.point == "load.power_l3" else one
        for one in calm()
    ]  # fmt: skip
    load = judged(judge, picture, samples=tuple(samples)).load

    assert (load.value, load.quality, load.reason) == (3400.0, Quality.UNCERTAIN, "no_response")
    assert load.mono_ms == samples[5].mono_ms


def test_an_untrusted_clock_is_something_to_look_into(judge: Judge, picture: Picture) -> None:
    status = judged(judge, picture, trust=TimeTrust.FLOOR)

    assert (status.verdict, status.verdict_code) == (Verdict.LOOK, "clock_not_trusted")


def test_low_fuel_is_told_after_half_a_minute(judge: Judge, picture: Picture) -> None:
    # 12 % of 200 L less 10 L reserve at 1.152 L/h: 12 h as it is; careful: (14-4)/(1.152·1.25) = 6.9 h.
    assert judged(judge, picture, samples=calm(tank__fuel_level=12.0), after_s=60).alarms == ()
    # 10 %: careful (10-4)/1.44 = 4.2 h
    status = judged(judge, picture, samples=calm(tank__fuel_level=10.0), after_s=29)
    assert status.alarms == ()
    status = judged(judge, picture, samples=calm(tank__fuel_level=10.0), after_s=31)
    assert [alarm.code for alarm in status.alarms] == ["fuel_low"]
    assert (status.verdict, status.verdict_code) == (Verdict.LOOK, "fuel_low")


def test_almost_no_fuel_says_act_now(judge: Judge, picture: Picture) -> None:
    status = judged(judge, picture, samples=calm(tank__fuel_level=6.0), after_s=31)

    assert (status.verdict, status.verdict_code) == (Verdict.ACT, "fuel_empty_soon")


def test_low_fuel_without_hours_goes_by_percent(judge: Judge, picture: Picture) -> None:
    status = judged(judge, picture, samples=calm(tank__fuel_level=19.0, load__power_l1=None), after_s=31)

    assert [alarm.code for alarm in status.alarms] == ["fuel_low"]


def test_a_silent_sender_does_not_end_the_fuel_alarm(judge: Judge, picture: Picture) -> None:
    judged(judge, picture, samples=calm(tank__fuel_level=10.0), after_s=31)
    status = judged(judge, picture, samples=calm(tank__fuel_level=None), after_s=600)

    assert [alarm.code for alarm in status.alarms] == ["fuel_low"]
    assert status.verdict == Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("point", "word", "code"),
    [
        ("alarm.low_oil_pressure", "shutdown", "genset_shutdown"),
        ("alarm.emergency_stop", "electrical_trip", "genset_shutdown"),
        ("alarm.high_coolant_temperature", "warning", "genset_warning"),
        ("alarm.battery_hot", "alarm", "battery_warning"),
    ],
)
def test_what_a_machine_says_is_an_alarm_at_once(
    judge: Judge, picture: Picture, point: str, word: str, code: str
) -> None:
    status = judged(judge, picture, samples=(*calm(), sample(point, word)))

    assert [(alarm.code, alarm.subject) for alarm in status.alarms] == [(code, point.removeprefix("alarm."))]


@pytest.mark.parametrize("word", ["not_active", "disabled", "ok", "active_indication"])
def test_what_is_not_an_alarm_is_none(judge: Judge, picture: Picture, word: str) -> None:
    assert judged(judge, picture, samples=(*calm(), sample("alarm.low_oil_pressure", word))).alarms == ()


@pytest.mark.parametrize("reason", ["absent", "refused_2", "not_valid_now", "unknown_code"])
def test_an_alarm_that_is_not_fitted_hides_no_other(judge: Judge, picture: Picture, reason: str) -> None:
    absent = sample("alarm.pickup_open", None, reason=reason)
    stop = sample("alarm.emergency_stop", "shutdown")
    status = judged(judge, picture, samples=(*calm(), absent, stop))
    assert status.verdict == Verdict.ACT

    over = (*calm(), absent, sample("alarm.emergency_stop", "not_active"))
    assert judged(judge, picture, samples=over, after_s=61).alarms == ()


def test_a_machine_that_goes_silent_keeps_its_alarm(judge: Judge, picture: Picture) -> None:
    judged(judge, picture, samples=(*calm(), sample("alarm.emergency_stop", "shutdown")))
    silent = (*calm(), sample("alarm.emergency_stop", None, reason="no_response"))

    assert judged(judge, picture, samples=silent, after_s=600).verdict == Verdict.ACT


def test_a_silent_device_is_an_alarm_with_its_name(judge: Judge, picture: Picture) -> None:
    silent = msgspec.structs.replace(DEVICE, state="silent", reason="no_response")
    status = judged(judge, picture, devices=(silent,), after_s=31)

    assert [(alarm.code, alarm.subject, alarm.detail) for alarm in status.alarms] == [
        ("device_silent", "genset", "no_response")
    ]


@pytest.mark.parametrize(("inside", "codes"), [(80, []), (88, ["hall_crowded"]), (98, ["hall_too_many"])])
def test_the_upper_end_of_the_estimate_counts_against_the_capacity(
    judge: Judge, picture: Picture, inside: int, codes: list[str]
) -> None:
    status = judged(judge, picture, occupancy=Occupancy(inside, 4.0), after_s=11)

    assert [alarm.code for alarm in status.alarms] == codes


def test_a_hand_reading_stands_in_for_a_missing_level(judge: Judge, picture: Picture) -> None:
    typed = sample("tank.fuel_level", 40.0, "%", quality=Quality.MANUAL, device="hand")
    by_hand = {"tank.fuel_level": typed}
    status = judged(judge, picture, samples=calm(tank__fuel_level=None), by_hand=by_hand)

    assert status.fuel is not None
    assert (status.fuel.level, status.fuel.litres) == (typed, pytest.approx(80.0))
    assert status.verdict == Verdict.OK
    measured = judged(judge, picture, by_hand=by_hand)
    assert measured.fuel is not None
    assert measured.fuel.level.value == 63.0


def test_an_old_hand_reading_stands_in_for_nothing(judge: Judge, picture: Picture) -> None:
    typed = sample("tank.fuel_level", 40.0, "%", quality=Quality.MANUAL, mono_ms=boot_ms() - 13 * 3_600_000)
    status = judged(judge, picture, samples=calm(tank__fuel_level=None), by_hand={"tank.fuel_level": typed})

    assert status.verdict == Verdict.UNKNOWN


def test_the_source_of_power_is_guessed_from_nothing_else(judge: Judge, picture: Picture) -> None:
    without = tuple(one for one in calm() if one.point != "inverter.source")

    assert judged(judge, picture, samples=without).source == "unknown"
    runs = (*without, sample("generator.frequency", 50.1, "Hz"))
    assert judged(judge, picture, samples=runs).source == "generator"


def test_the_verdict_says_since_when(judge: Judge, picture: Picture) -> None:
    first = judged(judge, picture)
    later = judged(judge, msgspec.structs.replace(picture, mono_ms=picture.mono_ms + 90_000))

    assert later.verdict_since_mono_ms == first.verdict_since_mono_ms == picture.mono_ms
