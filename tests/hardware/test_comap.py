"""The importer of a ComAp controller's own register map.

The form of the rows, and that 01053 is asked for as 041D hex with one decimal, are from the InteliLite 9
Global Guide p. 130; Len in bytes and the numbering from 40001 from the IGS-NT Communication Guide p. 94
and 144; the head and the table of binaries from an export of 2020 (format 2.0). The names and types of
the other rows are those of an InteliLite in igor-panteleev/pycomap; their registers, of ComAp's factory
map, are in victronenergy/dbus-modbus-client comap.py.
"""

import pytest

from tpkit.domain.samples import Reading
from tpkit.errors import ConfigError
from tpkit.hardware import profile
from tpkit.hardware.comap import profile_from_export
from tpkit.hardware.decoding import decode
from tpkit.hardware.planning import plan
from tpkit.hardware.profile_form import Profile

RULER = "=" * 126
EXPORT = f"""\
HEADER
{RULER}
Format:              2.0
LongNamesLength:     32 - Name, Name of State, Name of Value, Bit Name, Group
ShortNamesLength:    10 - Dimension, Type
{RULER}
{RULER}
 Table: Binaries
{RULER}

Allowed MODBUS functions: 01, 02

Addresses     Source
Modbus Addr.  = Value  C.O.#    Name of Value                    Bit # Bit Name                         Group
Prot. Addr.   = State  State #  Name of State                    Activated by protection(s):
{RULER}
00000         Value       8235  Binary Inputs                        1 KO Sd Cool L Lo HT               Controller I/O
00004         Not Used
{RULER}
 Table: Values
{RULER}

Allowed MODBUS functions: 03, 04

Register(s)   Com.Obj. Name                             Dimension  Type       Len Dec   Min   Max Group
{RULER}
01004            10123 RPM                              RPM        Integer      2   0     0  4000 Engine
01006             9152 Coolant Temperature              °C         Integer      2   0   -16   120 Controller I/O
01008             9151 Oil Pressure                     bar        Integer      2   1     0   100 Controller I/O
01013-01014       8206 Running Hours                    h          Integer      4   1     -     - Statistics
01020             8202 Load kW                          kW         Integer      2   0     -     - Load
01021             8204 Load Power Factor                           Integer      1   2     -     - Load
01036             8210 Generator Frequency              Hz         Unsigned     2   1     0   700 Generator
01037             8192 Generator Voltage L1-N           V          Unsigned     2   0     0   300 Generator
01053             8213 BatteryVoltage                   V          Integer      2   1     0   400 Controller I/O
01055             9153 Fuel Level                       %          Integer      2   0     0   100 Controller I/O
01056             9154 Not Used                                    Integer      2   0     0   100 Controller I/O
01060            14293 Tank 2                           cm         Integer      2   0     0   100 Plug-in IO
01263-01264       8205 Genset kWh                       kWh        Integer      4   0     -     - Statistics
01270             8207 Num Starts                                  Unsigned     2   0     0 65535 Statistics
01298             9244 Engine State                                List#1       1   -     0    20 IL Info
01307-01322      24501 ID String                                   String      32   -     -     - IL Info
01400             8235 Binary Inputs                               Binary#1     2   -     -     - Controller I/O
{RULER}
 Table: Setpoints
{RULER}

Allowed MODBUS functions: 03, 04, 06, 16

03000             8276 Fuel Level                       %          Integer      2   0     1    32 Basic
"""


def imported(text: str = EXPORT) -> Profile:
    return profile.parse("site", profile_from_export(text, "ComAp at the school"))


def values(device: Profile, registers: dict[int, int]) -> dict[str, Reading]:
    found = {}
    for block in plan(device):
        words = tuple(registers[block.address + offset] for offset in range(block.count))
        found |= {reading.point: reading for reading in decode(device, block, words)}
    return found


# By hand: 1500 rpm; 83 degC; 4.1 bar = 410 kPa; 5504 tenths of an hour = 550.4 h; 12 kW; 50.1 Hz;
# the guide's own 00F0 hex = 24.0 V; 190 kWh; and 0x00010000 kWh = 65 536, the high word first.
REGISTERS = {
    1004: 1500, 1006: 83, 1008: 41, 1013: 0, 1014: 5504, 1020: 12, 1036: 501, 1037: 231, 1053: 0x00F0,
    1055: 63, 1263: 1, 1264: 0, 1270: 351,
}  # fmt: skip


def test_an_export_becomes_a_profile_that_reads_right() -> None:
    found = values(imported(), REGISTERS)

    assert {point: reading.value for point, reading in found.items()} == {
        "engine.speed": 1500.0,
        "engine.coolant_temperature": 83.0,
        "engine.oil_pressure": 410.0,
        "engine.run_time": 550.4,
        "generator.power": 12_000.0,
        "generator.frequency": 50.1,
        "generator.voltage_l1": 231.0,
        "engine.battery_voltage": 24.0,
        "tank.fuel_level": 63.0,
        "generator.energy": 65_536.0,
        "engine.starts": 351.0,
    }


