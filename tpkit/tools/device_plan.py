"""`tpkit device profiles` and `plan`: which kinds of device are known, and how one of them is read."""

import argparse
import textwrap
from typing import Any

import msgspec

from tpkit.hardware import profile as profiles
from tpkit.hardware.planning import BITS_PER_CHARACTER, Block, characters, plan
from tpkit.hardware.profile_form import Profile
from tpkit.tools.device_common import BAUD_RATES, add_json, load_profile, print_json, say, table

HEAD = ("function", "first register", "count", "every", "on the wire")
WIDTH, INDENT = 100, "    "


def register(commands: Any) -> None:
    """Add the commands."""
    listing = commands.add_parser("profiles", help="list the kinds of device that tpkit can read")
    add_json(listing)
    listing.set_defaults(run=run_profiles)
    planning = commands.add_parser("plan", help="show which registers are read together, and what that costs")
    planning.add_argument("--profile", required=True, metavar="NAME", help="see: tpkit device profiles")
    planning.add_argument("--baud", type=int, choices=BAUD_RATES, metavar="N", help="speed of the line")
    add_json(planning)
    planning.set_defaults(run=run_plan)


def run_profiles(options: argparse.Namespace) -> int:
    """Print every profile."""
    known = [_about(name, profiles.load(name)) for name in profiles.names()]
    if options.json:
        print_json(known)
        return 0
    head = ("name", "points", "confidence", "tried on hardware", "what")
    rows = [
        (one["name"], one["points"], one["confidence"], _yes(one["tested_on_hardware"]), one["title"])
        for one in known
    ]
    for line in table(head, rows, right=(1,)):
        say(line)
    return 0


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _about(name: str, profile: Profile) -> dict[str, Any]:
    return {
        "name": name,
        "title": profile.title,
        "confidence": profile.confidence,
        "source": profile.source,
        "tested_on_hardware": profile.tested_on_hardware,
        "points": len(profile.point),
    }


def run_plan(options: argparse.Namespace) -> int:
    """Print the blocks of a profile and the load that they put on a line."""
    profile = at_speed(load_profile(options.profile), options.baud)
    blocks = plan(profile)
    baud, load = profile.defaults.baud, load_percent(profile, blocks)
    if options.json:
        shown = [_block(profile, block) for block in blocks]
        print_json({"profile": options.profile, "baud": baud, "load_percent": load, "blocks": shown})
        return 0
    say(f"{profile.title} ({options.profile}), {len(profile.point)} points")
    if profile.discovery != "none":
        say("The device is asked which points it has; only what is read from every device is planned here.")
    rows = [
        (
            block.function,
            block.address,
            block.count,
            f"{block.every_s} s",
            f"{1000 * wire_s(profile, block):.0f} ms",
        )
        for block in blocks
    ]
    first, *lines = table(HEAD, rows, right=(0, 1, 2, 3, 4))
    say(first)
    for line, block in zip(lines, blocks, strict=True):
        say(line)
        say(
            textwrap.fill(
                " ".join(item.name for item in block.points),
                WIDTH,
                initial_indent=INDENT,
                subsequent_indent=INDENT,
            )
        )
    say(_verdict(profile, load))
    return 0


def at_speed(profile: Profile, baud: int | None) -> Profile:
    """The profile as if its devices were set to `baud`."""
    if baud is None:
        return profile
    return msgspec.structs.replace(profile, defaults=msgspec.structs.replace(profile.defaults, baud=baud))


def wire_s(profile: Profile, block: Block) -> float:
    """How long one read of `block` takes on a serial line at the profile's speed, in seconds."""
    return characters(profile, block.count) * BITS_PER_CHARACTER / profile.defaults.baud


def load_percent(profile: Profile, blocks: tuple[Block, ...]) -> float:
    """How much of the line's time one such device takes, with the rest that it wants after each question."""
    share = sum((wire_s(profile, block) + profile.min_gap_s) / block.every_s for block in blocks)
    return round(100 * share, 1)


def _block(profile: Profile, block: Block) -> dict[str, Any]:
    return {
        "function": block.function,
        "address": block.address,
        "count": block.count,
        "every_s": block.every_s,
        "wire_s": round(wire_s(profile, block), 4),
        "points": [item.name for item in block.points],
    }


def _verdict(profile: Profile, load: float) -> str:
    rest = f", with {profile.min_gap_s * 1000:.0f} ms of rest after each read" if profile.min_gap_s else ""
    sentence = f"One such device takes {load:g} % of a line at {profile.defaults.baud} baud{rest}."
    if load > 100:
        return f"{sentence} That is more than there is: values will come less often than planned."
    return sentence
