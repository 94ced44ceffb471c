"""Values of a SunSpec device, worked by hand: see the docstrings of tests/hardware/sunspec_device.py."""

import pytest

from tests.hardware import sunspec_device as made
from tests.hardware.sunspec_device import ESS, EV, PV, SUNSPEC, Device, read, values
from tpkit.domain.samples import Reading
from tpkit.hardware.sunspec import discover

# Values by hand


def test_three_phase_inverter() -> None:
    found = read(Device(made.common(), made.three_phase()))
    expected = {
        "inverter.current_l1": 4.5, "inverter.current_l2": 4.6, "inverter.current_l3": 4.4,
        "inverter.voltage_l1": 230.1, "inverter.voltage_l2": 229.8, "inverter.voltage_l3": 231.0,
        "inverter.voltage_l12": 398.5, "inverter.voltage_l23": 399.0, "inverter.voltage_l31": 398.8,
        "inverter.power": 3090.0, "inverter.frequency": 50.02, "inverter.apparent_power": 3110.0,
        "inverter.reactive_power": -250.0, "inverter.energy": 12345.678,
        "inverter.dc_voltage": 380.0,
        "inverter.temperature": 41.0, "inverter.state": "mppt", "alarm.inverter_hot": "not_active",
    }  # fmt: skip

    assert {name: found[name].value for name in expected} == expected


def test_floating_point_inverter() -> None:
    found = read(Device(made.common(), made.float_three_phase()))
    expected = {
        "inverter.current_l1": 2.5, "inverter.voltage_l1": 230.5, "inverter.power": -1500.0,
        "inverter.frequency": 50.0, "inverter.energy": 12.345,
        "inverter.state": "standby", "alarm.inverter_hot": "not_active",
    }  # fmt: skip

    assert {name: found[name].value for name in expected} == expected
    assert found["inverter.voltage_l2"] == Reading("inverter.voltage_l2", None, "absent")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([0x7FC0, 0x0000], "absent"),
        ([0x7FC0, 0x0001], "implausible"),  # another NaN
        ([0xFFC0, 0x0000], "implausible"),
        ([0x7F80, 0x0000], "implausible"),  # infinite
        ([0x7F7F, 0xFFFF], "implausible"),  # 3.4e38
    ],
)
def test_floats_that_are_no_numbers(words: list[int], reason: str) -> None:
    device = Device(made.float_three_phase())
    device.registers |= {device.starts[0] + 22: words[0], device.starts[0] + 23: words[1]}

    assert read(device)["inverter.power"] == Reading("inverter.power", None, reason)


@pytest.mark.parametrize(("number", "phases"), [(101, 1), (102, 2), (103, 3), (111, 1), (112, 2), (113, 3)])
def test_an_inverter_has_the_phases_of_its_model(number: int, phases: int) -> None:
    layout = made.three_phase if number < 110 else made.float_three_phase
    found = discover(SUNSPEC, Device(layout(number)).ask)

    assert (
        sum(item.name.startswith("inverter.voltage_l") for item in found.point) == {1: 1, 2: 3, 3: 6}[phases]
    )
    assert sum(item.name.startswith("inverter.current_l") for item in found.point) == phases


def test_battery() -> None:
    found = values(Device(made.common(), made.battery()))
    expected = {
        "battery.state_of_charge": 63.7, "battery.state_of_health": 98.0, "battery.voltage": 51.84,
        "battery.capacity": 280.0, "battery.energy_capacity": 14.3, "battery.cycles": 412.0,
        "battery.state": "charging", "battery.connection": "connected",
        "battery.cell_voltage_high": 3.254, "battery.cell_voltage_low": 3.231,
        "battery.charge_current_limit": 100.0, "battery.discharge_current_limit": 120.0,
        "alarm.battery_hot": "not_active", "alarm.battery_hot_warning": "not_active",
    }  # fmt: skip

    assert {name: found[name] for name in expected} == expected


# Model 802 on A and W: "flowing to/from the battery bank". One maker's table of it has A positive into the
# battery and W positive out of it.
def test_what_has_no_stated_sign_is_left_out() -> None:
    found = values(Device(made.battery(), made.ports(ESS)))

    assert not {"battery.current", "battery.power"} & set(found)