# Global Guide p. 258: invalid is 32768 in a signed value, 65535 in an unsigned one. The values that
# pycomap shows of a controller without the sensor are -32768, -2147483648 and 429496729.5.
def test_what_the_controller_calls_invalid_is_no_value() -> None:
    invalid = {1055: 0x8000, 1020: 0x8000, 1036: 0xFFFF, 1013: 0x8000, 1014: 0}

    found = values(imported(), REGISTERS | invalid)
    for point in ("tank.fuel_level", "generator.power", "generator.frequency", "engine.run_time"):
        assert found[point] == Reading(point, None, "absent")
    assert values(imported(), REGISTERS | {1270: 0x8000})["engine.starts"].value == 32_768.0


def test_only_registers_that_exist_are_asked_for() -> None:
    device = imported()

    spans = {(block.address, block.count) for block in plan(device)}
    assert (1036, 2) in spans
    assert not device.allow_gaps
    assert device.word_order == "big"


def test_the_profile_says_what_it_is_and_nothing_more() -> None:
    device = imported()

    assert device.title == "ComAp at the school"
    assert device.confidence == "one source"
    assert not device.tested_on_hardware


def test_numbers_of_unknown_names_are_kept_as_comments_to_be_named() -> None:
    lines = profile_from_export(EXPORT, "x").splitlines()

    assert '  # { name = "?", address = 1060, type = "s16" },  # Tank 2 cm' in lines
    assert '  # { name = "?", address = 1021, type = "s16", scale = 0.01 },  # Load Power Factor' in lines
    assert not [line for line in lines if "Engine State" in line or "ID String" in line or "Not Used" in line]


def test_a_known_name_with_a_unit_that_does_not_fit_is_not_taken() -> None:
    """Litres are no percentage."""
    text = EXPORT.replace("Fuel Level                       %          Integer      2   0     0   100",
                          "Fuel Level                       L          Integer      2   0     0   100")  # fmt: skip

    assert "tank.fuel_level" not in {item.name for item in imported(text).point}
    assert (
        '  # { name = "?", address = 1055, type = "s16", unit = "L" },  # Fuel Level'
        in profile_from_export(text, "x")
    )


# IGS-NT Communication Guide p. 94: battery voltage, register 40013, is asked for as 000C hex.
def test_registers_from_40001_are_counted_down() -> None:
    text = "Register(s)\tCom.Obj.\tName\tDim\tType\tLen\tDec\tMin\tMax\tGroup\n40013\t8213\tUbat\tV\tInteger\t2\t1\t0\t400\tAnalog CU\n"

    (item,) = imported(text).point
    assert (item.name, item.address, item.scale) == ("engine.battery_voltage", 12, 0.1)


def test_a_row_that_the_manual_prints_on_one_line_is_read() -> None:
    (item,) = imported("01053 8213 BatteryVoltage V Integer 2 1 0 400 Controller I/O").point

    assert (item.name, item.address, item.type, item.scale) == ("engine.battery_voltage", 1053, "s16", 0.1)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "Table: Values\n01053 8213 BatteryVoltage V Ganzzahl 2 1\n",
            "line 2: cannot be read as Register(s) Com.Obj. Name Dimension Type Len Dec: "
            "01053 8213 BatteryVoltage V Ganzzahl 2 1",
        ),
        (
            "01013-01015 8206 Running Hours h Integer 4 1 - -",
            "line 1: 4 bytes are not in these registers: 01013-01015 8206 Running Hours h Integer 4 1 - -",
        ),
        (
            "01013 8206 Running Hours h Integer 8 1 - -",
            "line 1: a number of 8 bytes: 01013 8206 Running Hours h Integer 8 1 - -",
        ),
        (
            "01004 10123 RPM RPM Integer 2 0 - -\n01005 10124 RPM RPM Integer 2 0 - -",
            "lines 1 and 2: both are engine.speed; delete one",
        ),
        ("", 'no known value found; expected rows as below "Table: Values" of cfgmodbus.txt'),
        (
            "<html><body>Log in</body></html>",
            'no known value found; expected rows as below "Table: Values" of cfgmodbus.txt',
        ),
        (
            "Table: Setpoints\n03000 8276 Fuel Level % Integer 2 0 1 32",
            'no known value found; expected rows as below "Table: Values" of cfgmodbus.txt',
        ),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        profile_from_export(text, "x")

    assert caught.value.faults == [f"ComAp register map: {fault}"]


def test_every_faulty_line_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        profile_from_export("01004 x\n01005 y\n01053 8213 BatteryVoltage V Integer 2 1", "x")

    assert [fault.split(":")[1] for fault in caught.value.faults] == [" line 1", " line 2"]


@pytest.mark.parametrize("title", ['Genset "north"', "C:\\genset", "two\nlines"])
def test_any_title_makes_a_profile(title: str) -> None:
    text = profile_from_export("01053 8213 BatteryVoltage V Integer 2 1", title)

    assert profile.parse("site", text).title == title.replace("\n", " ")
