"""Random and mutated frames as answers: no crash, no hang, and no value that the frames do not carry.

The long run is `make torture`. A failure shows the frames, and the seed with which `fuzzing.run_round`
repeats its round alone.
"""

import contextlib
import random
import struct
from collections.abc import Iterator

import pytest

from tests.hardware import fuzzing
from tests.hardware.fault_server import Fault, FaultServer, Request, Step, crc16
from tests.hardware.fuzzing import DRAIN_LIMIT_S, judge
from tests.hardware.line import PROBES, SLACK_S, TIMEOUT_S, Line
from tests.hardware.made_up_line import KINDS, Steps, checksum
from tests.hardware.made_up_line import Line as MadeUpLine
from tpkit.config import BusSection
from tpkit.errors import BusError
from tpkit.hardware.bus import open_bus
from tpkit.hardware.planning import Block, probes

SEED = 20261123
EXCHANGES = 8_000  # for each kind of line: about a second


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_comes_is_an_error_in_time_or_the_words_that_came(kind: str) -> None:
    tally = fuzzing.run(kind, SEED, EXCHANGES)

    assert tally.exchanges == EXCHANGES
    assert tally.believed > EXCHANGES / 5  # a bus that believes nothing would pass otherwise
    assert tally.refused > EXCHANGES / 100
    assert tally.failed > EXCHANGES / 5


@pytest.mark.parametrize("kind", ["tcp", "rtu"])
def test_the_same_over_a_real_socket_and_a_pseudo_terminal(kind: str, request: pytest.FixtureRequest) -> None:
    """Some of the same answers in real time, for the made-up line could hide something."""
    line: Line = request.getfixturevalue("network" if kind == "tcp" else "serial")
    sent: list[bytes] = []
    line.server.behave(_hostile(kind, random.Random(SEED), sent))
    for _ in range(15):
        words = line.attempt(timeout_s=TIMEOUT_S)
        asked = line.server.asked[-1]
        if isinstance(words, tuple):
            assert any(words in judge(kind, asked, stream).answers for stream in sent), asked.frame.hex(" ")
        else:
            assert isinstance(words, BusError)
            assert line.took_s < (len(PROBES) + 1) * TIMEOUT_S + DRAIN_LIMIT_S + SLACK_S


def _hostile(kind: str, chance: random.Random, sent: list[bytes]) -> Fault:
    def fault(server: FaultServer, request: Request) -> Iterator[Step]:
        steps = fuzzing.answers(kind, request, chance)
        sent.append(b"".join(chunk for _, chunk in steps))
        for delay_s, chunk in steps:
            yield min(delay_s, 0.05)
            yield chunk

    return fault


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("up_to_s", [0.35, 1.0, 2.0])
def test_an_answer_that_comes_late_never_passes_for_that_to_another_question(
    kind: str, up_to_s: float
) -> None:
    """Two units answer in turn, each answer late by a random time, as through a radio; a few get lost."""
    chance = random.Random(SEED)
    free_s = 0.0

    def answer(kind: str, asked: Request) -> Steps:
        nonlocal free_s
        late_s = chance.uniform(0, up_to_s) if chance.random() < 0.4 else 0.01
        free_s = max(free_s + 0.01, line.now_s + late_s)
        words = _truth(asked.unit, Block(asked.function, asked.address, asked.count))
        pdu = struct.pack(f">BB{asked.count}H", asked.function, 2 * asked.count, *words)
        is_lost = chance.random() < 0.05
        return [] if is_lost else [(free_s - line.now_s, fuzzing.framed(kind, asked, pdu))]

    line = MadeUpLine(kind, answer)
    blocks = (Block(3, 1000, 4), Block(3, 2000, 4), Block(3, 3000, 20))
    right = 0
    with line.in_place(), contextlib.closing(open_bus("test", BusSection(**KINDS[kind]))) as bus:
        for _ in range(1500):
            line.calls = 0
            unit, block = chance.choice((5, 6)), chance.choice(blocks)
            with contextlib.suppress(BusError):
                assert bus.read(unit, block, fuzzing.TIMEOUT_S, probes(blocks)) == _truth(unit, block)
                right += 1

    assert right > 50


