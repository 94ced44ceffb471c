"""Everything measured, judged once into one SiteStatus. Screens and uplink only show it."""

from datetime import datetime

from msgspec import Struct

from tpkit.config import Config
from tpkit.domain.alarms import Alarm, AlarmBook, Condition, Edge
from tpkit.domain.endurance import BurnCurve, battery_endurance, fuel_endurance
from tpkit.domain.occupancy import Occupancy
from tpkit.domain.points import ALARM_PREFIX, ALARM_WORDS
from tpkit.domain.samples import Quality, Sample
from tpkit.domain.status import (
    Battery,
    BusHealth,
    DeviceHealth,
    Fuel,
    People,
    SiteStatus,
    TimeTrust,
    Verdict,
)
from tpkit.domain.tank import litres_at
from tpkit.errors import BusUnavailableError, NoResponseError, WrongAnswerError

FUEL_LOW_H, FUEL_EMPTY_SOON_H = 6.0, 2.0
FUEL_LOW_PERCENT = 20.0  # where hours are not known
BATTERY_LOW_MARGIN_PERCENT = 10.0
CROWDED_SHARE = 0.9
HAND_READING_HOLDS_S = 12 * 3600.0
GENERATOR_RUNS_HZ = 40.0

AWAY = {"refused_10", "refused_11"}  # what a gateway says of a device that it cannot reach
UNHEARD = {"not_yet", "silent", NoResponseError.code, WrongAnswerError.code, BusUnavailableError.code, *AWAY}
POWER_SOURCES = {"grid": "grid", "shore": "grid", "generator": "generator", "none": "battery"}


class Picture(Struct, frozen=True):
    """What is known at one moment, before it is judged."""

    now: datetime
    mono_ms: int
    boot: int
    trust: TimeTrust
    samples: tuple[Sample, ...]
    by_hand: dict[str, Sample]
    devices: tuple[DeviceHealth, ...]
    buses: tuple[BusHealth, ...]
    occupancy: Occupancy
    people_binned: int | None

    def find(self, point: str) -> Sample:
        """The best sample of `point`: the first with a value, else the first without, else none."""
        found = [sample for sample in self.samples if sample.point == point]
        for sample in found:
            if sample.value is not None:
                return sample
        return found[0] if found else _absent(point, "")

    def measured_or_typed(self, point: str) -> Sample:
        """As `find`, but a hand reading that is not too old stands in for a missing measurement."""
        sample, typed = self.find(point), self.by_hand.get(point)
        age_s = typed.age_s(self.mono_ms) if typed else None
        if sample.value is None and typed and age_s is not None and age_s <= HAND_READING_HOLDS_S:
            return typed
        return sample


class Judge:
    """Turns pictures into statuses. It remembers alarms, and since when its verdict has stood."""

    def __init__(self, config: Config, active: list[Alarm]) -> None:
        self._config = config
        self._alarms = AlarmBook(active)
        self._verdict: tuple[Verdict, str, str] = (Verdict.UNKNOWN, "starting", "")
        self._verdict_since_mono_ms = 0
        self._curve = _burn_curve(config)

    def judge(self, picture: Picture) -> tuple[SiteStatus, list[Edge]]:
        """The status at this moment, and the alarms that it raised or cleared."""
        load = _load(picture)
        fuel = self._fuel(picture, load)
        battery = self._battery(picture)
        conditions = [
            *_device_conditions(picture), *_fuel_conditions(fuel),
            *self._battery_conditions(battery), *self._people_conditions(picture.occupancy),
        ]  # fmt: skip
        edges = self._alarms.step(
            conditions, now=picture.now, mono_ms=picture.mono_ms,
            unknown=_unknown(picture, fuel, battery),
        )  # fmt: skip
        self._decide(picture, [load, *_deciding(fuel, battery)])
        verdict, code, subject = self._verdict
        status = SiteStatus(
            at=picture.now, mono_ms=picture.mono_ms, boot=picture.boot, trust=picture.trust,
            verdict=verdict, verdict_code=code, verdict_subject=subject,
            verdict_since_mono_ms=self._verdict_since_mono_ms,
            source=_source(picture), load=load, fuel=fuel, battery=battery,
            people=_people(picture), alarms=tuple(self._alarms.active),
            devices=picture.devices, buses=picture.buses, samples=picture.samples,
        )  # fmt: skip
        return status, edges

    def _fuel(self, picture: Picture, load: Sample) -> Fuel | None:
        tank = self._config.tank
        if tank is None:
            return None
        level = picture.measured_or_typed("tank.fuel_level")
        percent = level.number
        litres = None if percent is None else litres_at(percent, tank.litres, tank.shape)
        endurance = fuel_endurance(litres, tank.reserve_litres, tank.litres, load.number, self._curve)
        return Fuel(level, litres, endurance)

    def _battery(self, picture: Picture) -> Battery | None:
        section = self._config.battery
        if section is None:
            return None
        charge = picture.find("battery.state_of_charge")
        power = picture.find("battery.power")
        endurance = battery_endurance(
            charge.number, section.capacity_kwh * 1000, section.floor_percent, power.number
        )
        return Battery(charge, power, endurance)

    def _battery_conditions(self, battery: Battery | None) -> list[Condition]:
        section = self._config.battery
        charge = battery.state_of_charge.number if battery else None
        if battery is None or section is None or charge is None:
            return []
        found = []
        if charge <= section.floor_percent + BATTERY_LOW_MARGIN_PERCENT:
            found.append(Condition("battery_low"))
        if charge <= section.floor_percent and (battery.power.number or 0.0) < 0:
            found.append(Condition("battery_empty_soon"))
        return found

    def _people_conditions(self, occupancy: Occupancy) -> list[Condition]:
        capacity = self._config.site.capacity
        if capacity is None:
            return []
        if occupancy.high >= capacity:
            return [Condition("hall_too_many")]
        return [Condition("hall_crowded")] if occupancy.high >= CROWDED_SHARE * capacity else []

    def _decide(self, picture: Picture, deciding: list[Sample]) -> None:
        verdict = _verdict(self._alarms.active, deciding, picture.trust)
        if verdict != self._verdict:
            self._verdict, self._verdict_since_mono_ms = verdict, picture.mono_ms


