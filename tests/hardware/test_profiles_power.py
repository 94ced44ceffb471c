"""Meters, hybrid inverters and battery managements. Addresses, types and scales are those that each test
names; the registers are worked out from them by hand (floats as IEEE 754 single precision)."""

import pytest

from tests.hardware.decoded import readings, values
from tpkit.domain.samples import Reading
from tpkit.hardware import profile
from tpkit.hardware.planning import plan

# 230.2 V is the SDM630 protocol's own example answer: 01 04 04 43 66 33 34 1B 38.
# By hand: 50.0 = 0x42480000, 12.5 = 0x41480000, -0.5 = 0xBF000000, 1.0 = 0x3F800000, -500.0 = 0xC3FA0000,
# 2875.0 = 0x4533B000, 1234.5 = 0x449A5000, 100.0 = 0x42C80000, 400.0 = 0x43C80000.
SDM630 = {
    0: 0x4366, 1: 0x3334, 2: 0x42C8, 4: 0x0000, 5: 0x0000,
    6: 0x4148, 8: 0x3F80, 10: 0xBF00,
    12: 0x4533, 13: 0xB000, 14: 0x42C8, 16: 0xC3FA,
    30: 0x3F80, 32: 0xBF00, 34: 0xBF00,
    52: 0x449A, 53: 0x5000, 56: 0x4533, 57: 0xB000, 60: 0xC3FA, 62: 0xBF00,
    70: 0x4248, 72: 0x449A, 73: 0x5000, 74: 0x42C8,
    342: 0x43C8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("meter.voltage_l2", 100.0),
        ("meter.voltage_l3", 0.0),  # not wired
        ("meter.current_l1", 12.5),
        ("meter.current_l2", 1.0),
        ("meter.current_l3", -0.5),
        ("meter.power_l1", 2875.0),
        ("meter.power_l2", 100.0),
        ("meter.power_l3", -500.0),
        ("meter.power_factor_l1", 1.0),
        ("meter.power_factor_l2", -0.5),
        ("meter.power_factor_l3", -0.5),
        ("meter.power", 1234.5),
        ("meter.apparent_power", 2875.0),
        ("meter.reactive_power", -500.0),
        ("meter.power_factor", -0.5),
        ("meter.frequency", 50.0),
        ("meter.energy_import", 1234.5),
        ("meter.energy_export", 100.0),
        ("meter.energy", 400.0),
    ],
)
def test_sdm630(point: str, value: float) -> None:
    assert values("sdm630", SDM630)[point] == value


@pytest.mark.parametrize("name", ["sdm120", "sdm230", "sdm630"])
def test_voltage_of_an_eastron_meter(name: str) -> None:
    assert values(name, SDM630)["meter.voltage_l1"] == pytest.approx(230.2, abs=1e-4)


def test_voltage_of_the_third_phase() -> None:
    found = values("sdm630", SDM630 | {4: 0x4366, 5: 0x3334})

    assert found["meter.voltage_l3"] == pytest.approx(230.2, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "phase"), [("sdm120", 1), ("sdm230", 1), ("sdm630", 1), ("sdm630", 2), ("sdm630", 3)]
)
def test_400_volts_are_no_phase_voltage(name: str, phase: int) -> None:
    """More than a phase can have against neutral, so something else was read."""
    found = readings(name, SDM630 | {2 * phase - 2: 0x43C8, 2 * phase - 1: 0x0000})

    assert found[f"meter.voltage_l{phase}"].reason == "implausible"


@pytest.mark.parametrize("name", ["sdm120", "sdm230"])
@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("meter.current_l1", 12.5),
        ("meter.power", 2875.0),
        ("meter.apparent_power", 100.0),
        ("meter.reactive_power", -500.0),
        ("meter.power_factor", 1.0),
        ("meter.frequency", 50.0),
        ("meter.energy_import", 1234.5),
        ("meter.energy_export", 100.0),
        ("meter.energy", 400.0),
    ],
)
def test_single_phase_sdm(name: str, point: str, value: float) -> None:
    assert values(name, SDM630 | {18: 0x42C8, 24: 0xC3FA})[point] == value


