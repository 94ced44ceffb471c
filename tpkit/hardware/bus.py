"""One Modbus line or connection: reads blocks, and believes only an answer to the question asked."""

import logging
import struct
import time
from typing import Protocol

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ConnectionException, ModbusException
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
from tpkit.hardware.planning import Block
from tpkit.hardware.serial_client import BITS_PER_CHARACTER, QuietSerialClient

EXCEPTION_NAMES = {
    1: "illegal function", 2: "illegal address", 3: "illegal value", 4: "device failure",
    5: "acknowledge", 6: "busy", 8: "memory parity", 10: "gateway path unavailable",
    11: "gateway: device did not answer",
}  # fmt: skip
DRAIN_QUIET_S = 0.1  # after a silence the line must be quiet for this long before the next question
DRAIN_LIMIT_S = 1.0
REOPEN_AFTER = 8  # failures in a row on all units of a serial line: the adapter may have been replugged

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # our own errors say more, once


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
    """What the controller's polling needs of a bus."""

    late: int
    reopened: int

    def read(
        self, device_id: int, block: Block, timeout_s: float, probes: tuple[Block, ...]
    ) -> tuple[int, ...]:
        """The registers of `block`. Raises a BusError that says what came instead.

        `probes` are reads of lengths that no block of the device has; see `planning.probes`.
        """

    def close(self) -> None:
        """Let go of the port."""


def open_bus(name: str, section: BusSection) -> Bus:
    """A bus as kit.toml describes it. Nothing is opened before the first read."""
    if section.host is not None:
        return TcpBus(name, section.host, section.tcp_port)
    return SerialBus(name, section.port or "", section)


class TcpBus:
    """Modbus TCP. After a silence the connection is closed, so a late answer dies with it."""

    late = 0
    reopened = 0

    def __init__(self, name: str, host: str, port: int) -> None:
        self._name = f"{name} ({host}:{port})"
        self._client = ModbusTcpClient(host, port=port, retries=0)
        _insist_on_whole_words(self._client)

    def read(
        self, device_id: int, block: Block, timeout_s: float, probes: tuple[Block, ...]
    ) -> tuple[int, ...]:
        """See `Bus.read`."""
        self._client.comm_params.timeout_connect = timeout_s
        self._client.transaction.comm_params.timeout_connect = timeout_s  # pymodbus keeps a copy there
        if not self._client.connected:
            self.reopened += 1
            if not self._client.connect():
                raise BusUnavailableError(f"Bus {self._name} does not accept a connection.")
        try:
            return _ask(self._client, self._name, device_id, block)
        except (NoResponseError, WrongAnswerError, BusUnavailableError):
            self._client.close()
            raise

    def close(self) -> None:
        """See `Bus.close`."""
        self._client.close()


class SerialBus:
    """Modbus RTU. A frame carries no number of its question, so a late answer looks like a good one.

    Three guards: the length must be right; after a silence the line is drained; and a unit is only
    believed once it has answered a probe, whose length no planned block and no recent probe has.
    """

    def __init__(self, name: str, port: str, section: BusSection) -> None:
        self.late = 0
        self.reopened = 0
        self._name = f"{name} ({port})"
        self._client = QuietSerialClient(
            port,
            baudrate=section.baud,
            parity=section.parity,
            stopbits=section.stop_bits,
            retries=0,
        )
        _insist_on_whole_words(self._client)
        self._silence_s = max(3.5 * BITS_PER_CHARACTER / section.baud, 0.00175)
        self._quiet_since = 0.0
        self._proven: set[int] = set()
        self._probed = 0
        self._failures = 0

    def read(
        self, device_id: int, block: Block, timeout_s: float, probes: tuple[Block, ...]
    ) -> tuple[int, ...]:
        """See `Bus.read`."""
        self._open()
        try:
            if device_id not in self._proven:
                self._prove(device_id, probes, timeout_s)
            words = self._exchange(device_id, block, timeout_s)
        except DeviceRefusedError:
            self._failures = 0
            raise
        except BusError:
            self._fail(device_id)
            raise
        self._failures = 0
        return words

    def close(self) -> None:
        """See `Bus.close`."""
        self._client.close()

    def _open(self) -> None:
        if self._client.connected:
            return
        self.reopened += 1
        if not self._client.connect():
            raise BusUnavailableError(
                f"Serial port of bus {self._name} cannot be opened: is the adapter plugged in?"
            )

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
            raise refusal
        self._proven.add(device_id)

    def _exchange(self, device_id: int, block: Block, timeout_s: float) -> tuple[int, ...]:
        time.sleep(max(0.0, self._quiet_since + self._silence_s - time.monotonic()))
        self._client.expect(block.count, timeout_s)
        try:
            return _ask(self._client, self._name, device_id, block)
        finally:
            self._quiet_since = time.monotonic()

    def _fail(self, device_id: int) -> None:
        self._proven.discard(device_id)
        self._failures += 1
        if self._failures >= REOPEN_AFTER:
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
            self.late += 1


def _insist_on_whole_words(client: ModbusTcpClient | QuietSerialClient) -> None:
    client.register(_HoldingAnswer)
    client.register(_InputAnswer)


def _ask(
    client: ModbusTcpClient | QuietSerialClient, bus: str, device_id: int, block: Block
) -> tuple[int, ...]:
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
