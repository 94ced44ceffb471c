"""Hostile answers by the thousand: made at random, carried by a made-up line, judged by the specification.

python -m tests.hardware.fuzzing EXCHANGES [SEED]

Socket, serial port and time are stand-ins (`made_up_line`); the bus under test with its client, its framer
and its decoder is real. The judge is written from the Modbus Application Protocol 1.1b3 and Modbus over
Serial Line 1.02 with `struct` and a checksum of its own.
"""

import random
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.hardware.fault_server import Request
from tests.hardware.made_up_line import KINDS, Line, Steps, checksum, is_socket_framed
from tpkit.config import BusSection
from tpkit.errors import BusError, DeviceRefusedError
from tpkit.hardware.bus import open_bus
from tpkit.hardware.planning import Block, probes

TIMEOUT_S = 0.3
DRAIN_LIMIT_S = 1.0 + 0.1  # a line is drained for a second at most, and the last wait is 0.1 s
SLACK_S = 0.02  # the silence before a question, and the ticks
EXCHANGES_A_ROUND = 500


# ---- the judge


@dataclass(frozen=True)
class Verdict:
    """What a stream of bytes carries as answer to one question: words, and codes of refusal."""

    answers: list[tuple[int, ...]]
    refusals: list[int]


def judge(kind: str, asked: Request, stream: bytes) -> Verdict:
    """Every good answer and every refusal in `stream`, in their order, whatever else there is."""
    pdus = _tcp_pdus if is_socket_framed(kind) else _rtu_pdus
    found = Verdict([], [])
    for pdu in pdus(asked, stream):
        if pdu[0] == asked.function and len(pdu) == 2 + 2 * asked.count and pdu[1] == 2 * asked.count:
            found.answers.append(struct.unpack(f">{asked.count}H", pdu[2:]))
        elif pdu[0] == asked.function | 0x80 and len(pdu) >= 2:  # no value, so more bytes do no harm
            found.refusals.append(pdu[1])
    return found


def _tcp_pdus(asked: Request, stream: bytes) -> Iterator[bytes]:
    """Frame after frame by their length fields; bytes that belong to no frame end the walk.

    A refusal of nine bytes whose length field leaves out the code is forgiven, as pymodbus does: some
    devices send it, and no value comes of it.
    """
    at = 0
    while at + 7 <= len(stream):
        transaction, protocol, length, unit = struct.unpack(">HHHB", stream[at : at + 7])
        end = at + 6 + length
        if length == 2 and len(stream) == at + 9 and stream[at + 7] & 0x80:
            end += 1
        if protocol or end > len(stream):
            return
        if (transaction, unit) == (asked.transaction, asked.unit) and length >= 2:
            yield stream[at + 7 : end]
        at = end


def _rtu_pdus(asked: Request, stream: bytes) -> Iterator[bytes]:
    """A frame has no mark of its begin, so it may begin anywhere; its checksum must be right."""
    for at in range(len(stream) - 4):
        if stream[at] != asked.unit:
            continue
        if stream[at + 1] == asked.function:
            end = at + 5 + 2 * asked.count
        elif stream[at + 1] == asked.function | 0x80:
            end = at + 5
        else:
            continue
        if end <= len(stream) and checksum(stream[at : end - 2]) == stream[end - 2 : end]:
            yield stream[at + 1 : end - 2]


# ---- the answers


def framed(kind: str, asked: Request, pdu: bytes, unit: int | None = None, transaction: int = -1) -> bytes:
    """A right frame round `pdu`."""
    unit = asked.unit if unit is None else unit
    if is_socket_framed(kind):
        number = asked.transaction if transaction < 0 else transaction
        return struct.pack(">HHHB", number, 0, len(pdu) + 1, unit) + pdu
    body = bytes([unit]) + pdu
    return body + checksum(body)


def answers(kind: str, asked: Request, chance: random.Random) -> Steps:
    """What comes after a question: a quarter right, the rest wrong in one way or several."""
    pdu = _good_pdu(asked, asked.count, chance)
    dice = chance.random()
    if dice < 0.25:
        return _cut(framed(kind, asked, pdu), chance)
    if dice < 0.5:
        pdu = _changed_pdu(asked, pdu, chance)
    whose = {}
    if 0.5 <= dice < 0.6:
        whose["unit"] = chance.choice((asked.unit ^ 1, 0, 255, chance.randrange(256)))
    elif 0.6 <= dice < 0.65:
        whose["transaction"] = (asked.transaction + chance.choice((-1, 1, 256, 7777))) % 65536
    stream = framed(kind, asked, pdu, **whose)
    while chance.random() < 0.4:
        stream = _changed_stream(kind, asked, stream, chance)
    return _cut(stream, chance)


