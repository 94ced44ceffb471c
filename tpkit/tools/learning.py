"""Guessing what registers hold, and matching them with what the machine's own display says. No I/O."""

import math
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from tpkit.domain.points import point as vocabulary
from tpkit.errors import ConfigError
from tpkit.hardware.profile_rules import CONVERSIONS

Round = Mapping[int, int]
"""Register address to raw word."""
Order = Literal["big", "little"]
Type = Literal["u16", "s16", "u32", "s32", "f32"]

SHORT_NAMES = {
    "frequency": "generator.frequency",
    "voltage": "generator.voltage_l1",
    "power": "generator.power",
    "battery": "engine.battery_voltage",
    "speed": "engine.speed",
    "oil": "engine.oil_pressure",
    "coolant": "engine.coolant_temperature",
    "hours": "engine.run_time",
    "fuel": "tank.fuel_level",
}
"""What most displays of generating sets show, by a word that is quickly typed."""

SCALES: dict[str, tuple[float, ...]] = {
    "h": (1, 0.1, 0.01, 1 / 60, 1 / 3600),
    "W": (1, 0.1, 10, 100, 1000),
    "kPa": (1, 0.1, 10, 6.894757, 0.6894757),  # also bar/10 and psi
    "rpm": (1, 0.1, 10, 0.125),
}
USUAL_SCALES = (1, 0.1, 0.01, 0.001, 10)
FLOAT_SCALES: dict[str, tuple[float, ...]] = {"W": (1, 1000), "kPa": (1, 100)}
LEAST_RAW = 10  # a smaller number is in too many registers to prove anything
COARSEST = 10  # a register may be so much coarser than the display
WIDE = ("W", "VA", "var", "kWh", "h", "count", "L")  # outgrow 16 bits on a large or old machine
SIGNED = ("W", "var", "A", "°C", "cos φ")

MARKS: tuple[tuple[str, float, float, tuple[float, ...]], ...] = (
    ("50 Hz", 49, 51, (1, 0.1, 0.01)),
    ("230 V", 215, 245, (1, 0.1)),
    ("400 V", 380, 420, (1, 0.1)),
    ("12 V", 11.5, 15, (0.1, 0.01)),
    ("24 V", 23, 30, (0.1, 0.01)),
    ("1500 rpm", 1450, 1550, (1,)),
    ("3000 rpm", 2900, 3100, (1,)),
    ("percent", 1, 100, (1,)),
)
"""What a number may be: words, least, greatest, and the scales with which registers hold it."""


class Shown(Struct, frozen=True):
    """What the display says, in the vocabulary's unit, and half of its last digit. `text` is as typed."""

    value: float
    half: float
    text: str


class Moment(Struct, frozen=True):
    """Some rounds of reading, and what the display said meanwhile."""

    rounds: tuple[Round, ...]
    shown: Mapping[str, Shown]


class Fit(Struct, frozen=True):
    """A way to read registers that gives what the display says. `carrier` is the register that decides."""

    address: int
    type: Type
    scale: float
    carrier: int


class Learned(Struct, frozen=True):
    """What the display confirms, what it does not and why, and the order of words."""

    points: dict[str, Fit]
    left_out: dict[str, str]
    word_order: Order


def display(text: str) -> tuple[str, Shown]:
    """`NAME=VALUE [UNIT]` as typed, such as `frequency=50.0` or `oil=3,5 bar`. Raises ConfigError."""
    name, _, value = text.partition("=")
    name = SHORT_NAMES.get(name.strip(), name.strip())
    known = vocabulary(name)
    if known is None or not known.unit:
        raise ConfigError(
            [f'"{text}": "{name}" is no measured point; give {", ".join(SHORT_NAMES)}, or see docs/points.md']
        )
    found = re.fullmatch(r"\s*(-?\d{1,9})(?:[.,](\d{1,6}))?\s*(\D*?)\s*", value)
    if found is None:
        raise ConfigError([f'"{text}": write it as {name}=VALUE, the digits as the display shows them'])
    unit = found[3] or known.unit
    if unit != known.unit and (unit, known.unit) not in CONVERSIONS:
        fitting = [known.unit, *(theirs for theirs, ours in CONVERSIONS if ours == known.unit)]
        raise ConfigError([f'"{text}": unit "{unit}" is unknown here; allowed: {", ".join(fitting)}'])
    factor, offset = CONVERSIONS.get((unit, known.unit), (1, 0))
    decimals = found[2] or ""
    number = float(f"{found[1]}.{decimals or 0}") * factor + offset
    return name, Shown(number, 0.5 * 10.0 ** -len(decimals) * factor, value.strip())