@pytest.mark.parametrize("name", ["sdm120", "sdm230", "sdm630"])
def test_an_address_off_by_one_is_seen_at_the_frequency(name: str) -> None:
    """The low word of one float and the high word of the next are no 40 to 65 Hz (telegraf#8151)."""
    shifted = {address - 1: word for address, word in SDM630.items() if address}

    assert readings(name, shifted)["meter.frequency"] == Reading("meter.frequency", None, "implausible")


def test_words_swapped_are_seen_at_the_frequency() -> None:
    swapped = SDM630 | {70: 0x0000, 71: 0x4248}

    assert readings("sdm630", swapped)["meter.frequency"].reason == "implausible"


@pytest.mark.parametrize(("name", "most"), [("sdm120", 60), ("sdm230", 60), ("sdm630", 80)])
def test_eastron_meters_are_asked_as_their_manuals_want(name: str, most: int) -> None:
    """30 values on the SDM72, 40 on the SDM630 (manuals), 100 ms between (openWB/core PR 2184)."""
    device = profile.load(name)

    assert all(block.count <= most and block.function == 4 for block in plan(device))
    assert device.max_block == most
    assert device.min_gap_s == 0.1


def test_single_phase_meters_are_not_asked_for_phases_that_they_lack() -> None:
    lacking = [range(2, 6), range(8, 12), range(14, 18), range(20, 24), range(26, 30), range(32, 70)]

    assert values("sdm120", SDM630, lacking)["meter.energy"] == 400.0
    assert all(block.count in (2, 6) for block in plan(profile.load("sdm120")))


# kellerza/sunsynk single_phase.py and ha-solarman deye_hybrid.yaml: 79 Hz x100, 81 kWh x10 low word first,
# 91 degC (raw x 0.1 - 100), 108 kWh x10, 109/111/150/181 V x10, 164 A x100, 183 V x100, 191 A x100.
DEYE = {
    59: 2, 78: 9, 79: 5003, 80: 0xFFFF, 81: 0x86A0, 82: 1, 90: 1, 91: 1413, 108: 123, 109: 3211, 111: 2987,
    150: 2305, 164: 0xFF9C, 166: 4000, 169: 0xFE0C, 175: 2200, 176: 700, 177: 300, 178: 1000, 181: 2309,
    182: 1215, 183: 5284, 184: 81, 190: 1200, 191: 2271, 192: 5001, 193: 5002, 194: 1, 196: 4990, 235: 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("inverter.state", "ok"),
        ("grid.frequency", 50.03),
        ("grid.energy_export", 10_000.0),  # 0x000186A0 = 100 000; high word first it would be 225 000 000
        ("inverter.temperature", 41.3),
        ("solar.energy_today", 12.3),
        ("solar.voltage_1", 321.1),
        ("solar.voltage_2", 298.7),
        ("grid.voltage_l1", 230.5),
        ("inverter.current_l1", -1.0),
        ("generator.power", 4000.0),
        ("grid.power", -500.0),
        ("inverter.power", 2200.0),
        ("load.power_l1", 700.0),
        ("load.power_l2", 300.0),
        ("load.power", 1000.0),
        ("generator.voltage_l1", 230.9),
        ("battery.temperature", 21.5),
        ("battery.voltage", 52.84),
        ("battery.state_of_charge", 81.0),
        ("battery.power", -1200.0),  # the maker's plus is discharge
        ("battery.current", -22.71),
        ("load.frequency", 50.01),
        ("inverter.frequency", 50.02),
        ("grid.state", "connected"),
        ("generator.frequency", 49.9),
        ("generator.port_use", "generator"),
    ],
)
def test_deye_single_phase(point: str, value: float | str) -> None:
    assert values("deye-1phase", DEYE)[point] == value


def test_a_deye_that_charges_shows_plus() -> None:
    found = values("deye-1phase", DEYE | {190: 0xFC18, 191: 0xF830})  # -1000 W, -20.00 A of the maker's

    assert found["battery.power"] == 1000.0
    assert found["battery.current"] == 20.0


def test_deye_below_freezing() -> None:
    assert values("deye-1phase", DEYE | {182: 850})["battery.temperature"] == -15.0
    assert values("deye-3phase-lv", {586: 850})["battery.temperature"] == -15.0