def test_storage_control() -> None:
    found = values(Device(made.common(), made.storage_control()))

    assert found["battery.state_of_charge"] == 55.5
    assert found["battery.voltage"] == 48.2
    assert found["battery.state"] == "discharging"


def test_storage_capacity() -> None:
    found = values(Device(made.common(), made.storage_capacity()))

    assert found["battery.state_of_charge"] == 64.0
    assert found["battery.state_of_health"] == 97.0
    assert (found["battery.energy_capacity"], found["battery.energy_available"]) == (14.3, 9.0)
    assert found["alarm.battery"] == "ok"


# Model 713 on SoC: "shall be fixed to 0% for DER without storage capabilities".
@pytest.mark.parametrize("rating", [0, 0xFFFF])
def test_no_storage_is_not_an_empty_battery(rating: int) -> None:
    model = made.storage_capacity(rating, 0)
    model[4] = 0

    assert read(Device(model))["battery.state_of_charge"] == Reading(
        "battery.state_of_charge", None, "not_valid_now"
    )


def test_an_empty_battery_is_0_percent() -> None:
    model = made.storage_capacity(available=0)
    model[4] = 0

    assert values(Device(model))["battery.state_of_charge"] == 0.0


@pytest.mark.parametrize(
    ("bit", "name", "word"),
    [
        (1, "hot", "alarm"), (2, "hot_warning", "warning"), (9, "voltage_high", "alarm"),
        (15, "charge_high", "alarm"), (16, "charge_high_warning", "warning"), (22, "ground_fault", "alarm"),
        (29, "configuration_warning", "warning"),
    ],
)  # fmt: skip
def test_battery_events(bit: int, name: str, word: str) -> None:
    found = values(Device(made.battery(events=divmod(1 << bit, 0x10000))))
    active = {point: value for point, value in found.items() if value in ("alarm", "warning")}

    assert active == {f"alarm.battery_{name}": word}


@pytest.mark.parametrize("events", [(0xFFFF, 0xFFFF), (0x8000, 2)])
def test_events_that_are_not_given_raise_no_alarm(events: tuple[int, int]) -> None:
    found = read(Device(made.battery(events=events)))

    assert found["battery.events"] == Reading("battery.events", None, "absent")
    assert {reading.value for name, reading in found.items() if name.startswith("alarm.")} == {None}


def test_bits_without_a_meaning_hide_no_event() -> None:
    assert values(Device(made.battery(events=(0x4000, 2))))["alarm.battery_hot"] == "alarm"


# Ports


def test_one_solar_port_is_the_plant() -> None:
    found = values(Device(made.ports(PV)))

    assert (found["solar.power"], found["solar.energy"]) == (2500.0, 654.321)
    assert (found["solar.voltage"], found["solar.current"]) == (400.1, 1.0)
    assert "solar.power_1" not in found


def test_several_solar_ports_are_numbered_and_summed_by_the_device() -> None:
    found = values(Device(made.ports(PV, PV, PV, PV, PV)))

    assert found["solar.power"] == 2500.0
    assert [found[f"solar.power_{n}"] for n in (1, 2, 3, 4)] == [100.0, 200.0, 300.0, 400.0]
    assert [found[f"solar.voltage_{n}"] for n in (1, 2, 3, 4)] == [400.1, 400.2, 400.3, 400.4]
    assert "solar.voltage" not in found


def test_the_sum_over_solar_and_storage_is_nothing() -> None:
    found = values(Device(made.ports(ESS, PV)))

    assert (found["solar.power"], found["solar.voltage"], found["battery.voltage"]) == (200.0, 400.2, 400.1)
    assert "solar.energy" not in found


@pytest.mark.parametrize("kinds", [(PV, PV, ESS), (PV, PV, EV), (PV, PV, 0xFFFF)])
def test_two_solar_ports_among_others_have_no_sum(kinds: tuple[int, ...]) -> None:
    found = values(Device(made.ports(*kinds)))

    assert "solar.power" not in found
    assert (found["solar.power_1"], found["solar.power_2"]) == (100.0, 200.0)


