"""Victron GX: system, battery, inverter, tank. Addresses, types and scales are those of Victron's own
attributes.csv (24c50db), whose scale factor divides the register; the registers are worked out by hand."""

import pytest

from tests.hardware.decoded import readings, values
from tpkit.domain.samples import Reading
from tpkit.hardware import profile
from tpkit.hardware.planning import plan


def alarms(name: str, registers: dict[int, int]) -> dict[str, float | str | None]:
    """The alarm points that say anything but ok."""
    found = values(name, registers)
    return {
        point: word for point, word in found.items() if point[:6] == "alarm." and word not in ("ok", None)
    }


# 840 V x10, 841 A x10 signed, 842 W signed, 843 %, 845 Ah x-10, 846 s /100; 902-918 W in two registers.
SYSTEM = {
    800: 0x4851, 801: 0x3231, 802: 0x3035, 803: 0x4142, 804: 0x4344, 805: 0x4500,  # ASCII HQ2105ABCDE
    826: 2,
    840: 532, 841: 0xFF84, 842: 0xFD6C, 843: 81, 844: 2, 845: 475, 846: 1170,
    850: 1200,
    902: 0x0001, 903: 0x1170, 904: 0, 905: 0x9C40, 906: 0, 907: 230,
    908: 0xFFFF, 909: 0xFF38, 910: 0xFFFF, 911: 0x63C0, 912: 0, 913: 7,
    914: 0x0001, 915: 0x01D0, 916: 0, 917: 5, 918: 0, 919: 0x8000,
}  # fmt: skip


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("device.serial_number", "HQ2105ABCDE"),
        ("inverter.source", "generator"),
        ("battery.voltage", 53.2),
        ("battery.current", -12.4),  # 0xFF84 = -124
        ("battery.power", -660.0),  # 0xFD6C = -660
        ("battery.state_of_charge", 81.0),
        ("battery.state", "discharging"),
        ("battery.consumed", -47.5),
        ("battery.time_to_go", 32.5),  # 117 000 s
        ("solar.power", 1200.0),
        ("load.power_l1", 70_000.0),  # 65 536 + 4464, which 16 bits would show as 4464 W
        ("load.power_l2", 40_000.0),
        ("load.power_l3", 230.0),
        ("grid.power_l1", -200.0),
        ("grid.power_l2", -40_000.0),  # 16 bits signed would show +25 536 W
        ("grid.power_l3", 7.0),
        ("generator.power_l1", 66_000.0),  # 65 536 + 464
        ("generator.power_l2", 5.0),
        ("generator.power_l3", 32_768.0),  # 16 bits signed would show -32 768 W
    ],
)
def test_system(point: str, value: float | str) -> None:
    assert values("victron-system", SYSTEM)[point] == value


@pytest.mark.parametrize(
    ("point", "registers", "value"),
    [
        ("solar.power", {850: 40_000}, 40_000.0),
        ("battery.time_to_go", {846: 36_000}, 1000.0),  # 3 600 000 s
        ("battery.consumed", {845: 40_000}, -4000.0),
    ],
)
def test_unsigned_values_of_the_system(point: str, registers: dict[int, int], value: float) -> None:
    assert values("victron-system", SYSTEM | registers)[point] == value


def test_firmware_without_32_bit_powers_is_asked_for_those_of_16_bits() -> None:
    """817-819 unsigned, 820-825 signed, as attributes.csv has them."""
    narrow = {817: 40_000, 818: 1100, 819: 3, 820: 0xFF38, 821: 5, 822: 6, 823: 0xFFFF, 824: 8, 825: 9}
    found = values("victron-system", SYSTEM | narrow, lacking=[range(868, 920)])

    assert [found[f"load.power_l{phase}"] for phase in (1, 2, 3)] == [40_000.0, 1100.0, 3.0]
    assert [found[f"grid.power_l{phase}"] for phase in (1, 2, 3)] == [-200.0, 5.0, 6.0]
    assert [found[f"generator.power_l{phase}"] for phase in (1, 2, 3)] == [-1.0, 8.0, 9.0]
    assert found["battery.voltage"] == 53.2


