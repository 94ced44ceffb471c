"""Victron GX: what measures and what makes power. Addresses, types and scales are those of Victron's own
attributes.csv (24c50db), whose scale factor divides the register; the registers are worked out by hand."""

import pytest

from tests.hardware.decoded import readings, values
from tpkit.domain.samples import Reading

# 3200 V x10, 3203 A x10 signed, 3209 Hz x100, 3213 state, 3214 error, 3216 %, 3217 rpm, 3219 degC x10 signed,
# 3222 V x100, 3224 kPa, 3228 degC, 3230 W in two registers, 3239 x1000 signed.
GENSET = {
    3200: 2301, 3201: 2302, 3202: 2303, 3203: 123, 3204: 124, 3205: 0xFFFF, 3206: 3400, 3207: 0xFC18, 3208: 0,
    3209: 5012, 3213: 8, 3214: 7, 3215: 1, 3216: 42, 3217: 1500, 3219: 853, 3222: 1372, 3224: 414, 3228: 91,
    3230: 0x0000, 3231: 0x9C40, 3232: 0xFFFF, 3233: 0xFC18, 3234: 0, 3235: 11, 3239: 0xFC7C,
}  # fmt: skip


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("generator.voltage_l1", 230.1),
        ("generator.voltage_l2", 230.2),
        ("generator.voltage_l3", 230.3),
        ("generator.current_l1", 12.3),
        ("generator.current_l2", 12.4),
        ("generator.current_l3", -0.1),
        ("generator.frequency", 50.12),
        ("engine.state", "running"),
        ("engine.error", "oil_pressure_too_low"),
        ("engine.mode", "remote_start_enabled"),
        ("engine.load", 42.0),
        ("engine.speed", 1500.0),
        ("engine.coolant_temperature", 85.3),
        ("engine.battery_voltage", 13.72),
        ("engine.oil_pressure", 414.0),
        ("engine.oil_temperature", 91.0),
        ("generator.power_l1", 40_000.0),
        ("generator.power_l2", -1000.0),
        ("generator.power_l3", 11.0),
        ("generator.power_factor", -0.9),  # 0xFC7C = -900
    ],
)
def test_genset(point: str, value: float | str) -> None:
    assert values("victron-genset", GENSET)[point] == value


def test_genset_of_older_firmware_is_asked_for_16_bit_powers() -> None:
    """3210, 3211, 3225-3227 and 3229 are in no firmware: no question may reach over them."""
    never = [range(3210, 3212), range(3225, 3228), range(3229, 3230)]
    found = values("victron-genset", GENSET, lacking=[*never, range(3230, 3240)])

    assert [found[f"generator.power_l{phase}"] for phase in (1, 2, 3)] == [3400.0, -1000.0, 0.0]
    assert found["engine.oil_temperature"] == 91.0
    assert found["generator.power_factor"] is None


def test_genset_zeros_that_mean_no_sender() -> None:
    found = readings("victron-genset", GENSET | {3219: 0, 3222: 0, 3224: 0, 3228: 0})

    senders = ("oil_pressure", "oil_temperature", "coolant_temperature", "battery_voltage")
    for point in senders:
        assert found[f"engine.{point}"] == Reading(f"engine.{point}", None, "absent")
    assert readings("victron-genset", {})["generator.power_factor"].reason == "absent"


@pytest.mark.parametrize(
    ("code", "word"), [(0, "none"), (5, "emergency_stop"), (149, "fuel_level_sensor_lost"), (0xFF00, "other")]
)
def test_genset_errors(code: int, word: str) -> None:
    assert values("victron-genset", GENSET | {3214: code})["engine.error"] == word


def test_genset_error_and_state_that_nobody_knows() -> None:
    found = readings("victron-genset", GENSET | {3213: 11, 3214: 11})

    assert found["engine.state"] == Reading("engine.state", None, "unknown_code")
    assert found["engine.error"] == Reading("engine.error", None, "unknown_code")


def test_generator_start_and_stop() -> None:
    found = values("victron-generator", {3501: 4, 3502: 99, 3504: 1, 3505: 0x5180, 3506: 2, 3507: 1, 3508: 2})

    assert found["generator.start_reason"] == "state_of_charge"
    assert found["generator.run_time"] == 24.0  # 0x00015180 = 86 400 s
    assert found["generator.state"] == "warming_up"
    assert found["generator.error"] == "remote_disabled"
    assert found["alarm.generator_not_at_ac_input"] == "alarm"


def test_generator_of_older_firmware_has_no_run_time_that_wraps() -> None:
    found = values("victron-generator", {3501: 1, 3502: 99, 3506: 1}, lacking=[range(3504, 3506)])

    assert found["generator.run_time"] is None
    assert found["generator.state"] == "running"


# 3304 degC x100 signed, 3306 % x10.
@pytest.mark.parametrize(
    ("kind", "point"),
    [
        (3, "climate.indoor_temperature"),
        (4, "climate.outdoor_temperature"),
        (0, "battery.temperature"),
        (2, "climate.temperature_1"),
        (6, "climate.temperature_1"),
    ],
)
def test_a_temperature_goes_where_the_kind_of_its_sensor_says(kind: int, point: str) -> None:
    places = {
        "climate.indoor_temperature",
        "climate.outdoor_temperature",
        "battery.temperature",
        "climate.temperature_1",
    }
    found = values("victron-temperature", {3303: kind, 3304: 0xFE0C, 3306: 455, 3309: 612})

    assert found[point] == -5.0  # 0xFE0C = -500
    assert all(found[other] is None for other in places - {point})
    assert found["climate.humidity"] == 45.5
    assert found["climate.co2"] == 612.0

    broken = values("victron-temperature", {3303: kind, 3304: 0xFE0C, 3305: 1})
    assert all(broken[place] is None for place in places)

    assert readings("victron-temperature", {3303: kind})[point] == Reading(point, None, "absent")


