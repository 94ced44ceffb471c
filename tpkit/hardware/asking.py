"""Raw questions, one at a time, to find out who is on a line. None of them can change anything.

Frames: Modbus application protocol 1.1b3 (6.3, 6.4, 6.13, 6.21), Modbus over serial line 1.02 (2.5.1),
Modbus messaging on TCP/IP 1.0b (3.1.3).
"""

import contextlib
import select
import socket
import struct
import termios
import time
from collections.abc import Iterator
from typing import Literal, Protocol, get_args

import msgspec
import serial
from msgspec import Struct

from tpkit.errors import BusUnavailableError
from tpkit.hardware.planning import BITS_PER_CHARACTER, SILENCE_CHARACTERS

Asks = Literal[3, 4, 17, 43]
"""Read holding registers, read input registers, report server id, read device identification."""

Kind = Literal["answer", "refusal", "other", "noise", "silence", "closed", "web"]
"""What came: see `Answer`."""

LONGEST_FRAME = 256
QUIET_S = 0.1  # a frame that stops for so long is not continued
AFTER_S = 0.02  # who speaks so soon after a whole answer is a second device
LEAST_REST_S = 0.02  # what cheap transmitters want between two questions
CONNECT_S = 3.0
WEB_SIGNS = (b"HTTP/", b"<!DOCTYPE", b"<html", b"<HTML")


BODY_BYTES = {3: 4, 4: 4, 17: 0, 43: 3}


class Question(Struct, frozen=True):
    """One question; `body` is what follows the function code."""

    unit: int
    function: Asks
    body: bytes = b""

    def __post_init__(self) -> None:
        """Whatever else may be built: no function that writes. Raises ValueError."""
        if self.function not in get_args(Asks):
            raise ValueError(f"function {self.function} is never sent")
        if len(self.body) != BODY_BYTES[self.function]:
            raise ValueError(f"function {self.function} is followed by {BODY_BYTES[self.function]} bytes")

    @property
    def pdu(self) -> bytes:
        """Function code and body."""
        return bytes([self.function]) + self.body


class Answer(Struct, frozen=True):
    """What came after a question.

    `answer`: what was asked for, in `body`. `refusal`: an exception, its code the first byte of `body`.
    `other`: a whole frame of another unit or to another question, a late one for instance. `noise`:
    bytes that are no frame, or two frames at once. `web`: text of a web server. `echo` says that our own
    question came back first. `raw` is all that came.
    """

    kind: Kind
    unit: int = 0
    body: bytes = b""
    raw: bytes = b""
    echo: bool = False

    @property
    def refused(self) -> int:
        """The exception code, or 0."""
        return self.body[0] if self.kind == "refusal" else 0

    @property
    def words(self) -> tuple[int, ...]:
        """The registers in an answer to function 3 or 4."""
        return struct.unpack(f">{self.body[0] // 2}H", self.body[1:]) if self.kind == "answer" else ()


class Line(Protocol):
    """A serial line or a connection, as far as asking needs it."""

    rtu: bool

    def send(self, data: bytes) -> None:
        """Send, after the rest that the line needs. Raises BusUnavailableError."""

    def receive(self, timeout_s: float) -> bytes | None:
        """What comes next; b"" if nothing does in time, None if the other side has closed."""

    def close(self) -> None:
        """Let go of it."""


def read(unit: int, function: Literal[3, 4], address: int, count: int = 1) -> Question:
    """The question for `count` registers from `address`, the first register being 0."""
    return Question(unit, function, struct.pack(">HH", address, count))


def server_id(unit: int) -> Question:
    """The question who the device is, in its maker's own form."""
    return Question(unit, 17)


def identification(unit: int) -> Question:
    """The question for maker, product code and revision (43/14, basic, from the first object)."""
    return Question(unit, 43, bytes([14, 1, 0]))


def objects(answer: Answer) -> tuple[str, ...]:
    """The texts in an answer to `identification`; none if it is not well-formed."""
    if answer.kind != "answer" or len(answer.body) < 6:
        return ()
    texts, at = [], 6
    for _ in range(answer.body[5]):
        if at + 2 > len(answer.body):
            break
        end = at + 2 + answer.body[at + 1]
        texts.append(printable(answer.body[at + 2 : end]))
        at = end
    return tuple(text for text in texts if text)