@pytest.mark.parametrize("use", [0, 1, 7])
def test_the_aux_port_of_a_deye_is_not_always_a_generator(use: int) -> None:
    """235: 0 disabled, 1 smart load, 2 generator (kellerza); of 7 nothing is known."""
    found = readings("deye-1phase", DEYE | {235: use})

    for point in ("power", "voltage_l1", "frequency"):
        assert found[f"generator.{point}"] == Reading(f"generator.{point}", None, "not_valid_now")
    assert found["load.power"].value == 1000.0


def test_the_total_grid_import_of_a_deye_is_left_out() -> None:
    """Its words are 78 and 80 with the frequency between: read as 78 and 79 it would be wrong."""
    points = {item.name for item in profile.load("deye-1phase").point}

    assert "grid.energy_import" not in points


# kellerza/sunsynk three-phase: 587 V x100, 591 A x100, 598-600/644-646/661-663 V x10, 609/655 Hz x100,
# 552 relays (bit 2 grid, bit 3 generator), 541/586 degC (raw x 0.1 - 100).
DEYE3 = {
    133: 0, 500: 3, 540: 1, 541: 1502, 552: 0b1000, 586: 1203, 587: 5120, 588: 55, 590: 0xF448, 591: 0xE890,
    598: 2301, 599: 2302, 600: 2303, 609: 4997, 625: 0xFF38, 636: 6000, 644: 2311, 645: 2312, 646: 2313,
    650: 100, 651: 200, 652: 0xFFFF, 653: 299, 655: 5004, 661: 2291, 662: 2292, 663: 2293, 667: 7000,
    672: 1500, 673: 1600,
}  # fmt: skip


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("generator.port_use", "generator"),
        ("inverter.state", "alarm"),
        ("inverter.temperature", 50.2),
        ("grid.state", "disconnected"),
        ("generator.state", "connected"),
        ("battery.temperature", 20.3),
        ("battery.voltage", 51.2),
        ("battery.state_of_charge", 55.0),
        ("battery.power", 3000.0),  # 0xF448 = -3000, the maker's minus is charge
        ("battery.current", 60.0),  # 0xE890 = -6000
        ("grid.voltage_l1", 230.1),
        ("grid.voltage_l2", 230.2),
        ("grid.voltage_l3", 230.3),
        ("grid.frequency", 49.97),
        ("grid.power", -200.0),
        ("inverter.power", 6000.0),
        ("load.voltage_l1", 231.1),
        ("load.voltage_l2", 231.2),
        ("load.voltage_l3", 231.3),
        ("load.power_l1", 100.0),
        ("load.power_l2", 200.0),
        ("load.power_l3", -1.0),
        ("load.power", 299.0),
        ("load.frequency", 50.04),
        ("generator.voltage_l1", 229.1),
        ("generator.voltage_l2", 229.2),
        ("generator.voltage_l3", 229.3),
        ("generator.power", 7000.0),
        ("solar.power_1", 1500.0),
        ("solar.power_2", 1600.0),
    ],
)
def test_deye_three_phase(point: str, value: float | str) -> None:
    assert values("deye-3phase-lv", DEYE3)[point] == value


def test_the_relays_of_a_deye_are_told_apart() -> None:
    found = values("deye-3phase-lv", DEYE3 | {552: 0b0111})

    assert found["grid.state"] == "connected"
    assert found["generator.state"] == "disconnected"


@pytest.mark.parametrize("use", [1, 2, 3])
def test_the_aux_port_of_a_three_phase_deye_is_not_always_a_generator(use: int) -> None:
    """133: 0 generator, 1 smart load, 2 micro inverter (kellerza); the other way round than 1-phase."""
    found = values("deye-3phase-lv", DEYE3 | {133: use})

    for point in ("power", "voltage_l1", "voltage_l2", "voltage_l3", "state"):
        assert found[f"generator.{point}"] is None


# 0xAHA spf.py: 3, 9, 77 W x10 in two registers high word first, 17 V x100, 20/22 V x10, 21/23 Hz x100,
# 25 degC x10, 27 % x10, 34 A x10.
GROWATT = {
    0: 12, 3: 0x0001, 4: 0x86A0, 9: 0, 10: 4321, 17: 5237, 18: 64, 20: 2301, 21: 5003, 22: 2299, 23: 4999,
    25: 0xFFF6, 27: 213, 34: 41, 77: 0xFFFF, 78: 0xD8F0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("inverter.state", "solar_charge_and_discharge"),
        ("solar.power_1", 10_000.0),  # 0x000186A0 = 100 000
        ("load.power", 432.1),
        ("battery.voltage", 52.37),
        ("battery.state_of_charge", 64.0),
        ("grid.voltage_l1", 230.1),
        ("grid.frequency", 50.03),
        ("inverter.voltage_l1", 229.9),
        ("inverter.frequency", 49.99),
        ("inverter.temperature", -1.0),
        ("inverter.load", 21.3),
        ("inverter.current_l1", 4.1),
        ("battery.power", 1000.0),  # 0xFFFFD8F0 = -10 000: the maker's minus is charge
    ],
)
def test_growatt(point: str, value: float | str) -> None:
    assert values("growatt-spf", GROWATT)[point] == value


