"""Listening before asking."""

import os
import struct
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.hardware.fault_server import PtyLine, crc16
from tpkit.hardware.asking import SerialLine
from tpkit.hardware.listening import LISTEN_S, Heard, frames, listen


def framed(text: str) -> bytes:
    body = bytes.fromhex(text)
    return body + struct.pack("<H", crc16(body))


QUESTION = framed("0A 03 04 00 00 02")  # unit 10 is asked for two registers of page 4
ANSWER = framed("0A 03 04 01 9C 00 53")


@pytest.fixture
def far() -> Iterator[PtyLine]:
    line = PtyLine()
    yield line
    line.end()


def near(far: PtyLine) -> SerialLine:
    return SerialLine(os.ttyname(far.theirs.fileno()), 9600, "N", 1)


def heard(far: PtyLine, *pieces: bytes, seconds: float = 0.5) -> Heard:
    """What is heard when `pieces` are sent, the first once we listen."""
    listening = threading.Event()

    def send() -> None:
        listening.wait(5)
        for piece in pieces:
            far.send(piece)

    speaker = threading.Thread(target=send)
    speaker.start()
    with closing(near(far)) as line:
        result = listen(line, seconds, lambda _: listening.set() or True)
    speaker.join()
    return result


def test_a_quiet_line_has_no_other_master(far: PtyLine) -> None:
    result = heard(far)
    assert (result.bytes, result.units) == (0, ())
    assert "no other master" in result.sentence


def test_another_master_is_named_with_the_units_it_speaks_to(far: PtyLine) -> None:
    result = heard(far, b"\xff" + QUESTION, ANSWER, framed("0B 04 00 00 00 01"))
    assert (result.bytes, result.units) == (1 + 8 + 9 + 8, (10, 11))
    assert "Another master is at work" in result.sentence
    assert "units 10, 11" in result.sentence


def test_a_single_byte_is_traffic(far: PtyLine) -> None:
    result = heard(far, b"\0")
    assert (result.bytes, result.units) == (1, ())
    assert "are A and B swapped?" in result.sentence


def test_a_babbling_line_is_not_listened_to_for_ever(far: PtyLine) -> None:
    far_end, stop = far.ours.fileno(), threading.Event()
    os.set_blocking(far_end, False)

    def babble() -> None:
        while not stop.wait(0.001):
            try:
                os.write(far_end, b"\x55" * 200)
            except BlockingIOError:
                continue

    speaker = threading.Thread(target=babble)
    speaker.start()
    with closing(near(far)) as line:
        result = listen(line, 30, lambda _: True)
    stop.set()
    speaker.join()
    assert result.bytes >= 4096
    assert result.seconds < 10


def test_listening_can_be_ended(far: PtyLine) -> None:
    with closing(near(far)) as line:
        assert listen(line, 30, lambda gone_s: gone_s < 0.2).seconds < 5


def test_it_listens_for_five_seconds() -> None:
    assert LISTEN_S == 5  # people.md, finding 14


def test_frames_are_found_by_their_checksum_only() -> None:
    damaged = bytearray(ANSWER)
    damaged[4] ^= 1
    assert list(frames(b"\0\1" + QUESTION + bytes(damaged))) == [QUESTION]
    assert list(frames(ANSWER)) == [ANSWER]
