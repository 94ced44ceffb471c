"""What can be wrong with an answer, one function each; see `fault_server` for how they are played."""

import random
import struct
import time
from collections.abc import Iterator
from dataclasses import replace

from tests.hardware.fault_server import Ending, Fault, FaultServer, Request, Step


def silent(server: FaultServer, request: Request) -> Iterator[Step]:
    """No answer."""
    yield from ()


def late(by_s: float) -> Fault:
    """The right answer, `by_s` after its question however many have come since."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        yield by_s
        yield server.good(request)

    return fault


def busy_for(each_s: float) -> Fault:
    """The right answers in turn, each taking `each_s` of the device's time, so a backlog grows."""
    free_at = 0.0

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        nonlocal free_at
        free_at = max(free_at, time.monotonic()) + each_s
        yield free_at - time.monotonic()
        yield server.good(request)

    return fault


def in_order(chance: random.Random, up_to_s: float) -> Fault:
    """The right answers in turn, each late by a random time, as through a radio or a gateway."""
    last = 0.0

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        nonlocal last
        last = max(last + 0.01, time.monotonic() + chance.uniform(0, up_to_s))
        yield last - time.monotonic()
        yield server.good(request)

    return fault


def short(server: FaultServer, request: Request) -> Iterator[Step]:
    """A whole frame with one register less than was asked for."""
    yield server.frame(request, server.pdu(request, request.count - 1))


def long(server: FaultServer, request: Request) -> Iterator[Step]:
    """A whole frame with two registers more."""
    yield server.frame(request, server.pdu(request, request.count + 2))


def empty(server: FaultServer, request: Request) -> Iterator[Step]:
    """A whole frame without any register."""
    yield server.frame(request, bytes([request.function, 0]))


def odd_count(server: FaultServer, request: Request) -> Iterator[Step]:
    """A whole frame whose byte count is odd: half a register."""
    pdu = server.pdu(request)
    yield server.frame(request, bytes([pdu[0], pdu[1] + 1]) + pdu[2:] + b"\x55")


def lying_count(server: FaultServer, request: Request) -> Iterator[Step]:
    """A byte count as asked for, but more bytes in the frame."""
    yield server.frame(request, server.pdu(request) + b"\x12\x34")


def cut_off(after: int, ending: Ending | None = None) -> Fault:
    """The first `after` bytes of the right answer and then nothing, or the end of the connection."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        yield server.good(request)[:after]
        if ending is not None:
            yield 0.02
            yield ending

    return fault


def byte_by_byte(gap_s: float) -> Fault:
    """The right answer in drops."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        for byte in server.good(request):
            yield bytes([byte])
            yield gap_s

    return fault


def wrong_unit(unit: int) -> Fault:
    """Another unit takes the question for its own."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        yield server.frame(request, server.pdu(replace(request, unit=unit)), unit=unit)

    return fault


def wrong_function(function: int) -> Fault:
    """The answer to another function, with as many registers."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        yield server.frame(request, server.pdu(replace(request, function=function)))

    return fault


def wrong_transaction(transaction: int) -> Fault:
    """Another question's number on TCP."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        yield server.frame(request, server.pdu(request), transaction=transaction)

    return fault


def bad_crc(server: FaultServer, request: Request) -> Iterator[Step]:
    """One bit of the last byte fell over."""
    frame = server.good(request)
    yield frame[:-1] + bytes([frame[-1] ^ 0x10])


def damaged_word(server: FaultServer, request: Request) -> Iterator[Step]:
    """One bit of the first register fell over; the checksum is that of the good answer."""
    frame = bytearray(server.good(request))
    frame[3] ^= 0x01
    yield bytes(frame)


def noise_before(noise: bytes) -> Fault:
    """Noise, then the right answer in the same breath."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        yield noise + server.good(request)

    return fault


def noise_after(noise: bytes, pause_s: float = 0.0) -> Fault:
    """The right answer, then noise: in the same breath or a little later."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        if pause_s:
            yield server.good(request)
            yield pause_s
            yield noise
        else:
            yield server.good(request) + noise

    return fault


def babble(for_s: float, gap_s: float = 0.01) -> Fault:
    """A transmitter that does not let go of the line for `for_s`."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        end = time.monotonic() + for_s
        while time.monotonic() < end:
            yield b"\xa5\x5a\x00"
            yield gap_s

    return fault


def says(text: bytes, ending: Ending | None = None) -> Fault:
    """Bytes of quite another protocol."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        yield text
        if ending is not None:
            yield ending

    return fault


def ends(how: Ending) -> Fault:
    """The connection ends instead of an answer."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        yield how

    return fault


def refuse(code: int, function: int | None = None) -> Fault:
    """A Modbus exception, to the function asked for or to another."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        refused = request.function if function is None else function
        yield server.frame(request, bytes([refused | 0x80, code]))

    return fault


def refuse_at(address: int, code: int) -> Fault:
    """A Modbus exception for one address, good answers for the others."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        refused = bytes([request.function | 0x80, code])
        yield server.frame(request, refused) if request.address == address else server.good(request)

    return fault


def lacks(*addresses: int) -> Fault:
    """Exception 2 for every question that reaches over one of these registers."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        asked = range(request.address, request.address + request.count)
        if any(address in asked for address in addresses):
            yield from refuse(2)(server, request)
        else:
            yield server.good(request)

    return fault


def echo(server: FaultServer, request: Request) -> Iterator[Step]:
    """The question itself, as an adapter with a local echo or a looped line gives it."""
    yield request.frame


def echoed(fault: Fault) -> Fault:
    """What a two-wire adapter hears: the question itself, then whatever else comes."""

    def answer(server: FaultServer, request: Request) -> Iterator[Step]:
        yield request.frame
        yield from fault(server, request)

    return answer


def twice(server: FaultServer, request: Request) -> Iterator[Step]:
    """The right answer two times."""
    yield server.good(request) * 2


def two_answers(server: FaultServer, request: Request) -> Iterator[Step]:
    """The right answer, and another device's with the same address in the same breath."""
    words = struct.pack(">H", 0x1234) * request.count
    yield server.good(request) + server.frame(request, bytes([request.function, len(words)]) + words)


def all_ones(server: FaultServer, request: Request) -> Iterator[Step]:
    """0xFFFF in every register."""
    words = struct.pack(">H", 0xFFFF) * request.count
    yield server.frame(request, bytes([request.function, len(words)]) + words)


def garbled(bits: list[int]) -> Fault:
    """The right answer with these bits turned over, counted from the first byte."""

    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        frame = bytearray(server.good(request))
        for bit in bits:
            frame[bit // 8 % len(frame)] ^= 1 << bit % 8
        yield bytes(frame)

    return fault
