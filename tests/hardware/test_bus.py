"""What must hold on both kinds of line: the words of the question asked, or an error that says why not."""

import random

import pytest

from tests.hardware import faults
from tests.hardware.fault_server import Fault
from tests.hardware.line import BLOCK, DRAIN_S, SLACK_S, TIMEOUT_S, UNIT, Line
from tpkit.errors import BusError, DeviceRefusedError, NoResponseError, WrongAnswerError
from tpkit.hardware.planning import Block

DAMAGED: dict[str, tuple[Fault, type[BusError]]] = {
    "silent": (faults.silent, NoResponseError),
    "one register short": (faults.short, WrongAnswerError),
    "two registers long": (faults.long, WrongAnswerError),
    "no register": (faults.empty, WrongAnswerError),
    "half a register": (faults.odd_count, NoResponseError),
    "more bytes than counted": (faults.lying_count, NoResponseError),
    "cut off in the head": (faults.cut_off(2), NoResponseError),
    "cut off in a word": (faults.cut_off(8), NoResponseError),
    "another unit": (faults.wrong_unit(UNIT + 1), NoResponseError),
    "another function": (faults.wrong_function(4), WrongAnswerError),
    "refusal of another function": (faults.refuse(2, function=4), WrongAnswerError),
    "noise before": (faults.noise_before(b"\x00\x00\xff"), NoResponseError),
    "another protocol": (faults.says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), NoResponseError),
    "zeros": (faults.says(bytes(20)), NoResponseError),
}
PROBED = ("one register short", "two registers long", "half a register", "another unit", "another function")


@pytest.mark.parametrize(("fault", "error"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_answer_is_an_error_in_time_and_the_next_good_one_is_believed(
    line: Line, fault: Fault, error: type[BusError]
) -> None:
    assert line.read() == line.truth()
    line.server.once(fault)

    with pytest.raises(BusError) as caught:
        line.read(timeout_s=TIMEOUT_S)

    assert caught.type is error
    assert f"Device {UNIT} on bus test" in str(caught.value)
    assert line.took_s < TIMEOUT_S + DRAIN_S + SLACK_S
    assert line.read() == line.truth()


@pytest.mark.parametrize(("fault", "error"), [DAMAGED[name] for name in PROBED], ids=PROBED)
def test_a_damaged_answer_to_a_probe_proves_nothing(
    serial: Line, fault: Fault, error: type[BusError]
) -> None:
    serial.server.once(fault)

    assert isinstance(serial.attempt(), error)
    assert serial.recovers(1)
    assert [request.count for request in serial.server.asked] == [2, 1, 4]


@pytest.mark.parametrize(
    "fault",
    [
        faults.byte_by_byte(0.003),
        faults.late(0.2),
        faults.noise_after(b"\x00\x00\xff"),
        faults.noise_after(b"\x00\x00\xff", pause_s=0.02),
        faults.twice,
    ],
    ids=["drop by drop", "slow but in time", "noise at once", "noise a little later", "twice"],
)
def test_a_good_answer_in_an_odd_shape_is_believed(line: Line, fault: Fault) -> None:
    line.server.once(fault, fault)  # on a serial line the first goes to the probe

    assert line.recovers(1)
    assert line.recovers()


@pytest.mark.parametrize("lateness", [1.1, 1.5, 2.0])
def test_a_late_answer_never_passes_for_the_next_one(line: Line, lateness: float) -> None:
    other = Block(3, 2000, 4)
    assert line.read() == line.truth()
    line.server.once(faults.late(lateness * TIMEOUT_S))

    for block in (BLOCK, other):
        answer = line.attempt(block)
        assert answer == line.truth(block) or isinstance(answer, BusError)
    assert line.recovers()


@pytest.mark.parametrize("code", range(1, 12))
def test_a_refusal_says_its_code_and_ends_nothing(line: Line, code: int) -> None:
    assert line.read() == line.truth()
    line.server.once(faults.refuse(code))

    with pytest.raises(DeviceRefusedError) as caught:
        line.read()

    assert f" refused 1000: {code} (" in str(caught.value)
    assert caught.value.exception_code == code
    assert caught.value.code == f"refused_{code}"
    assert line.took_s < SLACK_S
    assert line.read() == line.truth()
    assert line.bus.counts.reopened == 1


# An echo is a whole frame of the right unit and function. At 0x0300..0x03FF its third byte, 3, counts
# the three bytes that follow, and on a serial line the checksum is right as well.
@pytest.mark.parametrize(
    "block",
    [Block(3, 0x0352, 1), Block(3, 0x0304, 1), Block(4, 0x03FF, 1), Block(3, 0x0200, 1)],
    ids=lambda block: f"{block.address:#06x}",
)
def test_the_echo_of_a_question_is_not_its_answer(line: Line, block: Block) -> None:
    assert line.read() == line.truth()
    line.server.once(faults.echo)

    assert isinstance(line.attempt(block), NoResponseError | WrongAnswerError)
    assert line.recovers()


def test_an_echoed_probe_proves_nothing(line: Line) -> None:
    line.server.behave(faults.echo)

    for _ in range(3):
        answer = line.attempt(Block(3, 0x0300, 4), probes=(Block(3, 0x0352, 1),))
        assert isinstance(answer, NoResponseError | WrongAnswerError)


def test_all_ones_are_words_like_others(line: Line) -> None:
    line.server.behave(faults.all_ones)

    assert line.read() == (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF)


@pytest.mark.parametrize("function", [3, 4])
def test_holding_and_input_registers_are_told_apart(line: Line, function: int) -> None:
    block = Block(function, 1000, 4)

    assert line.read(block) == line.truth(block)
    assert {request.function for request in line.server.asked if request.count == 4} == {function}


def test_the_longest_block_comes_whole(line: Line) -> None:
    longest = Block(3, 0, 125)

    assert line.read(longest) == line.truth(longest)


def test_units_of_one_line_are_told_apart(line: Line) -> None:
    for unit in (1, 17, 247, 17, 1):
        assert line.read(unit=unit) == line.truth(unit=unit)


def test_a_transmitter_that_does_not_let_go_costs_the_timeout_and_the_drain(line: Line) -> None:
    assert line.read() == line.truth()
    line.server.once(faults.babble(for_s=3.0, gap_s=0.0002))

    assert isinstance(line.attempt(), NoResponseError)
    assert line.took_s < TIMEOUT_S + 1.0 + SLACK_S  # the drain gives up after a second


def test_nothing_is_opened_before_the_first_read(line: Line) -> None:
    assert line.bus.counts.reopened == 0
    assert not line.server.asked


def test_a_garbled_answer_is_never_a_number(serial: Line) -> None:
    """Up to three bits fell over: the checksum finds them all at this length."""
    chance = random.Random(20261123)
    for _ in range(8):
        serial.server.once(faults.garbled([chance.randrange(13 * 8) for _ in range(chance.randint(1, 3))]))
        answer = serial.attempt(timeout_s=0.05)
        assert answer == serial.truth() or isinstance(answer, BusError)
        assert serial.recovers()