def _verdict(active: list[Alarm], deciding: list[Sample], trust: TimeTrust) -> tuple[Verdict, str, str]:
    """The state and the one thing behind it. Green needs every deciding value to be there."""
    if active and active[0].severity >= 3:
        return Verdict.ACT, active[0].code, active[0].subject
    missing = [sample for sample in deciding if sample.value is None]
    if missing:
        return Verdict.UNKNOWN, "no_value", missing[0].point
    if active:
        return Verdict.LOOK, active[0].code, active[0].subject
    if not trust.is_trusted:
        return Verdict.LOOK, "clock_not_trusted", ""
    return Verdict.OK, "", ""


def _deciding(fuel: Fuel | None, battery: Battery | None) -> list[Sample]:
    return [*([fuel.level] if fuel else []), *([battery.state_of_charge] if battery else [])]


def _burn_curve(config: Config) -> BurnCurve | None:
    section = config.generator
    if section is None:
        return None
    points = sorted((int(key) / 100, burn) for key, burn in section.litres_per_hour.items())
    return BurnCurve(section.rated_kw * 1000, tuple(points))


def _absent(point: str, reason: str, unit: str = "") -> Sample:
    return Sample("", point, None, unit, Quality.BAD, None, 0, reason or "not_measured")


def _load(picture: Picture) -> Sample:
    """The site's load: the three phases of the first device that measures them, added up."""
    for device in dict.fromkeys(sample.device for sample in picture.samples):
        phases = [
            sample
            for sample in picture.samples
            if sample.device == device and sample.point.startswith("load.power_l")
        ]
        if phases:
            return _sum("load.power", phases)
    return _absent("load.power", "", "W")


def _sum(point: str, parts: list[Sample]) -> Sample:
    """Parts added up; as old and as doubtful as the worst of them, and nothing if one is missing."""
    oldest = min(parts, key=lambda part: part.mono_ms)
    worst = next((part for part in parts if part.number is None), None)
    if worst is not None:
        return Sample(
            worst.device, point, None, worst.unit, Quality.BAD,
            worst.taken_at, worst.mono_ms, worst.reason,
        )  # fmt: skip
    doubtful = next((part for part in parts if part.quality != Quality.GOOD), oldest)
    total = sum(part.number or 0.0 for part in parts)
    return Sample(
        oldest.device, point, total, oldest.unit, doubtful.quality,
        oldest.taken_at, oldest.mono_ms, doubtful.reason,
    )  # fmt: skip


def _source(picture: Picture) -> str:
    word = picture.find("inverter.source").value
    if isinstance(word, str) and word in POWER_SOURCES:
        return POWER_SOURCES[word]
    frequency = picture.find("generator.frequency").number
    return "generator" if frequency is not None and frequency > GENERATOR_RUNS_HZ else "unknown"


def _people(picture: Picture) -> People:
    occupancy = picture.occupancy
    return People(
        occupancy.inside, occupancy.low, occupancy.high, occupancy.ins, occupancy.outs,
        occupancy.counted, picture.people_binned,
    )  # fmt: skip


def _device_conditions(picture: Picture) -> list[Condition]:
    found = [
        Condition("device_silent", device.name, device.reason)
        for device in picture.devices
        if device.state == "silent"
    ]
    for sample in picture.samples:
        if sample.point.startswith(ALARM_PREFIX) and sample.value in ALARM_WORDS:
            found.append(_machine_condition(sample.point.removeprefix(ALARM_PREFIX), str(sample.value)))
    return found


def _machine_condition(name: str, word: str) -> Condition:
    if name.startswith("battery"):
        return Condition("battery_warning", name, word)
    return Condition("genset_warning" if word == "warning" else "genset_shutdown", name, word)


def _fuel_conditions(fuel: Fuel | None) -> list[Condition]:
    percent = fuel.level.number if fuel else None
    if fuel is None or percent is None:
        return []
    hours = fuel.endurance.at_least
    if hours is None:
        return [Condition("fuel_low")] if percent <= FUEL_LOW_PERCENT else []
    if hours <= FUEL_EMPTY_SOON_H:
        return [Condition("fuel_low"), Condition("fuel_empty_soon")]
    return [Condition("fuel_low")] if hours <= FUEL_LOW_H else []


def _unknown(picture: Picture, fuel: Fuel | None, battery: Battery | None) -> frozenset[str]:
    """Codes that cannot be judged now, so that silence ends no alarm."""
    unknown: set[str] = set()
    if fuel and fuel.level.value is None:
        unknown |= {"fuel_low", "fuel_empty_soon"}
    if battery and battery.state_of_charge.value is None:
        unknown |= {"battery_low", "battery_empty_soon"}
    for sample in picture.samples:
        if sample.point.startswith(ALARM_PREFIX) and _is_silent(sample):
            unknown |= {"battery_warning", "genset_warning", "genset_shutdown"}
    return frozenset(unknown)


def _is_silent(sample: Sample) -> bool:
    """Whether the value is missing because nothing was heard; a device that says "no value" has answered."""
    return sample.value is None and sample.reason in UNHEARD
