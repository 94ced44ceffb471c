"""pymodbus's synchronous clients with a quiet way of waiting, ears for a log, and no way to write.

The library's serial client asks the driver for waiting bytes every four characters, which on an idle
kit is most of the controller's processor time. Ours sleeps until the first byte comes, then for as
long as the rest of the expected answer takes on the wire, then reads once.
"""

import select
import socket
import time
from collections.abc import Callable

from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.exceptions import ConnectionException
from pymodbus.framer import FramerType

from tpkit.hardware.planning import ANSWER_CHARACTERS, BITS_PER_CHARACTER, QUESTION_CHARACTERS

Tap = Callable[[bool, bytes], None]
"""Hears every frame: whether it was sent, and its bytes."""

READ_FUNCTIONS = frozenset({3, 4})
RTU_FUNCTION_AT, TCP_FUNCTION_AT = 1, 7


def refuse_writes(frame: bytes, function_at: int) -> None:
    """Raise PermissionError unless `frame` asks for registers: nothing else ever leaves the kit."""
    if frame[function_at : function_at + 1] not in {bytes([function]) for function in READ_FUNCTIONS}:
        raise PermissionError(f"tpkit only reads: the frame {frame.hex(' ')} is not sent.")


class QuietSerialClient(ModbusSerialClient):
    """An RS-485 line. Reads answers with two wake-ups instead of dozens."""

    tap: Tap | None = None
    deadline = 0.0
    expected_bytes = 0
    heard = b""

    def expect(self, registers: int, timeout_s: float) -> None:
        """Say how long the next answer will be and how long to wait for it."""
        self.comm_params.timeout_connect = timeout_s
        echo = QUESTION_CHARACTERS if self.comm_params.handle_local_echo else 0
        self.expected_bytes = echo + ANSWER_CHARACTERS + 2 * registers
        self.heard = b""
        self.deadline = time.monotonic() + timeout_s

    def send(self, request: bytes, addr: tuple[str, int] | None = None) -> int:
        """Send a question."""
        refuse_writes(request, RTU_FUNCTION_AT)
        if self.tap is not None:
            self.tap(True, request)
        return int(super().send(request, addr))

    def recv(self, size: int | None) -> bytes:
        """Return what has come once an answer can be whole, or b"" at the deadline."""
        if self.socket is None:
            raise ConnectionException("serial port is closed")
        try:
            if not self._wait():
                return b""
            time.sleep(max(0.0, min(self._rest_of_answer_s(), self.deadline - time.monotonic())))
            data: bytes = self.socket.read(self.socket.in_waiting)
        except OSError as error:
            self.close()
            raise ConnectionException(str(error)) from None
        self.heard += data
        self.expected_bytes = max(0, self.expected_bytes - len(data))
        if self.tap is not None:
            self.tap(False, data)
        return data

    def close(self) -> None:
        """Close the port."""
        super().close()  # type: ignore[no-untyped-call]  # pymodbus gives it no types

    def _wait(self) -> bool:
        left_s = self.deadline - time.monotonic()
        if self.socket is None or left_s <= 0:
            return False
        return bool(select.select([self.socket], [], [], left_s)[0])

    def _rest_of_answer_s(self) -> float:
        missing = self.expected_bytes - int(self.socket.in_waiting) if self.socket else 0
        return max(missing, 0) * BITS_PER_CHARACTER / self.comm_params.baudrate


class QuietTcpClient(ModbusTcpClient):
    """A connection that carries Modbus TCP, or RTU frames as serial device servers pass them on."""

    tap: Tap | None = None
    deadline = 0.0
    heard = b""

    def __init__(self, host: str, port: int, framer: FramerType) -> None:
        super().__init__(host, port=port, framer=framer, retries=0)
        self._function_at = RTU_FUNCTION_AT if framer == FramerType.RTU else TCP_FUNCTION_AT

    def expect(self, registers: int, timeout_s: float) -> None:
        """Say how long to wait for the next answer."""
        self.heard = b""
        self.comm_params.timeout_connect = timeout_s
        self.transaction.comm_params.timeout_connect = timeout_s  # pymodbus keeps a copy there
        self.deadline = time.monotonic() + timeout_s

    def send(self, request: bytes, addr: tuple[str, int] | None = None) -> int:
        """Send a question."""
        refuse_writes(request, self._function_at)
        if self.tap is not None:
            self.tap(True, request)
        return int(super().send(request, addr))

    def recv(self, size: int | None) -> bytes:
        """Return what has come, or b"" at the deadline. Raises ConnectionException if nobody is there."""
        connection: socket.socket | None = self.socket
        if connection is None:
            raise ConnectionException("connection is closed")
        left_s = self.deadline - time.monotonic()
        if left_s <= 0 or not select.select([connection], [], [], left_s)[0]:
            return b""
        try:
            data = connection.recv(4096)
        except OSError as error:
            data, reason = b"", str(error)
        else:
            reason = "closed by the other end"
        if not data:
            self.close()
            raise ConnectionException(reason)
        self.heard += data
        if self.tap is not None:
            self.tap(False, data)
        return data

    def close(self) -> None:
        """Close the connection."""
        super().close()  # type: ignore[no-untyped-call]
