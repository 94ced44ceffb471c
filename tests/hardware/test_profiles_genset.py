"""The generator controllers' profiles against the makers' documents.

Every register image is worked by hand from the document named above it: which register, which step, which
unit. Registers that no image names hold 0.
"""

from functools import cache

import pytest

from tpkit.domain.points import ALARM_WORDS
from tpkit.domain.samples import Reading
from tpkit.hardware import profile
from tpkit.hardware.decoding import decode
from tpkit.hardware.planning import Block, plan
from tpkit.hardware.profile_form import Profile

GENSETS = (
    "dse-generic",
    "dse-72xx",
    "dse-71xx",
    "dse-old-alarms",
    "comap-intelilite4",
    "datakom",
    "deif-agc150",
    "smartgen-hgm4000n",
)
GENCOMM = GENSETS[:4]


@cache
def loaded(name: str) -> tuple[Profile, tuple[Block, ...]]:
    device = profile.load(name)
    return device, plan(device)


def readings(name: str, registers: dict[int, int]) -> dict[str, Reading]:
    """What a device of this profile says when it holds these registers."""
    device, blocks = loaded(name)
    found = {}
    for block in blocks:
        words = tuple(registers.get(block.address + offset, 0) for offset in range(block.count))
        found |= {reading.point: reading for reading in decode(device, block, words)}
    return found


def values(name: str, registers: dict[int, int], points: dict[str, float | str]) -> dict[str, object]:
    found = readings(name, registers)
    return {point: found[point].value for point in points}


# DSE GenComm, page * 256 + offset: 55x GenComm manual p. 38 (page 4), dbus-modbus-client dse.py (3, 5-7).
# 414 kPa, 63 %, 13.7 V, 1500 rpm, 50.1 Hz, 230.0 V = 0x08FC tenths, 399.5 V, 12.3 A, -1000 W, 100 kW,
# 118 kVA, cos phi -0.85, 42.5 %, 86 400 s = 24 h, 36 000 s over the maintenance = -10 h, 6 553.7 kWh.
GENCOMM_IMAGE = {
    772: 1, 1024: 414, 1025: 0xFFF6, 1027: 63, 1028: 279, 1029: 137, 1030: 1500, 1031: 501, 1033: 0x08FC,
    1039: 3995, 1047: 123, 1054: 0xFFFF, 1055: 0xFC18, 1059: 499, 1061: 2301, 1408: 3, 1536: 1, 1537: 0x86A0,
    1544: 1, 1545: 0xCCF0, 1557: 0xFFAB, 1558: 425, 1794: 0xFFFF, 1795: 0x7360, 1798: 1, 1799: 0x5180,
    1800: 1, 1801: 1, 1809: 351,
}  # fmt: skip
GENCOMM_VALUES: dict[str, float | str] = {
    "engine.mode": "auto",
    "engine.oil_pressure": 414.0,
    "engine.coolant_temperature": -10.0,
    "tank.fuel_level": 63.0,
    "engine.charge_voltage": 27.9,
    "engine.battery_voltage": 13.7,
    "engine.speed": 1500.0,
    "generator.frequency": 50.1,
    "generator.voltage_l1": 230.0,
    "generator.current_l2": 12.3,
    "generator.power_l2": -1000.0,
    "grid.frequency": 49.9,
    "grid.voltage_l1": 230.1,
    "engine.state": "running",
    "generator.power": 100_000.0,
    "engine.run_time": 24.0,
}
DERIVED_VALUES: dict[str, float | str] = {
    "generator.voltage_l12": 399.5,
    "generator.apparent_power": 118_000.0,
    "generator.power_factor": -0.85,
    "engine.load": 42.5,
    "engine.maintenance_due": -10.0,
    "generator.energy": 6553.7,
    "engine.starts": 351.0,
}


