"""What tpkit makes of a line of 9600 baud: how near to the wire's own pace, at what processor time, and what
a dead device costs its neighbours.

python -m tests.bench.modbus [--short]

Three devices and 60 points on a pseudo terminal that is paced like a UART; the scheduler, the buses and
the decoder are the controller's own. `--short` is for trying; its figures for the dead device say little.
"""

import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.bench.figures import cpu_ms, tell
from tests.bench.paced_line import BITS, QUESTION, TURNAROUND_S
from tpkit.config import BusSection, DeviceSection
from tpkit.controller.polling import BusThread, DeviceFollower
from tpkit.domain.status import TimeTrust
from tpkit.hardware import profile
from tpkit.hardware.planning import Block, plan
from tpkit.hardware.profile_form import Profile
from tpkit.store.clock import Clock, system_reference

BAUD = 9600
GAP_CHARACTERS = 3.5  # Modbus over Serial Line 1.02, 2.5.1.1
ANSWER = 5  # characters of an answer beside its registers
KIT = {"dse-generic": (10, 39), "sdm630": (1, 19), "xy-md02": (2, 2)}
"""Profile: unit and how many points. The meter's 20th, its energy, is read once a minute by itself."""
FOURTH = {"pta8c04": (3, 4)}
SCAN_GOAL, CPU_GOAL, RATE_GOAL = 1.05, 1.5, 98.0
TIMEOUT_S = 1.0
PEER = "minimalmodbus==2.1.1"


class Exchange(NamedTuple):
    """A question that came to the devices; `answered_s` is None for a dead one."""

    unit: int
    address: int
    registers: int
    asked_s: float
    answered_s: float | None


class Wire:
    """The line with its devices, in a process of its own."""

    def __init__(self, folder: Path, name: str, baud: int) -> None:
        self.baud = baud
        self._log = folder / f"{name}.log"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.paced_line", str(self._log), str(baud)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.port = self._process.stdout.readline().split()[1]

    def exchanges(self, since_s: float, until_s: float) -> list[Exchange]:
        """What was asked between two moments of the monotonic clock."""
        found = []
        for text in self._log.read_text().splitlines():
            unit, address, count, asked_s, answered_s = text.split()
            if since_s <= float(asked_s) < until_s:
                answered = None if answered_s == "-" else float(answered_s)
                found.append(Exchange(int(unit), int(address), int(count), float(asked_s), answered))
        return found

    def silence(self, unit: int) -> None:
        """Take a device off the line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"silent {unit}\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


def devices(wanted: dict[str, tuple[int, int]], every_s: int) -> dict[str, tuple[int, Profile]]:
    """Unit and profile with its first so many points, asked for every `every_s`; 0 is as fast as may be."""
    made = {}
    for name, (unit, count) in wanted.items():
        whole = profile.load(name)
        points = tuple(msgspec.structs.replace(item, every_s=every_s) for item in whole.point[:count])
        made[name] = (unit, msgspec.structs.replace(whole, point=points, timeout_s=TIMEOUT_S))
    return made


@contextmanager
def polling(wire: Wire, there: dict[str, tuple[int, Profile]]) -> Iterator[BusThread]:
    """The controller's own thread for a line, while the block lasts."""
    section = BusSection(port=wire.port, baud=9600)
    if not wire.baud:
        section = BusSection(host="127.0.0.1", tcp_port=int(wire.port))
    clock = Clock(system_reference(TimeTrust.STAFF))
    followers = [
        DeviceFollower(name, DeviceSection("line", unit, name), made, clock, is_alone=len(there) == 1)
        for name, (unit, made) in there.items()
    ]
    thread = BusThread("line", section, followers)
    thread.start()
    try:
        yield thread
    finally:
        thread.stop()
        thread.join()


def blocks_of(there: dict[str, tuple[int, Profile]]) -> list[tuple[int, Block]]:
    """One scan: the units and the blocks."""
    return [(unit, block) for unit, made in there.values() for block in plan(made)]


def floor_s(scan: Sequence[tuple[int, Block]]) -> float:
    """How long the wire is busy with a scan: characters, a gap before each question, turnaround."""
    characters = sum(QUESTION + ANSWER + 2 * block.count + GAP_CHARACTERS for _, block in scan)
    return characters * BITS / BAUD + len(scan) * TURNAROUND_S


PAUSE_S = 0.15  # longer than any device of the kit wants between two questions


