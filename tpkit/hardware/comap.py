"""Makes a profile of a ComAp controller's own register map, for every configuration has another one.

The map is the text that InteliConfig exports (`cfgmodbus.txt`), or the older tools (LiteEdit, GenConfig)
as "Modbus registers". Of its tables only Values is read; its rows are, by the InteliLite 9 Global Guide
p. 130 and the IGS-NT Communication Guide p. 144,

    Register(s) Com.Obj. Name           Dimension Type    Len Dec Min Max Group
    01053       8213     BatteryVoltage V         Integer 2   1   0   400 Controller I/O

with Len in bytes and Dec the decimals. A number below 40001 is the address on the wire (01053 is asked
for as 041D hex); the older tools count from 40001. Names in the files of different families differ, and
only those listed here are taken; the other numbers are left in the profile as comments, to be named by
hand. Lists (engine state, mode) are among them: what their codes mean is not in these rows.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from tpkit.domain.points import POINTS
from tpkit.errors import ConfigError
from tpkit.hardware.profile_rules import CONVERSIONS

NAMES = {
    "engine.speed": ("rpm", "enginespeedrpm"),
    "engine.oil_pressure": ("oilpressure", "oilpress"),
    "engine.coolant_temperature": ("coolanttemperature", "coolanttemp", "watertemp"),
    "engine.battery_voltage": ("batteryvoltage", "ubat"),
    "engine.run_time": ("runninghours", "runhours"),
    "engine.starts": ("numstarts", "numberofstarts"),
    "engine.fuel_used": ("totalfuelconsumption",),
    "tank.fuel_level": ("fuellevel",),
    "generator.frequency": ("generatorfrequency",),
    "generator.voltage_l1": ("generatorvoltagel1n",),
    "generator.voltage_l2": ("generatorvoltagel2n",),
    "generator.voltage_l3": ("generatorvoltagel3n",),
    "generator.voltage_l12": ("generatorvoltagel1l2",),
    "generator.voltage_l23": ("generatorvoltagel2l3",),
    "generator.voltage_l31": ("generatorvoltagel3l1",),
    "generator.current_l1": ("generatorcurrentl1", "loadal1"),
    "generator.current_l2": ("generatorcurrentl2", "loadal2"),
    "generator.current_l3": ("generatorcurrentl3", "loadal3"),
    "generator.power": ("generatorp", "generatorkw", "actualpower", "actpower", "loadkw"),
    "generator.power_l1": ("actualpowerl1", "loadkwl1"),
    "generator.power_l2": ("actualpowerl2", "loadkwl2"),
    "generator.power_l3": ("actualpowerl3", "loadkwl3"),
    "generator.energy": ("gensetkwh", "totalkwhours"),
    "grid.frequency": ("mainsfrequency",),
    "grid.voltage_l1": ("mainsvoltagel1n",),
    "grid.voltage_l2": ("mainsvoltagel2n",),
    "grid.voltage_l3": ("mainsvoltagel3n",),
}
"""What ComAp calls a point, in letters and digits only.

From igor-panteleev/pycomap's list of an InteliLite's values, jgyates/genmon@0b99317 ComAp.json and the
guides. "Load kW" and "Load A" are what InteliLite measures at the generator's current transformers.
"""

DIMENSIONS = {
    "bar": "bar", "kpa": "kPa", "psi": "psi", "°c": "°C", "°f": "°F", "%": "%", "v": "V", "a": "A",
    "hz": "Hz", "rpm": "rpm", "kw": "kW", "w": "W", "kva": "kVA", "kvar": "kvar", "h": "h", "kwh": "kWh",
    "l": "L", "l/h": "L/h", "s": "s",
}  # fmt: skip
"""The dimensions of the export, and tpkit's word for them."""

ROW = re.compile(
    r"(?P<first>\d{5})(?:\s*[-÷–.]+\s*(?P<last>\d{5}))?\s+(?P<object>\d{1,5})\s+(?P<name>\S.*?)\s+"
    r"(?P<type>Integer|Unsigned|Binary|Char|List|StrList|StringList|String|ShortStr|LongStr|Timer|Time|Date"
    r"|Float|Domain|Alarm|IpAddress|Email)\d*(?:#\d+)?\s+(?P<length>\d+)(?:\s+(?P<decimals>\d|-)(?:\s|$)|\s|$)",
    re.IGNORECASE,
)
TABLE = re.compile(r"table\s*:\s*(?P<name>\w+)", re.IGNORECASE)
OLD_NUMBERING = 40001

