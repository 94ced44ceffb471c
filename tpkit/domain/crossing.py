"""From the edges of two light beams to people walking in and out.

One decoder a door. Beam "A" is the outer one, "B" the inner one. It streams, its memory is
bounded, and it keeps to the part of Python that MicroPython has, because the sensor node's
firmware carries a copy of this file. Times are seconds of any one steady clock.

A body breaks A then B and clears A then B on its way in; the two interruptions overlap, or lie
close together where the beams are far apart. Where the order of breaking and the order of
clearing differ, the person turned back.
"""

DEBOUNCE_S = 0.008  # contacts and beam edges settle within this; no body is that quick
BRIDGE_S = 0.7  # a slow walker's longest way between two clear beams at 30 cm
BLOCKED_S = 20.0  # an interruption this long is a chair or a trolley, not a person
MAX_OPEN = 16  # interruptions kept per beam at most; older ones are given up

CLEAN, BRIDGED = 0.97, 0.85


class Beam:
    """Debounces one beam and collects its interruptions as [start, end] pairs, end None while broken."""

    def __init__(self) -> None:
        self.blocks: list[list] = []  # type: ignore[type-arg]  # MicroPython has no typing module
        self._broken = False
        self._pending: tuple[float, bool] | None = None

    def edge(self, t: float, broken: bool) -> None:
        """Take a raw edge; edges must come in order of time."""
        self.settle(t)
        self._pending = None if broken == self._broken else (t, broken)

    def settle(self, t: float) -> None:
        """Accept a level that has lasted long enough by time `t`."""
        if self._pending is None or t - self._pending[0] < DEBOUNCE_S:
            return
        started, self._broken = self._pending
        self._pending = None
        if self._broken:
            self.blocks.append([started, None])
            del self.blocks[:-MAX_OPEN]
        elif self.blocks:
            self.blocks[-1][1] = started


class Crossing:
    """Decodes one door."""

    def __init__(self) -> None:
        self._beams = {"A": Beam(), "B": Beam()}

    def edge(self, t: float, beam: str, broken: bool) -> list[tuple[float, int, float]]:
        """Take one raw edge and return the passages it completes: (time, +1 in / -1 out, confidence)."""
        passages = self.tick(t)
        self._beams[beam].edge(t, broken)
        return passages

    def tick(self, t: float) -> list[tuple[float, int, float]]:
        """Let time pass to `t` and return the passages that are complete by then."""
        outer, inner = self._beams["A"], self._beams["B"]
        outer.settle(t)
        inner.settle(t)
        passages: list[tuple[float, int, float]] = []
        while outer.blocks and inner.blocks:
            a, b = outer.blocks[0], inner.blocks[0]
            if a[1] is None or b[1] is None:
                break
            passage = _judge(a, b)
            if passage is None:  # too far apart to be one body: the earlier one touched one beam only
                (outer if a[0] < b[0] else inner).blocks.pop(0)
                continue
            outer.blocks.pop(0)
            inner.blocks.pop(0)
            if passage[1]:
                passages.append(passage)
        self._forget(t)
        return passages

    def _forget(self, t: float) -> None:
        """Drop interruptions that no other beam can complete any more."""
        for mine, other in (("A", "B"), ("B", "A")):
            blocks, others = self._beams[mine].blocks, self._beams[other].blocks
            while blocks and blocks[0][1] is not None and t - blocks[0][1] > BRIDGE_S and not others:
                blocks.pop(0)


def _judge(a: list, b: list) -> "tuple[float, int, float] | None":  # type: ignore[type-arg]
    """What one interruption of each beam means; direction 0 is someone who turned back."""
    gap = max(a[0], b[0]) - min(a[1], b[1])
    if gap > BRIDGE_S:
        return None
    end = max(a[1], b[1])
    longest = max(a[1] - a[0], b[1] - b[0])
    if longest > BLOCKED_S:
        return (end, 0, 0.0)
    confidence = BRIDGED if gap > 0 else CLEAN
    if a[0] < b[0] and a[1] < b[1]:
        return (end, 1, confidence)
    if b[0] < a[0] and b[1] < a[1]:
        return (end, -1, confidence)
    return (end, 0, 0.0)