class Pace(NamedTuple):
    """How a reader did: seconds a scan (the median), and processor time in ms a question.

    A scan lasts from its first question to its last answer.
    """

    scan_s: float
    cpu_ms: float
    exchanges: list[Exchange]


def measured(wire: Wire, pid: int, scan: Sequence[tuple[int, Block]], warm_s: float, for_s: float) -> Pace:
    """Watch a reader at work."""
    time.sleep(warm_s)
    before, began_s = cpu_ms(pid), time.monotonic()
    time.sleep(for_s)
    spent_ms, ended_s = cpu_ms(pid) - before, time.monotonic()
    seen = wire.exchanges(began_s, ended_s)
    return Pace(statistics.median(scans_s(seen, scan)), spent_ms / len(seen), seen)


def scans_s(seen: Sequence[Exchange], scan: Sequence[tuple[int, Block]]) -> list[float]:
    """How long each whole scan took that was seen. One begins after a pause, or when the last was whole."""
    rounds = [list(seen[:1])]
    for old, new in pairwise(seen):
        paused = old.answered_s is None or new.asked_s - old.answered_s > PAUSE_S
        if paused or len(rounds[-1]) == len(scan):
            rounds.append([])
        rounds[-1].append(new)
    whole = [turn for turn in rounds if len(turn) == len(scan) and turn[-1].answered_s is not None]
    gap_s = GAP_CHARACTERS * BITS / BAUD  # the one before the first question is part of the floor too
    return [(turn[-1].answered_s or 0.0) - turn[0].asked_s + gap_s for turn in whole]


@contextmanager
def peer(name: str, wire: Wire, scan: Sequence[tuple[int, Block]], path: str = "") -> Iterator[int]:
    """Another reader on the line; its pid."""
    texts = [f"{unit}:{block.function}:{block.address}:{block.count}" for unit, block in scan]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.modbus_peers", name, wire.port, str(wire.baud), *texts],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (path, os.environ.get("PYTHONPATH"))))},
    )
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def bench_scan(folder: Path, stack: ExitStack, warm_s: float, for_s: float) -> None:
    """Scan time and processor time on the line."""
    there = devices(KIT, every_s=1)
    scan = blocks_of(there)
    floor = floor_s(scan)
    wire = Wire(folder, "scan", BAUD)
    stack.callback(wire.close)
    tell("modbus.points", sum(len(made.point) for _, made in there.values()), "points")
    tell("modbus.blocks", len(scan), "reads")
    tell("modbus.scan.floor", floor * 1000, "ms")
    with polling(wire, there):
        ours = measured(wire, os.getpid(), scan, warm_s, for_s)
    tell("modbus.scan", ours.scan_s * 1000, "ms")
    tell("modbus.scan.ratio-to-floor", ours.scan_s / floor, "x", ("<=", SCAN_GOAL))
    tell("modbus.scan.least-gap", least_gap(ours.exchanges), "characters", (">=", GAP_CHARACTERS))
    with peer("pymodbus", wire, scan) as pid:
        bare = measured(wire, pid, scan, warm_s, for_s)
    tell("modbus.scan.bare-pymodbus", bare.scan_s * 1000, "ms")
    tell("modbus.scan.bare-pymodbus.least-gap", least_gap(bare.exchanges), "characters")
    tell_cpu("rtu", ours, bare, ("<=", CPU_GOAL))
    bench_peer(folder, wire, scan, warm_s, for_s)


def least_gap(seen: list[Exchange]) -> float:
    """The shortest silence before a question, in characters. That of others tells what their pace costs."""
    gaps_s = (new.asked_s - old.answered_s for old, new in pairwise(seen) if old.answered_s)
    return min(gaps_s) * BAUD / BITS


def tell_cpu(line: str, ours: Pace, bare: Pace, goal: tuple[str, float] | None) -> None:
    """Processor time a read, ours and the bare loop's."""
    tell(f"modbus.cpu.{line}", ours.cpu_ms, "ms/read")
    tell(f"modbus.cpu.{line}.bare-pymodbus", bare.cpu_ms, "ms/read")
    tell(f"modbus.cpu.{line}.ratio", ours.cpu_ms / bare.cpu_ms, "x", goal)