HEAD = """\
# Made from the register map that the controller's configuration exports. Compare every value with the
# controller's own display. What is commented out was not known by its name or unit: give it the name of
# a point (docs/points.md) and take the # away. An InteliLite's Load is taken for the generator's: that is
# wrong where its current transformers are set to stand at the load.

title = {title}
source = "this site's ComAp register export; ComAp InteliLite 9 Global Guide p. 126, 130, 258"
confidence = "one source"
tested_on_hardware = false
function = 3
address_base = 0
word_order = "big"

point = [
"""
TAIL = """\
]

[sentinels]
u16 = { 0xFFFF = "absent" }
s16 = { 0x8000 = "absent" }
u32 = { 0xFFFFFFFF = "absent" }
s32 = { 0x80000000 = "absent" }
"""
"""Invalid is the least number when signed, the greatest when unsigned (Global Guide p. 258)."""


class Value(Struct, frozen=True):
    """A row of the table Values: `address` is the protocol's, `type` a profile's or empty."""

    line: int
    address: int
    name: str
    unit: str
    type: str
    decimals: int


def profile_from_export(text: str, title: str) -> str:
    """A profile as TOML text, from an exported register map.

    Raises ConfigError naming every line that cannot be read, two lines that are the same point, and a
    map that has no known value at all.
    """
    faults: list[str] = []
    rows = list(_values(text, faults))
    named: dict[str, Value] = {}
    for row in rows:
        point = _point_of(row)
        if point in named:
            faults.append(f"lines {named[point].line} and {row.line}: both are {point}; delete one")
        elif point:
            named[point] = row
    if not named and not faults:
        faults.append('no known value found; expected rows as below "Table: Values" of cfgmodbus.txt')
    if faults:
        raise ConfigError([f"ComAp register map: {fault}" for fault in faults])
    lines = (_line(row, _point_of(row)) for row in rows if row.type)
    return HEAD.format(title=_quoted(title)) + "\n".join(lines) + "\n" + TAIL


def _values(text: str, faults: list[str]) -> Iterator[Value]:
    """The rows of the table Values; everything is, where the text has no tables."""
    table = "values"
    for number, raw in enumerate(text.splitlines(), start=1):
        line = re.sub(r"[\t;\xa0]", " ", raw).strip()
        if heading := TABLE.match(line):
            table = heading["name"].lower()
        elif table == "values" and re.match(r"\d{5}\b", line) and not re.search(r"\bnot used\b", line, re.I):
            try:
                yield _value(number, line)
            except ValueError as error:
                faults.append(f"line {number}: {error}: {line}")


def _value(number: int, line: str) -> Value:
    found = ROW.match(line)
    if found is None:
        raise ValueError("cannot be read as Register(s) Com.Obj. Name Dimension Type Len Dec")
    first, length = int(found["first"]), int(found["length"])
    registers = max(1, -(-length // 2))
    if found["last"] and int(found["last"]) != first + registers - 1:
        raise ValueError(f"{length} bytes are not in these registers")
    address = first - OLD_NUMBERING if first >= OLD_NUMBERING else first
    name, unit = _name_and_unit(found["name"])
    kind = {"integer": "s", "unsigned": "u"}.get(found["type"].lower(), "")
    if kind and length > 4:
        raise ValueError(f"a number of {length} bytes")
    decimals = int(found["decimals"]) if (found["decimals"] or "-") != "-" else 0
    return Value(number, address, name, unit, kind and f"{kind}{16 * registers}", decimals)


def _name_and_unit(text: str) -> tuple[str, str]:
    """The name, and tpkit's word for the dimension behind it or nothing."""
    *name, last = text.split()
    known = DIMENSIONS.get(last.lower()) if name else None
    return (" ".join(name), known) if known else (" ".join([*name, last]), "")


def _point_of(row: Value) -> str:
    """The point that the row is, by its name, if it is a number whose unit fits."""
    plain = re.sub(r"[^a-z0-9]", "", row.name.lower())
    point = next((point for point, names in NAMES.items() if plain in names), "")
    if not point or not row.type:
        return ""
    unit = POINTS[point].unit
    counted = unit == "count" and not row.unit
    return point if counted or row.unit == unit or (row.unit, unit) in CONVERSIONS else ""


def _line(row: Value, point: str) -> str:
    parts = [f'name = "{point or "?"}"', f"address = {row.address}", f'type = "{row.type}"']
    if row.decimals:
        parts.append(f"scale = {10.0**-row.decimals:g}")
    if row.unit:
        parts.append(f'unit = "{row.unit}"')
    return f"  {'' if point else '# '}{{ {', '.join(parts)} }},  # {row.name}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", " ", escaped) + '"'