def unit_of(name: str) -> str:
    """The vocabulary's unit of a point; empty if it has none."""
    known = vocabulary(name)
    return known.unit if known else ""


def changed(rounds: Sequence[Round]) -> set[int]:
    """The registers that did not read the same in every round."""
    return {at for at in rounds[0] if len({each.get(at) for each in rounds}) > 1} if rounds else set()


def looks_like(rounds: Sequence[Round], at: int) -> tuple[str, ...]:
    """What the register may hold, judged by its numbers alone: a hint for where to look, no more."""
    words = [each[at] for each in rounds if at in each]
    if not words:
        return ()
    low, high = min(words), max(words)
    hints = [
        f"{label} x {scale:g}"
        for label, least, greatest, scales in MARKS
        for scale in scales
        if least <= low * scale and high * scale <= greatest
    ]
    for order in ("big", "little"):
        numbers = [number(each, at, "f32", order) for each in rounds]
        hints += [f"{label} f32 {order}" for label in _float_marks(numbers)]
    if words == sorted(words) and 0 < high - low <= len(words):
        hints.append("a counter, hours perhaps")
    return tuple(hints)


def _float_marks(numbers: Sequence[float | None]) -> Iterator[str]:
    good = [each for each in numbers if each is not None]
    for label, least, greatest, _ in MARKS:
        if len(good) == len(numbers) and label != "percent" and all(least <= n <= greatest for n in good):
            yield label


def number(words: Round, at: int, kind: Type, order: Order) -> float | None:
    """The number that begins at register `at`; None where registers are missing or it is none."""
    taken = [words.get(at)] if kind in ("u16", "s16") else [words.get(at), words.get(at + 1)]
    if None in taken:
        return None
    raw = 0
    for word in taken if order == "big" else taken[::-1]:
        raw = raw << 16 | (word or 0)
    if kind == "f32":
        value = float(struct.unpack(">f", raw.to_bytes(4, "big"))[0])
        return value if math.isfinite(value) else None
    bits = 16 * len(taken)
    return float(raw - (1 << bits) if kind in ("s16", "s32") and raw >> bits - 1 else raw)


def learn(moments: Sequence[Moment]) -> Learned:
    """Match every value the display showed with the registers. Only what fits in one place is learned."""
    names = dict.fromkeys(name for moment in moments for name in moment.shown)
    tried: dict[Order, dict[str, list[Fit]]] = {
        "big": {name: fits(moments, name, "big") for name in names},
        "little": {name: fits(moments, name, "little") for name in names},
    }
    proofs = {"big": _proofs(tried["big"], tried["little"]), "little": _proofs(tried["little"], tried["big"])}
    order: Order = "little" if proofs["little"] > proofs["big"] else "big"
    known = proofs["big"] != proofs["little"]
    points, left_out = {}, {}
    for name in names:
        found = tried[order][name]
        if found and not known and not _short(found):
            left_out[name] = "either order of words fits: read again when the number has changed"
        elif reason := _doubt(moments, name, found):
            left_out[name] = reason
        else:
            points[name] = _chosen(name, found, known)
    return Learned(points, left_out, order)


def fits(moments: Sequence[Moment], name: str, order: Order) -> list[Fit]:
    """Every way to read the registers that gives what the display said of `name`, at every moment."""
    telling = [moment for moment in moments if name in moment.shown]
    everywhere = sorted(set.intersection(*({*each} for moment in telling for each in moment.rounds)))
    return [
        fit
        for at in everywhere
        for fit in _ways(name, at, order)
        if all(_agrees(moment, moment.shown[name], fit, order) for moment in telling)
        and any(_proves(moment, moment.shown[name], fit, order) for moment in telling)
    ]


def _ways(name: str, at: int, order: Order) -> Iterator[Fit]:
    unit = unit_of(name)
    for scale in SCALES.get(unit, USUAL_SCALES):
        yield Fit(at, "u16", scale, at)
        yield Fit(at, "s16", scale, at)
        yield Fit(at, "u32", scale, at + (order == "big"))
        yield Fit(at, "s32", scale, at + (order == "big"))
    for scale in FLOAT_SCALES.get(unit, (1,)):
        yield Fit(at, "f32", scale, at + (order == "little"))


