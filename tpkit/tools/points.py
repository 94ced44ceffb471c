"""Writes docs/points.md, the vocabulary of measured points, and the table of profiles in docs/profiles.md.

Run as `python -m tpkit.tools.points` after adding or changing a point or a profile. A contract test
compares.
"""

import math
import re
import sys
from pathlib import Path

from tpkit.domain.points import ALARM_WORDS, POINTS, Point
from tpkit.hardware import profile

DOCS = Path(__file__).parents[2] / "docs"
BEGIN, END = "<!-- made by python -m tpkit.tools.points: profiles -->\n", "<!-- end -->\n"

MEANINGS = {
    "device.*": "read once, to say what answers",
    "engine.state": "the maker's word for where the engine is between standing and running",
    "engine.mode": "what the controller is set to: off, manual, auto ...",
    "engine.error": "the maker's code or word",
    "engine.load": "of the rated power",
    "engine.battery_voltage": "the starter battery",
    "engine.charge_voltage": "of the charge alternator",
    "engine.maintenance_due": "hours left; negative when overdue",
    "engine.fuel_used": "since the counter was set to zero",
    "*.voltage_l12": "between two phases, as are l23 and l31",
    "generator.power": "positive: towards the site",
    "generator.power_l*": "positive: towards the site",
    "generator.start_reason": "why the GX started it",
    "generator.port_use": "what the inverter's AUX port is set to",
    "tank.*_level": "senders may show more than 100",
    "tank.height": "of the liquid above the sensor",
    "tank.height_format": "the unit and decimals that the sensor is set to",
    "tank.fluid": "what the tank is set to hold",
    "battery.current": "positive: charging",
    "battery.power": "positive: charging",
    "battery.consumed": "since full; 0 or negative",
    "battery.time_to_go": "the monitor's own estimate, not tpkit's endurance",
    "battery.cell_voltage_low": "the lowest cell",
    "battery.cell_voltage_high": "the highest cell",
    "inverter.power": "positive: out of the inverter, to the loads",
    "inverter.power_l*": "positive: out of the inverter, to the loads",
    "inverter.source": "what supplies the loads now",
    "inverter.input": "which of the inverter's inputs is in use",
    "inverter.input_power_l*": "positive: into the inverter",
    "battery.connection": "whether the battery is connected to its bus, or why not",
    "battery.events": "whether the device gives its alarms at all; without it the alarms count as unknown",
    "inverter.events": "whether the device gives its alarms at all; without it the alarms count as unknown",
    "inverter.dc_current": "positive: charging the battery",
    "grid.power": "positive: towards the site",
    "grid.power_l*": "positive: towards the site",
    "grid.energy_import": "from the grid",
    "grid.energy_export": "to the grid",
    "solar.power": "of all panels",
    "solar.power_*": "of one string or tracker",
    "solar.voltage_*": "of one string or tracker",
    "load.power": "drawn by the site",
    "load.power_l*": "drawn by the site",
    "meter.power": "of a meter that stands alone; positive: import",
    "meter.power_l*": "positive: import",
    "meter.energy": "import and export together, as the meter counts it",
    "climate.temperature_*": "inputs of a module",
    "climate.resistance_*": "of the sensor itself, to tell an open or shorted one",
    "loop.current_*": "4-20 mA; `[[device.NAME.input]]` in kit.toml says what it means",
    "loop.mode_*": "what the input is set to measure",
}
"""What is not obvious from the name. A name ending or broken by * stands for all that match."""

HEAD = """\
# Points

Every profile says which register holds which of these points, and nothing else is measured. The unit stands
here and not in the name; values arrive in it whatever the maker's unit. A number outside the range is not
believed: the point then has no value, and says why (`implausible`). The range is the widest that any fitting
device can show; a profile may narrow it, never widen it. Points without a unit hold a word or a text.

`alarm.*` (any name in lower case, such as `alarm.low_oil_pressure`) holds a word. The alarm is on while it is
one of {alarms};
any other word means that it is off or not fitted.

Made by `python -m tpkit.tools.points` from `tpkit/domain/points.py`.

| point | unit | range | meaning |
| --- | --- | --- | --- |
"""


def document() -> str:
    """The whole of docs/points.md."""
    alarms = ", ".join(f"`{word}`" for word in sorted(ALARM_WORDS))
    rows = (
        f"| `{name}` | {known.unit} | {_range(known)} | {meaning(name)} |" for name, known in POINTS.items()
    )
    return HEAD.format(alarms=alarms) + "\n".join(rows) + "\n"


def meaning(name: str) -> str:
    """What is said of a point: under its own name, else under the longest pattern that matches it."""
    fitting = [key for key in MEANINGS if re.fullmatch(re.escape(key).replace(r"\*", ".*"), name)]
    return MEANINGS[max(fitting, key=lambda key: ("*" not in key, len(key)))] if fitting else ""


def _range(known: Point) -> str:
    if math.isinf(known.lowest) and math.isinf(known.highest):
        return ""
    return f"{known.lowest:,.10g} … {known.highest:,.10g}".replace(",", " ").replace("-", "\N{MINUS SIGN}")


def profiles() -> str:
    """The table of shipped profiles: name, title, confidence and source of each."""
    rows = ["| profile | for | confidence | source |", "| --- | --- | --- | --- |"]
    for name in profile.names():
        known = profile.load(name)
        rows.append(f"| `{name}` | {known.title} | {known.confidence} | {known.source.replace('|', '/')} |")
    return "\n".join(rows) + "\n"


def with_profiles(text: str) -> str:
    """docs/profiles.md with its table as it should be."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + profiles() + END + rest.partition(END)[2]


if __name__ == "__main__":
    (DOCS / "points.md").write_text(document(), encoding="utf-8")
    about = DOCS / "profiles.md"
    about.write_text(with_profiles(about.read_text("utf-8")), encoding="utf-8")
    sys.stdout.write(f"{DOCS}: {len(POINTS)} points, {len(profile.names())} profiles\n")