def _truth(unit: int, block: Block) -> tuple[int, ...]:
    """Words that no other register has."""
    numbers = range(block.address, block.address + block.count)
    return tuple(crc16(struct.pack(">BH", unit, number)) for number in numbers)


# The judge itself, against frames worked out by hand.


def test_the_checksum_is_that_of_the_specification() -> None:
    # Modbus over Serial Line 1.02, appendix B.2, example of the CRC: 02 07 gives 41 12, low byte first.
    assert checksum(b"\x02\x07") == b"\x41\x12"
    assert crc16(b"\x02\x07") == 0x1241


RTU_QUESTION = Request(0, 17, 3, 107, 2, b"", 0.0)
RTU_ANSWER = b"\x11\x03\x04\x02\x2b\x00\x64" + checksum(b"\x11\x03\x04\x02\x2b\x00\x64")


# The words are those of the example in the Modbus Application Protocol 1.1b3, 6.3: 022B and 0064.
@pytest.mark.parametrize(
    ("stream", "answers", "refusals"),
    [
        (RTU_ANSWER, [(0x022B, 0x0064)], []),
        (b"\x00\xff" + RTU_ANSWER + b"\x00", [(0x022B, 0x0064)], []),
        (RTU_ANSWER[:-1], [], []),
        (RTU_ANSWER[:-1] + bytes([RTU_ANSWER[-1] ^ 1]), [], []),
        (b"\x12" + RTU_ANSWER[1:], [], []),
        (b"\x11\x83\x02" + checksum(b"\x11\x83\x02"), [], [2]),
        (b"\x11\x84\x02" + checksum(b"\x11\x84\x02"), [], []),
        (RTU_ANSWER * 2, [(0x022B, 0x0064)] * 2, []),
    ],
)
def test_the_judge_of_serial_frames(
    stream: bytes, answers: list[tuple[int, ...]], refusals: list[int]
) -> None:
    verdict = judge("rtu", RTU_QUESTION, stream)

    assert (verdict.answers, verdict.refusals) == (answers, refusals)


TCP_QUESTION = Request(0x1501, 255, 3, 4, 1, b"", 0.0)
TCP_ANSWER = bytes.fromhex("15 01 00 00 00 05 FF 03 02 00 05")


@pytest.mark.parametrize(
    ("stream", "answers", "refusals"),
    [
        (TCP_ANSWER, [(5,)], []),
        (b"\x15\x02" + TCP_ANSWER[2:], [], []),
        (TCP_ANSWER[:2] + b"\x00\x01" + TCP_ANSWER[4:], [], []),
        (TCP_ANSWER[:-1], [], []),
        (TCP_ANSWER[:5] + b"\x06" + TCP_ANSWER[6:] + b"\x00", [], []),
        (TCP_ANSWER[:6] + b"\x01" + TCP_ANSWER[7:], [], []),
        (b"\x00" + TCP_ANSWER, [], []),
        (bytes.fromhex("15 00 00 00 00 03 FF 83 0A") + TCP_ANSWER, [(5,)], []),
        (bytes.fromhex("15 01 00 00 00 03 FF 83 0A"), [], [10]),
    ],
)
def test_the_judge_of_tcp_frames(stream: bytes, answers: list[tuple[int, ...]], refusals: list[int]) -> None:
    verdict = judge("tcp", TCP_QUESTION, stream)

    assert (verdict.answers, verdict.refusals) == (answers, refusals)


def test_a_made_up_line_carries_a_good_answer_as_a_real_one_would() -> None:
    """Frame by frame: what the fuzz sends as good is what the fault server sends."""
    words = (1, 0xFFFF, 42)
    pdu = struct.pack(">BB3H", 3, 6, *words)
    for kind in ("tcp", "rtu"):
        asked = Request(7, 17, 3, 0, 3, b"", 0.0)
        assert judge(kind, asked, fuzzing.framed(kind, asked, pdu)).answers == [words]
