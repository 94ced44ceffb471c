"""`tpkit device learn`: a profile for a make that nobody knows, by comparing it with its own display."""

import argparse
import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from tpkit.errors import ConfigError, NoResponseError
from tpkit.hardware import profile as profiles
from tpkit.hardware.asking import LEAST_REST_S, Answer, read
from tpkit.tools import learning
from tpkit.tools.device_common import BAUD_RATES, add_json, print_json, rounds, say, seconds, table
from tpkit.tools.learning import Learned, Moment, Round, Shown
from tpkit.tools.raw_line import Progress, add_way, host_of, in_words_s, open_line
from tpkit.tools.scanning import Conversation, Speed

BLOCK = 16
MOST_REGISTERS = 5000
TIMEOUT_S = 1.0
SETTLE_S = 1.0  # an answer that comes later than this after its time is not expected
MOST_SILENCES = 3  # questions in a row without an answer: the device is gone

Function = Literal[3, 4]


class Report(Struct, frozen=True):
    """What was read and learned, for programs."""

    registers: list[dict[str, Any]]
    points: list[dict[str, Any]]
    left_out: dict[str, str]
    file: str | None


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "learn",
        help="make a profile for a device that nobody knows",
        description="Reads registers, compares them with what the device's own display says, and writes a "
        "profile of the points that agree. Nothing is ever written to the device. Stop with Ctrl-C.",
    )
    add_way(parser)
    parser.add_argument("--baud", type=int, choices=BAUD_RATES)
    parser.add_argument("--parity", choices=("N", "E", "O"))
    parser.add_argument("--stop-bits", type=int, choices=(1, 2), default=1)
    parser.add_argument("--device-id", type=int, default=1, metavar="N", help="Modbus address (default 1)")
    parser.add_argument(
        "--function", type=int, choices=(3, 4), default=3, help="3 holding, 4 input registers"
    )
    parser.add_argument("--from", type=int, default=0, metavar="N", dest="first", help="first register")
    parser.add_argument("--to", type=int, default=199, metavar="N", dest="last", help="last register")
    parser.add_argument("--rounds", type=rounds, default=3, metavar="N", help="how often all is read")
    parser.add_argument("--pause", type=seconds, default=2.0, metavar="S", help="seconds between rounds")
    parser.add_argument(
        "--display", action="append", default=[], metavar="NAME=VALUE",
        help=f"what the display says, the digits as it shows them; asked for if not given. NAME: "
        f"{', '.join(learning.SHORT_NAMES)}, or one of docs/points.md",
    )  # fmt: skip
    parser.add_argument("--title", metavar="TEXT", help="maker and model")
    parser.add_argument("--out", type=Path, metavar="FILE.toml", help="the profile (default: from the title)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Learn. 0 a profile was written, 1 nothing was confirmed or the person said no, 3 no answer."""
    given = _checked(options)
    speed = Speed(options.baud or 9600, options.parity or "N", options.stop_bits)
    line = open_line(options, speed)
    try:
        moments = list(_moments(options, Conversation(line, TIMEOUT_S), given))
    finally:
        line.close()
    learned = learning.learn(moments)
    if not options.json:
        _tell(learned, moments)
    path = _write(options, learned, speed) if learned.points else None
    if options.json:
        print_json(_report(moments, learned, path))
    elif path is None:
        say("Nothing was written.")
    else:
        say(f"{path}: written. Try it with: tpkit device read --profile {path} ...")
    return 0 if path else 1


def _checked(options: argparse.Namespace) -> dict[str, Shown]:
    """What was typed for the display. Raises ConfigError with every fault of the command line."""
    host_of(options)
    faults: list[str] = []
    given: dict[str, Shown] = {}
    for text in options.display:
        try:
            name, shown = learning.display(text)
            if name in given:
                faults.append(f'"{text}": {name} is there twice')
            given[name] = shown
        except ConfigError as error:
            faults += error.faults
    faults = [f"--display {fault}" for fault in faults]
    faults += [*_range_faults(options), *_file_faults(options)]
    if faults:
        raise ConfigError(faults)
    return given


def _range_faults(options: argparse.Namespace) -> Iterator[str]:
    lowest, highest = (1, 247) if options.rtu else (0, 255)
    if not lowest <= options.device_id <= highest:
        yield f"--device-id {options.device_id}: must be {lowest} to {highest} here"
    if not 0 <= options.first <= options.last <= 65535:
        yield f"--from {options.first} --to {options.last}: must be 0 to 65535, the first not above the last"
    elif options.last - options.first >= MOST_REGISTERS:
        yield f"--from {options.first} --to {options.last}: {MOST_REGISTERS} registers at most at a time"


def _file_faults(options: argparse.Namespace) -> Iterator[str]:
    if options.json and not options.display:
        yield "--json: give the display's values with --display, nobody will be asked"
    if options.display and not options.title:
        yield "--title is missing: maker and model, as they shall stand in the profile"
    if options.out and (options.out.suffix != ".toml" or options.out.exists()):
        yield f"--out {options.out}: must be a new file whose name ends in .toml"


def _moments(options: argparse.Namespace, talk: Conversation, given: dict[str, Shown]) -> Iterator[Moment]:
    """Read and ask the person, once or as often as they like."""
    reader = _Reader(options, talk)
    while True:
        read_rounds = reader.rounds()
        if not options.json:
            _show(read_rounds)
        yield Moment(read_rounds, given or _asked())
        if given or not _yes("Change something (start, load) and read again?"):
            return


class _Reader:
    """Reads the range, round by round; which blocks the device has is found out in the first."""

    def __init__(self, options: argparse.Namespace, talk: Conversation) -> None:
        self._options = options
        self._talk = talk
        self._function: Function = 3 if options.function == 3 else 4
        self._silences = 0
        self._blocks = [
            (at, min(BLOCK, options.last + 1 - at)) for at in range(options.first, options.last + 1, BLOCK)
        ]

    def rounds(self) -> tuple[Round, ...]:
        """All rounds. Raises NoResponseError when the device says nothing, or no more."""
        count, pause_s = self._options.rounds, self._options.pause
        total_s = count * len(self._blocks) * (TIMEOUT_S + LEAST_REST_S) + (count - 1) * pause_s
        if not self._options.json:
            say(f"Reads {count} rounds, {in_words_s(total_s)} at most unless registers are missing.")
        progress = Progress(total_s)
        made = []
        for turn in range(count):
            if turn:
                time.sleep(pause_s)
                progress.step(pause_s, "pause")
            made.append(self._round(progress, f"round {turn + 1} of {count}"))
            if not made[0]:
                raise NoResponseError(
                    f"Device {self._options.device_id} refuses every register from {self._options.first} to "
                    f"{self._options.last} by function {self._function}: try the other function or range."
                )
        progress.end()
        return tuple(made)

    def _round(self, progress: Progress, text: str) -> Round:
        words: dict[int, int] = {}
        readable = []
        for at, count in self._blocks:
            progress.step(TIMEOUT_S + LEAST_REST_S, f"{text}, register {at}")
            for part, found in self._parts(at, count):
                words.update(enumerate(found, start=part))
                readable.append((part, len(found)))
        self._blocks = readable
        return words

    def _parts(self, at: int, count: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        """The pieces of a block that the device has, halved wherever it refuses."""
        answer = self._ask(at, count)
        if answer.kind == "answer":
            yield at, answer.words
        elif count > 1:
            yield from self._parts(at, count // 2)
            yield from self._parts(at + count // 2, count - count // 2)

    def _ask(self, at: int, count: int) -> Answer:
        answer = self._talk.ask(read(self._options.device_id, self._function, at, count))
        self._silences = 0 if answer.kind in ("answer", "refusal") else self._silences + 1
        if answer.kind != "answer" and not answer.refused:
            self._talk.settle(SETTLE_S)
        if answer.kind == "web":
            raise NoResponseError("That is a web server, not Modbus.")
        if self._silences >= MOST_SILENCES:
            came = "only damaged answers" if answer.kind == "noise" else "no answer"
            raise NoResponseError(
                f"Device {self._options.device_id} gave {came} at register {at}: are address and speed "
                f"right? `tpkit device scan` finds out."
            )
        return answer


def _show(read_rounds: tuple[Round, ...]) -> None:
    """The registers that changed or look like something."""
    moved = learning.changed(read_rounds)
    rows = [
        (at, " ".join(str(each.get(at, "-")) for each in read_rounds), _mark(at in moved), "; ".join(hints))
        for at in sorted(read_rounds[0])
        if (hints := learning.looks_like(read_rounds, at)) or at in moved
    ]
    for line in table(("register", "words", "", "may be"), rows, right=(0,)):
        say(line)
    say(f"{len(read_rounds[0])} registers answered, {len(moved)} of them changed.")


def _mark(moved: bool) -> str:
    return "changed" if moved else ""


def _asked() -> dict[str, Shown]:
    """What the person reads from the display."""
    say("What does the machine's own display say? Type the digits as it shows them; Enter if it does not.")
    shown = {}
    for short, name in learning.SHORT_NAMES.items():
        while text := _typed(f"  {short} ({learning.unit_of(name)}): "):
            try:
                shown[name] = learning.display(f"{name}={text}")[1]
                break
            except ConfigError as error:
                say(str(error))
    return shown


def _typed(question: str) -> str:
    """What the person types; nothing when there is nobody."""
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.readline().strip()


def _yes(question: str) -> bool:
    return _typed(f"{question} [y/N] ").lower() in ("y", "yes", "j", "ja")


def _tell(learned: Learned, moments: list[Moment]) -> None:
    """What is confirmed and what is not."""
    for name, fit in learned.points.items():
        shown = " then ".join(moment.shown[name].text for moment in moments if name in moment.shown)
        say(f"confirmed: {name} = {shown} at register {fit.address}, {fit.type} x {fit.scale:g}")
    for name, reason in learned.left_out.items():
        say(f"left out: {name}: {reason}")
    if not learned.points:
        say("No point is confirmed by the display.")


def _write(options: argparse.Namespace, learned: Learned, speed: Speed) -> Path | None:
    """Write the profile, if the person agrees. Raises ConfigError when it cannot be written."""
    title = options.title or _typed("Maker and model, for the title: ") or "Unknown make"
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "machine"
    path = options.out or Path(f"learned-{slug}.toml")
    if not options.display and not _yes(f"Write {path} with {len(learned.points)} points?"):
        return None
    defaults: dict[str, int | str] = {"device_id": options.device_id}
    if options.rtu:
        defaults |= {"baud": speed.baud, "parity": speed.parity, "stop_bits": speed.stop_bits}
    source = f"this machine, {datetime.now(UTC).date()}, learned"
    text = learning.profile_toml(title, source, options.function, learned, defaults)
    profiles.parse(path.stem, text)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        reason = f"{path}: cannot be written ({error.strerror}). Give another name with --out."
        raise ConfigError([reason]) from None
    return path


def _report(moments: list[Moment], learned: Learned, path: Path | None) -> Report:
    last = moments[-1].rounds
    moved = learning.changed(last)
    return Report(
        registers=[
            {
                "address": at,
                "words": [each.get(at) for each in last],
                "changed": at in moved,
                "may_be": learning.looks_like(last, at),
            }
            for at in sorted(last[0])
        ],
        points=[
            {
                "name": name,
                "address": fit.address,
                "type": fit.type,
                "scale": fit.scale,
                "display": [moment.shown[name].text for moment in moments if name in moment.shown],
            }
            for name, fit in learned.points.items()
        ],
        left_out=learned.left_out,
        file=str(path) if path else None,
    )
