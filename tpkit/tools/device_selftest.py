"""`tpkit device selftest`: whether a device's numbers can be true together and agree with its display."""

import argparse
import contextlib
import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from tpkit.domain.points import point as vocabulary
from tpkit.errors import BusError, ConfigError
from tpkit.store import checks
from tpkit.tools.device_checks import Check, all_checks
from tpkit.tools.device_common import (
    Target,
    add_connection,
    in_words,
    print_json,
    rounds,
    say,
    shown,
    table,
    target,
)
from tpkit.tools.device_session import PointRead, Session

SHARE, LEAST = 0.05, {"V": 0.5, "A": 0.5, "W": 100, "Hz": 0.5, "rpm": 30, "%": 3, "°C": 3, "kPa": 20, "h": 1}
"""How far a display may differ from what was read: 5 %, or so much in the point's unit (else 1)."""

BAD_ERRORS = 0.02  # share of questions without a good answer that no sound line has
ASKED_FIRST = (
    "tank.fuel_level", "battery.voltage", "battery.state_of_charge", "generator.voltage_l1",
    "generator.frequency", "engine.speed", "engine.coolant_temperature", "meter.voltage_l1", "meter.power",
    "grid.voltage_l1", "load.power_l1", "tank.water_level", "climate.temperature_1",
)  # fmt: skip
MOST_ASKED = 4


