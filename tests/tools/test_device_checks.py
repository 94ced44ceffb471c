"""Whether numbers can be true together. Every expectation is worked out by hand in its case."""

import pytest

from tpkit.tools.device_checks import all_checks


def states(**numbers: float) -> dict[str, str]:
    named = {name.replace("__", "."): value for name, value in numbers.items()}
    return {check.name: check.state for check in all_checks(named)}


@pytest.mark.parametrize(
    ("volts", "state"),
    [
        (230.1, "fine"), (207.0, "fine"), (253.0, "fine"),  # EN 50160: 230 V, 10 %
        (0.0, "not now"), (4.2, "not now"),
        (23.0, "wrong"), (2301.0, "wrong"), (120.0, "wrong"), (400.0, "wrong"),  # ten times, other country, phase to phase
    ],
)  # fmt: skip
def test_a_phase_has_230_volts_or_none(volts: float, state: str) -> None:
    for stem in ("generator", "grid", "meter", "load", "inverter"):
        assert states(**{f"{stem}__voltage_l2": volts}) == {f"{stem}.voltage_l2": state}


@pytest.mark.parametrize(("volts", "state"), [(400.0, "fine"), (230.0, "wrong"), (0.0, "not now")])
def test_between_phases_there_are_400(volts: float, state: str) -> None:
    assert states(grid__voltage_l12=volts) == {"grid.voltage_l12": state}


@pytest.mark.parametrize(
    ("amperes", "watts", "state"),
    [
        (10.0, 2300, "fine"),  # 230 V x 10 A = 2300 VA at a power factor of 1
        (10.0, 1150, "fine"),  # 0.5
        (-10.0, -2300, "fine"),  # towards the grid
        (10.0, 2900, "wrong"),  # more watts than volt-amperes
        (100.0, 2300, "wrong"),  # the current ten times too large
        (1.0, 2300, "wrong"),  # ten times too small
        (10.0, 230, "wrong"), (10.0, 23000, "wrong"),
        (0.2, 46, "not now"), (0.0, 0, "not now"),
        (0.0, 2300, "wrong"),  # power without current
    ],
)  # fmt: skip
def test_power_of_a_phase_belongs_to_its_current(amperes: float, watts: float, state: str) -> None:
    found = states(meter__voltage_l1=230.0, meter__current_l1=amperes, meter__power_l1=watts)
    assert found["meter V x A = W, L1"] == state


@pytest.mark.parametrize(
    ("total", "state"), [(6730, "fine"), (6400, "fine"), (2250, "wrong"), (673, "wrong"), (0, "wrong")]
)
def test_phases_make_the_total(total: float, state: str) -> None:
    """2250 + 2200 + 2280 = 6730."""
    found = states(
        generator__power_l1=2250, generator__power_l2=2200, generator__power_l3=2280, generator__power=total
    )
    assert found == {"generator sum of phases": state}


@pytest.mark.parametrize(
    ("hertz", "state"),
    [(50.0, "fine"), (60.0, "fine"), (45.0, "fine"), (0.0, "not now"), (5.0, "wrong"), (44.9, "wrong"), (65.1, "wrong")],
)  # fmt: skip
def test_frequency(hertz: float, state: str) -> None:
    assert states(grid__frequency=hertz) == {"grid.frequency": state}


@pytest.mark.parametrize(
    ("rpm", "hertz", "state"),
    [
        (3000, 50.0, "fine"),  # 2 poles: 120 x 50 / 2
        (1500, 50.0, "fine"),  # 4 poles: 120 x 50 / 4
        (1540, 51.3, "fine"),
        (150, 50.0, "wrong"), (750, 50.0, "wrong"), (15000, 50.0, "wrong"),
        (0, 0.0, "not now"), (1500, 0.0, "not now"),  # warming up without excitation
        (0, 50.0, "wrong"),
    ],
)  # fmt: skip
def test_speed_and_frequency(rpm: float, hertz: float, state: str) -> None:
    found = states(engine__speed=rpm, generator__frequency=hertz)
    assert found["speed and frequency"] == state


@pytest.mark.parametrize(
    ("volts", "state"),
    [(12.6, "fine"), (25.6, "fine"), (52.1, "fine"), (400.0, "fine"), (5.2, "wrong"), (34.0, "wrong"), (75.0, "wrong")],
)  # fmt: skip
def test_battery_voltage(volts: float, state: str) -> None:
    assert states(battery__voltage=volts) == {"battery.voltage": state}


@pytest.mark.parametrize(
    ("amperes", "watts", "state"),
    [
        (-20.0, -1042, "fine"),  # 52.1 x -20 = -1042
        (20.0, 1000, "fine"),
        (20.0, -1042, "wrong"),  # one of them has the wrong sign
        (20.0, 104, "wrong"), (2.0, 1042, "wrong"),
        (0.5, 26, "not now"),
    ],
)  # fmt: skip
def test_battery_power(amperes: float, watts: float, state: str) -> None:
    found = all_checks({"battery.voltage": 52.1, "battery.current": amperes, "battery.power": watts})[-1]
    assert (found.name, found.state) == ("battery V x A = W", state)
    assert ("signs differ" in found.text) == (amperes == 20.0 and watts == -1042)


def test_a_starter_battery() -> None:
    assert states(engine__battery_voltage=13.7) == {"engine.battery_voltage": "fine"}
    assert states(engine__battery_voltage=1.37) == {"engine.battery_voltage": "wrong"}


def test_nothing_flows() -> None:
    nothing = dict.fromkeys(("grid__power", "grid__power_l1", "grid__power_l2", "grid__power_l3"), 0.0)
    assert states(**nothing) == {"grid sum of phases": "not now"}


def test_nothing_to_check() -> None:
    assert states(tank__fuel_level=63.0) == {}