def _good_pdu(asked: Request, count: int, chance: random.Random) -> bytes:
    return bytes([asked.function, 2 * count % 256]) + chance.randbytes(2 * count)


def _changed_pdu(asked: Request, pdu: bytes, chance: random.Random) -> bytes:
    """A wrong content for which the frame will be right."""
    refused = asked.function | 0x80
    choices = (
        lambda: bytes([refused, chance.randint(1, 11)]),
        lambda: bytes([refused ^ chance.choice((0, 7)), chance.randrange(256)]),
        lambda: bytes([refused]),
        lambda: bytes([chance.randrange(256)]) + pdu[1:],
        lambda: _good_pdu(asked, max(0, asked.count + chance.choice((-2, -1, 1, 2, 60))), chance),
        lambda: pdu[:1] + bytes([chance.randrange(256)]) + pdu[2:],
        lambda: pdu + chance.randbytes(chance.randint(1, 5)),
        lambda: pdu[: chance.randrange(1, len(pdu))],
        lambda: b"",
        lambda: chance.randbytes(chance.randint(1, 12)),
        lambda: struct.pack(">BHH", asked.function, asked.address, asked.count),
    )
    return chance.choice(choices)()


def _changed_stream(kind: str, asked: Request, stream: bytes, chance: random.Random) -> bytes:
    """What happens to a frame on its way."""
    at = chance.randrange(len(stream) + 1)
    other = framed(kind, asked, _good_pdu(asked, asked.count, chance))
    noise = chance.choice((chance.randbytes(chance.randint(1, 9)), bytes(chance.randint(1, 9)), b"\xff" * 4))
    choices = (
        lambda: _with_bits_turned(stream, chance),
        lambda: stream[:at],
        lambda: stream[at:],
        lambda: stream + noise,
        lambda: noise + stream,
        lambda: stream[:at] + noise + stream[at:],
        lambda: stream[:at] + stream[at + 1 :],
        lambda: asked.frame + stream,
        lambda: stream + asked.frame,
        lambda: stream * 2,
        lambda: stream + other,
        lambda: stream[:at] + other,
        lambda: b"",
        lambda: bytes([asked.unit]) + stream,
    )
    return chance.choice(choices)()


