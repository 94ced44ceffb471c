"""A Modbus device that misbehaves on request, over TCP or on a pseudo terminal.

Independent ground for tests: frames are made here from `struct` and a checksum of its own, so nothing
of the code under test can agree with itself. A fault says what is sent instead of the good answer, as
steps: bytes are sent, a number is a pause in seconds, an `Ending` closes the connection. Each answer is
played by a thread of its own, so a late one comes while the next question is waiting.
"""

import contextlib
import os
import select
import socket
import struct
import threading
import time
import tty
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol, Self

POLL_S = 0.01
QUIET_S = 0.05


class Ending(Enum):
    """How a connection can end in the middle of something."""

    CLOSE = "close"
    RESET = "reset"


@dataclass(frozen=True)
class Request:
    """A question as it came; `transaction` is 0 on a serial line, `came_s` is monotonic."""

    transaction: int
    unit: int
    function: int
    address: int
    count: int
    frame: bytes
    came_s: float


Step = bytes | float | Ending
Fault = Callable[["FaultServer", Request], Iterator[Step]]


class Line(Protocol):
    """Where answers go."""

    def send(self, data: bytes) -> None: ...

    def end(self, how: Ending) -> None: ...


def crc16(data: bytes) -> int:
    """The checksum of Modbus over Serial Line 1.02, 6.2.2, bit by bit."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def good(server: "FaultServer", request: Request) -> Iterator[Step]:
    """The right answer at once."""
    yield server.good(request)


class FaultServer:
    """The script, the registers and the players of answers; what is below it brings the bytes."""

    def __init__(self) -> None:
        self.registers: dict[tuple[int, int], int] = {}
        self.asked: list[Request] = []
        self._script: deque[Fault] = deque()
        self._habits: dict[int | None, Fault] = {None: good}
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def once(self, *faults: Fault) -> None:
        """Answer the next questions by these, one each; after that by habit."""
        self._script.extend(faults)

    def behave(self, fault: Fault, unit: int | None = None) -> None:
        """Answer by `fault` from now on: all units, or one."""
        self._habits[unit] = fault

    def words(self, unit: int, function: int, address: int, count: int) -> tuple[int, ...]:
        """What the registers hold: set by the test, else a number that no other register has."""
        return tuple(
            self.registers.get((unit, at), crc16(struct.pack(">BBH", unit, function, at)))
            for at in range(address, address + count)
        )

    def pdu(self, request: Request, count: int | None = None) -> bytes:
        """The good answer without its frame; `count` registers instead of those asked for."""
        words = self.words(
            request.unit, request.function, request.address, request.count if count is None else count
        )
        return bytes([request.function, 2 * len(words)]) + struct.pack(f">{len(words)}H", *words)

    def good(self, request: Request) -> bytes:
        """The good answer as it goes on the wire."""
        return self.frame(request, self.pdu(request))

    def frame(
        self, request: Request, pdu: bytes, unit: int | None = None, transaction: int | None = None
    ) -> bytes:
        """A frame round `pdu`, from another unit or with another transaction number if they are given."""
        raise NotImplementedError

    def plug(self) -> None:
        """Be there (again)."""
        raise NotImplementedError

    def unplug(self) -> None:
        """Be gone, for a while or for good."""
        raise NotImplementedError

    def close(self) -> None:
        """End every thread and close every socket."""
        self._stopped.set()
        self.unplug()
        for thread in self._threads:
            thread.join(timeout=5)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _react(self, request: Request, line: Line) -> None:
        self.asked.append(request)
        by_habit = self._habits.get(request.unit, self._habits[None])
        fault = self._script.popleft() if self._script else by_habit
        self._start(self._play, fault(self, request), line)

    def _play(self, steps: Iterator[Step], line: Line) -> None:
        with contextlib.suppress(OSError, ValueError):  # whoever asked has gone, or the line has
            for step in steps:
                if isinstance(step, bytes):
                    line.send(step)
                elif isinstance(step, Ending):
                    line.end(step)
                elif self._stopped.wait(step):
                    return


class TcpLine:
    """One accepted connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def end(self, how: Ending) -> None:
        if how is Ending.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class TcpFaultServer(FaultServer):
    """Modbus TCP on loopback; it keeps its port while it is unplugged. `greeting` is said unasked."""

    def __init__(self, greeting: bytes = b"") -> None:
        super().__init__()
        self.port = 0
        self.accepted = 0
        self._greeting = greeting
        self._lines: list[TcpLine] = []
        self.plug()

    def frame(
        self, request: Request, pdu: bytes, unit: int | None = None, transaction: int | None = None
    ) -> bytes:
        number = request.transaction if transaction is None else transaction
        return struct.pack(">HHHB", number, 0, len(pdu) + 1, request.unit if unit is None else unit) + pdu

    def plug(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept, self._listener)

    def unplug(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in self._lines:
            line.end(Ending.CLOSE)
        self._lines.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.accepted += 1
                self._lines.append(TcpLine(connection))
                connection.sendall(self._greeting)
                self._start(self._listen, self._lines[-1])

    def _listen(self, line: TcpLine) -> None:
        waiting = b""
        with contextlib.suppress(OSError, ValueError):  # ValueError: closed by whoever plays a fault
            while not self._stopped.is_set():
                if not select.select([line.connection], [], [], POLL_S)[0]:
                    continue
                came = line.connection.recv(256)
                if not came:
                    break
                waiting += came
                while len(waiting) >= 12:
                    frame, waiting = waiting[:12], waiting[12:]
                    transaction, _, _, *question = struct.unpack(">HHHBBHH", frame)
                    self._react(Request(transaction, *question, frame, time.monotonic()), line)
        line.connection.close()


class PtyLine:
    """Our end of a pseudo terminal; the other end is kept open so that the line stays up."""

    def __init__(self) -> None:
        self._ends = [os.fdopen(end, "r+b", buffering=0) for end in os.openpty()]
        self.ours, self.theirs = self._ends
        for end in self._ends:
            tty.setraw(end.fileno())
        self.deaf = False

    def send(self, data: bytes) -> None:
        self.ours.write(data)

    def end(self, how: Ending = Ending.CLOSE) -> None:
        for end in self._ends:
            end.close()


class RtuFaultServer(FaultServer):
    """Modbus RTU; `link` is the serial port to open, as udev would name it."""

    def __init__(self, link: Path) -> None:
        super().__init__()
        self.link = link
        self._lines: list[PtyLine] = []
        self.plug()

    def frame(
        self, request: Request, pdu: bytes, unit: int | None = None, transaction: int | None = None
    ) -> bytes:
        body = bytes([request.unit if unit is None else unit]) + pdu
        return body + struct.pack("<H", crc16(body))

    def plug(self) -> None:
        self._lines.append(PtyLine())
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._lines[-1].theirs.fileno()))
        self._start(self._listen, self._lines[-1])

    def unplug(self) -> None:
        self.link.unlink(missing_ok=True)
        for line in self._lines:
            line.end()
        self._lines.clear()

    def swap(self) -> None:
        """A new adapter under the same name, while the old one hangs without a word."""
        self._lines[-1].deaf = True
        self.plug()

    def _listen(self, line: PtyLine) -> None:
        waiting, last = b"", time.monotonic()
        with contextlib.suppress(OSError, ValueError):  # ValueError: closed meanwhile
            while not self._stopped.is_set():
                if not select.select([line.ours], [], [], POLL_S)[0]:
                    continue
                if line.deaf:
                    return
                if time.monotonic() - last > QUIET_S:
                    waiting = b""  # silence ends a frame that never became whole
                last = time.monotonic()
                waiting += line.ours.read(256)
                while len(waiting) >= 8:
                    frame, waiting = waiting[:8], waiting[8:]
                    if struct.pack("<H", crc16(frame[:6])) == frame[6:]:
                        question = struct.unpack(">BBHH", frame[:6])
                        self._react(Request(0, *question, frame, time.monotonic()), line)