def test_without_battery_voltage_a_charge_of_zero_is_no_charge() -> None:
    found = readings("victron-system", SYSTEM | {840: 0, 843: 0})

    for point in ("voltage", "current", "power", "state_of_charge", "state", "consumed"):
        assert found[f"battery.{point}"] == Reading(f"battery.{point}", None, "not_valid_now")
    assert values("victron-system", SYSTEM | {843: 0})["battery.state_of_charge"] == 0.0
    assert values("victron-system", SYSTEM | {846: 0})["battery.time_to_go"] is None


EXISTING = {
    "victron-system": [(800, 826), (830, 835), (840, 846), (850, 851), (855, 855), (860, 860), (865, 919)],
    "victron-battery": [(256, 331), (1282, 1343)],
    "victron-vebus": [(3, 121)],
    "victron-tank": [(3000, 3007)],
    "victron-genset": [(3200, 3209), (3212, 3224), (3228, 3228), (3230, 3239)],
    "victron-generator": [(3500, 3512)],
    "victron-temperature": [(3300, 3314)],
    "victron-solarcharger": [(771, 781), (784, 793), (3700, 3703), (3708, 3738)],
    "victron-grid": [(2600, 2648)],
}
"""Addresses without a gap between, from the list of each service."""


@pytest.mark.parametrize("name", EXISTING)
def test_no_question_reaches_over_an_address_that_the_service_does_not_have(name: str) -> None:
    for block in plan(profile.load(name)):
        first, last = block.address, block.address + block.count - 1
        assert any(begin <= first and last <= end for begin, end in EXISTING[name]), (first, last)


@pytest.mark.parametrize("name", EXISTING)
def test_a_gx_is_asked_by_function_3_and_over_modbus_tcp(name: str) -> None:
    device = profile.load(name)

    assert {block.function for block in plan(device)} == {3}
    assert device.defaults.tcp_port == 502


def test_the_system_is_at_unit_100() -> None:
    assert profile.load("victron-system").defaults.device_id == 100


def test_a_gx_is_never_asked_across_an_address_that_it_does_not_have() -> None:
    """847-849, 827-829 and 836-839 are not in the list: a block over them is exception 2."""
    found = values("victron-system", SYSTEM, lacking=[range(827, 830), range(836, 840), range(847, 850)])

    assert found["solar.power"] == 1200.0
    assert found["battery.voltage"] == 53.2
    assert found["load.power_l1"] == 70_000.0


# 256 W in two registers, 259 V x100, 261 A x10, 262 degC x10, 265 Ah x-10, 266 % x10, 303 s /100, 304 % x10,
# 305 V x10, 307/308 A x10, 309 Ah x10, 1290/1291 V x100.
BATTERY = {
    256: 0xFFFF, 257: 0x63C0, 258: 0xFC18, 259: 5284, 261: 0xFFF1, 262: 0xFFCE, 265: 475, 266: 815,
    268: 2, 274: 1, 284: 37, 303: 9, 304: 985, 305: 560, 307: 1200, 308: 2000, 309: 2800, 323: 2,
    1282: 9, 1290: 331, 1291: 334,
}  # fmt: skip


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("battery.power", -40_000.0),
        ("battery.voltage", 52.84),
        ("battery.current", -1.5),
        ("battery.temperature", -5.0),
        ("battery.consumed", -47.5),
        ("battery.state_of_charge", 81.5),
        ("alarm.battery", "ok"),
        ("alarm.battery_voltage_low", "alarm"),
        ("alarm.battery_voltage_high", "ok"),
        ("alarm.battery_hot", "warning"),
        ("alarm.battery_internal_failure", "alarm"),
        ("battery.cycles", 37.0),
        ("battery.time_to_go", 0.25),  # 900 s
        ("battery.state_of_health", 98.5),
        ("battery.charge_voltage_limit", 56.0),
        ("battery.charge_current_limit", 120.0),
        ("battery.discharge_current_limit", 200.0),
        ("battery.capacity", 280.0),
        ("battery.state", "running"),
        ("battery.cell_voltage_low", 3.31),
        ("battery.cell_voltage_high", 3.34),
    ],
)
def test_battery(point: str, value: float | str) -> None:
    assert values("victron-battery", BATTERY)[point] == value


