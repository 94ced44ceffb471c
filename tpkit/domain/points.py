"""The vocabulary of measured points: one name, one unit, one sign for each, whatever the maker.

Battery current and power are positive while charging. Powers of grid and generator are positive
towards the site. The plausible range is the widest that any fitting device can show; a profile may
narrow it. Alarm points (`alarm.*`) hold a word, not a number.
"""

from msgspec import Struct


class Point(Struct, frozen=True):
    """One measurable quantity: its unit, and the range outside which a number is not believed."""

    unit: str
    lowest: float = float("-inf")
    highest: float = float("inf")


def _three_phase(stem: str, point: Point) -> dict[str, Point]:
    return {f"{stem}_l{phase}": point for phase in (1, 2, 3)}


POINTS: dict[str, Point] = {
    "tank.fuel_level": Point("%", 0, 130),
    "engine.state": Point(""),
    "engine.mode": Point(""),
    "engine.speed": Point("rpm", 0, 6000),
    "engine.oil_pressure": Point("kPa", 0, 2000),
    "engine.oil_temperature": Point("°C", -50, 250),
    "engine.coolant_temperature": Point("°C", -50, 250),
    "engine.battery_voltage": Point("V", 0, 60),
    "engine.charge_voltage": Point("V", 0, 60),
    "engine.run_time": Point("h", 0, 1_000_000),
    "generator.frequency": Point("Hz", 0, 100),
    "generator.power": Point("W", -2_000_000, 2_000_000),
    **_three_phase("generator.voltage", Point("V", 0, 1000)),
    **_three_phase("generator.current", Point("A", 0, 5000)),
    **_three_phase("generator.power", Point("W", -1_000_000, 1_000_000)),
    "battery.voltage": Point("V", 0, 1000),
    "battery.current": Point("A", -3000, 3000),
    "battery.power": Point("W", -200_000, 200_000),
    "battery.state_of_charge": Point("%", 0, 100),
    "battery.state_of_health": Point("%", 0, 100),
    "battery.state": Point(""),
    "battery.temperature": Point("°C", -50, 100),
    "battery.consumed": Point("Ah", -100_000, 0),
    "battery.time_to_go": Point("h", 0, 2000),
    "inverter.source": Point(""),
    "solar.power": Point("W", 0, 200_000),
    "grid.frequency": Point("Hz", 0, 100),
    **_three_phase("grid.voltage", Point("V", 0, 1000)),
    **_three_phase("grid.power", Point("W", -1_000_000, 1_000_000)),
    **_three_phase("load.power", Point("W", 0, 1_000_000)),
    "climate.indoor_temperature": Point("°C", -40, 60),
}

ALARM_PREFIX = "alarm."
ALARM_WORDS = frozenset({"warning", "shutdown", "electrical_trip", "controlled_shutdown", "alarm"})
"""What an alarm point says while its alarm is on; any other word means it is off or not fitted."""

HAND_POINTS = ("tank.fuel_level",)
"""Points that staff can enter by hand in this version."""


def point(name: str) -> Point | None:
    """The vocabulary's entry for `name`; every `alarm.*` name is a word without unit."""
    return Point("") if name.startswith(ALARM_PREFIX) else POINTS.get(name)