def _agrees(moment: Moment, shown: Shown, fit: Fit, order: Order) -> bool:
    """Whether the registers and the display tell the same, within half of the coarser one's last digit."""
    raws = [number(each, fit.address, fit.type, order) for each in moment.rounds]
    good = [raw for raw in raws if raw is not None]
    if len(good) < len(raws):
        return False
    half = shown.half
    if fit.type != "f32":
        if fit.scale > 2 * COARSEST * half:
            return False
        half = max(half, fit.scale / 2)
    low, high = min(good) * fit.scale, max(good) * fit.scale
    steady = high - low <= max(0.05 * abs(shown.value), 4 * half)
    return steady and low - half - 1e-9 <= shown.value <= high + half + 1e-9


def _proves(moment: Moment, shown: Shown, fit: Fit, order: Order) -> bool:
    """Whether the number is one that few registers hold."""
    raws = [abs(number(each, fit.address, fit.type, order) or 0) for each in moment.rounds]
    return bool(shown.value) and (fit.type == "f32" or min(raws) >= LEAST_RAW)


def _short(found: Sequence[Fit]) -> list[Fit]:
    return [fit for fit in found if fit.type in ("u16", "s16")]


def _proofs(found: Mapping[str, Sequence[Fit]], other: Mapping[str, Sequence[Fit]]) -> int:
    """How many points need two registers and fit in one place, which the other order of words does not."""
    return sum(
        len({fit.carrier for fit in found[name]}) == 1 and not _short(found[name]) and not other[name]
        for name in found
    )


def _doubt(moments: Sequence[Moment], name: str, found: Sequence[Fit]) -> str:
    """Why the point is not learned; empty if it is."""
    values = [moment.shown[name].value for moment in moments if name in moment.shown]
    if not any(values):
        return "0 proves nothing: read again when the display shows another number"
    carriers = sorted({fit.carrier for fit in found})
    if not carriers:
        return "no register that was read holds it"
    if len(carriers) > 1:
        shown = ", ".join(map(str, carriers[:8])) + (" ..." if carriers[8:] else "")
        return f"several registers fit ({shown}): read again when the number has changed"
    if len({fit.scale for fit in found}) > 1:
        return f"register {carriers[0]} fits with several scales: read again when the number has changed"
    return ""


def _chosen(name: str, found: Sequence[Fit], order_known: bool) -> Fit:
    """Of the ways to read one place, the one that stays right when the number grows or turns negative."""
    unit = unit_of(name)
    wide = order_known and unit in WIDE

    def worth(fit: Fit) -> tuple[bool, bool, bool]:
        return (
            fit.type == "f32",
            (fit.type in ("u32", "s32")) == wide,
            (fit.type[0] == "s") == (unit in SIGNED),
        )

    return max(found, key=worth)


def profile_toml(
    title: str, source: str, function: int, learned: Learned, defaults: Mapping[str, int | str]
) -> str:
    """The profile as a file. `defaults` are the address and the speed at which the machine answered."""
    lines = [
        "# Learned from one machine by comparing registers with its own display. Not known: how it shows a",
        "# value that it does not have, and whether another machine of its kind is the same.",
        "",
        f"title = {quoted(title)}",
        f"source = {quoted(source)}",
        'confidence = "one source"',
        "tested_on_hardware = false",
        f"function = {function}",
        "address_base = 0",
        f'word_order = "{learned.word_order}"',
        "",
        "point = [",
    ]
    for name, fit in sorted(learned.points.items(), key=lambda item: item[1].address):
        scale = "" if fit.scale == 1 else f", scale = {fit.scale!r}"
        line = f'  {{ name = "{name}", address = {fit.address}, type = "{fit.type}"{scale} }},'
        lines.append(line + _warning(name, fit))
    lines += ["]", "", "[defaults]"]
    lines += [f"{key} = {quoted(item) if isinstance(item, str) else item}" for key, item in defaults.items()]
    return "\n".join(lines) + "\n"


def _warning(name: str, fit: Fit) -> str:
    """What is not known of a number that may outgrow its register."""
    if unit_of(name) not in WIDE or fit.type not in ("u16", "s16"):
        return ""
    most = (0x7FFF if fit.type == "s16" else 0xFFFF) * fit.scale
    return f"  # one register seen: cannot show more than {most:g} {unit_of(name)}"


def quoted(text: str) -> str:
    """`text` as a TOML basic string."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
