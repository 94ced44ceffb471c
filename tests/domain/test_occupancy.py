"""The fold over passages and recounts."""

from tpkit.domain.occupancy import Occupancy, Passage, Recount


def fold(*events: Passage | Recount | int) -> Occupancy:
    state = Occupancy()
    for event in events:
        state = state.after(Passage("main", event, 0.97, 0) if isinstance(event, int) else event)
    return state


def test_ins_and_outs_are_kept_apart() -> None:
    state = fold(1, 1, 1, -1)

    assert (state.inside, state.ins, state.outs) == (2, 3, 1)


def test_the_interval_widens_with_every_passage_and_holds_the_estimate() -> None:
    few, many = fold(*[1] * 10), fold(*[1] * 100)

    assert few.low <= few.inside <= few.high
    assert many.high - many.low > few.high - few.low


def test_a_recount_sets_the_number_and_closes_the_interval() -> None:
    state = fold(*[1] * 40, Recount(37))

    assert (state.inside, state.low, state.high, state.counted) == (37, 37, 37, True)
    assert state.ins == 40


def test_a_recount_does_not_hold_for_what_comes_after() -> None:
    assert fold(Recount(37), 1, 1, -1).inside == 38


def test_nobody_leaves_an_empty_house() -> None:
    state = fold(-1, -1, 1)

    assert state.inside == 1
    assert state.low >= 0
