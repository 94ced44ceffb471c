"""RangeSet against Python's own set."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tpkit.domain.ranges import RangeSet

steps = st.lists(st.tuples(st.booleans(), st.integers(1, 40), st.integers(0, 12)), max_size=25)


@given(steps)
def test_it_holds_what_a_set_would(steps: list[tuple[bool, int, int]]) -> None:
    ranges, plain = RangeSet(), set()
    for put, first, length in steps:
        if put:
            ranges.add(first, first + length)
            plain |= set(range(first, first + length + 1))
        else:
            ranges.discard(first, first + length)
            plain -= set(range(first, first + length + 1))
    assert {number for number in range(60) if number in ranges} == plain
    assert {number for low, high in ranges for number in range(low, high + 1)} == plain
    assert {number for low, high in ranges.gaps(60) for number in range(low, high + 1)} == set(
        range(1, 61)
    ) - plain


@given(steps)
def test_ranges_are_sorted_apart_and_never_touch(steps: list[tuple[bool, int, int]]) -> None:
    ranges = RangeSet()
    for put, first, length in steps:
        (ranges.add if put else ranges.discard)(first, first + length)
    pairs = list(ranges)
    assert all(low <= high for low, high in pairs)
    assert all(one[1] + 1 < two[0] for one, two in pairwise(pairs))


def test_a_backward_range_is_empty() -> None:
    ranges = RangeSet([(5, 4)])

    assert list(ranges) == []
    assert list(ranges.gaps(3)) == [(1, 3)]