def test_two_storage_ports_are_no_battery_voltage() -> None:
    assert "battery.voltage" not in values(Device(made.ports(ESS, ESS, PV)))


def test_fewer_ports_than_there_is_room_for() -> None:
    model = made.ports(PV, ESS)
    model[4] = 1

    assert "battery.voltage" not in values(Device(model))


def test_no_port_is_no_solar_power() -> None:
    model = made.ports(PV)
    model[4] = 0

    assert "solar.power" not in values(Device(made.battery(), model))


def test_a_count_of_ports_that_is_not_given_or_too_large() -> None:
    for count in (0xFFFF, 9):
        model = made.ports(PV, ESS)
        model[4] = count
        assert values(Device(model))["battery.voltage"] == 400.2


def test_a_port_further_away_than_one_read_reaches_is_left_out() -> None:
    near, far = ((PV, EV, EV, EV, ESS), (PV, EV, EV, EV, EV, ESS))  # DCV at 131 or 156, its factor at 16

    assert values(Device(made.ports(*near)))["battery.voltage"] == 400.5
    assert "battery.voltage" not in values(Device(made.ports(*far)))


# Scale factors and values that are not there


@pytest.mark.parametrize(("factor", "watts"), [(0, 3.0), (-2, 0.03), (-6, 0.000003), (4, 30_000.0)])
def test_scale_factors(factor: int, watts: float) -> None:
    device = Device(made.three_phase())
    device.registers |= {device.starts[0] + 14: 3, device.starts[0] + 15: factor & 0xFFFF}

    assert read(device)["inverter.power"].value == watts


@pytest.mark.parametrize("factor", [0x8000, 11, -11 & 0xFFFF, 100, 0x7FFF])
def test_impossible_scale_factors(factor: int) -> None:
    device = Device(made.three_phase())
    device.registers[device.starts[0] + 15] = factor

    assert read(device)["inverter.power"].value is None


def test_a_scale_factor_may_change_between_reads() -> None:
    device = Device(made.three_phase())
    known = discover(SUNSPEC, device.ask)
    device.registers |= {device.starts[0] + 14: 309, device.starts[0] + 15: 1}
    assert read(device, known)["inverter.power"].value == 3090.0

    device.registers |= {device.starts[0] + 14: 3090, device.starts[0] + 15: 0}
    assert read(device, known)["inverter.power"].value == 3090.0


# devices.md section 4; acc32 also all ones, which no counter reaches by counting.
@pytest.mark.parametrize(
    ("model", "offset", "words", "point"),
    [
        (made.three_phase(), 10, [0xFFFF], "inverter.voltage_l1"),
        (made.three_phase(), 14, [0x8000], "inverter.power"),
        (made.three_phase(), 24, [0, 0], "inverter.energy"),
        (made.three_phase(), 24, [0xFFFF, 0xFFFF], "inverter.energy"),
        (made.three_phase(), 38, [0xFFFF], "inverter.state"),
        (made.float_three_phase(), 22, [0x7FC0, 0], "inverter.power"),
        (made.battery(), 14, [0xFFFF, 0xFFFF], "battery.cycles"),
        (made.battery(), 11, [0xFFFF], "battery.state_of_charge"),
        (made.battery(), 22, [0xFFFF], "battery.connection"),
        (made.ports(PV), 7, [0xFFFF] * 4, "solar.energy"),
        (made.ports(PV), 6, [0x8000], "solar.power"),
    ],
)
def test_not_implemented(model: list[int], offset: int, words: list[int], point: str) -> None:
    device = Device(model)
    assert read(device)[point].value is not None
    device.registers |= dict(enumerate(words, device.starts[0] + offset))

    assert read(device)[point] == Reading(point, None, "absent")


def test_a_text_of_zeros() -> None:
    assert read(Device(made.common(maker=""), made.battery()))["device.maker"] == Reading(
        "device.maker", None, "absent"
    )


def test_an_unknown_state_is_no_word() -> None:
    device = Device(made.three_phase())
    device.registers[device.starts[0] + 38] = 9

    assert read(device)["inverter.state"] == Reading("inverter.state", None, "unknown_code")
