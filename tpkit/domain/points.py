"""The vocabulary of measured points: one name, one unit, one sign for each, whatever the maker.

Battery current and power are positive while charging. Powers of grid and generator are positive
towards the site. The plausible range is the widest that any fitting device can show; a profile may
narrow it. Points without a unit hold a word or a text, and so do alarm points (`alarm.*`).
"""

from msgspec import Struct


class Point(Struct, frozen=True):
    """One measurable quantity: its unit, and the range outside which a number is not believed."""

    unit: str
    lowest: float = float("-inf")
    highest: float = float("inf")


WORD = Point("")
PERCENT = Point("%", 0, 100)
VOLTAGE = Point("V", 0, 1000)
CURRENT = Point("A", -5000, 5000)
POWER = Point("W", -2_000_000, 2_000_000)
FREQUENCY = Point("Hz", 0, 100)
POWER_FACTOR = Point("cos φ", -1, 1)
ENERGY = Point("kWh", 0, 1_000_000_000)
HOURS = Point("h", 0, 1_000_000)
COUNT = Point("count", 0, 4_294_967_295)
MACHINE_TEMPERATURE = Point("°C", -50, 250)
AIR_TEMPERATURE = Point("°C", -50, 80)


def _phases(stem: str, point: Point) -> dict[str, Point]:
    return {f"{stem}_l{phase}": point for phase in (1, 2, 3)}


def _numbered(stem: str, count: int, point: Point) -> dict[str, Point]:
    return {f"{stem}_{number}": point for number in range(1, count + 1)}


def _alternating_current(stem: str) -> dict[str, Point]:
    """What a three-phase connection shows. The voltage between phases is named by both of them."""
    return {
        **_phases(f"{stem}.voltage", VOLTAGE),
        **{f"{stem}.voltage_{pair}": VOLTAGE for pair in ("l12", "l23", "l31")},
        **_phases(f"{stem}.current", CURRENT),
        f"{stem}.power": POWER,
        **_phases(f"{stem}.power", POWER),
        f"{stem}.apparent_power": Point("VA", -2_000_000, 2_000_000),
        f"{stem}.reactive_power": Point("var", -2_000_000, 2_000_000),
        f"{stem}.power_factor": POWER_FACTOR,
        f"{stem}.frequency": FREQUENCY,
    }