@pytest.mark.parametrize(
    ("address", "point"),
    [
        (267, "alarm.battery"),
        (268, "alarm.battery_voltage_low"),
        (269, "alarm.battery_voltage_high"),
        (272, "alarm.battery_charge_low"),
        (273, "alarm.battery_cold"),
        (274, "alarm.battery_hot"),
        (278, "alarm.battery_fuse"),
        (320, "alarm.battery_charge_current"),
        (321, "alarm.battery_discharge_current"),
        (322, "alarm.battery_cell_imbalance"),
        (323, "alarm.battery_internal_failure"),
        (324, "alarm.battery_charge_hot"),
        (325, "alarm.battery_charge_cold"),
        (326, "alarm.battery_cell_voltage_low"),
        (327, "alarm.battery_bms_cable"),
        (328, "alarm.battery_contactor"),
    ],
)
def test_each_alarm_of_a_battery_is_its_own(address: int, point: str) -> None:
    assert alarms("victron-battery", {259: 5284, address: 2}) == {point: "alarm"}
    assert alarms("victron-battery", {259: 0, address: 2}) == {}  # nothing is known of this battery


def test_battery_of_older_firmware() -> None:
    found = values("victron-battery", BATTERY, lacking=[range(256, 258), range(310, 332), range(1282, 1344)])

    assert found["battery.power"] == -1000.0  # 258: 0xFC18
    assert found["battery.state_of_charge"] == 81.5
    assert found["battery.state_of_health"] == 98.5
    assert found["alarm.battery_internal_failure"] is None
    assert found["battery.cell_voltage_low"] is None


def test_a_battery_of_which_the_gx_knows_nothing_has_no_values() -> None:
    assert set(values("victron-battery", {}).values()) == {None}
    assert readings("victron-battery", {})["battery.state"].reason == "absent"


# 3 V x10, 6 A x10 signed, 9 Hz x100, 12 W /10 signed; 15, 18, 21, 23 the same for the output; 26 V x100,
# 27 A x10 signed, 30 % x10, 61 degC x10 signed.
VEBUS = {
    3: 2301, 4: 2302, 5: 2303, 6: 45, 7: 0xFFFB, 8: 7, 9: 4998, 12: 104, 13: 0xFFF6, 14: 9,
    15: 2299, 16: 2298, 17: 2297, 18: 30, 19: 31, 20: 0xFFE2, 21: 5001, 23: 70, 24: 4000, 25: 0xFFFF,
    26: 5320, 27: 0xFF9C, 29: 240, 30: 755, 31: 9, 32: 17, 33: 3, 34: 0, 35: 1, 36: 2,
    42: 2, 47: 1, 55: 2, 61: 0xFFEC, 63: 1, 64: 2, 94: 1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("inverter.input_voltage_l1", 230.1),
        ("inverter.input_voltage_l2", 230.2),
        ("inverter.input_voltage_l3", 230.3),
        ("inverter.input_current_l1", 4.5),
        ("inverter.input_current_l2", -0.5),
        ("inverter.input_current_l3", 0.7),
        ("inverter.input_frequency", 49.98),
        ("inverter.input_power_l1", 1040.0),
        ("inverter.input_power_l2", -100.0),
        ("inverter.input_power_l3", 90.0),
        ("inverter.voltage_l1", 229.9),
        ("inverter.voltage_l2", 229.8),
        ("inverter.voltage_l3", 229.7),
        ("inverter.current_l1", 3.0),
        ("inverter.current_l2", 3.1),
        ("inverter.current_l3", -3.0),
        ("inverter.frequency", 50.01),
        ("inverter.power_l1", 700.0),
        ("inverter.power_l2", 40_000.0),
        ("inverter.power_l3", -10.0),
        ("inverter.dc_voltage", 53.2),
        ("inverter.dc_current", -10.0),
        ("inverter.input", "none"),
        ("battery.state_of_charge", 75.5),
        ("inverter.state", "inverting"),
        ("inverter.error", "ve_bus_error_17"),
        ("inverter.mode", "on"),
        ("battery.temperature", -2.0),
    ],
)
def test_vebus(point: str, value: float | str) -> None:
    assert values("victron-vebus", VEBUS)[point] == value


