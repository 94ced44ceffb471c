"""One Modbus line or connection: reads blocks, and believes only an answer to the question asked."""

import logging
import struct
import time
from typing import Protocol

from msgspec import Struct
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.framer import FramerRTU, FramerType
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import ReadHoldingRegistersResponse, ReadInputRegistersResponse

from tpkit.config import BusSection
from tpkit.errors import (
    BusError,
    BusUnavailableError,
    DeviceRefusedError,
    NoResponseError,
    WrongAnswerError,
)
from tpkit.hardware.clients import QuietSerialClient, QuietTcpClient, Tap
from tpkit.hardware.planning import ANSWER_CHARACTERS, BITS_PER_CHARACTER, SILENCE_CHARACTERS, Block

EXCEPTION_NAMES = {
    1: "illegal function", 2: "illegal address", 3: "illegal value", 4: "device failure",
    5: "acknowledge", 6: "busy", 8: "memory parity", 10: "gateway path unavailable",
    11: "gateway: device did not answer",
}  # fmt: skip
DRAIN_QUIET_S = 0.1  # after a silence the line must be quiet for this long before the next question
DRAIN_LIMIT_S = 1.0
REOPEN_AFTER = 8  # failures in a row on all units of a serial line: the adapter may have been replugged

Client = QuietSerialClient | QuietTcpClient

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # our own errors say more, once


class LineCounts(Struct):
    """What has come over a bus since it was opened first."""

    answers: int = 0
    no_answers: int = 0
    refusals: int = 0
    wrong_answers: int = 0
    late: int = 0
    reopened: int = 0

    def note(self, error: BusError) -> None:
        """Count a read that failed."""
        match error:
            case DeviceRefusedError():
                self.refusals += 1
            case WrongAnswerError():
                self.wrong_answers += 1
            case NoResponseError():
                self.no_answers += 1


class _WholeWords:
    """Refuses an answer whose byte count is not that of the words it carries.

    pymodbus takes what fits, so the echo of a question to 0x0300..0x03FF passes for one register.
    """

    def decode(self, data: bytes) -> None:
        if data[0] % 2 or data[0] != len(data) - 1:
            raise ModbusException(f"byte count {data[0]} with {len(data) - 1} bytes")
        super().decode(data)  # type: ignore[misc]  # of the response it is mixed into


class _HoldingAnswer(_WholeWords, ReadHoldingRegistersResponse):
    """The answer to function 3."""


class _InputAnswer(_WholeWords, ReadInputRegistersResponse):
    """The answer to function 4."""


class Bus(Protocol):
    """What reading a device needs of a bus."""

    counts: LineCounts

    def read(
        self, device_id: int, block: Block, timeout_s: float, probes: tuple[Block, ...]
    ) -> tuple[int, ...]:
        """The registers of `block`. Raises a BusError that says what came instead.

        `probes` are reads of lengths that no block of the device has; see `planning.probes`.
        """

    def close(self) -> None:
        """Let go of the port."""


def open_bus(name: str, section: BusSection, trace: Tap | None = None) -> Bus:
    """A bus as kit.toml describes it; `trace` hears its frames. Nothing is opened before the first read."""
    client: Client
    if section.host is not None:
        framer = FramerType.RTU if section.framing == "rtu" else FramerType.SOCKET
        client = QuietTcpClient(section.host, section.tcp_port, framer)
        where = f"{name} ({section.host}:{section.tcp_port})"
    else:
        client = QuietSerialClient(
            section.port or "", baudrate=section.baud, parity=section.parity, stopbits=section.stop_bits,
            retries=0, handle_local_echo=section.echo,
        )  # fmt: skip
        where = f"{name} ({section.port})"
    client.tap = trace
    client.register(_HoldingAnswer)
    client.register(_InputAnswer)
    if section.host is not None and section.framing == "tcp":
        return TcpBus(where, client)
    return RtuBus(where, client, section)


class TcpBus:
    """Modbus TCP. After a silence the connection is closed, so a late answer dies with it."""

    def __init__(self, where: str, client: Client) -> None:
        self.counts = LineCounts()
        self._where = where
        self._client = client

    def read(
        self, device_id: int, block: Block, timeout_s: float, probes: tuple[Block, ...]
    ) -> tuple[int, ...]:
        """See `Bus.read`."""
        self._client.expect(block.count, timeout_s)
        if not self._client.connected:
            self.counts.reopened += 1
            if not self._client.connect():
                raise BusUnavailableError(f"Bus {self._where} does not accept a connection.")
        try:
            words = _ask(self._client, self._where, device_id, block)
        except BusError as error:
            self.counts.note(error)
            if not isinstance(error, DeviceRefusedError):
                self._client.close()
            raise
        self.counts.answers += 1
        return words

    def close(self) -> None:
        """See `Bus.close`."""
        self._client.close()


