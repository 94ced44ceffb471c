"""Which blocks are read for a profile, and which short reads tell answers apart."""

import pytest

from tests.hardware.made_profile import made
from tpkit.hardware.planning import GAP_WORTH_READING, Block, plan, probes


def at(address: int, kind: str = "u16", extra: str = "") -> str:
    return f'name = "alarm.at_{address}{len(extra)}", address = {address}, type = "{kind}"{extra}'


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
    nibbles = [f'name = "alarm.n{n}", address = 10, type = "nibble", nibble = {n}' for n in (1, 2, 3, 4)]

    assert spans(plan(made(*nibbles, at(11)))) == [(10, 2)]


def test_a_gap_is_not_read_unless_the_profile_allows_it() -> None:
    assert spans(plan(made(at(10), at(12)))) == [(10, 1), (12, 1)]
    assert spans(plan(made(at(10), at(12), allow_gaps="true"))) == [(10, 3)]


def test_a_gap_is_read_only_while_that_is_cheaper_than_another_question() -> None:
    near, far = 11 + GAP_WORTH_READING, 12 + GAP_WORTH_READING

    assert spans(plan(made(at(10), at(near), allow_gaps="true"))) == [(10, near - 9)]
    assert spans(plan(made(at(10), at(far), allow_gaps="true"))) == [(10, 1), (far, 1)]


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
