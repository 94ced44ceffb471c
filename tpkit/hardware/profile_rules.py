"""What a profile must hold beyond its form, and how it is brought to tpkit's units and addresses."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TypeVar

import msgspec

from tpkit.domain.points import point as vocabulary
from tpkit.hardware.profile_form import WORDS, Profile, ProfilePoint

T = TypeVar("T")

CONVERSIONS: dict[tuple[str, str], tuple[float, float]] = {
    ("bar", "kPa"): (100, 0),
    ("psi", "kPa"): (6.894757, 0),
    ("kW", "W"): (1000, 0),
    ("kVA", "VA"): (1000, 0),
    ("kvar", "var"): (1000, 0),
    ("mV", "V"): (0.001, 0),
    ("µA", "mA"): (0.001, 0),
    ("A", "mA"): (1000, 0),
    ("Wh", "kWh"): (0.001, 0),
    ("s", "h"): (1 / 3600, 0),
    ("min", "h"): (1 / 60, 0),
    ("K", "°C"): (1, -273.15),
    ("°F", "°C"): (5 / 9, -160 / 9),
    ("m³", "L"): (1000, 0),
    ("cm", "m"): (0.01, 0),
    ("mm", "m"): (0.001, 0),
}
"""Maker's unit and tpkit's: factor and offset."""

NAME = re.compile(r"[a-z]+\.[a-z0-9_]+")
BITS = {"nibble": 4, "bit": 1}
BELONGS = {"nibble": "nibble", "bit": "bit", "text": "length"}
"""Types that need a key of their own, and no other type may have it."""


def faults_of(profile: Profile) -> list[str]:
    """Everything that is wrong with `profile`, in the words of its file."""
    faults = [
        f"point {item.name} at {item.address}: {fault}"
        for item in profile.point
        for fault in _point_faults(profile, item)
    ]
    return faults + list(_whole_faults(profile))


def settled(profile: Profile) -> Profile:
    """The profile with addresses from 0, values in tpkit's units, enums and sentinels at their points."""
    base = profile.address_base
    return msgspec.structs.replace(
        profile,
        point=tuple(_settled_point(profile, item) for item in profile.point),
        recognise=tuple(
            msgspec.structs.replace(sign, address=sign.address - base) for sign in profile.recognise
        ),
        holes=tuple((first - base, last - base) for first, last in profile.holes),
        sentinels={kind: _by_number(meanings) for kind, meanings in profile.sentinels.items()},
        address_base=0,
    )


def _settled_point(profile: Profile, item: ProfilePoint) -> ProfilePoint:
    base, known, fallback = profile.address_base, vocabulary(item.name), item.fallback
    factor, offset = CONVERSIONS.get((item.unit, known.unit if known else ""), (1, 0))
    if fallback is not None:
        fallback = msgspec.structs.replace(
            fallback, address=fallback.address - base, scale=fallback.scale * factor,
            offset=fallback.offset * factor + offset,
        )  # fmt: skip
    limits = {
        side: msgspec.structs.replace(limit, value=limit.value * factor + offset)
        for side, limit in (("below", item.below), ("above", item.above))
        if limit is not None
    }
    return msgspec.structs.replace(
        item,
        address=item.address - base,
        scale_address=None if item.scale_address is None else item.scale_address - base,
        function=item.function or profile.function,
        scale=item.scale * factor,
        offset=item.offset * factor + offset,
        unit=known.unit if known else "",
        enum=_by_number(_enum(profile, item)),
        sentinels=_by_number({**profile.sentinels.get(item.type, {}), **item.sentinels}),
        fallback=fallback,
        range=plausible(item),
        **limits,
    )


def plausible(item: ProfilePoint) -> tuple[float, float]:
    """The least and the greatest value that is believed: the vocabulary's, narrowed by the profile."""
    known = vocabulary(item.name)
    lowest, highest = (known.lowest, known.highest) if known else (-math.inf, math.inf)
    narrow = item.range or (lowest, highest)
    return max(lowest, narrow[0]), min(highest, narrow[1])


def _by_number(meanings: Mapping[str, T]) -> dict[str, T]:
    """The same with every raw number in plain decimal."""
    return {str(int(key, 0)): meaning for key, meaning in meanings.items()}


def _enum(profile: Profile, item: ProfilePoint) -> dict[str, str]:
    if isinstance(item.enum, str):
        return profile.enums[item.enum]
    if item.type == "bit" and not item.enum:
        return {"0": "not_active", "1": "alarm"}
    return item.enum


def _point_faults(profile: Profile, item: ProfilePoint) -> Iterator[str]:
    known = vocabulary(item.name)
    if known is None or not NAME.fullmatch(item.name):
        yield "is not in the vocabulary of points (docs/points.md)"
    else:
        yield from _unit_faults(item, known.unit)
    if item.scale == 0 or (item.fallback and item.fallback.scale == 0):
        yield "scale = 0 makes every value zero"
    if not math.isfinite(item.scale) or not math.isfinite(item.offset):
        yield "scale and offset must be finite"
    for kind, key in BELONGS.items():
        if (item.type == kind) != (getattr(item, key) is not None):
            yield f'{key} and type = "{kind}" belong together'
    yield from _address_faults(profile, item)
    yield from _code_faults(profile, item)
    yield from _condition_faults(profile, item)