def bench_peer(
    folder: Path, wire: Wire, scan: Sequence[tuple[int, Block]], warm_s: float, for_s: float
) -> None:
    """The same reads by another program, where it can be installed."""
    sys.stdout.write("modbus4mqtt 0.7.1 is left out: it has no serial lines.\n")
    path = folder / "peer"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check",
           "--target", str(path), PEER]  # fmt: skip
    if subprocess.run(pip, capture_output=True, check=False).returncode:
        sys.stdout.write(f"{PEER} is left out: pip cannot install it here.\n")
        return
    with peer("minimalmodbus", wire, scan, str(path)) as pid:
        theirs = measured(wire, pid, scan, warm_s, for_s)
    tell("modbus.scan.minimalmodbus", theirs.scan_s * 1000, "ms")
    tell("modbus.scan.minimalmodbus.least-gap", least_gap(theirs.exchanges), "characters")
    tell("modbus.cpu.rtu.minimalmodbus", theirs.cpu_ms, "ms/read")


def bench_tcp(folder: Path, stack: ExitStack, warm_s: float, for_s: float) -> None:
    """Processor time where nothing has to be waited for; the goal is about the line."""
    there = devices(KIT, every_s=0)
    there = {
        name: (unit, msgspec.structs.replace(made, min_gap_s=0.0)) for name, (unit, made) in there.items()
    }
    scan = blocks_of(there)
    wire = Wire(folder, "tcp", 0)
    stack.callback(wire.close)
    with polling(wire, there):
        ours = measured(wire, os.getpid(), scan, warm_s, for_s)
    with peer("pymodbus", wire, scan) as pid:
        bare = measured(wire, pid, scan, warm_s, for_s)
    tell_cpu("tcp", ours, bare, None)


class Case(NamedTuple):
    """A line on which a device will die: how often its devices are asked."""

    name: str
    every_s: int


def bench_dead_device(folder: Path, stack: ExitStack, warm_s: float, wait_s: float, for_s: float) -> None:
    """Four devices, one of which dies: on a line with time to spare, and on one that is always busy."""
    cases = (Case("at-ease", 1), Case("busy", 0))
    wires = {}
    for case in cases:
        wires[case] = wire = Wire(folder, case.name, BAUD)
        stack.callback(wire.close)
        stack.enter_context(polling(wire, devices({**KIT, **FOURTH}, case.every_s)))
    time.sleep(warm_s)
    silent_s = time.monotonic()
    for wire in wires.values():
        wire.silence(FOURTH["pta8c04"][0])
    sys.stdout.write(f"One device of four is dead; counting from {wait_s:.0f} s on, for {for_s:.0f} s ...\n")
    sys.stdout.flush()
    time.sleep(wait_s + for_s)
    for case in cases:
        alive = wires[case].exchanges(silent_s - warm_s / 2, silent_s)
        counted = wires[case].exchanges(silent_s + wait_s, silent_s + wait_s + for_s)
        tell_dead(f"modbus.dead-device.{case.name}", alive, counted, for_s)


def tell_dead(name: str, alive: list[Exchange], counted: list[Exchange], for_s: float) -> None:
    """Compare each live block with its own undisturbed pace in the same minutes."""
    spans = {item[:3] for item in counted if item.answered_s}
    kept, worst_s = [], 0.0
    for span in spans:
        gaps = _gaps(counted, span)
        kept.append(100 * len(gaps) * statistics.median(gaps) / sum(gaps))
        worst_s = max(worst_s, *gaps)
    scan_s = max(statistics.median(_gaps(alive, span)) for span in spans)
    tell(f"{name}.asked-in-vain", sum(item.answered_s is None for item in counted), f"times/{for_s:.0f}s")
    tell(f"{name}.rate-kept", min(kept), "%", (">=", RATE_GOAL))
    tell(f"{name}.worst-gap", worst_s, "s", ("<=", round(TIMEOUT_S + scan_s, 3)))


def _gaps(seen: list[Exchange], span: tuple[int, int, int]) -> list[float]:
    """Times between answers of one block."""
    moments = [item.answered_s for item in seen if item[:3] == span and item.answered_s]
    return [new - old for old, new in pairwise(moments)]


def main() -> None:
    """Measure and print."""
    logging.getLogger("tpkit").setLevel(logging.ERROR)  # that a device dies is no news here
    short = "--short" in sys.argv[1:]
    warm_s, for_s = (3.0, 8.0) if short else (5.0, 40.0)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tpkit-bench-")))
        bench_scan(folder, stack, warm_s, for_s)
        bench_tcp(folder, stack, 1.0, for_s / 4)
        bench_dead_device(folder, stack, *((10.0, 20.0, 20.0) if short else (30.0, 60.0, 300.0)))


if __name__ == "__main__":
    main()