POINTS: dict[str, Point] = {
    "device.maker": WORD,
    "device.model": WORD,
    "device.serial_number": WORD,
    "device.firmware": WORD,
    "engine.state": WORD,
    "engine.mode": WORD,
    "engine.error": WORD,
    "engine.speed": Point("rpm", 0, 6000),
    "engine.load": Point("%", 0, 200),
    "engine.oil_pressure": Point("kPa", 0, 2000),
    "engine.oil_temperature": MACHINE_TEMPERATURE,
    "engine.coolant_temperature": MACHINE_TEMPERATURE,
    "engine.battery_voltage": Point("V", 0, 60),
    "engine.charge_voltage": Point("V", 0, 60),
    "engine.run_time": HOURS,
    "engine.starts": COUNT,
    "engine.maintenance_due": Point("h", -100_000, 100_000),
    "engine.fuel_used": Point("L", 0, 100_000_000),
    "engine.fuel_rate": Point("L/h", 0, 2000),
    **_alternating_current("generator"),
    "generator.state": WORD,
    "generator.start_reason": WORD,
    "generator.error": WORD,
    "generator.run_time": HOURS,
    "generator.energy": ENERGY,
    "generator.port_use": WORD,
    "tank.fuel_level": Point("%", 0, 130),
    "tank.fuel_volume": Point("L", 0, 100_000),
    "tank.water_level": Point("%", 0, 130),
    "tank.waste_level": Point("%", 0, 130),
    "tank.heater_fuel_level": Point("%", 0, 130),
    "tank.capacity": Point("L", 0, 100_000),
    "tank.height": Point("m", 0, 20),
    "tank.height_format": WORD,
    "tank.fluid": WORD,
    "tank.status": WORD,
    "battery.voltage": VOLTAGE,
    "battery.current": Point("A", -3000, 3000),
    "battery.power": Point("W", -200_000, 200_000),
    "battery.state_of_charge": PERCENT,
    "battery.state_of_health": PERCENT,
    "battery.state": WORD,
    "battery.connection": WORD,
    "battery.events": WORD,
    "battery.temperature": Point("°C", -50, 100),
    "battery.consumed": Point("Ah", -100_000, 0),
    "battery.capacity": Point("Ah", 0, 100_000),
    "battery.energy_available": ENERGY,
    "battery.energy_capacity": ENERGY,
    "battery.time_to_go": Point("h", 0, 2000),
    "battery.cycles": COUNT,
    "battery.cell_voltage_low": Point("V", 0, 10),
    "battery.cell_voltage_high": Point("V", 0, 10),
    "battery.charge_voltage_limit": VOLTAGE,
    "battery.charge_current_limit": Point("A", 0, 3000),
    "battery.discharge_current_limit": Point("A", 0, 3000),
    **_alternating_current("inverter"),
    "inverter.source": WORD,
    "inverter.input": WORD,
    **_phases("inverter.input_voltage", VOLTAGE),
    **_phases("inverter.input_current", CURRENT),
    **_phases("inverter.input_power", POWER),
    "inverter.input_frequency": FREQUENCY,
    "inverter.state": WORD,
    "inverter.mode": WORD,
    "inverter.error": WORD,
    "inverter.events": WORD,
    "inverter.load": Point("%", 0, 300),
    "inverter.temperature": MACHINE_TEMPERATURE,
    "inverter.dc_voltage": VOLTAGE,
    "inverter.dc_current": CURRENT,
    "inverter.dc_power": POWER,
    "inverter.energy": ENERGY,
    **_alternating_current("grid"),
    "grid.state": WORD,
    "grid.energy_import": ENERGY,
    "grid.energy_export": ENERGY,
    "solar.power": Point("W", 0, 200_000),
    "solar.voltage": VOLTAGE,
    "solar.current": CURRENT,
    "solar.state": WORD,
    "solar.energy": ENERGY,
    "solar.energy_today": ENERGY,
    **_numbered("solar.power", 4, Point("W", 0, 200_000)),
    **_numbered("solar.voltage", 4, VOLTAGE),
    **_alternating_current("load"),
    **_alternating_current("meter"),
    **_phases("meter.power_factor", POWER_FACTOR),
    "meter.energy": ENERGY,
    "meter.energy_import": ENERGY,
    "meter.energy_export": ENERGY,
    "climate.indoor_temperature": Point("°C", -40, 60),
    "climate.outdoor_temperature": AIR_TEMPERATURE,
    "climate.humidity": PERCENT,
    "climate.co2": Point("ppm", 0, 50_000),
    **_numbered("climate.temperature", 4, Point("°C", -100, 250)),
    **_numbered("climate.resistance", 4, Point("Ω", 0, 10_000)),
    "climate.sensor_kind": WORD,
    "climate.sensor_status": WORD,
    **_numbered("loop.current", 8, Point("mA", 0, 30)),
    **_numbered("loop.mode", 8, WORD),
}

ALARM_PREFIX = "alarm."
ALARM_WORDS = frozenset({"warning", "shutdown", "electrical_trip", "controlled_shutdown", "alarm"})
"""What an alarm point says while its alarm is on; any other word means it is off or not fitted."""

HAND_POINTS = ("tank.fuel_level",)
"""Points that staff can enter by hand in this version."""


def point(name: str) -> Point | None:
    """The vocabulary's entry for `name`; every `alarm.*` name is a word without unit."""
    return WORD if name.startswith(ALARM_PREFIX) else POINTS.get(name)
