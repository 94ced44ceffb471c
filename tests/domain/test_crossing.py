"""The door decoder, on traces of bodies drawn by hand: seconds at which each beam is broken and cleared."""

import random

import pytest

from tpkit.domain.crossing import MAX_OPEN, Crossing

Block = tuple[str, float, float]  # beam, broken at, cleared at


def passages(*blocks: Block, until: float = 100.0, bounce: bool = False) -> list[int]:
    """Directions that the decoder finds in these interruptions."""
    edges = []
    for beam, start, end in blocks:
        for t, broken in ((start, True), (end, False)):
            edges.append((t, beam, broken))
            if bounce:
                edges += [(t + 0.001, beam, not broken), (t + 0.003, beam, broken)]
    door, found = Crossing(), []
    for t, beam, broken in sorted(edges):
        found += door.edge(t, beam, broken)
    return [direction for _, direction, _ in found + door.tick(until)]


def test_one_person_in_and_one_out() -> None:
    assert passages(("A", 1.0, 1.4), ("B", 1.2, 1.6)) == [1]
    assert passages(("B", 1.0, 1.4), ("A", 1.2, 1.6)) == [-1]


def test_two_in_file() -> None:
    assert passages(("A", 1.0, 1.4), ("B", 1.2, 1.6), ("A", 3.0, 3.4), ("B", 3.2, 3.6)) == [1, 1]


def test_a_close_follower_is_counted_too() -> None:
    # The second breaks A before the first has cleared B: the doorway is never clear in between.
    assert passages(("A", 1.0, 1.3), ("A", 1.45, 1.8), ("B", 1.2, 1.5), ("B", 1.65, 2.0)) == [1, 1]


def test_beams_that_are_both_clear_in_between_are_bridged() -> None:
    assert passages(("A", 1.0, 1.2), ("B", 1.5, 1.7)) == [1]


def test_two_people_touching_one_beam_each_long_apart_are_nobody() -> None:
    assert passages(("A", 1.0, 1.2), ("B", 5.0, 5.2)) == []


def test_turning_back_counts_nothing() -> None:
    assert passages(("A", 1.0, 2.5), ("B", 1.3, 2.0)) == []
    assert passages(("A", 1.0, 1.4)) == []


def test_contact_bounce_and_flicker_count_nothing_more() -> None:
    assert passages(("A", 1.0, 1.4), ("B", 1.2, 1.6), bounce=True) == [1]
    assert passages(("A", 1.0, 1.004), ("B", 1.002, 1.006)) == []


def test_a_blocked_beam_is_no_person_and_recovers() -> None:
    chair = (("A", 1.0, 60.0), ("B", 2.0, 61.0))

    assert passages(*chair) == []
    assert passages(*chair, ("A", 70.0, 70.4), ("B", 70.2, 70.6)) == [1]


def test_the_time_is_that_of_the_last_beam_clearing_and_comes_at_once() -> None:
    door = Crossing()
    for t, beam, broken in ((1.0, "A", True), (1.2, "B", True), (1.4, "A", False), (1.6, "B", False)):
        assert door.edge(t, beam, broken) == []

    [(at, direction, confidence)] = door.tick(1.62)
    assert (at, direction) == (1.6, 1)
    assert 0.9 < confidence <= 1


def test_memory_stays_bounded_under_noise() -> None:
    door, noise, t = Crossing(), random.Random(7), 0.0
    for _ in range(20_000):
        t += noise.uniform(0.0005, 0.05)
        door.edge(t, noise.choice("AB"), noise.random() < 0.5)
    assert all(len(beam.blocks) <= MAX_OPEN for beam in door._beams.values())


@pytest.mark.parametrize("seed", range(5))
def test_a_stream_of_single_walkers_is_counted_to_the_last(seed: int) -> None:
    # Bodies 0.25 m deep crossing beams 0.12 m apart at 0.6-1.8 m/s, at least 1.2 s from one to the next.
    walk, t, truth, blocks = random.Random(seed), 0.0, [], []
    for _ in range(200):
        t += walk.uniform(1.2, 6.0)
        speed, inward = walk.uniform(0.6, 1.8), walk.random() < 0.6
        first, second = ("A", "B") if inward else ("B", "A")
        blocks += [(first, t, t + 0.25 / speed), (second, t + 0.12 / speed, t + 0.37 / speed)]
        truth.append(1 if inward else -1)
    assert passages(*blocks, until=t + 10) == truth
