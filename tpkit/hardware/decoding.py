"""From register words to readings. Sentinels are tested on the raw words, before any arithmetic."""

import math
import struct
from collections.abc import Mapping

from tpkit.domain.samples import Reading
from tpkit.hardware.planning import Block
from tpkit.hardware.profile_form import Profile, ProfilePoint, ValidWhen
from tpkit.hardware.profile_rules import plausible

Values = Mapping[str, float | str | None]
NOT_IMPLEMENTED_EXPONENT = 0x8000  # SunSpec's sunssf
LARGEST_EXPONENT = 10


def decode(
    profile: Profile, block: Block, words: tuple[int, ...], known: Values | None = None
) -> list[Reading]:
    """The readings in an answer to `block`; `words` are its registers, 0..65535 each.

    `known` holds what the device last said of the points that decide over others (`valid_when`).
    """
    readings = [_reading(profile, item, block, words) for item in block.points]
    conditions = {item.name: item.valid_when for item in block.points if item.valid_when}
    if not conditions:
        return readings
    values = {**(known or {}), **{reading.point: reading.value for reading in readings}}
    return [
        reading
        if _counts(reading.point, conditions, values)
        else Reading(reading.point, None, "not_valid_now")
        for reading in readings
    ]


def raw_words(item: ProfilePoint, block: Block, words: tuple[int, ...]) -> tuple[int, ...]:
    """The registers of one point, in the order in which they came."""
    start = item.address - block.address
    return words[start : start + item.words]


def _raw(profile: Profile, item: ProfilePoint, taken: tuple[int, ...]) -> int:
    """The bits of a point as one unsigned integer, high word first whatever the device's order."""
    if item.nibble is not None:
        return taken[0] >> 4 * (4 - item.nibble) & 0xF
    if item.bit is not None:
        return taken[0] >> item.bit & 1
    raw = 0
    for word in taken if profile.word_order == "big" else taken[::-1]:
        raw = raw << 16 | word
    return raw


def _reading(profile: Profile, item: ProfilePoint, block: Block, words: tuple[int, ...]) -> Reading:
    taken = raw_words(item, block, words)
    if item.type == "text":
        text = b"".join(word.to_bytes(2, "big") for word in taken).decode("latin-1").strip("\0 \xff")
        return Reading(item.name, text or None, "" if text else "absent")
    raw = _raw(profile, item, taken)
    if reason := item.sentinels.get(str(raw)):
        return Reading(item.name, None, reason)
    if item.enum and not isinstance(item.enum, str):
        word = item.enum.get(str(raw))
        return Reading(item.name, word, "" if word else "unknown_code")
    return _measured(item, _number(item, raw), _exponent(item, block, words))


def _exponent(item: ProfilePoint, block: Block, words: tuple[int, ...]) -> int | None:
    """The power of ten that the device gives with the value; None if it says that there is none."""
    if item.scale_address is None:
        return 0
    raw = words[item.scale_address - block.address]
    exponent = raw - 0x10000 if raw & 0x8000 else raw
    return exponent if raw != NOT_IMPLEMENTED_EXPONENT and abs(exponent) <= LARGEST_EXPONENT else None


def _measured(item: ProfilePoint, number: float, exponent: int | None) -> Reading:
    if exponent is None:
        return Reading(item.name, None, "absent")
    if exponent:
        number *= 10.0**exponent
    value = round(number * item.scale + item.offset, 6)
    if item.below is not None and value < item.below.value:
        return Reading(item.name, None, item.below.reason)
    if item.above is not None and value > item.above.value:
        return Reading(item.name, None, item.above.reason)
    if item.clamp is not None:
        value = max(item.clamp[0], min(item.clamp[1], value))
    lowest, highest = item.range or plausible(item)
    if math.isnan(value) or not lowest <= value <= highest:
        return Reading(item.name, None, "implausible")
    return Reading(item.name, value)


def _number(item: ProfilePoint, raw: int) -> float:
    if item.type == "f32":
        return float(struct.unpack(">f", raw.to_bytes(4, "big"))[0])
    bits = 16 * item.words
    if item.type in ("s16", "s32", "s64") and raw >= 1 << bits - 1:
        return float(raw - (1 << bits))
    return float(raw)


def _counts(name: str, conditions: Mapping[str, ValidWhen], values: Values) -> bool:
    """Whether a point counts: its condition holds, and so does that of the point which decides over it."""
    condition = conditions.get(name)
    if condition is None:
        return True
    others = {other: theirs for other, theirs in conditions.items() if other != name}
    return _holds(condition, values) and _counts(condition.point, others, values)


def _holds(condition: ValidWhen, values: Values) -> bool:
    deciding = values.get(condition.point)
    if condition.equals:
        return deciding in condition.equals
    return isinstance(deciding, float) and condition.above is not None and deciding > condition.above