def printable(data: bytes) -> str:
    """The ASCII in `data`, the rest as spaces."""
    text = "".join(chr(byte) if 32 <= byte < 127 else " " for byte in data)
    return " ".join(text.split())


def crc(data: bytes) -> bytes:
    """The checksum of an RTU frame, as it goes on the wire."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
    return struct.pack("<H", value)


def ask(line: Line, question: Question, timeout_s: float, turn: int = 0) -> Answer:
    """One question and whatever comes. `turn` numbers it on Modbus TCP, where late answers carry theirs.

    Raises BusUnavailableError when the port or the host is not there.
    """
    if line.rtu:
        frame = bytes([question.unit]) + question.pdu
        frame += crc(frame)
    else:
        frame = struct.pack(">HHHB", turn & 0xFFFF, 0, len(question.pdu) + 1, question.unit) + question.pdu
    line.send(frame)
    came, closed = _collect(line, frame, timeout_s)
    found = _judged_rtu(question, frame, came) if line.rtu else _judged_tcp(question, frame, came)
    if not line.rtu and found.kind not in ("answer", "refusal"):
        line.close()  # a late answer dies with the connection; the next question opens another
    return msgspec.structs.replace(found, kind="closed") if closed and found.kind == "silence" else found


def _collect(line: Line, frame: bytes, timeout_s: float) -> tuple[bytes, bool]:
    """What comes until an answer is whole, the line is quiet or the time is up; whether it was closed."""
    end, came, whole = time.monotonic() + timeout_s, b"", False
    while (left_s := end - time.monotonic()) > 0 and len(came) < 4 * LONGEST_FRAME:
        quiet_s = AFTER_S if whole else QUIET_S
        piece = line.receive(min(left_s, quiet_s) if came.removeprefix(frame) else left_s)
        if not piece:
            return came, piece is None
        came += piece
        rest = came.removeprefix(frame)
        if not line.rtu and any(number == frame[:2] for number, _ in mbap_frames(came)):
            break
        whole = line.rtu and any(True for _ in answer_frames(rest))
    return came, False


def _judged_rtu(question: Question, frame: bytes, came: bytes) -> Answer:
    echo, rest = came.startswith(frame), came.removeprefix(frame)
    if not rest:
        return Answer("silence", raw=came, echo=echo)
    frames = list(answer_frames(rest))
    found = [_judged(question, body[0], body[1:-2], came, echo) for body in frames]
    fitting = [answer for answer in found if answer.kind != "other"]
    if len(fitting) == 1:
        return fitting[0]
    return found[0] if found and not fitting else Answer("noise", raw=came, echo=echo)


def _judged_tcp(question: Question, frame: bytes, came: bytes) -> Answer:
    if not came:
        return Answer("silence")
    if any(sign in came for sign in WEB_SIGNS):
        return Answer("web", raw=came)
    frames = list(mbap_frames(came))
    for number, body in frames:
        if number == frame[:2]:
            return _judged(question, body[0], body[1:], came, echo=False)
    return Answer("silence" if frames else "noise", raw=came)  # a late answer is none


def _judged(question: Question, unit: int, pdu: bytes, came: bytes, echo: bool) -> Answer:
    """What a whole frame is to the question."""
    kind: Kind = "other"
    if unit == question.unit and pdu[0] == question.function | 0x80 and len(pdu) == 2:
        kind = "refusal"
    elif unit == question.unit and pdu[0] == question.function and _fits(question, pdu):
        kind = "answer"
    return Answer(kind, unit, pdu[1:], came, echo)


def _fits(question: Question, pdu: bytes) -> bool:
    if question.function in (3, 4):
        wanted = 2 * struct.unpack(">H", question.body[2:])[0]
        return bool(len(pdu) == 2 + wanted and pdu[1] == wanted)
    return len(pdu) == 2 + pdu[1] if question.function == 17 else pdu[1:2] == question.body[:1]


def answer_length(data: bytes, at: int) -> int:
    """How long the RTU answer at `at` is by its own account; 0 if it is none, or not yet known."""
    function = data[at + 1] if at + 2 < len(data) else 0
    if function & 0x7F in (1, 2, 3, 4, 5, 6, 15, 16, 17, 43) and function & 0x80:
        return 5
    if function in (1, 2, 3, 4, 17):
        return 5 + data[at + 2]
    return _identification_length(data, at) if function == 43 else 0


def _identification_length(data: bytes, at: int) -> int:
    end = at + 8
    if len(data) < end:
        return 0
    for _ in range(data[at + 7]):
        if len(data) < end + 2:
            return 0
        end += 2 + data[end + 1]
    return end - at + 2


def answer_frames(data: bytes) -> Iterator[bytes]:
    """The RTU answers in `data` whose checksum is right, wherever they begin."""
    at = 0
    while at < len(data):
        length = answer_length(data, at)
        frame = data[at : at + length]
        if length and len(frame) == length and crc(frame[:-2]) == frame[-2:]:
            yield frame
            at += length
        else:
            at += 1


def mbap_frames(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The Modbus TCP frames in `data` from its beginning: transaction number, and unit with PDU."""
    while len(data) >= 9:
        protocol, length = struct.unpack(">HH", data[2:6])
        if protocol or not 3 <= length <= LONGEST_FRAME or len(data) < 6 + length:
            return
        yield data[:2], data[6 : 6 + length]
        data = data[6 + length :]