class Compared(Struct, frozen=True):
    """A point, what was read and what the machine's own display says."""

    point: str
    read: float | str | None
    display: str
    agrees: bool


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "selftest", help="check whether the numbers can be true, and record a comparison with the display"
    )
    add_connection(parser)
    parser.add_argument(
        "--rounds", type=rounds, default=10, metavar="N", help="how often everything is read (10)"
    )
    parser.add_argument(
        "--checked-by", type=_initials, metavar="INITIALS", help="who compares; records the comparison"
    )
    parser.add_argument(
        "--display", nargs="+", action="extend", type=_display, default=[], metavar="POINT=VALUE",
        help="what the machine's own display says, such as tank.fuel_level=63",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check, compare if asked to, and record. 1 if something is wrong."""
    wanted = target(options)
    if options.checked_by and not wanted.name:
        raise ConfigError(["--checked-by: name the device as kit.toml does (--device NAME --config FILE)."])
    points, line = _read(wanted, options.rounds)
    found = all_checks(_numbers(points))
    displays = dict(options.display)
    if options.checked_by and not displays:
        displays = _ask_person(points)
    compared = [_compare(points, name, text) for name, text in displays.items()]
    true = all(one.state != "wrong" for one in found) and all(one.agrees for one in compared)
    recorded = bool(options.checked_by and compared and true)
    if recorded:
        checks.record(Path(wanted.state), wanted.name, wanted.profile_name, options.checked_by)
    if options.json:
        _print_json([*found, line], points, compared, recorded)
    else:
        _print(wanted, [*found, line], points, compared)
        say(_verdict([*found, line]))
        say(_last_word(options, compared, true))
    return 0 if true and line.state == "fine" else 1


def _read(wanted: Target, times: int) -> tuple[list[PointRead], Check]:
    """The points as they came last, and how the line behaved. Raises BusError if nothing came at first."""
    with Session(wanted) as session:
        points = session.read()
        for _ in range(times - 1):
            with contextlib.suppress(BusError):  # counted
                points = session.read()
        return points, _line(session.answers, session.failures)


def _numbers(points: Iterable[PointRead]) -> dict[str, float]:
    return {one.item.name: one.reading.value for one in points if isinstance(one.reading.value, float)}


def _line(answers: int, failures: int) -> Check:
    """How well questions were answered."""
    share = failures / max(1, answers + failures)
    text = f"{answers + failures} questions, {failures} without a good answer ({100 * share:.1f} %)"
    if share <= BAD_ERRORS:
        return Check("line", "fine", text)
    return Check(
        "line", "wrong", f"{text}; check the ground wire, the 120 ohm at both ends, power cables nearby"
    )


def _compare(points: Iterable[PointRead], name: str, display: str) -> Compared:
    """Whether what was read agrees with the display. Raises ConfigError for what cannot be compared."""
    one = next((one for one in points if one.item.name == name), None)
    if one is None:
        raise ConfigError([f"--display {name}={display}: the profile has no point {name}"])
    value = one.reading.value
    if not isinstance(value, float):
        return Compared(name, value, display, value is not None and _plain(display) == _plain(value))
    number = _number(display)
    if number is None:
        raise ConfigError([f"--display {name}={display}: {name} is a number in {one.unit}"])
    known = vocabulary(name)
    least = LEAST.get(known.unit if known else "", 1.0)
    return Compared(name, value, display, abs(value - number) <= max(SHARE * abs(number), least))


def _plain(text: str) -> str:
    return text.strip().lower().replace(" ", "_")


def _number(text: str) -> float | None:
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _ask_person(points: list[PointRead]) -> dict[str, str]:
    """Ask at the terminal what the display says of some points; an empty answer skips one."""
    if not sys.stdin.isatty():
        raise ConfigError(
            ["--checked-by: say what the machine's own display shows: --display POINT=VALUE ..."]
        )
    there = {one.item.name: one for one in points if one.reading.value is not None}
    asked = [name for name in ASKED_FIRST if name in there] or list(there)
    displays = {}
    for name in asked[:MOST_ASKED]:
        unit = there[name].unit
        sys.stderr.write(
            f"{name}: what does the machine's own display say, in {unit or 'words'}? (Enter: skip) "
        )
        sys.stderr.flush()
        if text := sys.stdin.readline().strip():
            displays[name] = text
    return displays


def _print(wanted: Target, found: list[Check], points: list[PointRead], compared: list[Compared]) -> None:
    say(wanted.title)
    for line in table(("check", "", ""), [(one.name, one.state, one.text) for one in found])[1:]:
        say(line)
    for reason, count in _reasons(points).items():
        say(f"without a value: {count} ({reason}: {in_words(reason)})")
    for one in compared:
        agrees = "agrees" if one.agrees else "DOES NOT AGREE"
        say(f"{one.point}: read {shown(one.read)}, display {one.display}: {agrees}")


def _reasons(points: Iterable[PointRead]) -> Mapping[str, int]:
    return Counter(one.reading.reason for one in points if one.reading.value is None)


def _print_json(
    found: list[Check], points: list[PointRead], compared: list[Compared], recorded: bool
) -> None:
    print_json(
        {"checks": found, "without_value": dict(_reasons(points)), "compared": compared, "recorded": recorded,
         "verdict": _verdict(found)}
    )  # fmt: skip


def _verdict(found: Iterable[Check]) -> str:
    """The verdict in words."""
    states = Counter(one.state for one in found)
    if states["wrong"]:
        names = ", ".join(one.name for one in found if one.state == "wrong")
        return f"Something is wrong: {names}. Do not use these numbers before it is found out."
    if not states["fine"] - 1:  # the line is always judged
        return "The line is good, but there is nothing to judge the numbers by: is the machine running?"
    untold = f", {states['not now']} could not be judged now" if states["not now"] else ""
    return f"The numbers fit together{untold}."


def _last_word(options: argparse.Namespace, compared: list[Compared], true: bool) -> str:
    """What was recorded, or how to."""
    if not options.checked_by:
        return (
            "Now compare with the machine's own display. To record it: tpkit device selftest --device NAME "
            "--checked-by INITIALS --display POINT=VALUE"
        )
    if not compared:
        return "Nothing was compared, so nothing is recorded."
    if not true:
        return "Not recorded: the device stays marked as not checked here."
    return "Recorded: the device is checked here."


def _initials(text: str) -> str:
    if not re.fullmatch(r"[^\W\d_]{1,8}", text):
        raise argparse.ArgumentTypeError(f'"{text}" is not initials: 1 to 8 letters')
    return text


def _display(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not value.strip() or vocabulary(name) is None:
        raise argparse.ArgumentTypeError(f'"{text}" is not POINT=VALUE, such as tank.fuel_level=63')
    return name, value