@pytest.mark.parametrize("name", GENCOMM)
def test_gencomm_instruments(name: str) -> None:
    assert values(name, GENCOMM_IMAGE, GENCOMM_VALUES) == GENCOMM_VALUES
    if name != "dse-generic":
        assert values(name, GENCOMM_IMAGE, DERIVED_VALUES) == DERIVED_VALUES


# GenComm: the top eight codes of each type; 0xFFF9 is what a fuel switch shows instead of a level.
@pytest.mark.parametrize("name", GENCOMM)
def test_gencomm_sentinels(name: str) -> None:
    found = readings(
        name,
        {1024: 0xFFFC, 1025: 0x7FFD, 1027: 0xFFF9, 1032: 0xFFFF, 1033: 0xFFFF, 1052: 0x7FFF, 1053: 0xFFFE},
    )

    assert found["engine.oil_pressure"] == Reading("engine.oil_pressure", None, "sensor_fault")
    assert found["engine.coolant_temperature"].reason == "under_range"
    assert found["tank.fuel_level"].reason == "digital_low"
    assert found["generator.voltage_l1"].reason == "absent"
    assert found["generator.power_l1"].reason == "over_range"


# Named alarms, victronenergy/veutil genset_error.cpp: error 0x1200 + n is alarm n of dse.py's register
# 39425 + n // 4 (72xx), 0x1500 the same for the 71xx, 0x1000 for register 2049 + n // 4. Fields of four
# bits, the first the most significant; 2 warning, 3 shutdown, 4 electrical trip.
NAMED = [
    ("dse-72xx", 39425, 1, "emergency_stop"),
    ("dse-72xx", 39425, 4, "low_coolant_temperature"),  # 0x1203
    ("dse-72xx", 39428, 2, "fail_to_start"),  # 0x120d
    ("dse-72xx", 39430, 3, "low_fuel_level"),  # 0x1216
    ("dse-72xx", 39431, 3, "low_oil_level_switch"),  # 0x121a
    ("dse-72xx", 39433, 4, "maintenance_due"),  # 0x1223
    ("dse-72xx", 39435, 3, "generator_short_circuit"),  # 0x122a
    ("dse-72xx", 39438, 3, "generator_reverse_power"),  # 0x1236
    ("dse-72xx", 39441, 2, "fuel_sender_open"),  # 0x1241
    ("dse-72xx", 39443, 1, "high_fuel_level"),  # 0x1248
    ("dse-72xx", 39444, 4, "coolant_high_temp_electrical_trip"),  # 0x124f
    ("dse-71xx", 39430, 2, "calibration_lost"),  # 0x1515
    ("dse-71xx", 39430, 4, "can_ecu_warning"),  # 0x1517
    ("dse-71xx", 39434, 2, "low_fuel_level"),  # 0x1525
    ("dse-71xx", 39435, 4, "dptc_filter"),  # 0x152b
    ("dse-old-alarms", 2049, 2, "low_oil_pressure"),
    ("dse-old-alarms", 2050, 3, "fail_to_start"),
    ("dse-old-alarms", 2051, 1, "loss_of_speed_signal"),
    ("dse-old-alarms", 2052, 2, "generator_high_current"),
    ("dse-old-alarms", 2054, 4, "charge_alternator_fail"),
    ("dse-old-alarms", 2055, 1, "engine_battery_low"),
    ("dse-old-alarms", 2055, 3, "low_fuel_level"),  # 55x GenComm manual p. 42: register 7, 5/16-8/16
    ("dse-old-alarms", 2056, 2, "mains_fail_to_close"),  # register 8, 9/16-12/16
    ("dse-old-alarms", 2068, 4, "low_coolant_temperature"),  # 0x104f
    ("dse-old-alarms", 2073, 3, "bus_2_phase_rotation"),  # 0x1062
    ("dse-generic", 39430, 3, "low_fuel_level"),
]