def _with_bits_turned(stream: bytes, chance: random.Random) -> bytes:
    turned = bytearray(stream)
    for _ in range(chance.randint(1, 4) if turned else 0):
        bit = chance.randrange(8 * len(turned))
        turned[bit // 8] ^= 1 << bit % 8
    return bytes(turned)


def _cut(stream: bytes, chance: random.Random) -> Steps:
    """The stream in one chunk or several, sometimes so slow that it comes after the timeout."""
    delay_s = chance.choice((0.0, 0.005, 0.05)) if chance.random() < 0.93 else chance.uniform(0.2, 1.0)
    steps: Steps = []
    while stream and chance.random() < 0.25 and len(steps) < 4:
        at = chance.randrange(len(stream) + 1)
        steps.append((delay_s, stream[:at]))
        stream, delay_s = stream[at:], chance.choice((0.0, 0.001, 0.02))
    return [*steps, (delay_s, stream)]


# ---- the run


@dataclass
class Tally:
    """What came out of a run."""

    exchanges: int = 0
    believed: int = 0
    refused: int = 0
    failed: int = 0


def run(kind: str, seed: int, exchanges: int, tally: Tally | None = None) -> Tally:
    """Ask `exchanges` times in rounds, each reproducible alone. Raises AssertionError with the case."""
    tally = tally or Tally()
    for number in range(-(-exchanges // EXCHANGES_A_ROUND)):
        wanted = min(EXCHANGES_A_ROUND, exchanges - number * EXCHANGES_A_ROUND)
        run_round(kind, f"{seed}.{number}", wanted, tally)
    return tally


def run_round(kind: str, seed: str, exchanges: int, tally: Tally) -> None:
    """One bus and `exchanges` questions. Raises AssertionError with the case."""
    chance = random.Random(seed)
    line = Line(kind, lambda kind, asked: answers(kind, asked, chance))
    blocks = tuple(_block(chance) for _ in range(3))
    units = (chance.randint(1, 247), chance.randint(1, 247))
    with line.in_place():
        bus = open_bus("fuzz", BusSection(**KINDS[kind]))
        for turn in range(exchanges):
            block, unit = chance.choice(blocks), chance.choice(units)
            line.asked.clear()
            line.planned.clear()
            line.calls = 0
            began_s = line.now_s
            try:
                outcome: object = bus.read(unit, block, TIMEOUT_S, probes(blocks))
            except BusError as error:
                outcome = error
            except Exception as error:  # noqa: BLE001  # whatever else comes out is the finding
                outcome = error
            took_s = line.now_s - began_s
            try:
                _check(line, unit, block, outcome, took_s)
            except AssertionError as error:
                raise AssertionError(
                    _told(line, f"{kind}, seed {seed}, exchange {turn}", outcome, error)
                ) from (outcome if isinstance(outcome, Exception) else None)
            _count(tally, outcome)
        bus.close()


def _block(chance: random.Random) -> Block:
    """A third lies where the echo of a question looks like an answer: its third byte, 3, counts the rest."""
    address = chance.choice(
        (chance.randrange(65000), chance.randrange(65000), chance.randrange(0x300, 0x380))
    )
    return Block(chance.choice((3, 4)), address, chance.choice((1, 1, 2, 3, 4, 8, 20, 60, 125)))


def _check(line: Line, unit: int, block: Block, outcome: object, took_s: float) -> None:
    """The three promises: an answer or a BusError, in time, and nothing believed that was not said."""
    assert isinstance(outcome, tuple | BusError), "is neither words nor a BusError"
    longest_s = max(1, len(line.asked)) * (TIMEOUT_S + SLACK_S) + DRAIN_LIMIT_S
    assert took_s <= longest_s, f"took {took_s:.3f} s for {len(line.asked)} questions"
    if not line.asked:
        return
    asked = line.asked[-1]
    verdict = judge(line.kind, asked, line.heard)
    if isinstance(outcome, tuple):
        assert (asked.unit, asked.function, asked.address, asked.count) == (
            unit, block.function, block.address, block.count,
        ), "asked something else"  # fmt: skip
        assert outcome in verdict.answers, "words that nobody sent"
    elif isinstance(outcome, DeviceRefusedError):
        assert outcome.exception_code in verdict.refusals, "a refusal that nobody sent"
    else:
        assert not _is_lone_answer(line, verdict), "a good answer was not believed"


def _is_lone_answer(line: Line, verdict: Verdict) -> bool:
    """Whether one right answer came in time and nothing else did."""
    asked, steps = line.asked[-1], line.planned[-1]
    if sum(delay_s for delay_s, _ in steps) > 0.8 * TIMEOUT_S or len(verdict.answers) != 1:
        return False
    words = verdict.answers[0]
    pdu = struct.pack(f">BB{asked.count}H", asked.function, 2 * asked.count, *words)
    echo = asked.frame if KINDS[line.kind].get("echo") else b""
    sent = echo + b"".join(chunk for _, chunk in steps)
    return line.heard == sent == echo + framed(line.kind, asked, pdu)


def _told(line: Line, where: str, outcome: object, error: AssertionError) -> str:
    asked = line.asked[-1] if line.asked else None
    return (
        f"{where}: {error}\n  asked  {asked.frame.hex(' ') if asked else '-'}\n"
        f"  heard  {line.heard.hex(' ')}\n  result {outcome!r}\n"
        f"  steps  {[(delay_s, chunk.hex(' ')) for delay_s, chunk in line.planned[-1]] if asked else '-'}"
    )


def _count(tally: Tally, outcome: object) -> None:
    tally.exchanges += 1
    if isinstance(outcome, tuple):
        tally.believed += 1
    elif isinstance(outcome, DeviceRefusedError):
        tally.refused += 1
    else:
        tally.failed += 1


def main() -> None:
    """The long run: EXCHANGES in all, divided over the kinds of line."""
    exchanges, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    for kind in KINDS:
        began_s = time.monotonic()
        sys.stdout.write(f"fuzz {kind}, seed {seed} ... ")
        sys.stdout.flush()
        tally = run(kind, seed, exchanges // len(KINDS))
        sys.stdout.write(
            f"{tally.exchanges} exchanges in {time.monotonic() - began_s:.0f} s: {tally.believed} believed, "
            f"{tally.refused} refused, {tally.failed} failed; nothing wrong\n"
        )


if __name__ == "__main__":
    main()
