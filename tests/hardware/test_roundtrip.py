"""decode(encode(x)) is x, for every type and word order. The encoder is `struct` and nothing of tpkit's."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hardware.made_profile import made, unchecked
from tpkit.domain.samples import Reading
from tpkit.hardware.decoding import decode, raw_words
from tpkit.hardware.planning import plan

FORMATS = {"u16": ">H", "s16": ">h", "u32": ">I", "s32": ">i", "u64": ">Q", "s64": ">q", "f32": ">f"}
SCALES = (1.0, 0.1, 0.01, -0.1, 10.0, 1 / 3600)


def encode(kind: str, number: float, *, little: bool) -> tuple[int, ...]:
    """The registers that carry `number`; bytes inside a register are always high first."""
    data = struct.pack(FORMATS[kind], number)
    words = struct.unpack(f">{len(data) // 2}H", data)
    return words[::-1] if little else words


@st.composite
def numbers(draw: st.DrawFn) -> tuple[str, float]:
    """A word type and a number that fits it."""
    kind = draw(st.sampled_from(sorted(FORMATS)))
    bits = int(kind[1:])
    if kind[0] == "f":
        return kind, draw(st.floats(width=32, allow_nan=False, allow_infinity=False, max_value=2.0**60))
    lowest = -(1 << bits - 1) if kind[0] == "s" else 0
    return kind, draw(st.integers(lowest, lowest + (1 << bits) - 1))


def order(*, little: bool) -> str:
    return '"little"' if little else '"big"'


@given(
    typed=numbers(),
    little=st.booleans(),
    scale=st.sampled_from(SCALES),
    offset=st.sampled_from([0.0, -100.0, 273.15]),
    before=st.lists(st.integers(0, 0xFFFF), max_size=3),
    after=st.lists(st.integers(0, 0xFFFF), max_size=2),
)
def test_a_number_comes_back_and_its_neighbours_too(
    typed: tuple[str, float], little: bool, scale: float, offset: float, before: list[int], after: list[int]
) -> None:
    kind, number = typed
    words = encode(kind, number, little=little)
    end = len(before) + len(words)
    places = [*range(len(before)), *range(end, end + len(after))]
    others = [f'name = "alarm.{at}", address = {at}, type = "u16"' for at in places]
    point = f'name = "alarm.tried", address = {len(before)}, type = "{kind}", scale = {scale!r}, offset = {offset!r}'
    device = unchecked(*others, point, word_order=order(little=little))
    (block,) = plan(device)

    found = {reading.point: reading.value for reading in decode(device, block, (*before, *words, *after))}

    assert [found[f"alarm.{at}"] for at in places] == [*before, *after]
    assert found["alarm.tried"] == pytest.approx(number * scale + offset, rel=1e-12, abs=1e-6)


@given(typed=numbers(), little=st.booleans())
def test_raw_words_are_those_that_came_in_the_order_in_which_they_came(
    typed: tuple[str, float], little: bool
) -> None:
    kind, number = typed
    words = encode(kind, number, little=little)
    device = unchecked(f'name = "alarm.tried", address = 7, type = "{kind}"', word_order=order(little=little))
    (block,) = plan(device)

    assert raw_words(block.points[0], block, words) == words


@given(
    number=st.integers(-32_768, 32_767),
    exponent=st.integers(-10, 10),
    little=st.booleans(),
    first=st.booleans(),
)
def test_a_number_with_an_exponent_comes_back(number: int, exponent: int, little: bool, first: bool) -> None:
    """The value and its power of ten, in either order of address; a word has no word order."""
    place, power = (1, 0) if first else (0, 1)
    pair = {place: encode("s16", number, little=little)[0], power: encode("s16", exponent, little=little)[0]}
    point = f'name = "alarm.tried", address = {place}, type = "s16", scale_address = {power}'
    device = unchecked(point, word_order=order(little=little))
    (block,) = plan(device)

    (reading,) = decode(device, block, (pair[0], pair[1]))
    assert reading.value == pytest.approx(number * 10.0**exponent, rel=1e-9, abs=1e-6)


CODES = ", ".join(f'{code} = "{code:x}"' for code in range(16))


@given(word=st.integers(0, 0xFFFF), nibble=st.integers(1, 4), bit=st.integers(0, 15), little=st.booleans())
def test_parts_of_a_word_come_back_whatever_the_word_order(
    word: int, nibble: int, bit: int, little: bool
) -> None:
    device = made(
        f'name = "alarm.n", address = 0, type = "nibble", nibble = {nibble}, enum = {{ {CODES} }}',
        f'name = "alarm.b", address = 0, type = "bit", bit = {bit}',
        word_order=order(little=little),
    )
    (block,) = plan(device)

    found = {reading.point: reading.value for reading in decode(device, block, (word,))}
    assert found["alarm.n"] == f"{word:04x}"[nibble - 1]
    assert found["alarm.b"] == {"0": "not_active", "1": "alarm"}[f"{word:016b}"[15 - bit]]


TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFE, exclude_categories=["Cc"]), max_size=12)


@given(text=TEXT, little=st.booleans())
def test_text_comes_back_whatever_the_word_order(text: str, little: bool) -> None:
    words = struct.unpack(">6H", text.encode("latin-1").ljust(12, b"\0"))
    device = made(
        'name = "device.model", address = 0, type = "text", length = 6', word_order=order(little=little)
    )
    (block,) = plan(device)

    (reading,) = decode(device, block, words)
    assert reading == Reading("device.model", text or None, "" if text else "absent")