@pytest.mark.parametrize(
    ("address", "point"),
    [
        (34, "alarm.inverter_hot"),
        (35, "alarm.inverter_battery_low"),
        (36, "alarm.inverter_overload"),
        (42, "alarm.inverter_temperature_sensor"),
        (43, "alarm.inverter_voltage_sensor"),
        (44, "alarm.inverter_hot_l1"),
        (45, "alarm.inverter_battery_low_l1"),
        (46, "alarm.inverter_overload_l1"),
        (47, "alarm.inverter_ripple_l1"),
        (48, "alarm.inverter_hot_l2"),
        (49, "alarm.inverter_battery_low_l2"),
        (50, "alarm.inverter_overload_l2"),
        (51, "alarm.inverter_ripple_l2"),
        (52, "alarm.inverter_hot_l3"),
        (53, "alarm.inverter_battery_low_l3"),
        (54, "alarm.inverter_overload_l3"),
        (55, "alarm.inverter_ripple_l3"),
        (63, "alarm.inverter_phase_rotation"),
        (64, "alarm.grid_lost"),
        (94, "alarm.battery_bms_pre_alarm"),
    ],
)
def test_each_alarm_of_an_inverter_is_its_own(address: int, point: str) -> None:
    assert alarms("victron-vebus", {address: 1}) == {point: "warning"}


def test_vebus_of_older_firmware_keeps_what_it_has() -> None:
    found = values("victron-vebus", VEBUS, lacking=[range(65, 250)])

    assert found["inverter.state"] == "inverting"
    assert found["alarm.grid_lost"] == "alarm"
    assert found["alarm.battery_bms_pre_alarm"] is None


def test_vebus_zeros_that_mean_unknown() -> None:
    found = readings("victron-vebus", VEBUS | {26: 0, 30: 0, 33: 0, 61: 0})

    for point in ("inverter.dc_voltage", "battery.state_of_charge", "inverter.mode", "battery.temperature"):
        assert found[point] == Reading(point, None, "absent")
    assert found["inverter.dc_current"].value is None


# 3001 m3 x10000 in two registers, 3003 fluid, 3004 % x10, 3005 m3 x10000, 3007 status.
# 300 L are 0.3 m3 = 3000; 8 m3 are 80 000 = 0x00013880; 5.04 m3 are 50 400 = 0x0000C4E0.
TANK = {3001: 0x0001, 3002: 0x3880, 3003: 0, 3004: 630, 3005: 0, 3006: 0xC4E0, 3007: 0}


def test_fuel_tank() -> None:
    found = values("victron-tank", TANK)

    assert found["tank.capacity"] == 8000.0
    assert found["tank.fluid"] == "fuel"
    assert found["tank.status"] == "ok"
    assert found["tank.fuel_level"] == 63.0
    assert found["tank.fuel_volume"] == 5040.0
    assert found["tank.water_level"] is None
    assert found["tank.waste_level"] is None


def test_a_tank_without_a_capacity_has_no_status_and_no_fluid() -> None:
    found = values("victron-tank", TANK | {3001: 0, 3002: 0})

    assert set(found.values()) == {None}


def test_small_fuel_tank_that_is_empty() -> None:
    found = values("victron-tank", {3002: 3000, 3003: 7})

    assert found["tank.capacity"] == 300.0
    assert found["tank.fluid"] == "diesel"
    assert found["tank.fuel_level"] == 0.0
    assert found["tank.fuel_volume"] == 0.0


@pytest.mark.parametrize(
    ("registers", "why"),
    [
        ({3007: 1}, "open circuit"),
        ({3007: 2}, "short circuit"),
        ({3007: 4}, "unknown"),
        ({3007: 9}, "a status that nobody has heard of"),
        ({3001: 0, 3002: 0}, "no capacity"),
        ({3001: 0, 3002: 0, 3004: 0, 3006: 0}, "nothing known at all"),
        ({3003: 1}, "water"),
        ({3003: 4}, "oil"),
    ],
)
def test_a_fuel_level_wants_a_sound_sender_a_capacity_and_fuel(registers: dict[int, int], why: str) -> None:
    found = readings("victron-tank", TANK | registers)

    assert found["tank.fuel_level"] == Reading("tank.fuel_level", None, "not_valid_now"), why
    assert found["tank.fuel_volume"].value is None, why


@pytest.mark.parametrize(
    ("fluid", "point"),
    [(1, "tank.water_level"), (2, "tank.waste_level"), (5, "tank.waste_level")],
)
def test_other_fluids_have_points_of_their_own(fluid: int, point: str) -> None:
    found = values("victron-tank", TANK | {3003: fluid})
    assert found[point] == 63.0

    broken = values("victron-tank", TANK | {3003: fluid, 3007: 1})
    assert broken[point] is None