def _unit_faults(item: ProfilePoint, unit: str) -> Iterator[str]:
    is_word = bool(item.enum) or item.type in ("text", "bit")
    if item.unit and not unit:
        yield f'unit = "{item.unit}": it is a word and has none'
    elif item.unit and item.unit != unit and (item.unit, unit) not in CONVERSIONS:
        fitting = [theirs for theirs, ours in CONVERSIONS if ours == unit]
        yield f'unit = "{item.unit}": unknown here; allowed: {", ".join([unit, *fitting])}'
    if is_word and unit:
        yield f"is measured in {unit} and cannot be a word"
    elif not is_word and not unit:
        yield "is a word and wants an enum, or type text or bit"


def _address_faults(profile: Profile, item: ProfilePoint) -> Iterator[str]:
    fallback = item.fallback
    addresses = [item.address, item.scale_address, fallback.address if fallback else None]
    if any(address is not None and address < profile.address_base for address in addresses):
        yield "address lies below address_base"
    if item.type in BELONGS and getattr(item, BELONGS[item.type]) is None:
        return
    end = max(item.end, fallback.address + WORDS[fallback.type] if fallback else 0)
    if end - profile.address_base > 65536:
        yield "reaches beyond the last register"
    if item.end - item.first > profile.max_block:
        yield f"needs {item.end - item.first} registers at once, and max_block = {profile.max_block}"
    if any(first < item.end and item.first <= last for first, last in profile.holes):
        yield "lies in a hole"


def _code_faults(profile: Profile, item: ProfilePoint) -> Iterator[str]:
    highest = 2 ** BITS.get(item.type, 16 * item.words if item.type not in BELONGS else 16) - 1
    if isinstance(item.enum, str) and item.enum not in profile.enums:
        yield f'enum = "{item.enum}": there is no [enums.{item.enum}]'
    elif not isinstance(item.enum, str):
        yield from (f"enum.{key}: {why}" for key, why in _wrong_codes(item.enum, highest))
    yield from (f"sentinels.{key}: {why}" for key, why in _wrong_codes(item.sentinels, highest))


def _wrong_codes(codes: Iterable[str], highest: int) -> Iterator[tuple[str, str]]:
    """The keys that are no raw value up to `highest`, or that stand there twice, each with why."""
    seen: set[int] = set()
    for key in codes:
        if not is_raw(key):
            yield key, "is not a raw number"
        elif int(key, 0) > highest:
            yield key, f"is more than the type holds, {highest}"
        elif int(key, 0) in seen:
            yield key, "is there twice"
        else:
            seen.add(int(key, 0))


def _condition_faults(profile: Profile, item: ProfilePoint) -> Iterator[str]:
    condition = item.valid_when
    if condition is not None and condition.point not in {other.name for other in profile.point}:
        yield f"valid_when names {condition.point}, which the profile does not have"
    if condition is not None and (condition.above is None) == (not condition.equals):
        yield "valid_when wants either above or equals"
    for key in ("range", "clamp"):
        ends = getattr(item, key)
        if ends is not None and ends[0] >= ends[1]:
            yield f"{key} = {list(ends)}: the lower end comes first"
    if item.below and item.above and item.below.value >= item.above.value:
        yield "below lies above above"


def _whole_faults(profile: Profile) -> Iterator[str]:
    """Faults that are not those of one point."""
    called = [item.name for item in profile.point]
    if not called and profile.discovery == "none":
        yield "point: there is none"
    for name in sorted({name for name in called if called.count(name) > 1}):
        yield f"point {name}: is there twice"
    for kind, meanings in profile.sentinels.items():
        highest = 2 ** BITS.get(kind, 16 * WORDS.get(kind, 1)) - 1
        yield from (f"sentinels.{kind}.{key}: {why}" for key, why in _wrong_codes(meanings, highest))
    for name, words in profile.enums.items():
        yield from (f"enums.{name}.{key}: {why}" for key, why in _wrong_codes(words, 2**32 - 1))
    for first, last in profile.holes:
        if not profile.address_base <= first <= last:
            yield f"holes: [{first}, {last}] is no range of registers"
    yield from _recognise_faults(profile)
    yield from _overlaps(profile)


def _recognise_faults(profile: Profile) -> Iterator[str]:
    for sign in profile.recognise:
        place = f"recognise at {sign.address}"
        if sign.address < profile.address_base:
            yield f"{place}: address lies below address_base"
        if bool(sign.equals) == (sign.between is not None):
            yield f"{place}: wants either equals or between"
        if (sign.type == "text") != (sign.length is not None):
            yield f'{place}: length and type = "text" belong together'


def _overlaps(profile: Profile) -> Iterator[str]:
    """Values that share some registers but not all: one of the addresses must be wrong."""
    whole = [item for item in profile.point if item.type not in BELONGS or item.length]
    for function in (3, 4):
        ordered = sorted(
            (item for item in whole if (item.function or profile.function) == function),
            key=lambda item: (item.address, item.words),
        )
        for one, other in pairwise(ordered):
            if one.address < other.address < one.address + one.words:
                yield f"points {one.name} at {one.address} and {other.name} at {other.address} overlap"


def is_raw(key: str) -> bool:
    """Whether a key is a raw register value, decimal or 0x."""
    try:
        return int(key, 0) >= 0
    except ValueError:
        return False
