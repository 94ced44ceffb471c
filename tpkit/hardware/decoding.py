"""From register words to readings. Sentinels are tested on the raw words, before any arithmetic."""

import math
import struct

from tpkit.domain.points import point as vocabulary
from tpkit.domain.samples import Reading
from tpkit.hardware.planning import Block
from tpkit.hardware.profile import Profile, ProfilePoint


def decode(profile: Profile, block: Block, words: tuple[int, ...]) -> list[Reading]:
    """The readings in an answer to `block`; `words` are its registers, 0..65535 each."""
    readings = [_reading(profile, item, _raw(profile, item, block, words)) for item in block.points]
    values = {reading.point: reading.value for reading in readings}
    return [
        reading if _is_valid(item, values) else Reading(reading.point, None, "not_valid_now")
        for item, reading in zip(block.points, readings, strict=True)
    ]


def _raw(profile: Profile, item: ProfilePoint, block: Block, words: tuple[int, ...]) -> int:
    """The bits of a point as one unsigned integer, high word first whatever the device's order."""
    start = item.address - block.address
    taken = words[start : start + item.words]
    if item.type == "nibble":
        return taken[0] >> 4 * (4 - (item.nibble or 1)) & 0xF
    if profile.word_order == "little":
        taken = taken[::-1]
    raw = 0
    for word in taken:
        raw = raw << 16 | word
    return raw


def _reading(profile: Profile, item: ProfilePoint, raw: int) -> Reading:
    for code, reason in profile.sentinels.get(item.type, {}).items():
        if raw == int(code, 0):
            return Reading(item.name, None, reason)
    if item.enum:
        word = item.enum.get(str(raw))
        return Reading(item.name, word, "" if word else "unknown_code")
    value = round(_number(item, raw) * item.scale + item.offset, 6)
    known = vocabulary(item.name)
    if math.isnan(value) or (known and not known.lowest <= value <= known.highest):
        return Reading(item.name, None, "implausible")
    return Reading(item.name, value)


def _number(item: ProfilePoint, raw: int) -> float:
    if item.type == "f32":
        return float(struct.unpack(">f", raw.to_bytes(4, "big"))[0])
    bits = 16 * item.words
    if item.type in ("s16", "s32") and raw >= 1 << bits - 1:
        return float(raw - (1 << bits))
    return float(raw)


def _is_valid(item: ProfilePoint, values: dict[str, float | str | None]) -> bool:
    if item.valid_when is None:
        return True
    deciding = values.get(item.valid_when.point)
    return isinstance(deciding, float) and deciding > item.valid_when.above
