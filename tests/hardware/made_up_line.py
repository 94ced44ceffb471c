"""A line that is made up, and time on it as well, under buses that are not.

Stands in for socket, serial port and clock, so that a timeout costs nothing and a run repeats itself.
"""

import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from tests.hardware.fault_server import Request

CALLS_AN_EXCHANGE = 20_000  # of the clock and of select; more is a loop that never ends
TICK_S = 2e-6  # what one look at the clock takes
Steps = list[tuple[float, bytes]]
"""What comes after a question: chunks, each with the pause before it in seconds."""
KINDS: dict[str, dict[str, Any]] = {
    "tcp": {"host": "made.up"},
    "rtu": {"port": "/dev/made-up"},
    "rtu over tcp": {"host": "made.up", "framing": "rtu"},
    "rtu with echo": {"port": "/dev/made-up", "echo": True},
}
CRC_OF_BYTE = [0] * 256
for _byte in range(256):
    _crc = _byte
    for _ in range(8):
        _crc = _crc >> 1 ^ 0xA001 if _crc & 1 else _crc >> 1
    CRC_OF_BYTE[_byte] = _crc


def checksum(data: bytes) -> bytes:
    """The CRC of Modbus over Serial Line 1.02, 6.2.2, by table, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_OF_BYTE[(crc ^ byte) & 0xFF]
    return struct.pack("<H", crc)


def is_socket_framed(kind: str) -> bool:
    """Whether frames have the header of Modbus TCP instead of a checksum."""
    return kind == "tcp"


class SpinsError(AssertionError):
    """The code under test looks at the clock without end."""


class Line:
    """Socket, serial port and clock in one. What comes is decided when a question is written."""

    def __init__(self, kind: str, answers: Callable[[str, Request], Steps]) -> None:
        self.kind = kind
        self.now_s = 1000.0
        self.calls = 0
        self.asked: list[Request] = []
        self.planned: list[Steps] = []
        self.heard = b""  # since the last question
        self._answers = answers
        self._echo = KINDS[kind].get("echo", False)
        self._under_way: Steps = []
        self._here = b""
        self.is_open = False

    # what the code under test calls on a socket or a port

    def open(self, *_: object, **__: object) -> "Line":
        """As create_connection and serial_for_url; what was under way is lost."""
        self._under_way, self._here, self.is_open = [], b"", True
        return self

    def close(self) -> None:
        self.is_open = False

    def fileno(self) -> int:
        return 0

    def send(self, data: bytes) -> int:
        """Take a question, and decide what will come of it."""
        request = _request(self.kind, data)
        steps = self._answers(self.kind, request)
        self.asked.append(request)
        self.planned.append(steps)
        self.heard = b""
        at = self.now_s
        if self._echo:
            steps = [(0.0, data), *steps]
        for delay_s, chunk in steps:
            at += delay_s
            if chunk:
                self._under_way.append((at, chunk))
        self._under_way.sort(key=lambda item: item[0])
        return len(data)

    write = sendall = send

    @property
    def in_waiting(self) -> int:
        self._arrive()
        return len(self._here)

    def read(self, size: int = 1) -> bytes:
        self._arrive()
        taken, self._here = self._here[:size], self._here[size:]
        self.heard += taken
        return taken

    recv = read

    def flush(self) -> None:
        """Everything written is on the wire at once."""

    def reset_input_buffer(self) -> None:
        self.read(self.in_waiting)

    def setblocking(self, *_: object) -> None:
        """Nothing here blocks."""

    settimeout = setsockopt = setblocking

    # what it calls on the modules `time` and `select`

    def monotonic(self) -> float:
        self.calls += 1
        if self.calls > CALLS_AN_EXCHANGE:
            raise SpinsError("looks at the clock without end")
        self.now_s += TICK_S
        return self.now_s

    def sleep(self, for_s: float) -> None:
        self.monotonic()
        self.now_s += for_s

    def select(
        self, wanted: list["Line"], _: object, __: object, timeout_s: float | None = None
    ) -> tuple[list["Line"], list["Line"], list["Line"]]:
        self.monotonic()
        self._arrive()
        if not self._here:
            next_s = self._under_way[0][0] if self._under_way else None
            if timeout_s is None and next_s is None:
                raise SpinsError("waits for ever")
            end_s = float("inf") if timeout_s is None else self.now_s + max(0.0, timeout_s)
            self.now_s = min(end_s, end_s if next_s is None else next_s)
            self._arrive()
        return (wanted if self._here else [], [], [])

    def getsockname(self) -> tuple[str, int]:
        return ("made.up", 1)

    def _arrive(self) -> None:
        while self._under_way and self._under_way[0][0] <= self.now_s:
            self._here += self._under_way.pop(0)[1]

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the line and its clock where the code under test looks for them."""
        places = {
            "time.monotonic": self.monotonic,
            "time.time": self.monotonic,
            "time.sleep": self.sleep,
            "select.select": self.select,
            "socket.create_connection": self.open,
            "serial.serial_for_url": self.open,
            "pymodbus.transaction.transaction.monotonic": self.monotonic,
        }
        with ExitStack() as stack:
            for name, stand_in in places.items():
                stack.enter_context(mock.patch(name, stand_in))
            yield


def _request(kind: str, data: bytes) -> Request:
    """The question, which must be a whole and right one: 6.3 and 6.4 of the application protocol."""
    if is_socket_framed(kind):
        transaction, protocol, length, unit, *asked = struct.unpack(">HHHBBHH", data)
        assert (protocol, length) == (0, 6), data.hex(" ")
    else:
        transaction = 0
        unit, *asked = struct.unpack(">BBHH", data[:6])
        assert checksum(data[:6]) == data[6:], data.hex(" ")
    function, address, count = asked
    return Request(transaction, unit, function, address, count, data, 0.0)