def test_growatt_discharging_and_a_state_that_is_not_used() -> None:
    found = readings("growatt-spf", {0: 1, 77: 0, 78: 5000})

    assert found["battery.power"].value == -500.0
    assert found["inverter.state"] == Reading("inverter.state", None, "unknown_code")


# XZH BMS Modbus-RTU Protocol, PIA: 1000 10 mV, 1001 10 mA, 1003 10 mAh, 1005/1006 0.1 %, 1009 0.1 K,
# 100A/100B 1 mV, 100F/1010 1 A (addresses in hexadecimal).
SEPLOS = {
    0x1000: 5284, 0x1001: 0xF830, 0x1002: 1, 0x1003: 28_000, 0x1005: 815, 0x1006: 998, 0x1007: 37, 0x1008: 1,
    0x1009: 2982, 0x100A: 3345, 0x100B: 3298, 0x100C: 1, 0x100D: 1, 0x100F: 200, 0x1010: 120,
}  # fmt: skip


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("battery.voltage", 52.84),
        ("battery.current", -20.0),  # 0xF830 = -2000
        ("battery.capacity", 280.0),
        ("battery.state_of_charge", 81.5),
        ("battery.state_of_health", 99.8),
        ("battery.cycles", 37.0),
        ("battery.temperature", 25.05),  # 298.2 K
        ("battery.cell_voltage_high", 3.345),
        ("battery.cell_voltage_low", 3.298),
        ("battery.discharge_current_limit", 200.0),
        ("battery.charge_current_limit", 120.0),
    ],
)
def test_seplos(point: str, value: float) -> None:
    assert values("seplos-v3", SEPLOS)[point] == value


def test_seplos_line() -> None:
    device = profile.load("seplos-v3")

    assert (device.defaults.baud, device.defaults.parity) == (19200, "N")
    assert device.defaults.device_id != 0  # 0 is the broadcast address


def test_sunny_island() -> None:
    found = values("sma-sunny-island", {30775: 0xFFFF, 30776: 0xFC18, 30845: 0, 30846: 73})

    assert found == {"inverter.power": -1000.0, "battery.state_of_charge": 73.0}
    assert profile.load("sma-sunny-island").defaults.device_id == 3


def test_not_a_number_of_a_sunny_island() -> None:
    """SMA EDMM-10: S32 0x80000000, U32 0xFFFFFFFF."""
    found = readings("sma-sunny-island", {30775: 0x8000, 30845: 0xFFFF, 30846: 0xFFFF})

    assert found["inverter.power"] == Reading("inverter.power", None, "absent")
    assert found["battery.state_of_charge"] == Reading("battery.state_of_charge", None, "absent")


def test_studer() -> None:
    """The library's example: user info 3001 is register 2, two registers, function 4, 8E1. -20.5 = 0xC1A40000."""
    device = profile.load("studer-xcom")
    (block,) = plan(device)

    assert values("studer-xcom", {2: 0xC1A4})["battery.temperature"] == -20.5
    assert (block.function, block.address, block.count) == (4, 2, 2)
    assert (device.defaults.baud, device.defaults.parity) == (9600, "E")


@pytest.mark.parametrize("name", ["growatt-spf", "sma-sunny-island", "studer-xcom"])
def test_what_has_one_source_says_so(name: str) -> None:
    assert profile.load(name).confidence == "one source"


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("deye-1phase", 3),
        ("deye-3phase-lv", 3),
        ("growatt-spf", 4),
        ("seplos-v3", 4),
        ("sma-sunny-island", 3),
    ],
)
def test_functions(name: str, function: int) -> None:
    assert {block.function for block in plan(profile.load(name))} == {function}
