"""Reading one device: which blocks to ask for, as it turns out which registers it has."""

from collections.abc import Callable

import msgspec

from tpkit.domain.samples import Reading
from tpkit.errors import DeviceRefusedError
from tpkit.hardware import sunspec
from tpkit.hardware.decoding import decode
from tpkit.hardware.planning import Block, block_of, plan_points, probes
from tpkit.hardware.profile_form import Profile, ProfilePoint

Ask = Callable[[Block], tuple[int, ...]]
"""Reads one block from the device. Raises BusError."""

ILLEGAL_ADDRESS = 2


class DeviceReader:
    """The present plan for one device. A register that it refuses is found once and left out from then on.

    `blocks` changes when that happens, and so does `profile` when the device is asked what it is.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = self._given = profile
        self.blocks: tuple[Block, ...] = ()
        self.probes: tuple[Block, ...] = ()
        self.lacking: dict[str, str] = {}
        self._is_known = profile.discovery == "none"
        self._fallen: set[str] = set()
        self._seams: set[tuple[int, int]] = set()
        self._values: dict[str, float | str | None] = {}
        self._plan()

    def prepare(self, ask: Ask) -> None:
        """Ask the device which points it has, if that has to be asked. Raises BusError."""
        if self._is_known:
            return
        self.profile = sunspec.discover(self._given, ask)
        self._is_known = True
        self._plan()

    def read(self, block: Block, ask: Ask) -> list[Reading]:
        """What the device says of the points of `block`. Raises BusError.

        When it refuses an address, finds out which; the points that it lacks get the refusal's code.
        """
        try:
            words = ask(block)
        except DeviceRefusedError as error:
            if error.exception_code != ILLEGAL_ADDRESS:
                raise
            return self._leave_out(self._refused(block, ask), error.code)
        readings = decode(self.profile, block, words, self._values)
        self._values |= {reading.point: reading.value for reading in readings}
        return readings

    def fell_silent(self) -> None:
        """Trust no longer what decided over other points: it may have changed meanwhile."""
        self._values.clear()

    def forget(self) -> None:
        """Take nothing for known any more: the device may be another one, or have other firmware."""
        self.lacking.clear()
        self._fallen.clear()
        self._seams.clear()
        self._values.clear()
        self._is_known = self._given.discovery == "none"
        self.profile = self._given
        self._plan()

    def _plan(self) -> None:
        points = [
            _fallen_back(self.profile, item) if item.name in self._fallen else item
            for item in self.profile.point
            if item.name not in self.lacking
        ]
        self.blocks = plan_points(self.profile, points, frozenset(self._seams))
        self.probes = probes(self.blocks)

    def _refused(self, block: Block, ask: Ask) -> list[ProfilePoint]:
        """The points in a refused block whose registers are not there. Raises BusError."""
        halves = _halves(block)
        if not halves:
            return list(block.points)
        lacking, are_both_there = [], True
        for half in halves:
            try:
                ask(half)
            except DeviceRefusedError as error:
                if error.exception_code != ILLEGAL_ADDRESS:
                    raise
                lacking += self._refused(half, ask)
                are_both_there = False
        if are_both_there:  # only together they are too much, or what lies between is not there
            self._seams.add((halves[1].function, halves[1].address))
        return lacking

    def _leave_out(self, points: list[ProfilePoint], code: str) -> list[Reading]:
        gone = []
        for item in points:
            if item.fallback is not None and item.name not in self._fallen:
                self._fallen.add(item.name)
            else:
                self.lacking[item.name] = code
                gone.append(Reading(item.name, None, code))
        self._plan()
        return gone


def _fallen_back(profile: Profile, item: ProfilePoint) -> ProfilePoint:
    older = item.fallback or item
    return msgspec.structs.replace(
        item, address=older.address, type=older.type, scale=older.scale, offset=older.offset,
        sentinels=profile.sentinels.get(older.type, {}),
    )  # fmt: skip


def _halves(block: Block) -> tuple[Block, ...]:
    """The block in two parts with the points that begin at the lower and at the higher registers, or none."""
    starts = sorted({item.first for item in block.points})
    if len(starts) < 2:
        return ()
    middle = starts[len(starts) // 2]
    lower = [item for item in block.points if item.first < middle]
    higher = [item for item in block.points if item.first >= middle]
    return tuple(block_of(part, block.function, block.every_s) for part in (lower, higher))
