"""Which blocks to read: as few as the device's limits allow."""

from collections.abc import Mapping
from itertools import groupby

from msgspec import Struct

from tpkit.errors import ConfigError
from tpkit.hardware.profile import Profile, ProfilePoint, load

GAP_WORTH_READING = 10  # a request and its answer cost about as many bytes as ten more registers

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
    blocks: list[Block] = []
    ordered = sorted(profile.point, key=lambda item: (item.every_s, item.address))
    for every_s, points in groupby(ordered, key=lambda item: item.every_s):
        run: list[ProfilePoint] = []
        for item in points:
            if run and not _fits(run, item, profile):
                blocks.append(_block(run, profile, every_s))
                run = []
            run.append(item)
        blocks.append(_block(run, profile, every_s))
    return tuple(blocks)


def probes(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Short reads whose answers have lengths that no planned block has, each its own.

    After a silence they tell an answer to the present question from a late one to an earlier. They are
    spread over the blocks, for a model may refuse one. Empty if every shorter length is in use.
    """
    lengths = {block.count for block in blocks}
    free = [count for count in range(1, max(lengths)) if count not in lengths]
    made = []
    for turn, count in enumerate(free[:MOST_PROBES]):
        able = [block for block in blocks if block.count > count]
        chosen = able[turn % len(able)]
        made.append(Block(chosen.function, chosen.address, count))
    return tuple(made)


def _fits(run: list[ProfilePoint], item: ProfilePoint, profile: Profile) -> bool:
    gap = item.address - _end(run)
    allowed = GAP_WORTH_READING if profile.allow_gaps else 0
    return gap <= allowed and item.address + item.words - run[0].address <= profile.max_block


def _end(run: list[ProfilePoint]) -> int:
    return max(item.address + item.words for item in run)


def _block(run: list[ProfilePoint], profile: Profile, every_s: int) -> Block:
    start = run[0].address
    together = {item.name for item in run}
    for item in run:
        if item.valid_when and item.valid_when.point not in together:
            fault = f"{item.name}: valid_when names {item.valid_when.point}, read in another block"
            raise ConfigError([f'profile "{profile.title}": {fault}'])
    return Block(profile.function, start, _end(run) - start, every_s, tuple(run))


def faults_of(profiles: Mapping[str, str]) -> list[str]:
    """Every fault in the profiles that devices name (device -> profile), each with its place in kit.toml."""
    faults = []
    for device, name in profiles.items():
        try:
            plan(load(name))
        except ConfigError as error:
            faults += [f"device.{device}.profile: {fault}" for fault in error.faults]
    return faults
