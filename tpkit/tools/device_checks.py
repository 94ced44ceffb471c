"""Whether numbers of one device can be true together. Pure: numbers in, findings out."""

import math
from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

State = Literal["fine", "wrong", "not now"]
Numbers = Mapping[str, float]

STEMS = ("generator", "grid", "meter", "load", "inverter")
DEAD_VOLTS = 10.0  # below this the phase is dead
PHASE_VOLTS = (195.0, 265.0)  # 230 V by EN 50160: 10 % for 95 % of a week, 15 % at worst, always
LINE_VOLTS = (340.0, 460.0)  # the same between phases, 400 V
BATTERY_VOLTS = ((9.0, 16.0), (18.0, 32.0), (36.0, 64.0), (90.0, 1000.0))  # 12, 24, 48 V and high voltage
HERTZ = (45.0, 65.0)
LEAST_AMPERES, LEAST_WATTS = 1.0, 100.0  # less load says nothing about the power
LEAST_SHARE = 0.15  # of W in VA: a motor without load has more, a scale ten times too small has less
SLACK = 0.1  # meters of two quantities are read a moment apart
SLACK_WATTS = 50.0
RPM_PER_HERTZ = {60.0: "2 poles", 30.0: "4 poles"}  # rpm = 120 Hz / poles
SPEED_SLACK = 0.05


class Check(Struct, frozen=True):
    """One finding: what was checked, how it came out, and the numbers."""

    name: str
    state: State
    text: str


def all_checks(numbers: Numbers) -> list[Check]:
    """Everything that the points at hand can be checked for. `numbers`: point -> value in its unit."""
    found: list[Check] = []
    for stem in STEMS:
        found += _voltages(numbers, stem)
        found += _phase_powers(numbers, stem)
        found += _total(numbers, stem)
        found += _frequency(numbers, stem)
    return [*found, *_battery(numbers), *_speed(numbers)]


def _voltages(numbers: Numbers, stem: str) -> Iterator[Check]:
    for ends, limits in ((("l1", "l2", "l3"), PHASE_VOLTS), (("l12", "l23", "l31"), LINE_VOLTS)):
        for end in ends:
            name = f"{stem}.voltage_{end}"
            volts = numbers.get(name)
            if volts is None:
                continue
            if volts < DEAD_VOLTS:
                yield Check(name, "not now", f"{volts:g} V: no voltage; start the machine to check this")
            elif limits[0] <= volts <= limits[1]:
                yield Check(name, "fine", f"{volts:g} V")
            else:
                yield Check(name, "wrong", f"{volts:g} V is not between {limits[0]:g} and {limits[1]:g} V")


def _phase_powers(numbers: Numbers, stem: str) -> Iterator[Check]:
    for phase in (1, 2, 3):
        names = [f"{stem}.{quantity}_l{phase}" for quantity in ("voltage", "current", "power")]
        if all(name in numbers for name in names):
            volts, amperes, watts = (numbers[name] for name in names)
            yield _alternating(f"{stem} V x A = W, L{phase}", volts * abs(amperes), abs(amperes), abs(watts))


def _alternating(name: str, volt_amperes: float, amperes: float, watts: float) -> Check:
    """Watts are V x A times a power factor: never more, and hardly ever much less."""
    text = f"{volt_amperes:.0f} VA and {watts:.0f} W"
    if amperes < LEAST_AMPERES or volt_amperes < LEAST_WATTS:
        if watts > 2 * max(volt_amperes, LEAST_WATTS):
            return Check(name, "wrong", f"{text}: power without current")
        return Check(name, "not now", f"{text}: too little load; switch something on to check this")
    if LEAST_SHARE * volt_amperes <= watts <= (1 + SLACK) * volt_amperes:
        return Check(name, "fine", text)
    return Check(name, "wrong", f"{text} do not belong together: a scale or a register is wrong")


def _total(numbers: Numbers, stem: str) -> Iterator[Check]:
    parts = [numbers.get(f"{stem}.power_l{phase}") for phase in (1, 2, 3)]
    total = numbers.get(f"{stem}.power")
    if total is None or None in parts:
        return
    added = sum(part for part in parts if part is not None)
    name, text = f"{stem} sum of phases", f"the phases make {added:.0f} W, the total is {total:.0f} W"
    if max(abs(added), abs(total)) < LEAST_WATTS:
        yield Check(name, "not now", f"{text}: too little to check")
    elif abs(added - total) <= max(SLACK * abs(total), SLACK_WATTS):
        yield Check(name, "fine", text)
    else:
        yield Check(name, "wrong", text)


def _frequency(numbers: Numbers, stem: str) -> Iterator[Check]:
    name = f"{stem}.frequency"
    hertz = numbers.get(name)
    if hertz is None:
        return
    if hertz == 0:
        yield Check(name, "not now", "0 Hz: standing still; start the machine to check this")
    elif HERTZ[0] <= hertz <= HERTZ[1]:
        yield Check(name, "fine", f"{hertz:g} Hz")
    else:
        yield Check(name, "wrong", f"{hertz:g} Hz is not between {HERTZ[0]:g} and {HERTZ[1]:g} Hz")


def _battery(numbers: Numbers) -> Iterator[Check]:
    for name in ("engine.battery_voltage", "battery.voltage"):
        if name in numbers:
            yield _battery_voltage(name, numbers[name])
    names = [f"battery.{quantity}" for quantity in ("voltage", "current", "power")]
    if all(name in numbers for name in names):
        volts, amperes, watts = (numbers[name] for name in names)
        yield _direct(volts * amperes, watts)


def _battery_voltage(name: str, volts: float) -> Check:
    known = any(low <= volts <= high for low, high in BATTERY_VOLTS)
    text = f"{volts:g} V" if known else f"{volts:g} V is no battery of 12, 24 or 48 V, nor of high voltage"
    return Check(name, "fine" if known else "wrong", text)


def _direct(product: float, watts: float) -> Check:
    """Battery power is V x A with the same sign, plus while charging."""
    name, text = "battery V x A = W", f"V x A is {product:.0f} W, the power {watts:.0f} W"
    if max(abs(product), abs(watts)) < LEAST_WATTS:
        return Check(name, "not now", f"{text}: too little to check")
    if abs(product - watts) <= max(SLACK * abs(product), SLACK_WATTS):
        return Check(name, "fine", text)
    turned = math.isclose(product, -watts, rel_tol=SLACK)
    return Check(
        name, "wrong", f"{text}: {'the signs differ' if turned else 'a scale or a register is wrong'}"
    )


def _speed(numbers: Numbers) -> Iterator[Check]:
    rpm, hertz = numbers.get("engine.speed"), numbers.get("generator.frequency")
    if rpm is None or hertz is None:
        return
    text = f"{rpm:g} rpm and {hertz:g} Hz"
    if hertz == 0 or rpm == 0:
        running = max(rpm, hertz) > 0
        state: State = "wrong" if hertz > 0 else "not now"
        yield Check(
            "speed and frequency",
            state,
            f"{text}: {'one of them stands still' if running else 'not running'}",
        )
        return
    for ratio, poles in RPM_PER_HERTZ.items():
        if abs(rpm / hertz - ratio) <= SPEED_SLACK * ratio:
            yield Check("speed and frequency", "fine", f"{text}: a generator of {poles}")
            return
    yield Check("speed and frequency", "wrong", f"{text} fit neither 2 nor 4 poles")
