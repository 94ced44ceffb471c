"""Steps of the lifecycle."""

from itertools import pairwise

import pytest

from tpkit.domain.lifecycle import STEPS, Stage, check_step
from tpkit.errors import StepRefusedError


def test_the_whole_life_can_be_walked() -> None:
    life = [Stage.UNKNOWN, Stage.STANDBY, Stage.ACTIVATING, Stage.OPEN, Stage.CLOSING, Stage.CLOSED]
    for here, there in pairwise(life):
        check_step(here, there)


def test_an_impossible_step_says_what_is_possible() -> None:
    with pytest.raises(
        StepRefusedError, match="The point is standby: it cannot become closing, only activating, open"
    ):
        check_step(Stage.STANDBY, Stage.CLOSING)


def test_nothing_leads_back_to_unknown_and_nothing_is_a_dead_end() -> None:
    assert set(STEPS) == set(Stage)
    assert not any(Stage.UNKNOWN in steps for steps in STEPS.values())
    assert all(STEPS.values())
