"""`tpkit device scan`: who is on this line or behind this host, and the lines for kit.toml."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tpkit.errors import BusUnavailableError
from tpkit.hardware.asking import LEAST_REST_S, Line, SocketLine, read
from tpkit.hardware.listening import LISTEN_S, listen
from tpkit.tools import scanning
from tpkit.tools.device_common import BAUD_RATES, add_json, print_json, say
from tpkit.tools.raw_line import Progress, add_way, host_of, in_words_s, open_line
from tpkit.tools.scanning import Conversation, Found, Speed

SAFETY = (
    "Before you open the cabinet: set the generator in OFF or manual, it may start by itself.\n"
    "Only an electrician connects to its terminals. Use an isolated adapter."
)
NEWLINES = 0x0A0A  # a register whose number ends a line: a web server answers, where it would wait for more
ALIKE = 16  # so many addresses in a row, 0 and strange ones among them, are no row of devices
BY_ID = Path("/dev/serial/by-id")


class Outcome(Struct):
    """What a scan found, and the sentences about it. `code` is the exit code."""

    code: int = 0
    stopped: bool = False
    echo: bool = False
    speed: Speed | None = None
    found: list[Found] = []
    garbled: dict[int, str] = {}
    sentences: list[str] = []
    kit_toml: str = ""


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "scan",
        help="find out who is on a serial line or behind a host",
        description="Asks one unit at a time who it is; nothing is ever written. Stop with Ctrl-C or q and "
        "Enter.",
    )
    add_way(parser)
    parser.add_argument("--baud", type=int, choices=BAUD_RATES, help="only this speed")
    parser.add_argument("--parity", choices=("N", "E", "O"), help="only this parity")
    parser.add_argument("--all", action="store_true", help="every address 1 to 247 and every common speed")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Scan, and say who is there: 0 somebody, 1 this line is not to be asked, 3 nobody, 130 stopped."""
    scan = _Scan(options)
    scan.tell(SAFETY)
    outcome = scan.outcome
    try:
        scan.work()
    except BusUnavailableError as error:
        if not outcome.found:
            raise
        outcome.code = error.exit_code
        outcome.sentences.append(str(error))
    except KeyboardInterrupt:
        outcome.stopped = True
        outcome.code = 130
        outcome.sentences.append("Stopped. This is what was found so far.")
    finally:
        scan.close()
    outcome.sentences += _sentences(outcome)
    outcome.kit_toml = kit_toml(scan.bus_lines(), outcome.found)
    if not outcome.code and not outcome.found:
        outcome.code = 3
    if options.json:
        print_json(msgspec.to_builtins(outcome, str_keys=True))
    else:
        for line in outcome.sentences:
            say(line)
        if outcome.found:
            say(f"\nFor kit.toml:\n\n{outcome.kit_toml}")
    return outcome.code


