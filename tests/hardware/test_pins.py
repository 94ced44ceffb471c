"""Door beams: edges as they happened, from a fed socket here and from lgpio on a Pi."""

import os
import queue
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from gpiozero.pins.local import LocalPiFactory
from gpiozero.pins.mock import MockFactory

from tests.conftest import wait_until
from tpkit.config import DoorSection
from tpkit.errors import ListenError
from tpkit.hardware.pins import SOCKET_NAME, BeamEdge, DoorPins, open_factory

NORMALLY_OPEN = {"main": DoorSection(outer=17, inner=27, broken="low")}
NORMALLY_CLOSED = {"main": DoorSection(outer=17, inner=27, broken="high")}
Edges = queue.SimpleQueue[BeamEdge]
Feed = Callable[[str], None]
Watch = Callable[[dict[str, DoorSection]], Edges]


@pytest.fixture
def factory(tmp_path: Path) -> MockFactory:
    return open_factory("fed", tmp_path)


@pytest.fixture
def feed(factory: MockFactory, tmp_path: Path) -> Iterator[Feed]:
    """Sends lines to the socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / SOCKET_NAME))
        yield lambda lines: client.sendall(lines.encode("latin-1"))


@pytest.fixture
def watch(factory: MockFactory) -> Iterator[Watch]:
    """Watches doors and gives the queue of their edges."""
    opened: list[DoorPins] = []

    def start(doors: dict[str, DoorSection]) -> Edges:
        edges: Edges = queue.SimpleQueue()
        opened.append(DoorPins(factory, doors, edges.put))
        return edges

    yield start
    for pins in opened:
        pins.close()


def taken(edges: Edges, count: int) -> list[BeamEdge]:
    """The next `count` edges; fails if they do not come or if there are more."""
    found = [edges.get(timeout=5) for _ in range(count)]
    assert edges.empty()
    return found


def test_edges_carry_the_fed_time_and_the_beam(feed: Feed, watch: Watch) -> None:
    edges = watch(NORMALLY_OPEN)

    feed("1500000000 17 0\n1750000000 27 0\n1900000000 17 1\n2123456789 27 1\n")

    assert taken(edges, 4) == [
        BeamEdge("main", "A", True, 1.5),
        BeamEdge("main", "B", True, 1.75),
        BeamEdge("main", "A", False, 1.9),
        BeamEdge("main", "B", False, 2.123456789),
    ]


def test_a_normally_closed_receiver_is_broken_when_high(feed: Feed, watch: Watch) -> None:
    edges = watch(NORMALLY_CLOSED)

    feed("1500000000 17 1\n1750000000 17 0\n")

    assert taken(edges, 2) == [BeamEdge("main", "A", True, 1.5), BeamEdge("main", "A", False, 1.75)]


def test_a_level_that_is_there_already_is_no_edge(feed: Feed, watch: Watch) -> None:
    edges = watch(NORMALLY_OPEN)

    feed("1000000000 17 1\n1100000000 27 1\n1500000000 17 0\n1600000000 17 0\n1700000000 27 0\n")

    assert [edge.mono_s for edge in taken(edges, 2)] == [1.5, 1.7]


@pytest.mark.parametrize(("doors", "broken"), [(NORMALLY_OPEN, 0), (NORMALLY_CLOSED, 1)])
def test_a_beam_that_is_broken_at_the_start_is_reported(
    factory: MockFactory, feed: Feed, watch: Watch, doors: dict[str, DoorSection], broken: int
) -> None:
    feed(f"1400000000 17 {1 - broken}\n1500000000 17 {broken}\n1600000000 5 1\n")
    assert wait_until(lambda: factory.pin(5).fed_s == 1.6)

    edges = watch(doors)

    assert taken(edges, 1) == [BeamEdge("main", "A", True, 1.5)]
    feed(f"1900000000 17 {1 - broken}\n")
    assert taken(edges, 1) == [BeamEdge("main", "A", False, 1.9)]


def test_clear_beams_at_the_start_are_not_reported(watch: Watch) -> None:
    assert watch(NORMALLY_OPEN).empty()
    assert watch({"side": DoorSection(outer=22, inner=23, broken="high")}).empty()


def test_a_beam_that_pulls_its_pin_down_from_the_start_is_reported_as_broken_now() -> None:
    """As on a Pi, where the level is there before anybody watches."""

    class Down(MockFactory):  # type: ignore[misc]
        def pin(self, name: int) -> object:
            pin = super().pin(name)
            pin._set_pull = lambda value: None
            pin._state = False
            return pin

    edges: Edges = queue.SimpleQueue()
    before_s = time.monotonic()
    pins = DoorPins(Down(), NORMALLY_OPEN, edges.put)
    found = taken(edges, 2)
    pins.close()

    assert [(edge.beam, edge.broken) for edge in found] == [("A", True), ("B", True)]
    assert before_s <= found[0].mono_s <= time.monotonic()


def test_doors_are_told_apart(feed: Feed, watch: Watch) -> None:
    edges = watch(NORMALLY_OPEN | {"side": DoorSection(outer=22, inner=23, broken="high")})

    feed("1000000000 23 1\n1100000000 27 0\n")

    assert [(edge.door, edge.beam, edge.broken) for edge in taken(edges, 2)] == [
        ("side", "B", True), ("main", "B", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "garbage",
    [
        "", "hello", "1 2", "1 2 3 4", "x 17 0", "1.5 17 0", "1 -17 0", "-1 17 0", "1 28 0", "1 999999 0",
        "1 17 low", "\xff\xfe\x00", "9" * 400 + " 17 0", "9" * 5000 + " 17 0", "1 17 " + "0" * 5000, "²3 17 0",
    ],
)  # fmt: skip
def test_a_line_that_is_not_three_numbers_is_passed_over(feed: Feed, watch: Watch, garbage: str) -> None:
    edges = watch(NORMALLY_OPEN)

    feed(f"{garbage}\n1500000000 17 0\n")

    assert taken(edges, 1) == [BeamEdge("main", "A", True, 1.5)]


def test_a_feeder_that_leaves_within_a_line_makes_way_for_the_next(watch: Watch, tmp_path: Path) -> None:
    edges = watch(NORMALLY_OPEN)
    for lines in (b"1500000000 17 0\n17500", b"1900000000 17 1\n"):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / SOCKET_NAME))
            client.sendall(lines)

    assert [edge.mono_s for edge in taken(edges, 2)] == [1.5, 1.9]


def test_nothing_is_reported_after_close(factory: MockFactory, feed: Feed) -> None:
    edges: Edges = queue.SimpleQueue()
    pins = DoorPins(factory, NORMALLY_OPEN, edges.put)
    pins.close()

    feed("1500000000 17 0\n1600000000 5 1\n")

    assert wait_until(lambda: factory.pin(5).fed_s == 1.6)
    assert edges.empty()
    del pins  # kept until here: gpiozero forgets watchers that nobody holds


def test_the_socket_is_for_its_owner_alone(factory: MockFactory, tmp_path: Path) -> None:
    before = os.umask(0o022)
    os.umask(before)

    assert stat.S_IMODE((tmp_path / SOCKET_NAME).stat().st_mode) == 0o600
    assert before != 0o177  # the narrow umask is not left behind


def test_the_socket_of_a_killed_process_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / SOCKET_NAME
    killed = "import socket, os, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.abort()"
    subprocess.run([sys.executable, "-c", killed, str(path)], check=False)
    assert path.is_socket()

    factory = open_factory("fed", tmp_path)

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"1600000000 5 1\n")
        assert wait_until(lambda: factory.pin(5).fed_s == 1.6)


def test_a_socket_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ListenError, match=f"The socket {tmp_path}/none/pins.sock for fed pins cannot be made"
    ):
        open_factory("fed", tmp_path / "none")


def test_a_pin_with_a_resistor_of_its_own_is_refused_by_name(factory: MockFactory) -> None:
    """GPIO 2 and 3 are pulled up on the board, so a beam that is broken when high cannot be there."""
    doors = {"side": DoorSection(outer=2, inner=5, broken="high")}

    with pytest.raises(ListenError, match=r"Beam A of door side cannot use pin 2 \(.*give it another pin"):
        DoorPins(factory, doors, print)


def fake_lgpio(open_chip: Callable[[int], int] | None) -> ModuleType:
    """lgpio as 0.2.2 is: its error is an Exception and nothing closer."""
    module = ModuleType("lgpio")
    if open_chip is None:
        return module  # the empty file that lgpio 0.0.0.2 was
    module.__dict__.update(
        SET_PULL_NONE=0, BOTH_EDGES=3, RISING_EDGE=1, FALLING_EDGE=2, error=LgpioError, gpiochip_open=open_chip,
    )  # fmt: skip
    return module


class LgpioError(Exception):
    pass


def no_chip(number: int) -> int:
    raise LgpioError("can not open gpiochip")


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (None, "import of lgpio halted"),
        (fake_lgpio(None), "SET_BIAS_DISABLE"),
        (fake_lgpio(no_chip), "can not open gpiochip"),
    ],
    ids=["missing", "empty", "no chip"],
)
def test_without_lgpio_or_its_chip_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: ModuleType | None, why: str
) -> None:
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    monkeypatch.setitem(sys.modules, "lgpio", module)
    monkeypatch.setattr(LocalPiFactory, "_get_revision", lambda self: 0xA02082)

    with pytest.raises(ListenError) as caught:
        open_factory("lgpio", tmp_path)

    assert why in str(caught.value)
    assert "install the extra `pi` (lgpio); on any other machine remove the [door] sections" in str(
        caught.value
    )
    sys.modules.pop("gpiozero.pins.lgpio", None)
