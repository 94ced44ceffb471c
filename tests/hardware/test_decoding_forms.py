"""Bits, texts, 64 bits and exponents to readings. Expected values as in test_decoding.py."""

import pytest

from tests.hardware.decoded import one
from tpkit.domain.samples import Reading


# DEIF AGC 150: bit 6 of 1018 says that the engine runs; bits count from 0, the least significant.
@pytest.mark.parametrize(
    ("bit", "word", "value"),
    [
        (6, 0x0040, "alarm"),
        (6, 0xFFBF, "not_active"),
        (0, 0x0001, "alarm"),
        (15, 0x8000, "alarm"),
        (15, 0x7FFF, "not_active"),
    ],
)
def test_bits_count_from_the_least_significant(bit: int, word: int, value: str) -> None:
    assert one(f'name = "alarm.x", address = 0, type = "bit", bit = {bit}', word).value == value


def test_a_bit_can_have_words_of_its_own() -> None:
    point = 'name = "engine.state", address = 1018, type = "bit", bit = 6, enum = { 1 = "running" }'

    assert one(point, 0x0040) == Reading("engine.state", "running")
    assert one(point, 0x0000) == Reading("engine.state", None, "unknown_code")


# Strings of two characters a register, the first in the high byte: "DSE7320" is 4453 4537 3332 3000.
@pytest.mark.parametrize(
    ("words", "value"),
    [
        ((0x4453, 0x4537, 0x3332, 0x3000), "DSE7320"),
        ((0x4453, 0x4520, 0x2020, 0x2020), "DSE"),
        ((0xC5E4, 0xF600, 0, 0), "Åäö"),
    ],
    ids=["zero at the end", "blanks at the end", "beyond ASCII"],
)
@pytest.mark.parametrize("order", ["big", "little"])
def test_text(words: tuple[int, ...], value: str, order: str) -> None:
    point = 'name = "device.model", address = 0, type = "text", length = 4'

    assert one(point, *words, word_order=f'"{order}"') == Reading("device.model", value)


@pytest.mark.parametrize("word", [0x0000, 0x2020, 0xFFFF])
def test_an_empty_text_is_absent(word: int) -> None:
    reading = one('name = "device.model", address = 0, type = "text", length = 2', word, word)

    assert reading == Reading("device.model", None, "absent")


# By hand: 0x0000000123456789 = 4 886 718 345 Wh; minus one is all F.
def test_sixty_four_bits() -> None:
    energy = 'name = "meter.energy", address = 0, type = "u64", unit = "Wh"'
    power = 'name = "meter.power", address = 0, type = "s64"'

    assert one(energy, 0, 1, 0x2345, 0x6789).value == 4_886_718.345
    assert one(energy, 0x6789, 0x2345, 1, 0, word_order='"little"').value == 4_886_718.345
    assert one(power, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF).value == -1.0
    assert one(energy, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF).reason == "implausible"


# SunSpec: value = raw * 10^sf, sf an int16; 0x8000 means "not implemented". 230.4 V is 2304 with sf -1.
VOLTS = 'name = "inverter.voltage_l1", address = 10, type = "u16", scale_address = 12'


@pytest.mark.parametrize(
    ("raw", "exponent", "value"),
    [(2304, 0xFFFF, 230.4), (23, 1, 230.0), (230, 0, 230.0), (23040, 0xFFFE, 230.4), (3, 0xFFF6, 0.0)],
)
def test_an_exponent_from_the_device(raw: int, exponent: int, value: float) -> None:
    assert one(VOLTS, raw, 0, exponent) == Reading("inverter.voltage_l1", value)


@pytest.mark.parametrize(
    "exponent", [0x8000, 11, 0x7FFF, 0xFFF5], ids=["not implemented", "11", "32767", "-11"]
)
def test_an_impossible_exponent_is_no_value(exponent: int) -> None:
    assert one(VOLTS, 0, 0, exponent) == Reading("inverter.voltage_l1", None, "absent")


def test_an_exponent_may_stand_before_its_value_and_multiplies_the_scale() -> None:
    """12 with exponent 2 in kW: 1 200 kW."""
    point = 'name = "inverter.power", address = 12, type = "u16", scale_address = 10, unit = "kW"'

    assert one(point, 2, 0, 12).value == 1_200_000.0


def test_a_sentinel_is_told_from_the_raw_word_whatever_the_exponent() -> None:
    reading = one(VOLTS + ', sentinels = { 0xFFFF = "absent" }', 0xFFFF, 0, 0x8000)

    assert reading == Reading("inverter.voltage_l1", None, "absent")
