"""Which blocks to read: those that keep the wire busy for the shortest time the device allows."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from msgspec import Struct

from tpkit.hardware.profile_form import Profile, ProfilePoint

BITS_PER_CHARACTER = 11  # start, eight data, parity or second stop, stop
QUESTION_CHARACTERS = 8  # address, function, first register, count, CRC
ANSWER_CHARACTERS = 5  # address, function, byte count, CRC; the registers come on top
SILENCE_CHARACTERS = 3.5  # between frames, Modbus over serial line 1.02, 2.5.1.1

Seams = frozenset[tuple[int, int]]

MOST_PROBES = 8  # an answer that is later than this many questions is taken for a new one


class Block(Struct, frozen=True):
    """A contiguous run of registers read in one request, and the points in it."""

    function: int
    address: int
    count: int
    every_s: int = 1
    points: tuple[ProfilePoint, ...] = ()


def plan(profile: Profile) -> tuple[Block, ...]:
    """The blocks that cover every point of `profile`, grouped by how often they are read."""
    return plan_points(profile, profile.point)


def plan_points(
    profile: Profile, points: Iterable[ProfilePoint], seams: Seams = frozenset()
) -> tuple[Block, ...]:
    """The blocks for some points of `profile`. What a faster block reads anyway is not asked for again.

    No block reaches over a seam, given as the function and the register behind it.
    """
    blocks: list[Block] = []
    ordered = sorted(points, key=lambda item: (item.every_s, item.function or 0, item.first, item.end))
    for (every_s, function), group in groupby(ordered, key=lambda item: (item.every_s, item.function)):
        rest = []
        for item in group:
            at = next((at for at, block in enumerate(blocks) if _covers(block, item)), None)
            if at is None:
                rest.append(item)
            else:
                blocks[at] = _with(blocks[at], item)
        blocks += [
            block_of(run, function or profile.function, every_s)
            for run in _cheapest_runs(profile, rest, seams)
        ]
    return tuple(blocks)


def characters(profile: Profile, count: int) -> float:
    """How long one read of `count` registers keeps the line busy, in characters at the profile's speed."""
    turnaround = profile.turnaround_s * profile.defaults.baud / BITS_PER_CHARACTER
    return QUESTION_CHARACTERS + ANSWER_CHARACTERS + 2 * (count + SILENCE_CHARACTERS) + turnaround


def probes(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Short reads whose answers have lengths that no planned block has, each its own.

    After a silence they tell an answer to the present question from a late one to an earlier. They are
    spread over the blocks, for a model may refuse one, and cut no value in half, for a model may refuse
    that. Empty if every shorter length is in use.
    """
    lengths = {block.count for block in blocks}
    free = [count for count in range(1, max(lengths, default=0)) if count not in lengths]
    made = []
    for turn, count in enumerate(free):
        able = [block for block in blocks if block.count > count and _cuts_no_value(block, count)]
        if able:
            chosen = able[turn % len(able)]
            made.append(Block(chosen.function, chosen.address, count))
    return tuple(made[:MOST_PROBES])


def _cuts_no_value(block: Block, count: int) -> bool:
    cut = block.address + count
    return not any(item.address < cut < item.address + item.words for item in block.points)


def _covers(block: Block, item: ProfilePoint) -> bool:
    end = block.address + block.count
    return block.function == item.function and block.address <= item.first and item.end <= end


def _with(block: Block, item: ProfilePoint) -> Block:
    points = (*block.points, item)
    return Block(block.function, block.address, block.count, block.every_s, points)


def _cheapest_runs(
    profile: Profile, items: Sequence[ProfilePoint], seams: Seams
) -> list[Sequence[ProfilePoint]]:
    """Cut points, in order of address, into the runs that together take the shortest time to read."""
    best: list[tuple[float, int]] = [(0.0, 0)]  # of the first n points: cost, and where the last run begins
    for last in range(len(items)):
        choices = []
        end = 0
        for begin in range(last, -1, -1):
            end = max(end, items[begin].end)
            count = end - items[begin].first
            if count > profile.max_block:
                break
            choices.append((round(best[begin][0] + characters(profile, count), 6), -begin))
            if begin and not _may_join(profile, items, begin, seams):
                break
        cost, begin = min(choices)  # of equals the latest, which fills the blocks before it
        best.append((cost, -begin))
    runs = []
    cut = len(items)
    while cut:
        begin = best[cut][1]
        runs.append(items[begin:cut])
        cut = begin
    return runs[::-1]


def _may_join(profile: Profile, items: Sequence[ProfilePoint], begin: int, seams: Seams) -> bool:
    """Whether the run may reach back over what lies between point `begin` and those before it."""
    end, start = max(item.end for item in items[:begin]), items[begin].first
    if (items[begin].function, start) in seams:
        return False
    if start <= end:
        return True
    return profile.allow_gaps and not any(first < start and end <= last for first, last in profile.holes)


def block_of(run: Sequence[ProfilePoint], function: int, every_s: int) -> Block:
    """One block that covers all of `run`, in order of address."""
    start, end = run[0].first, max(item.end for item in run)
    return Block(function, start, end - start, every_s, tuple(run))
