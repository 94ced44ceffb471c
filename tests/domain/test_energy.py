"""Litres and hours, with figures worked out by hand."""

import pytest

from tpkit.domain.endurance import BurnCurve, battery_endurance, fuel_endurance
from tpkit.domain.tank import litres_at

# 10 kW set of a published table: 0.9, 1.6, 2.2 and 2.9 L/h at 25, 50, 75 and 100 %.
CURVE = BurnCurve(10_000, ((0.25, 0.9), (0.5, 1.6), (0.75, 2.2), (1.0, 2.9)))


@pytest.mark.parametrize(("level", "litres"), [(0, 0), (50, 100), (100, 200), (120, 200), (-5, 0)])
def test_a_box_is_straight(level: float, litres: float) -> None:
    assert litres_at(level, 200, "box") == pytest.approx(litres)


@pytest.mark.parametrize(
    ("level", "share"),
    [
        (0, 0),
        (50, 0.5),
        (100, 1),
        # A quarter of the height of a lying cylinder: h = r/2, so
        # (acos(1/2) - 1/2·√(3/4)) / π = (1.047198 - 0.433013) / 3.141593 = 0.195501.
        (25, 0.195501),
        (75, 0.804499),
    ],
)
def test_a_lying_cylinder_bulges(level: float, share: float) -> None:
    assert litres_at(level, 200, "horizontal_cylinder") == pytest.approx(200 * share, abs=0.001)


@pytest.mark.parametrize(
    ("watts", "litres_per_hour"),
    [
        (2_500, 0.9),
        (5_000, 1.6),
        (3_750, 1.25),
        (10_000, 2.9),
        (0, 0.2),  # the first line continued: 0.9 - 0.25·(0.7/0.25)
        (12_000, 3.46),  # the last line continued: 2.9 + 0.2·(0.7/0.25)
    ],
)
def test_burn_lies_on_the_lines_of_the_nameplate(watts: float, litres_per_hour: float) -> None:
    assert CURVE.litres_per_hour(watts) == pytest.approx(litres_per_hour)


def test_half_the_load_is_not_twice_the_time() -> None:
    whole = fuel_endurance(160, 0, 200, 10_000, CURVE).hours
    half = fuel_endurance(160, 0, 200, 5_000, CURVE).hours

    assert whole == pytest.approx(160 / 2.9)
    assert half == pytest.approx(160 / 1.6)
    assert half is not None
    assert whole is not None
    assert half / whole < 2


def test_fuel_lasts_until_the_reserve_with_a_careful_and_a_hopeful_bound() -> None:
    endurance = fuel_endurance(100, 20, 200, 5_000, CURVE)

    assert endurance.hours == pytest.approx(80 / 1.6)
    # careful: 2 % of the tank (4 L) less, a quarter more burn; hopeful: the other way.
    assert endurance.at_least == pytest.approx(76 / 2.0)
    assert endurance.at_most == pytest.approx(84 / 1.2)


def test_below_the_reserve_nothing_is_left() -> None:
    endurance = fuel_endurance(10, 20, 200, 5_000, CURVE)

    assert (endurance.hours, endurance.at_least) == (0, 0)


@pytest.mark.parametrize(
    ("litres", "load", "curve", "because"),
    [
        (100, 5_000, None, "no_generator"),
        (None, 5_000, CURVE, "no_fuel_level"),
        (100, None, CURVE, "no_load"),
        (100, 0, BurnCurve(10_000, ((0.5, 1.0), (1.0, 2.0))), "no_burn"),
    ],
)
def test_what_is_not_known_is_not_guessed(
    litres: float | None, load: float | None, curve: BurnCurve | None, because: str
) -> None:
    endurance = fuel_endurance(litres, 0, 200, load, curve)

    assert (endurance.hours, endurance.because) == (None, because)


def test_a_battery_lasts_to_its_floor() -> None:
    # 60 % above the floor of 10 kWh at 1.5 kW.
    assert battery_endurance(80, 10_000, 20, -1_500).hours == pytest.approx(4)


@pytest.mark.parametrize(
    ("charge", "power", "because"),
    [
        (None, -500, "no_state_of_charge"),
        (80, None, "no_battery_power"),
        (80, 0, "charging"),
        (80, 900, "charging"),
    ],
)
def test_a_battery_that_does_not_empty_has_no_hours(
    charge: float | None, power: float | None, because: str
) -> None:
    endurance = battery_endurance(charge, 10_000, 20, power)

    assert (endurance.hours, endurance.because) == (None, because)
