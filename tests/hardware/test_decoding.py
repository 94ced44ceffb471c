"""Words to readings. Expected values are from makers' documents or worked by hand, as each test says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hardware.decoded import one
from tests.hardware.made_profile import made
from tpkit.domain.samples import Reading
from tpkit.hardware import profile
from tpkit.hardware.decoding import decode
from tpkit.hardware.planning import plan
from tpkit.hardware.profile_form import Profile

DSE = profile.load("dse-generic")
VICTRON = profile.load("victron-system")
BATTERY = profile.load("victron-battery")


def readings(device: Profile, registers: dict[int, int]) -> dict[str, Reading]:
    """What a device with these registers says on its second round; the others hold 0."""
    found: dict[str, Reading] = {}
    for _ in range(2):
        known = {name: reading.value for name, reading in found.items()}
        for block in plan(device):
            words = tuple(registers.get(block.address + offset, 0) for offset in range(block.count))
            found |= {reading.point: reading for reading in decode(device, block, words, known)}
    return found


# DSE 55x operator manual p. 41-46 gives address, type, scale and unit of page 4; the raw words are
# worked from it by hand: 230.0 V is 2300 = 0x08FC in steps of 0.1 V, -1000 W is 0xFFFFFC18.
@pytest.mark.parametrize(
    ("point", "registers", "value"),
    [
        ("engine.oil_pressure", {1024: 414}, 414.0),
        ("engine.coolant_temperature", {1025: 83}, 83.0),
        ("engine.coolant_temperature", {1025: 0xFFF6}, -10.0),
        ("engine.oil_temperature", {1026: 0xFFFF}, -1.0),
        ("tank.fuel_level", {1027: 63}, 63.0),
        ("tank.fuel_level", {1027: 0}, 0.0),
        ("tank.fuel_level", {1027: 130}, 130.0),
        ("engine.battery_voltage", {1029: 137}, 13.7),
        ("engine.speed", {1030: 1500}, 1500.0),
        ("generator.frequency", {1031: 501}, 50.1),
        ("generator.voltage_l1", {1032: 0, 1033: 0x08FC}, 230.0),
        ("generator.voltage_l3", {1036: 0, 1037: 2297}, 229.7),
        ("generator.current_l2", {1046: 0, 1047: 123}, 12.3),
        ("generator.power_l1", {1052: 0, 1053: 3400}, 3400.0),
        ("generator.power_l2", {1054: 0xFFFF, 1055: 0xFC18}, -1000.0),
        ("generator.power", {1536: 0x0001, 1537: 0x86A0}, 100_000.0),
        ("engine.run_time", {1798: 0x0001, 1799: 0x5180}, 24.0),  # 86 400 s
        ("engine.mode", {772: 1}, "auto"),
        ("engine.state", {1408: 3}, "running"),
    ],
)
def test_gencomm_values(point: str, registers: dict[int, int], value: float | str) -> None:
    assert readings(DSE, registers)[point] == Reading(point, value)


# GenComm page 154: four alarms a register, the first in the most significant nibble.
def test_gencomm_named_alarms() -> None:
    found = readings(DSE, {39425: 0x1234, 39430: 0x5801})

    assert found["alarm.emergency_stop"].value == "not_active"
    assert found["alarm.low_oil_pressure"].value == "warning"
    assert found["alarm.high_coolant_temperature"].value == "shutdown"
    assert found["alarm.low_coolant_temperature"].value == "electrical_trip"
    assert found["alarm.generator_high_current"].value == "controlled_shutdown"
    assert found["alarm.calibration_lost"].value == "not_active"
    assert found["alarm.low_fuel_level"].value == "disabled"
    assert found["alarm.can_ecu_warning"].value == "not_active"


# GenComm: the top eight codes of each type.
MEANINGS = (
    "absent", "over_range", "under_range", "sensor_fault",
    "bad_data", "digital_high", "digital_low", "reserved",
)  # fmt: skip
TOP_CODES = {
    ("tank.fuel_level", 1027): (0xFFFF, 0xFFFE, 0xFFFD, 0xFFFC, 0xFFFB, 0xFFFA, 0xFFF9, 0xFFF8),
    ("engine.mode", 772): (0xFFFF, 0xFFFE, 0xFFFD, 0xFFFC, 0xFFFB, 0xFFFA, 0xFFF9, 0xFFF8),
    ("engine.coolant_temperature", 1025): (0x7FFF, 0x7FFE, 0x7FFD, 0x7FFC, 0x7FFB, 0x7FFA, 0x7FF9, 0x7FF8),
}
TOP_CODES_32 = {
    ("generator.voltage_l1", 1032): 0xFFFF,
    ("generator.power_l1", 1052): 0x7FFF,
}
SENTINELS = [
    (point, {address: code}, meaning)
    for (point, address), codes in TOP_CODES.items()
    for code, meaning in zip(codes, MEANINGS, strict=True)
] + [
    (point, {address: high, address + 1: low}, meaning)
    for (point, address), high in TOP_CODES_32.items()
    for low, meaning in zip(range(0xFFFF, 0xFFF7, -1), MEANINGS, strict=True)
]


@pytest.mark.parametrize(("point", "registers", "meaning"), SENTINELS)
def test_gencomm_sentinels_are_no_value_and_say_why(
    point: str, registers: dict[int, int], meaning: str
) -> None:
    assert readings(DSE, registers)[point] == Reading(point, None, meaning)


def test_an_unimplemented_alarm_is_absent_and_its_neighbours_are_not() -> None:
    found = readings(DSE, {39425: 0x1F31})

    assert found["alarm.low_oil_pressure"] == Reading("alarm.low_oil_pressure", None, "absent")
    assert found["alarm.high_coolant_temperature"].value == "shutdown"


def test_a_fuel_switch_never_shows_as_a_percentage() -> None:
    assert readings(DSE, {1027: 0xFFF9})["tank.fuel_level"].value is None
    assert readings(DSE, {1027: 0xFFFA})["tank.fuel_level"].reason == "digital_high"


# ComAp's official "invalid" of a signed 16-bit value is 0x8000: as a number it would be a power.
def test_a_sentinel_that_would_be_plausible_is_no_value() -> None:
    device = made(
        'name = "generator.power", address = 1020, type = "s16"',
        tail='[sentinels]\ns16 = { 0x8000 = "absent" }',
    )
    (block,) = plan(device)

    assert decode(device, block, (0x8000,)) == [Reading("generator.power", None, "absent")]
    assert decode(device, block, (0x8001,)) == [Reading("generator.power", -32767.0)]


def test_sentinels_belong_to_their_type() -> None:
    """0xFFFF is absent as u16 and -1 as s16; 0x7FFF is absent as s16 and a number as u16."""
    found = readings(DSE, {1025: 0xFFFF, 1024: 0x7FFF, 1054: 0, 1055: 0xFFFF})

    assert found["engine.coolant_temperature"].value == -1.0
    assert found["engine.oil_pressure"].reason == "implausible"
    assert found["generator.power_l2"].value == 65535.0


def test_an_unknown_code_is_no_word() -> None:
    assert readings(DSE, {1408: 15})["engine.state"] == Reading("engine.state", None, "unknown_code")
    assert readings(DSE, {39425: 0x6000})["alarm.emergency_stop"].reason == "unknown_code"


# Victron attributes.csv: 840 V x10, 841 A x10 signed, 842 W signed, 843 %, 845 Ah x-10, 846 s /100.
GX = {840: 532, 841: 0xFFFF - 123, 842: 0xFFFF - 659, 843: 81, 844: 2, 845: 475, 846: 1170}


def test_victron_values() -> None:
    narrow = {817: 40_000, 820: 0xFF38}
    wide = {902: 0, 903: 40_000, 908: 0xFFFF, 909: 0xFF38}
    found = readings(VICTRON, GX | narrow | wide | {826: 240, 850: 1200})

    assert found["battery.voltage"].value == 53.2
    assert found["battery.current"].value == -12.4
    assert found["battery.power"].value == -660.0
    assert found["battery.state_of_charge"].value == 81.0
    assert found["battery.state"].value == "discharging"
    assert found["battery.consumed"].value == -47.5
    assert found["battery.time_to_go"].value == 32.5  # 1170 x 100 s = 117 000 s
    assert found["load.power_l1"].value == 40_000.0
    assert found["grid.power_l1"].value == -200.0
    assert found["inverter.source"].value == "none"
    assert found["solar.power"].value == 1200.0


def test_without_a_battery_voltage_a_gx_has_no_battery_values() -> None:
    """A GX answers 0 for what it does not know: 0 % would be an invented value."""
    found = readings(VICTRON, GX | {840: 0})

    for point in ("voltage", "current", "power", "state_of_charge", "state", "consumed"):
        assert found[f"battery.{point}"] == Reading(f"battery.{point}", None, "not_valid_now")
    assert found["battery.time_to_go"].value == 32.5  # it decides for itself
    assert found["load.power_l1"].value == 0.0


def test_a_time_to_go_of_zero_is_not_believed_but_a_charge_of_zero_is() -> None:
    found = readings(VICTRON, GX | {846: 0, 843: 0, 845: 0})

    assert found["battery.time_to_go"].reason == "not_valid_now"
    assert found["battery.state_of_charge"].value == 0.0
    assert str(found["battery.consumed"].value) == "0.0"  # and not -0.0


def test_an_implausible_voltage_decides_like_none() -> None:
    found = readings(VICTRON, GX | {840: 0xFFFF})

    assert found["battery.voltage"].value is None
    assert found["battery.state_of_charge"].reason == "not_valid_now"


# Victron attributes.csv, battery: 256 W (32 bits), 258 W (16), 259 V x100, 261 A x10 signed, 262 degC x10 signed, 266 % x10.
def test_victron_battery_values() -> None:
    registers = {
        256: 0xFFFF,
        257: 0xFC18,
        258: 0xFC18,
        259: 5284,
        261: 0xFFF1,
        262: 0xFFCE,
        266: 815,
        268: 2,
        303: 9,
        304: 985,
    }
    found = readings(BATTERY, registers)

    assert found["battery.power"].value == -1000.0
    assert found["battery.voltage"].value == 52.84
    assert found["battery.current"].value == -1.5
    assert found["battery.temperature"].value == -5.0
    assert found["battery.state_of_charge"].value == 81.5
    assert found["alarm.battery_voltage_low"].value == "alarm"
    assert found["alarm.battery"].value == "ok"
    assert found["battery.time_to_go"].value == 0.25
    assert found["battery.state_of_health"].value == 98.5


# Eastron SDM630 Modbus protocol, example answer for phase 1 voltage: 01 04 04 43 66 33 34 1B 38, 230.2 V.
def test_eastron_float() -> None:
    reading = one('name = "grid.voltage_l1", address = 0, type = "f32"', 0x4366, 0x3334, function="4")

    assert reading.value == pytest.approx(230.2, abs=1e-4)


# Datakom D-500: u32 x0.1 V, low word first; 230.4 V is 2304, and 6600.0 V would be its words swapped.
def test_low_word_first() -> None:
    point = 'name = "generator.voltage_l1", address = 10246, type = "u32", scale = 0.1'

    assert one(point, 2304, 0, word_order='"little"').value == 230.4
    assert one(point, 0, 2304, word_order='"little"').reason == "implausible"
    assert one(point, 0, 2304).value == 230.4


def test_word_order_is_not_for_single_words_and_nibbles() -> None:
    nibble = 'name = "alarm.x", address = 5, type = "nibble", nibble = 2, enum = { 2 = "alarm" }'

    assert one(nibble, 0x1234, word_order='"little"').value == "alarm"
    assert one('name = "tank.fuel_level", address = 5, type = "u16"', 63, word_order='"little"').value == 63.0


# Deye: temperature = raw x 0.1 - 100.
def test_an_offset_is_added_after_the_scale() -> None:
    point = 'name = "battery.temperature", address = 182, type = "u16", scale = 0.1, offset = -100.0'

    assert one(point, 1215).value == 21.5
    assert one(point, 850).value == -15.0


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ('name = "tank.fuel_level", address = 0, type = "u16"', (131,)),
        ('name = "battery.state_of_charge", address = 0, type = "u16"', (101,)),
        ('name = "battery.state_of_charge", address = 0, type = "s16"', (0xFFFF,)),
        ('name = "grid.frequency", address = 0, type = "f32"', (0x7FC0, 0x0000)),
        ('name = "grid.frequency", address = 0, type = "f32"', (0x7F80, 0x0000)),
        ('name = "grid.frequency", address = 0, type = "f32"', (0xFF80, 0x0000)),
        ('name = "climate.indoor_temperature", address = 0, type = "s16", scale = 0.1', (0xFE6F,)),
    ],
    ids=["131 %", "101 %", "-1 %", "not a number", "infinity", "minus infinity", "-40.1 degrees"],
)
def test_an_implausible_number_is_no_value(point: str, words: tuple[int, ...]) -> None:
    reading = one(point, *words)

    assert (reading.value, reading.reason) == (None, "implausible")


@given(word=st.integers(0, 0xFFFF), nibble=st.integers(1, 4))
def test_nibbles_count_from_the_most_significant(word: int, nibble: int) -> None:
    words = ", ".join(f'{code} = "{code:x}"' for code in range(16))
    point = f'name = "alarm.x", address = 0, type = "nibble", nibble = {nibble}, enum = {{ {words} }}'

    assert one(point, word).value == f"{word:04x}"[nibble - 1]


# Victron's DEIF driver takes an engine speed of 0 for "not available"; other points keep their zeros.
def test_a_point_can_have_sentinels_of_its_own() -> None:
    device = made(
        'name = "engine.speed", address = 0, type = "s16", sentinels = { 0 = "absent" }',
        'name = "generator.power", address = 1, type = "s16"',
    )
    (block,) = plan(device)

    speed, power = decode(device, block, (0, 0))
    assert (speed.value, speed.reason) == (None, "absent")
    assert power.value == 0.0


# NAMUR NE 43: under 3.6 mA the loop is broken, over 21 mA it is out of range; 4 and 20 mA are values.
LOOP = (
    'name = "loop.current_1", address = 0, type = "u16", unit = "µA", '
    'below = { value = 3600, reason = "sensor_fault" }, above = { value = 21000, reason = "over_range" }'
)


@pytest.mark.parametrize(
    ("raw", "value", "reason"),
    [
        (4000, 4.0, ""),
        (20_000, 20.0, ""),
        (3600, 3.6, ""),
        (3599, None, "sensor_fault"),
        (0, None, "sensor_fault"),
        (21_000, 21.0, ""),
        (21_001, None, "over_range"),
        (65_000, None, "over_range"),
    ],
)
def test_beyond_a_limit_there_is_a_reason_and_no_value(raw: int, value: float | None, reason: str) -> None:
    assert one(LOOP, raw) == Reading("loop.current_1", value, reason)


# 4-20 mA as 0-100 %: a loop a little under 4 mA is empty, and below 3.6 mA (-2.5 %) it is broken.
@pytest.mark.parametrize(
    ("raw", "value", "reason"),
    [(4000, 0.0, ""), (3900, 0.0, ""), (12_000, 50.0, ""), (20_100, 100.0, ""), (3590, None, "sensor_fault")],
)
def test_a_little_outside_a_clamp_counts_as_its_end(raw: int, value: float | None, reason: str) -> None:
    point = (
        'name = "tank.fuel_level", address = 0, type = "u16", scale = 0.00625, offset = -25, clamp = [0, 100], '
        'below = { value = -2.5, reason = "sensor_fault" }, above = { value = 106.25, reason = "over_range" }'
    )

    assert one(point, raw) == Reading("tank.fuel_level", value, reason)


@pytest.mark.parametrize(("raw", "value"), [(44, None), (45, 45.0), (65, 65.0), (66, None)])
def test_a_profile_narrows_what_is_plausible(raw: int, value: float | None) -> None:
    reading = one('name = "grid.frequency", address = 0, type = "u16", range = [45, 65]', raw)

    assert (reading.value, reading.reason) == (value, "" if value else "implausible")


def test_a_profile_cannot_widen_what_is_plausible() -> None:
    point = 'name = "battery.state_of_charge", address = 0, type = "s16", range = [-10, 500]'

    assert one(point, 100).value == 100.0
    assert one(point, 101).reason == "implausible"
    assert one(point, 0xFFFF).reason == "implausible"


# Deye, one phase: register 235 says what the AUX port is: 0 disabled, 1 smart load, 2 generator.
PORT = 'name = "generator.port_use", address = 235, type = "u16", enum = { 0 = "disabled", 1 = "smart_load", 2 = "generator" }'
POWER = 'name = "generator.power", address = 166, type = "s16", valid_when = { point = "generator.port_use", equals = ["generator"] }'


@pytest.mark.parametrize(
    ("use", "value"),
    [(2, 1500.0), (1, None), (0, None), (3, None)],
    ids=["generator", "load", "off", "unknown"],
)
def test_a_word_can_decide_over_a_point(use: int, value: float | None) -> None:
    found = readings(made(PORT, POWER, allow_gaps="true", turnaround_s="1.0"), {166: 1500, 235: use})

    assert found["generator.power"].value == value
    assert found["generator.power"].reason == ("" if value else "not_valid_now")


def test_a_point_read_in_another_block_decides_by_what_it_said_last() -> None:
    device = made(PORT, POWER)
    power = next(block for block in plan(device) if block.address == 166)

    assert decode(device, power, (1500,), {"generator.port_use": "generator"})[0].value == 1500.0
    assert decode(device, power, (1500,), {"generator.port_use": "smart_load"})[0].reason == "not_valid_now"
    assert decode(device, power, (1500,), {"generator.port_use": None})[0].reason == "not_valid_now"
    assert decode(device, power, (1500,), {})[0].reason == "not_valid_now"
    assert decode(device, power, (1500,))[0].reason == "not_valid_now"


def test_what_a_block_says_now_decides_over_what_was_known() -> None:
    """The battery was there a moment ago and is gone: 0 V at 840, and 81 % means nothing any more."""
    (block,) = [block for block in plan(VICTRON) if block.address <= 840 < block.address + block.count]
    words = tuple((GX | {840: 0}).get(block.address + offset, 0) for offset in range(block.count))

    found = {reading.point: reading for reading in decode(VICTRON, block, words, {"battery.voltage": 53.2})}
    assert found["battery.state_of_charge"].reason == "not_valid_now"
