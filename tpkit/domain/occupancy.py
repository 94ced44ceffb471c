"""How many are inside: a pure fold over passages and recounts, with an interval that widens."""

import math

from msgspec import Struct

MISS_RATE = 0.03  # share of passages a good two-beam door misreads on an ordinary day
INTERVAL_SIGMAS = 1.64  # about nine times in ten the truth lies inside


class Passage(Struct, frozen=True):
    """One crossing of one door. `direction` is +1 in, -1 out; `confidence` 0..1."""

    door: str
    direction: int
    confidence: float
    mono_ms: int


class Recount(Struct, frozen=True):
    """A person counted, and there were `inside` people."""

    inside: int


class Occupancy(Struct, frozen=True):
    """The estimate, never below zero, and what it rests on."""

    inside: int = 0
    variance: float = 0.0
    ins: int = 0
    outs: int = 0
    counted: bool = False  # a person has counted since the fold began

    @property
    def low(self) -> int:
        """Lower end of the interval."""
        return max(0, math.floor(self.inside - INTERVAL_SIGMAS * math.sqrt(self.variance)))

    @property
    def high(self) -> int:
        """Upper end of the interval."""
        return math.ceil(self.inside + INTERVAL_SIGMAS * math.sqrt(self.variance))

    def after(self, event: Passage | Recount) -> "Occupancy":
        """The occupancy once `event` has happened."""
        if isinstance(event, Recount):
            return Occupancy(event.inside, 0.0, self.ins, self.outs, counted=True)
        wrong = MISS_RATE + (1 - event.confidence)
        inside = self.inside + event.direction
        return Occupancy(
            max(0, inside),  # below zero proves an earlier miss: the past was too low, not the now
            self.variance + wrong,
            self.ins + (event.direction > 0),
            self.outs + (event.direction < 0),
            self.counted,
        )
