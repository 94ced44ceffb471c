"""`tpkit device read` and `watch`: what a device says now, with the words it came as."""

import argparse
import sys
import time
from typing import Any

import msgspec

from tpkit.domain.samples import VALUE_LIFETIME_S, Quality, Reading
from tpkit.errors import BusError
from tpkit.hardware.decoding import decode
from tpkit.hardware.planning import block_of
from tpkit.hardware.profile_form import WORDS, Profile
from tpkit.tools.device_common import (
    Target,
    add_connection,
    in_words,
    print_json,
    say,
    seconds,
    shown,
    table,
    target,
)
from tpkit.tools.device_session import PointRead, Session

HEAD = ("point", "value", "unit", "raw", "quality", "reason")
ORDERS = ("big", "little")
CLEAR = "\033[H\033[2J"
EVERY_S = 1.0
NOTE = (
    "Numbers are right only if the profile fits. Compare some with the machine's own display, and record it: "
    "tpkit device selftest."
)


def register(commands: Any) -> None:
    """Add the commands."""
    reading = commands.add_parser("read", help="read every point once, with raw words and quality")
    add_connection(reading)
    reading.add_argument(
        "--both-orders", action="store_true", help="show values of several words in both word orders"
    )
    reading.set_defaults(run=run_read)
    watching = commands.add_parser("watch", help="a live table, read anew every second; Ctrl-C ends it")
    add_connection(watching)
    watching.add_argument("--for", dest="for_s", type=seconds, metavar="S", help="end after so many seconds")
    watching.set_defaults(run=run_watch)


def run_read(options: argparse.Namespace) -> int:
    """Print every point; null with its reason where there is no value."""
    wanted = target(options)
    with Session(wanted) as session:
        points = session.read()
    profile = session.reader.profile
    if options.json:
        print_json([_plain(profile, one, options.both_orders) for one in points])
        return 0
    say(wanted.title)
    head = (*HEAD, "high word first", "low word first") if options.both_orders else HEAD
    rows = [_row(profile, one, options.both_orders) for one in points]
    for line in table(head, rows, right=(1,)):
        say(line)
    say(_summary(points))
    say(NOTE)
    return 0


def run_watch(options: argparse.Namespace) -> int:
    """Print the table again and again until the time is up or Ctrl-C."""
    wanted = target(options)
    with Session(wanted) as session:
        watch = _Watch(wanted, options.json)
        watch.take(session.read())
        end = time.monotonic() + (options.for_s or float("inf"))
        try:
            while (due := watch.shown_at + EVERY_S) < end:
                time.sleep(max(0.0, due - time.monotonic()))
                try:
                    watch.take(session.read())
                except BusError as error:
                    watch.silent(error)
        except KeyboardInterrupt:
            return 0
    return 0


class _Watch:
    """What a watched device said, and when."""

    def __init__(self, wanted: Target, json: bool) -> None:
        self.shown_at = 0.0
        self._target = wanted
        self._json = json
        self._is_screen = sys.stdout.isatty() and not json
        self._good: dict[str, tuple[PointRead, float]] = {}
        self._last: dict[str, tuple[object, ...]] = {}

    def take(self, points: list[PointRead]) -> None:
        """Show a new round."""
        self.shown_at = now = time.monotonic()
        self._good |= {one.item.name: (one, now) for one in points if one.reading.value is not None}
        if self._json:
            at = time.strftime("%H:%M:%S")
            values = {one.item.name: one.reading.value for one in points}
            say(msgspec.json.encode({"at": at, "values": values}).decode())
        elif self._is_screen:
            self._draw([self._aged(one, now) for one in points], _summary(points))
        else:
            self._changes(points)

    def silent(self, error: BusError) -> None:
        """Show that nothing came."""
        self.shown_at = now = time.monotonic()
        if self._json:
            say(msgspec.json.encode({"at": time.strftime("%H:%M:%S"), "error": str(error)}).decode())
        elif self._is_screen:
            self._draw([_old(one, now - at) for one, at in self._good.values()], str(error))
        else:
            say(f"{time.strftime('%H:%M:%S')} {error}")
            self._last.clear()

    def _draw(self, rows: list[tuple[object, ...]], foot: str) -> None:
        lines = [self._target.title, *table((*HEAD, "age"), rows, right=(1, 6)), foot, "Ctrl-C ends."]
        say(CLEAR + "\n".join(lines))

    def _aged(self, one: PointRead, now: float) -> tuple[object, ...]:
        """A row with the age of the last good value."""
        good = self._good.get(one.item.name)
        return (*_row(self._target.profile, one, False), f"{now - good[1]:.0f} s" if good else "-")

    def _changes(self, points: list[PointRead]) -> None:
        """A line for each point that says something new."""
        for one in points:
            row = _row(self._target.profile, one, False)
            if self._last.get(one.item.name) != row:
                self._last[one.item.name] = row
                say(f"{time.strftime('%H:%M:%S')} {' '.join(str(cell) for cell in row if cell != '')}")


def _old(one: PointRead, age_s: float) -> tuple[object, ...]:
    """A row of a device that says nothing any more: the value while it is young, and always its age."""
    age = f"{age_s:.0f} s"
    if age_s > VALUE_LIFETIME_S:
        return (one.item.name, "-", one.unit, "", Quality.BAD, "silent", age)
    raw = " ".join(one.raw)
    return (one.item.name, shown(one.reading.value), one.unit, raw, Quality.UNCERTAIN, "silent", age)


def _summary(points: list[PointRead]) -> str:
    good = sum(one.reading.value is not None for one in points)
    if not any(one.words for one in points):
        return "The device answers, but it has none of these registers: is --profile right?"
    return f"{good} of {len(points)} points have a value."


def _row(profile: Profile, one: PointRead, both: bool) -> tuple[object, ...]:
    reason = one.reading.reason
    told = f"{reason}: {in_words(reason)}" if reason else ""
    row = (one.item.name, shown(one.reading.value), one.unit, " ".join(one.raw), one.quality, told)
    if not both:
        return row
    orders = _orders(profile, one)
    return (*row, *(_short(orders[order]) for order in ORDERS)) if orders else (*row, "", "")


def _short(reading: Reading) -> str:
    return shown(reading.value) if reading.value is not None else reading.reason


def _plain(profile: Profile, one: PointRead, both: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "point": one.item.name,
        "value": one.reading.value,
        "unit": one.unit,
        "quality": one.quality,
        "reason": one.reading.reason,
        "raw": one.raw,
    }
    orders = _orders(profile, one) if both else {}
    if orders:
        entry["orders"] = {order: reading.value for order, reading in orders.items()}
    return entry


def _orders(profile: Profile, one: PointRead) -> dict[str, Reading]:
    """A value of several words as it would be in either word order; empty for any other."""
    if one.block is None or WORDS.get(one.item.type, 1) == 1:
        return {}
    item = msgspec.structs.replace(one.item, valid_when=None)
    block = block_of([item], one.block.function, one.block.every_s)
    start = block.address - one.block.address
    words = one.words[start : start + block.count]
    return {
        order: decode(msgspec.structs.replace(profile, word_order=order), block, words)[0] for order in ORDERS
    }