class RtuBus:
    """Modbus RTU. A frame carries no number of its question, so a late answer looks like a good one.

    Three guards: the length must be right; after a silence the line is drained, or the connection to
    a device server closed; and a unit is only believed once it has answered a probe, whose length no
    planned block and no recent probe has.
    """

    def __init__(self, where: str, client: Client, section: BusSection) -> None:
        self.counts = LineCounts()
        self._where = where
        self._client = client
        self._is_line = section.host is None
        self._silence_s = max(SILENCE_CHARACTERS * BITS_PER_CHARACTER / section.baud, 0.00175)
        self._quiet_since = 0.0
        self._proven: set[int] = set()
        self._probed = 0
        self._failures = 0

    def read(
        self, device_id: int, block: Block, timeout_s: float, probes: tuple[Block, ...]
    ) -> tuple[int, ...]:
        """See `Bus.read`."""
        self._open(timeout_s)
        try:
            if device_id not in self._proven:
                self._prove(device_id, probes, timeout_s)
            words = self._exchange(device_id, block, timeout_s)
        except BusError as error:
            self._note(device_id, error)
            raise
        self._failures = 0
        self.counts.answers += 1
        return words

    def close(self) -> None:
        """See `Bus.close`."""
        self._client.close()

    def _open(self, timeout_s: float) -> None:
        if self._client.connected:
            return
        self.counts.reopened += 1
        self._client.expect(0, timeout_s)
        if self._client.connect():
            return
        if self._is_line:
            raise BusUnavailableError(
                f"Serial port of bus {self._where} cannot be opened: is the adapter plugged in?"
            )
        raise BusUnavailableError(f"Bus {self._where} does not accept a connection.")

    def _prove(self, device_id: int, probes: tuple[Block, ...], timeout_s: float) -> None:
        """Have the unit answer one probe; a refused one says nothing, so the next is tried."""
        refusal: DeviceRefusedError | None = None
        for _ in probes:
            self._probed += 1
            try:
                self._exchange(device_id, probes[self._probed % len(probes)], timeout_s)
            except DeviceRefusedError as error:
                refusal = error
            else:
                refusal = None
                break
        if refusal:
            raise NoResponseError(f"{refusal} It refuses every probe, so its answers cannot be told apart.")
        self._proven.add(device_id)

    def _exchange(self, device_id: int, block: Block, timeout_s: float) -> tuple[int, ...]:
        time.sleep(max(0.0, self._quiet_since + self._silence_s - time.monotonic()))
        self._client.expect(block.count, timeout_s)
        try:
            words = _ask(self._client, self._where, device_id, block)
        finally:
            self._quiet_since = time.monotonic()
        if _contradicts_itself(self._client.heard, device_id, block):
            raise WrongAnswerError(
                f"Device {device_id} on bus {self._where} was answered for twice at {block.address}: "
                f"two devices may have this address."
            )
        return words

    def _note(self, device_id: int, error: BusError) -> None:
        self.counts.note(error)
        if isinstance(error, DeviceRefusedError):
            self._failures = 0
            return
        self._proven.discard(device_id)
        self._failures += 1
        if self._failures >= REOPEN_AFTER or not self._is_line:
            self._failures = 0
            self._client.close()
        else:
            self._drain()

    def _drain(self) -> None:
        """Throw away whatever still comes, until the line has been quiet for a while."""
        end = time.monotonic() + DRAIN_LIMIT_S
        while self._client.connected and time.monotonic() < end:
            self._client.expect(0, DRAIN_QUIET_S)
            try:
                if not self._client.recv(None):
                    return
            except ConnectionException:
                return
            self.counts.late += 1


def _contradicts_itself(heard: bytes, device_id: int, block: Block) -> bool:
    """Whether the same unit gave two whole answers of this length that differ."""
    size, start, answers = ANSWER_CHARACTERS + 2 * block.count, 0, set()
    while len(heard) - start >= size and len(heard) >= 2 * size:
        frame = heard[start : start + size]
        is_whole = FramerRTU.compute_CRC(frame[:-2]) == int.from_bytes(frame[-2:], "big")
        if is_whole and frame[:2] == bytes([device_id, block.function]):
            answers.add(frame)
        start += size if is_whole else 1
    return len(answers) > 1


def _ask(client: Client, bus: str, device_id: int, block: Block) -> tuple[int, ...]:
    """One question and its answer, or the error that names what came instead."""
    question = client.read_holding_registers if block.function == 3 else client.read_input_registers
    where = f"Device {device_id} on bus {bus}"
    try:
        answer = question(block.address, count=block.count, device_id=device_id)
    except (ConnectionException, ConnectionError) as error:
        raise BusUnavailableError(f"Bus {bus} is not there: {error}") from None
    except (ModbusException, OSError, ValueError, IndexError, struct.error) as error:
        raise NoResponseError(f"{where} gave no whole answer at {block.address}: {error}") from None
    _check(answer, where, device_id, block)
    return tuple(answer.registers)


def _check(answer: ModbusPDU, where: str, device_id: int, block: Block) -> None:
    if answer.function_code == block.function | 0x80:
        code = int(answer.exception_code)
        name = EXCEPTION_NAMES.get(code, "unknown")
        raise DeviceRefusedError(f"{where} refused {block.address}: {code} ({name}).", code)
    answered = (answer.dev_id, answer.function_code, len(answer.registers))
    if answered != (device_id, block.function, block.count):
        raise WrongAnswerError(
            f"{where} was asked for {block.count} registers by function {block.function} and "
            f"answered {answered[2]} as device {answered[0]}, function {answered[1]}."
        )
