"""The present sample of a point: first the value with its age, then none, never one that was not sent."""

from datetime import datetime, timedelta

from tpkit.domain.samples import LastKnown, Quality, Reading


def known(now: datetime) -> LastKnown:
    point = LastKnown("genset", "tank.fuel_level", "%")
    point.take(Reading("tank.fuel_level", 63.0), now=now, mono_ms=1_000)
    return point


def test_a_point_never_read_has_no_value_and_no_time() -> None:
    sample = LastKnown("genset", "tank.fuel_level", "%").at(5_000)

    assert (sample.value, sample.quality, sample.reason) == (None, Quality.BAD, "not_yet")
    assert sample.age_s(5_000) is None


def test_a_fresh_value_is_good_and_has_its_unit(now: datetime) -> None:
    sample = known(now).at(3_500)

    assert (sample.value, sample.unit, sample.quality) == (63.0, "%", Quality.GOOD)
    assert sample.age_s(3_500) == 2.5


def test_after_a_failure_the_last_value_ages_with_its_reason(now: datetime) -> None:
    point = known(now)
    point.fail("no_response")
    sample = point.at(21_000)

    assert (sample.value, sample.quality, sample.reason) == (63.0, Quality.UNCERTAIN, "no_response")
    assert sample.age_s(21_000) == 20.0


def test_after_its_lifetime_the_value_is_gone_but_not_its_time(now: datetime) -> None:
    point = known(now)
    point.fail("no_response")
    sample = point.at(31_001)

    assert (sample.value, sample.quality, sample.reason) == (None, Quality.BAD, "no_response")
    assert (sample.taken_at, sample.mono_ms) == (now, 1_000)


def test_a_value_that_simply_stops_coming_goes_too(now: datetime) -> None:
    assert known(now).at(31_001).reason == "silent"


def test_a_sentinel_does_not_replace_the_last_value_at_once(now: datetime) -> None:
    point = known(now)
    point.take(Reading("tank.fuel_level", None, "absent"), now=now, mono_ms=2_000)

    assert (point.at(3_000).value, point.at(3_000).reason) == (63.0, "absent")
    assert point.at(40_000).value is None


def test_zero_is_a_measurement(now: datetime) -> None:
    point = known(now)
    point.take(Reading("tank.fuel_level", 0.0), now=now, mono_ms=2_000)

    assert point.at(2_000).value == 0.0
    assert point.at(2_000).quality == Quality.GOOD


def test_a_new_value_ends_the_doubt(now: datetime) -> None:
    point = known(now)
    point.fail("no_response")
    point.take(Reading("tank.fuel_level", 62.0), now=now + timedelta(seconds=9), mono_ms=10_000)

    assert (point.at(10_500).value, point.at(10_500).quality) == (62.0, Quality.GOOD)


def test_a_point_asked_for_once_a_minute_lives_three_minutes(now: datetime) -> None:
    point = LastKnown("genset", "engine.run_time", "h", every_s=60)
    point.take(Reading("engine.run_time", 1284.5), now=now, mono_ms=0)

    assert point.at(179_000).quality == Quality.GOOD
    assert point.at(181_000).value is None
