"""Sets of record numbers kept as ranges, so that a million delivered rows cost a few pairs."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator


class RangeSet:
    """A set of integers held as sorted, disjoint, inclusive ranges."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._ranges: list[tuple[int, int]] = []
        for first, last in ranges:
            self.add(first, last)

    def add(self, first: int, last: int) -> None:
        """Put every number from `first` to `last` in; a backward range is empty."""
        if last < first:
            return
        keep: list[tuple[int, int]] = []
        for low, high in self._ranges:
            if high < first - 1 or low > last + 1:
                keep.append((low, high))
            else:
                first, last = min(first, low), max(last, high)
        self._ranges = sorted([*keep, (first, last)])

    def discard(self, first: int, last: int) -> None:
        """Take every number from `first` to `last` out."""
        kept: list[tuple[int, int]] = []
        for low, high in self._ranges:
            if high < first or low > last:
                kept.append((low, high))
                continue
            if low < first:
                kept.append((low, first - 1))
            if high > last:
                kept.append((last + 1, high))
        self._ranges = kept

    def gaps(self, last: int) -> Iterator[tuple[int, int]]:
        """The ranges between 1 and `last` that are not in the set, lowest first."""
        start = 1
        for low, high in self._ranges:
            if low > last:
                break
            if low > start:
                yield (start, low - 1)
            start = max(start, high + 1)
        if start <= last:
            yield (start, last)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._ranges, number, key=lambda pair: pair[0]) - 1
        return at >= 0 and number <= self._ranges[at][1]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._ranges)

    def __len__(self) -> int:
        """How many ranges there are, not how many numbers."""
        return len(self._ranges)