class _Scan:
    """One run of the command."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.outcome = Outcome()
        self.known = scanning.catalogue()
        self.progress = Progress(0)
        self.line: Line | None = None
        self.host = host_of(options)

    def tell(self, text: str) -> None:
        """A line for the person; beside the answer when that is for programs."""
        if self.options.json:
            sys.stderr.write(f"{text}\n")
        else:
            say(text)

    def work(self) -> None:
        """Listen, then ask."""
        if self.options.tcp is not None:
            self._network()
            return
        speeds = self._speeds() if self.options.rtu is not None else (None,)
        units = range(1, 248) if self.options.all else self._likely()
        self._announce(units, speeds)
        self._open(speeds[0])
        if self._quiet():
            for speed in speeds:
                if self._runs_at(speed):
                    self._walk(units, speed)
                if self.outcome.found and not self.options.all:
                    break

    def close(self) -> None:
        """Let go of the line and take the bar away."""
        self.progress.end()
        if self.line is not None:
            self.line.close()

    def bus_lines(self) -> list[str]:
        """The [bus] of kit.toml."""
        if self.options.rtu is None:
            framing = [] if self.options.tcp else ['framing = "rtu"']
            return ["[bus.lan]", f"host = {json.dumps(self.host[0])}", f"tcp_port = {self.host[1]}", *framing]
        speed = self.outcome.speed or Speed()
        return [
            "[bus.rs485]",
            f"port = {json.dumps(lasting_name(self.options.rtu))}",
            f"baud = {speed.baud}",
            f'parity = "{speed.parity}"',
            f"stop_bits = {speed.stop_bits}",
            *(["echo = true"] if self.outcome.echo else []),
        ]

    def _speeds(self) -> tuple[Speed, ...]:
        wanted, parity = self.options.baud, self.options.parity
        chosen = tuple(
            speed
            for speed in scanning.likely_speeds(self.known.values())
            if wanted in (None, speed.baud) and parity in (None, speed.parity)
        )
        return chosen or (Speed(wanted or 9600, parity or "N"),)

    def _likely(self) -> tuple[int, ...]:
        usual = (*scanning.likely_units(self.known.values()), *range(1, 11))
        return tuple(dict.fromkeys(unit for unit in usual if 1 <= unit <= 247))

    def _announce(self, units: Iterable[int], speeds: Iterable[Speed | None]) -> None:
        questions = sum(
            len(scanning.presence_questions(unit, speed, self.known.values()))
            for speed in speeds
            for unit in units
        )
        total_s = LISTEN_S + questions * self._each_s
        self.progress = Progress(total_s)
        self.tell(
            f"Listens {LISTEN_S:.0f} s, then asks one address at a time. This takes {in_words_s(total_s)} "
            f"if nobody answers. Stop with Ctrl-C, or with q and Enter."
        )

    @property
    def _each_s(self) -> float:
        """How long a question takes that nobody answers."""
        slow = self.options.rtu is None
        return LEAST_REST_S + (scanning.NETWORK_TIMEOUT_S if slow else scanning.SERIAL_TIMEOUT_S)

    def _open(self, speed: Speed | None) -> None:
        if self.line is not None:
            self.line.close()
        self.line = open_line(self.options, speed)

    def _runs_at(self, speed: Speed | None) -> bool:
        """Whether the adapter can be set to it; not every one knows every parity."""
        try:
            self._open(speed)
        except BusUnavailableError as error:
            self.outcome.sentences.append(f"Not tried, {speed}: {error}")
            return False
        return True

    def _talk(self, timeout_s: float) -> Conversation:
        if self.line is None:
            raise BusUnavailableError("The line is not open.")
        return Conversation(self.line, timeout_s)

    def _quiet(self) -> bool:
        """Listen. False if somebody else speaks on the line."""
        if self.line is None:
            return False
        gone_s = 0.0

        def tick(now_s: float) -> bool:
            nonlocal gone_s
            self.progress.step(now_s - gone_s, "listening")
            gone_s = now_s
            return True

        heard = listen(self.line, LISTEN_S, tick)
        self.outcome.sentences.append(heard.sentence)
        self.outcome.code = 1 if heard.bytes else 0
        return not heard.bytes

    def _walk(self, units: Iterable[int], speed: Speed | None) -> None:
        """Ask every unit at one speed."""
        talk = self._talk(scanning.NETWORK_TIMEOUT_S if speed is None else scanning.SERIAL_TIMEOUT_S)
        garbled: list[int] = []
        for unit in units:
            questions = scanning.presence_questions(unit, speed, self.known.values())
            self.progress.step(self._each_s * len(questions), f"{speed or ''} unit {unit}, {self._so_far()}")
            state = scanning.presence(talk, questions)
            if state == "there":
                self._meet(talk, unit, speed)
            elif state == "garbled":
                garbled.append(unit)
        met = {found.unit for found in self.outcome.found}
        talk.timeout_s = scanning.PATIENT_S
        for unit in sorted(talk.late & set(range(1, 248)) - met):
            if scanning.presence(talk, scanning.presence_questions(unit, None, ())) == "there":
                self._meet(talk, unit, speed)
        self._note_garbled(garbled, len(list(units)), speed)
        self.outcome.echo = self.outcome.echo or talk.echo

    def _meet(self, talk: Conversation, unit: int, speed: Speed | None) -> None:
        self.outcome.speed = self.outcome.speed or speed
        self.outcome.found.append(scanning.identify(talk, unit, self.known))
        self.outcome.garbled.pop(unit, None)

    def _note_garbled(self, garbled: list[int], asked: int, speed: Speed | None) -> None:
        met = {found.unit for found in self.outcome.found}
        at = f" at {speed}" if speed else ""
        if len(garbled) > asked / 2:
            self.outcome.garbled[0] = at
        else:
            self.outcome.garbled |= {unit: at for unit in garbled if unit not in met}

    def _so_far(self) -> str:
        return f"{len(self.outcome.found)} found"

    def _network(self) -> None:
        """Ask a host: first what it is, then each of its units."""
        likely = scanning.likely_units(self.known.values())
        units = tuple(dict.fromkeys((*likely, *range(248), 255)))
        total_s = 2 * self._each_s * (len(units) + len(likely))
        self.progress = Progress(total_s)
        self.tell(
            f"Asks one address at a time, {len(units)} of them. This takes {in_words_s(total_s)} if the host "
            f"is silent, much less if it refuses. Stop with Ctrl-C, or with q and Enter."
        )
        self._open(None)
        talk = self._talk(scanning.NETWORK_TIMEOUT_S)
        if wrong := self._other_than_modbus(talk, likely):
            self.outcome.sentences.append(wrong)
            self.outcome.code = 1
        elif scanning.is_victron_gx(talk):
            for unit in units[:-1]:
                self.progress.step(2 * self._each_s, f"unit {unit}, {self._so_far()}")
                if unit:  # 0 is 100 once more
                    self.outcome.found += scanning.victron_services(talk, unit, self.known)
        else:
            self._walk_network(talk, units)

    def _other_than_modbus(self, talk: Conversation, likely: Iterable[int]) -> str:
        """The sentence about a host that is no Modbus TCP server; empty if it may be one."""
        host, port = self.host
        there = False
        for unit in likely:
            self.progress.step(self._each_s, f"unit {unit}")
            answer = talk.ask(read(unit, 3, NEWLINES))
            if answer.kind == "web":
                return f"{host}:{port} is a web server, not Modbus. Modbus TCP is most often on port 502."
            if scanning.has_rtu_answer(answer):
                return self._rtu_sentence()
            there = there or answer.kind in ("answer", "refusal", "other")
        if not there:
            line = SocketLine(host, port, rtu=True)
            try:
                if scanning.speaks_rtu(Conversation(line, scanning.NETWORK_TIMEOUT_S), likely):
                    return self._rtu_sentence()
            finally:
                line.close()
        return ""

    def _rtu_sentence(self) -> str:
        host, port = self.host
        return (
            f"{host}:{port} speaks RTU over TCP, not Modbus TCP: scan with --rtu-over-tcp {host}:{port}; in "
            f'kit.toml it needs framing = "rtu".'
        )

    def _walk_network(self, talk: Conversation, units: tuple[int, ...]) -> None:
        asked = 0
        for unit in units:
            self.progress.step(2 * self._each_s, f"unit {unit}, {self._so_far()}")
            asked += 1
            if scanning.presence(talk, scanning.presence_questions(unit, None, ())) == "there":
                self.outcome.found.append(scanning.identify(talk, unit, self.known))
            if asked == len(self.outcome.found) == ALIKE:
                self.outcome.found = self.outcome.found[:1]
                self.outcome.sentences.append("Every address answers alike: one device that ignores it.")
                break
        if talk.closed >= asked:
            self.outcome.sentences.append(
                "The host accepts connections and closes them when it is asked: it may serve only certain "
                "addresses, or as many masters as it can already."
            )


def _sentences(outcome: Outcome) -> Iterator[str]:
    """What was found, and what the damaged answers mean."""
    at = f" at {outcome.speed}" if outcome.speed else ""
    for found in outcome.found:
        says = f" It says: {'; '.join(found.says)}." if found.says else ""
        if found.certain:
            also = f" (or {', '.join(found.profiles[1:])})" if found.profiles[1:] else ""
            yield f"Unit {found.unit}{at}: profile {found.profiles[0]}{also}.{says}"
        elif found.profiles:
            yield (
                f"Unit {found.unit}{at}: perhaps {' or '.join(found.profiles)}, but numbers like these are "
                f"in other devices too: compare with its display (`tpkit device read`).{says}"
            )
        else:
            yield (
                f"Unit {found.unit}{at}: somebody answers whom no profile recognises.{says} Choose one of "
                f"`tpkit device profiles`, or make one with `tpkit device learn`."
            )
    if outcome.echo:
        yield "The adapter hears what it sends: the bus needs echo = true."
    yield from _damage(outcome)
    if not outcome.found and not outcome.garbled and not outcome.code:
        yield (
            "Nobody answered. Is the device switched on and its Modbus port enabled, are A and B on the "
            "right terminals, and does it have an address that was not tried (--all)?"
        )


def _damage(outcome: Outcome) -> Iterator[str]:
    if 0 in outcome.garbled and not outcome.found:
        yield (
            "Every question brings bytes that are no answer: that looks like noise. Are A and B swapped, is "
            "the common wire connected, and are both ends terminated?"
        )
        return
    for unit, at in outcome.garbled.items():
        if unit:
            yield (
                f"Unit {unit}{at}: answers come garbled, and only there. Two devices may have address "
                f"{unit}: disconnect one and scan again."
            )


def kit_toml(bus: list[str], found: Iterable[Found]) -> str:
    """The lines for kit.toml. Who is not certain, or second at one address, is commented out."""
    lines, taken = [*bus, ""], set()
    name = bus[0].strip("[]").removeprefix("bus.")
    for each in found:
        known = each.profiles[0] if each.profiles else ""
        mark = "" if each.certain and each.unit not in taken else "# "
        taken.add(each.unit)
        label = f"{known or each.service or 'unit'}-{each.unit}"[-32:].lstrip("-0123456789")
        lines += [
            f"{mark}[device.{label}]",
            f'{mark}bus = "{name}"',
            f"{mark}device_id = {each.unit}",
            f'{mark}profile = "{known or "?"}"',
            "",
        ]
    return "\n".join(lines)


def lasting_name(port: str) -> str:
    """The name that an adapter keeps when it is plugged in anew, if udev gave it one."""
    if BY_ID.is_dir():
        for link in sorted(BY_ID.iterdir()):
            if link.resolve() == Path(port).resolve():
                return str(link)
    return port