def test_a_temperature_sensor_of_which_nothing_is_known_has_no_zero_degrees() -> None:
    found = readings("victron-temperature", {})

    assert found["battery.temperature"] == Reading("battery.temperature", None, "absent")
    assert found["climate.humidity"] == Reading("climate.humidity", None, "absent")
    assert found["climate.co2"] == Reading("climate.co2", None, "absent")


def test_temperature_of_firmware_without_carbon_dioxide() -> None:
    found = values("victron-temperature", {3303: 3, 3304: 2150, 3306: 400}, lacking=[range(3308, 3315)])

    assert found["climate.indoor_temperature"] == 21.5
    assert found["climate.humidity"] == 40.0


# 775 state, 776 V x100, 777 A x10, 784 kWh x10, 789 W x10, 792 W in two registers, 3700 V x100, 3724 W, 3728 kWh.
SOLAR = {
    774: 1, 775: 3, 776: 9560, 777: 63, 781: 2, 784: 43, 789: 6012, 792: 0x0001, 793: 0x1170,
    3700: 9550, 3701: 12_010, 3703: 9900, 3724: 400, 3725: 201, 3726: 77, 3727: 78, 3728: 0, 3729: 7034,
}  # fmt: skip


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("solar.state", "bulk"),
        ("solar.voltage", 95.6),
        ("solar.current", 6.3),
        ("alarm.solar_charger", "alarm"),
        ("solar.energy_today", 4.3),
        ("solar.power", 70_000.0),
        ("solar.voltage_1", 95.5),
        ("solar.voltage_2", 120.1),
        ("solar.voltage_3", None),
        ("solar.power_1", 400.0),
        ("solar.power_2", 201.0),
        ("solar.voltage_4", 99.0),
        ("solar.power_3", None),  # no voltage there
        ("solar.power_4", 78.0),
        ("solar.energy", 7034.0),
    ],
)
def test_solar_charger(point: str, value: float | str | None) -> None:
    assert values("victron-solarcharger", SOLAR)[point] == value


def test_solar_charger_of_older_firmware() -> None:
    found = values(
        "victron-solarcharger", SOLAR, lacking=[range(782, 784), range(792, 794), range(3700, 3748)]
    )

    assert found["solar.power"] == 601.2
    assert found["solar.energy_today"] == 4.3
    assert found["solar.energy"] is None


def test_third_tracker() -> None:
    found = values("victron-solarcharger", SOLAR | {3702: 8000})

    assert (found["solar.voltage_3"], found["solar.power_3"]) == (80.0, 77.0)


def test_solar_charger_without_a_voltage_has_no_current_and_no_yield_of_zero() -> None:
    found = readings("victron-solarcharger", {777: 3})

    assert found["solar.voltage"] == Reading("solar.voltage", None, "absent")
    assert found["solar.current"] == Reading("solar.current", None, "not_valid_now")
    assert found["solar.energy"] == Reading("solar.energy", None, "absent")


def test_solar_charger_with_one_tracker_has_no_trackers_of_its_own() -> None:
    found = values("victron-solarcharger", {775: 3, 776: 9560, 793: 400})

    assert found["solar.power"] == 400.0
    for tracker in (1, 2, 3, 4):
        assert found[f"solar.power_{tracker}"] is None
        assert found[f"solar.voltage_{tracker}"] is None


# 2616 V x10, 2617 A x10 signed, 2634/2636 kWh x100, 2638 W in two registers, 2644 Hz x100, 2648 x1000 signed.
GRID = {
    2600: 0xFF38, 2601: 12, 2602: 13,
    2609: 0x4851, 2610: 0x3139, 2611: 0x3431, 2612: 0x5842,  # ASCII HQ1941XB
    2616: 2312, 2617: 0xFFF6, 2618: 2313, 2619: 20, 2620: 2314, 2621: 30,
    2634: 0x0012, 2635: 0xD687, 2636: 0, 2637: 250,
    2638: 0xFFFF, 2639: 0x63C0, 2640: 0, 2641: 0x9C40, 2642: 0, 2643: 3,
    2644: 5002, 2648: 0xFC7C,
}  # fmt: skip


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("device.serial_number", "HQ1941XB"),
        ("grid.voltage_l1", 231.2),
        ("grid.current_l1", -1.0),
        ("grid.voltage_l2", 231.3),
        ("grid.current_l2", 2.0),
        ("grid.voltage_l3", 231.4),
        ("grid.current_l3", 3.0),
        ("grid.energy_import", 12_345.67),  # 0x0012D687 = 1 234 567
        ("grid.energy_export", 2.5),
        ("grid.power_l1", -40_000.0),
        ("grid.power_l2", 40_000.0),
        ("grid.power_l3", 3.0),
        ("grid.frequency", 50.02),
        ("grid.power_factor", -0.9),
    ],
)
def test_grid_meter(point: str, value: float | str) -> None:
    assert values("victron-grid", GRID)[point] == value


def test_grid_meter_of_older_firmware() -> None:
    found = values("victron-grid", GRID, lacking=[range(2638, 2660)])

    assert [found[f"grid.power_l{phase}"] for phase in (1, 2, 3)] == [-200.0, 12.0, 13.0]
    assert found["grid.voltage_l1"] == 231.2
    assert found["grid.frequency"] is None


@pytest.mark.parametrize("point", ["frequency", "power_factor", "energy_import", "energy_export"])
def test_a_grid_meter_of_which_nothing_is_known(point: str) -> None:
    assert readings("victron-grid", {})[f"grid.{point}"].reason == "absent"