@pytest.mark.parametrize(("name", "address", "place", "alarm"), NAMED)
def test_gencomm_alarms_have_the_names_of_their_family(
    name: str, address: int, place: int, alarm: str
) -> None:
    quiet = {item.address: 0x1111 for item in loaded(name)[0].point if item.type == "nibble"}
    shift = 4 * (4 - place)
    words = {1: "not_active", 2: "warning", 3: "shutdown", 4: "electrical_trip", 15: None}
    for code, word in words.items():
        found = readings(name, quiet | {address: 0x1111 & ~(0xF << shift) | code << shift})
        alarms = {point: reading.value for point, reading in found.items() if point.startswith("alarm.")}

        assert alarms.pop(f"alarm.{alarm}") == word
        assert set(alarms.values()) == {"not_active"}


def test_every_gencomm_alarm_of_a_family_is_there() -> None:
    """dse.py: 20 registers for the 72xx; veutil leaves 2 of the 71xx's 44 places and 1 of page 8's 100 unnamed."""
    counts = {name: sum(item.type == "nibble" for item in profile.load(name).point) for name in GENCOMM}

    assert counts == {"dse-generic": 24, "dse-72xx": 80, "dse-71xx": 42, "dse-old-alarms": 99}


def test_reserved_places_of_the_small_sets_are_nobodys_alarm() -> None:
    """0x1516 and 0x1523 have no name: what stands there must not show under a neighbour's."""
    quiet = dict.fromkeys(range(39425, 39436), 0x1111)
    found = readings("dse-71xx", quiet | {39430: 0x1131, 39433: 0x1113})

    alarms = {reading.value for point, reading in found.items() if point.startswith("alarm.")}
    assert alarms == {"not_active"}


# ComAp InteliLite 4: Global Guide p. 130 gives 1053 and its 00F0 hex = 24.0 V; comap.py the others:
# 4.1 bar = 410 kPa, 12 345.6 h = 123 456 tenths = 0x1E240, 12 kW, -1 kW, 50.1 Hz, 190 kWh.
COMAP_IMAGE = {
    1004: 1500, 1006: 0xFFF6, 1008: 41, 1013: 1, 1014: 0xE240, 1020: 12, 1021: 0xFFFF, 1036: 501, 1037: 231,
    1043: 17, 1053: 0x00F0, 1055: 63, 1264: 190, 1298: 8, 1382: 2,
}  # fmt: skip
COMAP_VALUES: dict[str, float | str] = {
    "engine.speed": 1500.0,
    "engine.coolant_temperature": -10.0,
    "engine.oil_pressure": 410.0,
    "engine.run_time": 12_345.6,
    "generator.power": 12_000.0,
    "generator.power_l1": -1000.0,
    "generator.frequency": 50.1,
    "generator.voltage_l1": 231.0,
    "generator.current_l1": 17.0,
    "engine.battery_voltage": 24.0,
    "tank.fuel_level": 63.0,
    "generator.energy": 190.0,
    "engine.state": "loaded",
    "engine.mode": "auto",
}


def test_comap_values() -> None:
    assert values("comap-intelilite4", COMAP_IMAGE, COMAP_VALUES) == COMAP_VALUES


# Global Guide p. 258: 32768 when signed, 65535 when unsigned; comap.py: 0x8000 for speed and fuel too.
def test_comap_invalid_values() -> None:
    signed = {1004: 0x8000, 1006: 0x8000, 1008: 0x8000, 1013: 0x8000, 1020: 0x8000, 1055: 0x8000}
    found = readings("comap-intelilite4", signed | {1036: 0xFFFF, 1053: 0xFFFF, 1263: 0xFFFF, 1264: 0xFFFF})

    for point in (
        "engine.speed", "engine.coolant_temperature", "engine.oil_pressure", "engine.run_time", "generator.power",
        "tank.fuel_level", "generator.frequency", "engine.battery_voltage", "generator.energy",
    ):  # fmt: skip
        assert found[point] == Reading(point, None, "absent")