class SerialLine:
    """An RS-485 line at one speed; nobody else may have the port at the same time."""

    rtu = True

    def __init__(self, port: str, baud: int, parity: str, stop_bits: int) -> None:
        try:
            self._port = serial.Serial(
                port, baud, parity=parity, stopbits=stop_bits, timeout=0, exclusive=True
            )
        except (OSError, ValueError, termios.error) as error:
            raise BusUnavailableError(
                f"Serial port {port} cannot be opened: {error}. Is the adapter plugged in, and is no other "
                f"program using it? (`systemctl stop tpkit-controller` frees it.)"
            ) from None
        self._rest_s = max(LEAST_REST_S, SILENCE_CHARACTERS * BITS_PER_CHARACTER / baud)
        self._name = port

    def send(self, data: bytes) -> None:
        """See `Line.send`."""
        time.sleep(self._rest_s)
        with self._said():
            self._port.reset_input_buffer()
            self._port.write(data)
            self._port.flush()

    def receive(self, timeout_s: float) -> bytes | None:
        """See `Line.receive`."""
        with self._said():
            if not select.select([self._port], [], [], timeout_s)[0]:
                return b""
            return bytes(self._port.read(max(1, self._port.in_waiting)))
        return None

    def close(self) -> None:
        """See `Line.close`."""
        self._port.close()

    @contextlib.contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except (OSError, termios.error) as error:
            raise BusUnavailableError(f"Serial port {self._name} went away: {error}.") from None


class SocketLine:
    """A host: Modbus TCP, or with `rtu` the frames of a serial line. It connects again when it was closed."""

    def __init__(self, host: str, port: int, rtu: bool = False) -> None:
        self.rtu = rtu
        self._where = (host, port)
        self._connection: socket.socket | None = None
        self._connected()

    def send(self, data: bytes) -> None:
        """See `Line.send`."""
        if self.rtu:
            time.sleep(LEAST_REST_S)
            while self._connection and self.receive(0):
                pass  # too late to be believed
        for _ in range(2):  # a connection may have been closed since the last question
            connection = self._connected()
            with contextlib.suppress(OSError):
                connection.sendall(data)
                return
            self.close()
        raise BusUnavailableError(f"{self._where[0]} closes every connection on port {self._where[1]}.")

    def receive(self, timeout_s: float) -> bytes | None:
        """See `Line.receive`."""
        if self._connection is None:
            return None
        came = b""
        with contextlib.suppress(OSError):
            if not select.select([self._connection], [], [], timeout_s)[0]:
                return b""
            came = self._connection.recv(4096)
        if not came:
            self.close()
        return came or None

    def close(self) -> None:
        """See `Line.close`."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def _connected(self) -> socket.socket:
        host, port = self._where
        if self._connection is None:
            try:
                self._connection = socket.create_connection(self._where, CONNECT_S)
            except (OSError, UnicodeError, OverflowError) as error:
                raise BusUnavailableError(
                    f"{host} does not accept a connection on port {port}: {error}. Is it switched on, and "
                    f"is Modbus TCP enabled in its menu?"
                ) from None
        return self._connection
