"""Which blocks are read for a profile, and which short reads tell answers apart."""

import pytest

from tests.hardware.made_profile import made
from tpkit.hardware.planning import Block, plan, probes


def at(address: int, kind: str = "u16", extra: str = "") -> str:
    return f'name = "alarm.at_{address}{len(extra)}", address = {address}, type = "{kind}", enum = {{ 0 = "off" }}{extra}'


def spans(blocks: tuple[Block, ...]) -> list[tuple[int, int]]:
    return [(block.address, block.count) for block in blocks]


def test_neighbours_are_read_together() -> None:
    assert spans(plan(made(at(10), at(11), at(12)))) == [(10, 3)]


def test_the_order_in_the_file_does_not_matter() -> None:
    (block,) = plan(made(at(12), at(10), at(11)))

    assert (block.address, block.count) == (10, 3)
    assert [item.address for item in block.points] == [10, 11, 12]


def test_wide_values_take_two_registers() -> None:
    assert spans(plan(made(at(10, "u32"), at(12, "f32"), at(14)))) == [(10, 5)]


def test_nibbles_of_one_register_are_read_once() -> None:
    nibbles = [
        f'name = "alarm.n{n}", address = 10, type = "nibble", nibble = {n}, enum = {{ 0 = "off" }}'
        for n in (1, 2, 3, 4)
    ]

    assert spans(plan(made(*nibbles, at(11)))) == [(10, 2)]


def test_a_gap_is_not_read_unless_the_profile_allows_it() -> None:
    assert spans(plan(made(at(10), at(12)))) == [(10, 1), (12, 1)]
    assert spans(plan(made(at(10), at(12), allow_gaps="true"))) == [(10, 3)]


def test_a_gap_is_read_only_while_that_is_cheaper_than_another_question() -> None:
    """By hand: another question costs 8 + 5 + 2 * 3.5 = 20 characters, and at 9600 baud, 11 bits a character,
    a device that takes 11 ms to answer costs 9.6 more: 29.6, and a register costs 2, so 14 are cheaper."""
    slow = {"allow_gaps": "true", "turnaround_s": "0.011"}

    assert spans(plan(made(at(10), at(25), **slow))) == [(10, 16)]
    assert spans(plan(made(at(10), at(26), **slow))) == [(10, 1), (26, 1)]


def test_a_hole_is_not_read_even_where_gaps_are() -> None:
    holed = {"allow_gaps": "true", "holes": "[[12, 13]]"}

    assert spans(plan(made(at(10), at(11), at(15), **holed))) == [(10, 2), (15, 1)]
    assert spans(plan(made(at(10), at(11), at(12 + 2), **holed))) == [(10, 2), (14, 1)]


def test_a_limit_cuts_where_that_costs_least() -> None:
    """Filling the first block up would read the gap of 8 and leave one register for a block of its own."""
    points = [at(0), at(1), at(10), at(11)]

    assert spans(plan(made(*points, allow_gaps="true", max_block="11"))) == [(0, 2), (10, 2)]


def test_a_slow_point_inside_a_fast_block_costs_no_question() -> None:
    (block,) = plan(made(at(10), at(11, extra=", every_s = 60"), at(12), allow_gaps="true"))

    assert (block.address, block.count, block.every_s) == (10, 3, 1)
    assert len(block.points) == 3


def test_an_exponent_is_read_with_its_value() -> None:
    (block,) = plan(made(at(10, "s16", ", scale_address = 20")))

    assert (block.address, block.count) == (10, 11)


def test_no_block_is_longer_than_the_device_takes() -> None:
    points = [at(address) for address in range(10)]

    assert spans(plan(made(*points, max_block="4"))) == [(0, 4), (4, 4), (8, 2)]


def test_a_wide_value_is_not_cut_by_the_limit() -> None:
    assert spans(plan(made(at(0), at(1), at(2, "u32"), max_block="3"))) == [(0, 2), (2, 2)]


def test_no_block_is_longer_than_the_protocol_allows() -> None:
    points = [at(address) for address in range(130)]

    assert spans(plan(made(*points))) == [(0, 125), (125, 5)]


def test_points_are_read_together_only_if_they_are_read_as_often() -> None:
    blocks = plan(made(at(10), at(11, extra=", every_s = 10"), at(12, extra=", every_s = 60"), at(13)))

    assert [(block.every_s, block.address, block.count) for block in blocks] == [
        (1, 10, 1), (1, 13, 1), (10, 11, 1), (60, 12, 1),
    ]  # fmt: skip


def test_blocks_ask_by_the_function_of_the_profile() -> None:
    (block,) = plan(made(at(10), function="4"))
    assert block.function == 4


def test_probes_have_lengths_that_no_block_has_each_its_own() -> None:
    blocks = (Block(3, 100, 6), Block(3, 200, 2), Block(3, 300, 6))
    lengths = [probe.count for probe in probes(blocks)]

    assert lengths == [1, 3, 4, 5]


@pytest.mark.parametrize("function", [3, 4])
def test_probes_read_only_registers_that_blocks_read(function: int) -> None:
    blocks = (Block(function, 100, 30), Block(function, 200, 2), Block(function, 300, 8))

    for probe in probes(blocks):
        assert probe.function == function
        assert any(probe.address == block.address and probe.count < block.count for block in blocks)


def test_probes_are_spread_over_the_blocks() -> None:
    """A model may refuse one block: not every probe may be in it."""
    blocks = (Block(3, 100, 6), Block(3, 200, 6))

    assert {probe.address for probe in probes(blocks)} == {100, 200}


def test_there_are_few_probes_however_long_the_blocks() -> None:
    assert len(probes((Block(3, 0, 125),))) == 8


def test_a_first_block_of_one_register_does_not_prevent_a_probe() -> None:
    assert spans(probes((Block(3, 100, 1), Block(3, 200, 3), Block(3, 300, 3)))) == [(200, 2)]


@pytest.mark.parametrize(
    "blocks",
    [(Block(3, 100, 1),), (Block(3, 100, 1), Block(3, 200, 1)), (Block(3, 100, 1), Block(3, 200, 2))],
)
def test_without_a_free_length_there_is_no_probe(blocks: tuple[Block, ...]) -> None:
    assert probes(blocks) == ()