# Datakom, datakom.py and the manual: u32 low word first. 230.4 V = 2304 tenths; 100.0 kW = 1000 tenths;
# 6 656.0 A is what 1.0 A would be with its words swapped; 65 537 hundredths of an hour = 655.37 h.
DATAKOM_IMAGE = {
    10246: 2304, 10270: 10, 10286: 333, 10294: 1000, 10339: 5010, 10341: 1372, 10361: 41, 10362: 835,
    10363: 634, 10364: 955, 10376: 1500, 10604: 13, 10605: 4, 10616: 351, 10622: 1, 10623: 1, 10628: 5, 10629: 1,
}  # fmt: skip
DATAKOM_VALUES: dict[str, float | str] = {
    "generator.voltage_l1": 230.4,
    "generator.current_l1": 1.0,
    "generator.power_l1": 33_300.0,
    "generator.power": 100_000.0,
    "generator.frequency": 50.1,
    "engine.battery_voltage": 13.72,
    "engine.oil_pressure": 410.0,
    "engine.coolant_temperature": 83.5,
    "tank.fuel_level": 63.4,
    "engine.oil_temperature": 95.5,
    "engine.speed": 1500.0,
    "engine.state": "master_on_load",
    "engine.mode": "auto",
    "engine.starts": 351.0,
    "engine.run_time": 655.37,
    "generator.energy": 6554.1,
}


def test_datakom_values() -> None:
    assert values("datakom", DATAKOM_IMAGE, DATAKOM_VALUES) == DATAKOM_VALUES


def test_datakom_without_an_oil_temperature_and_in_the_cold() -> None:
    found = readings("datakom", {10364: 0x7FFF, 10362: 0xFFCE})  # -5.0 degrees, which no source settles

    assert found["engine.oil_temperature"] == Reading("engine.oil_temperature", None, "absent")
    assert found["engine.coolant_temperature"] == Reading("engine.coolant_temperature", None, "implausible")


# DEIF AGC 150, deif.py: function 4, 1 V, 1 A, 1 kW, 0.01 Hz, 1 kWh, 1 h, 0.1 V; "AGC150GEN" at 770.
DEIF_IMAGE = {
    504: 231, 507: 5010, 513: 17, 516: 4, 519: 0xFFFF, 536: 1, 537: 0, 554: 0, 555: 1234, 566: 351, 567: 274,
    593: 1500, 1018: 0x0040, 770: 0x4147, 771: 0x4331, 772: 0x3530, 773: 0x4745, 774: 0x4E00,
}  # fmt: skip
DEIF_VALUES: dict[str, float | str] = {
    "generator.voltage_l1": 231.0,
    "generator.frequency": 50.1,
    "generator.current_l1": 17.0,
    "generator.power_l1": 4000.0,
    "generator.power": -1000.0,
    "generator.energy": 65_536.0,
    "engine.run_time": 1234.0,
    "engine.starts": 351.0,
    "engine.battery_voltage": 27.4,
    "engine.speed": 1500.0,
    "engine.state": "running",
    "device.model": "AGC150GEN",
}


def test_deif_values() -> None:
    assert values("deif-agc150", DEIF_IMAGE, DEIF_VALUES) == DEIF_VALUES
    assert readings("deif-agc150", {})["engine.speed"] == Reading("engine.speed", None, "absent")
    assert readings("deif-agc150", {1018: 0xFFBF})["engine.state"].value == "stopped"
    assert {block.function for block in plan(profile.load("deif-agc150"))} == {4}


