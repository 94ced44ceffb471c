"""Door beams on GPIO pins through gpiozero, as raw edges with the time they happened.

On the Pi lgpio gives each edge the kernel's own timestamp. `bounce_time` is never set: it loses
edges. In the demo and in tests the pins are fed through a socket.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from gpiozero import Factory, Pin
from gpiozero.exc import GPIOZeroError
from gpiozero.pins.mock import MockFactory, MockPin
from msgspec import Struct

from tpkit.config import DoorSection
from tpkit.errors import ListenError

SOCKET_NAME = "pins.sock"
LONGEST_NUMBER = 19  # digits of the largest time in ns that fits 64 bits


class BeamEdge(Struct, frozen=True):
    """A beam was broken or cleared. `mono_s` is CLOCK_MONOTONIC in seconds; beam A is the outer one."""

    door: str
    beam: str
    broken: bool
    mono_s: float


class FedPin(MockPin):  # type: ignore[misc]  # gpiozero has no type hints
    """A mock pin whose edges carry the time that came with them."""

    fed_s = 0.0

    def feed(self, mono_s: float, level: bool) -> None:
        """Take the level `level` at `mono_s`."""
        self.fed_s = mono_s
        (self.drive_high if level else self.drive_low)()
        self.clear_states()

    def _set_pull(self, value: str) -> None:
        """A fed level is stronger than a pull, as on a real line."""
        if self.fed_s:
            self._pull = value
        else:
            super()._set_pull(value)

    def _call_when_changed(self) -> None:
        method = self.when_changed
        if method is not None:
            method(self.fed_s, self.state)


class DoorPins:
    """Watches the two beams of each door and hands every edge to `sink`, from the factory's thread."""

    def __init__(
        self, factory: Factory, doors: dict[str, DoorSection], sink: Callable[[BeamEdge], None]
    ) -> None:
        self._watchers: list[Callable[[float, int], None]] = []  # gpiozero keeps only weak references
        self._pins: list[Pin] = []
        for name, door in doors.items():
            for beam, number in (("A", door.outer), ("B", door.inner)):
                self._watch(factory, number, name, beam, door.broken == "high", sink)

    def _watch(
        self, factory: Factory, number: int, door: str, beam: str,
        broken_level: bool, sink: Callable[[BeamEdge], None],
    ) -> None:  # fmt: skip
        def changed(ticks: float, state: int) -> None:
            sink(BeamEdge(door, beam, bool(state) == broken_level, float(ticks)))

        try:
            pin = factory.pin(number)
            pin.function = "input"
            pin.pull = "down" if broken_level else "up"
        except (GPIOZeroError, OSError) as error:
            raise ListenError(
                f"Beam {beam} of door {door} cannot use pin {number} ({error}): give it another pin."
            ) from None
        pin.edges = "both"
        pin.when_changed = changed
        self._watchers.append(changed)
        self._pins.append(pin)
        if bool(pin.state) == broken_level:
            sink(BeamEdge(door, beam, True, getattr(pin, "fed_s", 0.0) or time.monotonic()))

    def close(self) -> None:
        """Stop watching."""
        for pin in self._pins:
            pin.when_changed = None


def open_factory(kind: str, run_dir: Path) -> Factory:
    """The pin factory that kit.toml names. Raises ListenError if its chip or socket is not to be had."""
    if kind == "fed":
        return fed_factory(run_dir / SOCKET_NAME)
    try:
        return _lgpio_factory()
    except (ImportError, AttributeError, GPIOZeroError, OSError) as error:  # an early lgpio is an empty file
        raise ListenError(
            f"The door pins cannot be opened ({error}): on a Raspberry Pi install the extra `pi` "
            f"(lgpio); on any other machine remove the [door] sections."
        ) from None


def _lgpio_factory() -> Factory:
    lgpio = import_module("lgpio")
    from gpiozero.pins.lgpio import LGPIOFactory

    try:
        return LGPIOFactory()
    except lgpio.error as error:  # an Exception and nothing closer
        raise OSError(str(error)) from None


def fed_factory(path: Path) -> Factory:
    """A mock factory driven by lines `mono_ns pin level` sent to the Unix socket `path`."""
    factory = MockFactory(pin_class=FedPin)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise ListenError(f"The socket {path} for fed pins cannot be made: {error}.") from None
    finally:
        os.umask(before)
    listener.listen()
    threading.Thread(target=_serve, args=(listener, factory), name="fed-pins", daemon=True).start()
    return factory


def _serve(listener: socket.socket, factory: MockFactory) -> None:
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("r", encoding="ascii", errors="replace") as lines:
            for line in lines:
                _feed(factory, line)


def _feed(factory: MockFactory, line: str) -> None:
    """Apply one line; a line that is not three numbers is passed over."""
    parts = line.split()
    if len(parts) == 3 and all(part.isdecimal() and len(part) <= LONGEST_NUMBER for part in parts):
        mono_ns, number, level = map(int, parts)
        if number <= 27:
            factory.pin(number).feed(mono_ns / 1e9, bool(level))