# SmartGen HGM4000N, genmon SmartGen_HGM4000.json: hours, starts and energy high word first.
SMARTGEN_IMAGE = {
    0: 231, 6: 500, 7: 230, 10: 399, 13: 501, 14: 17, 17: 83, 19: 414, 21: 63, 23: 1500, 24: 274, 26: 12, 34: 9,
    42: 1, 43: 2, 46: 0, 47: 351, 48: 1, 49: 0, 55: 42, 59: 95, 68: 1, 69: 0,
}  # fmt: skip
SMARTGEN_VALUES: dict[str, float | str] = {
    "grid.voltage_l1": 231.0,
    "grid.frequency": 50.0,
    "generator.voltage_l1": 230.0,
    "generator.voltage_l12": 399.0,
    "generator.frequency": 50.1,
    "generator.current_l1": 17.0,
    "engine.coolant_temperature": 83.0,
    "engine.oil_pressure": 414.0,
    "engine.oil_temperature": 95.0,
    "tank.fuel_level": 63.0,
    "engine.speed": 1500.0,
    "engine.battery_voltage": 27.4,
    "generator.power": 12_000.0,
    "engine.state": "running",
    "engine.run_time": 65_538.0,
    "engine.starts": 351.0,
    "generator.energy": 65_536.0,
    "engine.load": 42.0,
    "engine.fuel_used": 6553.6,
}


def test_smartgen_values() -> None:
    assert values("smartgen-hgm4000n", SMARTGEN_IMAGE, SMARTGEN_VALUES) == SMARTGEN_VALUES


# genmon: 32767 no data, 32766 the sender is open.
@pytest.mark.parametrize(("point", "address"), [("tank.fuel_level", 21), ("engine.oil_pressure", 19)])
def test_smartgen_senders(point: str, address: int) -> None:
    assert readings("smartgen-hgm4000n", {address: 0x7FFF})[point] == Reading(point, None, "absent")
    assert readings("smartgen-hgm4000n", {address: 0x7FFE})[point] == Reading(point, None, "sensor_fault")


def signs(name: str) -> dict[int, tuple[int | str, ...]]:
    return {sign.address: sign.equals for sign in profile.load(name).recognise}


# dse.py: manufacturer 1 at 768, model at 769; datakom.py: the model in hexadecimal at 10609; deif.py: 770.
def test_who_can_be_recognised() -> None:
    assert {name: signs(name)[768] for name in GENCOMM} == dict.fromkeys(GENCOMM, (1,))
    assert 32841 in signs("dse-72xx")[769]  # 7320 MkII
    assert 32808 in signs("dse-71xx")[769]  # 4510 MkII
    assert 7320 in signs("dse-old-alarms")[769]
    models = [set(signs(name)[769]) for name in GENCOMM[1:]]
    assert sum(len(known) for known in models) == len(set.union(*models))
    assert signs("datakom") == {10609: (0xD300, 0xD500, 0xD545, 0xD700)}
    assert "AGC150GEN" in signs("deif-agc150")[770]


@pytest.mark.parametrize("name", ["comap-intelilite4", "datakom"])
def test_only_registers_that_exist_are_asked_for(name: str) -> None:
    """comap.py and datakom.py: reg_hole_max = 0, a block with an unknown register is refused."""
    device = profile.load(name)
    there = {item.address + offset for item in device.point for offset in range(item.words)}

    for block in plan(device):
        assert set(range(block.address, block.address + block.count)) <= there


@pytest.mark.parametrize("name", GENSETS)
def test_what_the_kit_needs_of_a_generator_is_there(name: str) -> None:
    points = {item.name for item in profile.load(name).point}

    assert {"generator.frequency", "generator.voltage_l1", "generator.power", "engine.speed"} <= points
    assert name == "deif-agc150" or "tank.fuel_level" in points  # which the DEIF has where the site wired it


@pytest.mark.parametrize("name", GENCOMM)
def test_an_alarm_can_show_as_one(name: str) -> None:
    for item in profile.load(name).point:
        if item.name.startswith("alarm."):
            assert isinstance(item.enum, dict)
            assert set(item.enum.values()) & ALARM_WORDS == ALARM_WORDS - {"alarm"}


def test_confidence_is_not_more_than_the_sources_give() -> None:
    found = {name: profile.load(name).confidence for name in GENSETS}

    assert found.pop("deif-agc150") == found.pop("smartgen-hgm4000n") == "one source"
    assert set(found.values()) == {"two sources"}
