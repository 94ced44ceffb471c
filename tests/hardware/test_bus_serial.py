"""RS-485: no number tells an answer from a late one, units share a line, and adapters come and go."""

import random
import threading
from contextlib import closing

import pytest

from tests.hardware import faults
from tests.hardware.fault_server import Fault, RtuFaultServer
from tests.hardware.line import PROBES, SLACK_S, TIMEOUT_S, UNIT, Line
from tpkit.errors import (
    BusError,
    BusUnavailableError,
    NoResponseError,
    WrongAnswerError,
)
from tpkit.hardware import bus
from tpkit.hardware.bus import RtuBus
from tpkit.hardware.planning import Block, probes

ONE, OTHER = Block(3, 1000, 4), Block(3, 2000, 4)
LONG = Block(3, 3000, 20)
WITH_LONG = probes((ONE, OTHER, LONG))


def asked(serial: Line, unit: int = UNIT) -> list[int]:
    """How many registers each question to `unit` was for."""
    return [request.count for request in serial.server.asked if request.unit == unit]


def never_mixed(serial: Line, blocks: str, timeout_s: float) -> None:
    """Read blocks A and B in this order: each gets its own words or none."""
    for name in blocks:
        block = ONE if name == "A" else OTHER
        answer = serial.attempt(block, timeout_s=timeout_s, probes=WITH_LONG)
        assert answer == serial.truth(block) or isinstance(answer, BusError), f"{name} got {answer}"


@pytest.mark.parametrize("fault", [faults.late(0.45), faults.busy_for(0.45)], ids=["late", "backlog"])
def test_a_unit_that_is_always_late_never_mixes_two_blocks_of_one_length(serial: Line, fault: Fault) -> None:
    serial.server.behave(fault)

    never_mixed(serial, "ABAB", timeout_s=0.3)


def test_a_unit_with_several_answers_under_way_never_mixes_two_blocks(serial: Line) -> None:
    """Worked by hand for probes of one length, with a timeout of 0.2 s and a drain of 0.1 s.

    At 0.3 the second probe is asked, and the first one's answer passes for its own at 0.5. Then A is
    asked in vain until 0.8, and the third probe is satisfied by the second one's answer at 0.95. What
    comes next, at 1.05, are the words of A, and B has been asked for.
    """
    serial.server.once(*map(faults.late, (0.5, 0.65, 0.55, 0.6, 0.6)))

    never_mixed(serial, "AABAB", timeout_s=0.2)


def test_a_unit_of_any_lateness_never_mixes_two_blocks(serial: Line) -> None:
    serial.server.behave(faults.in_order(random.Random(4), up_to_s=0.4))

    never_mixed(serial, "ABABAB", timeout_s=0.1)


def test_a_unit_is_proven_once_and_again_after_a_failure_by_another_length(serial: Line) -> None:
    serial.read()
    serial.read()
    serial.server.once(faults.silent)
    serial.attempt()
    serial.read()

    assert asked(serial) == [2, 4, 4, 4, 1, 4]


def test_a_late_answer_to_an_earlier_probe_is_not_taken_for_the_present_one(serial: Line) -> None:
    serial.server.once(faults.late(TIMEOUT_S + 0.25), faults.late(1.0))

    assert isinstance(serial.attempt(), NoResponseError)
    assert isinstance(serial.attempt(timeout_s=0.8), WrongAnswerError)
    assert serial.recovers(1)


def test_what_comes_soon_after_the_timeout_is_thrown_away_and_counted(serial: Line) -> None:
    serial.read()
    serial.server.once(faults.late(TIMEOUT_S + 0.05))

    assert isinstance(serial.attempt(), NoResponseError)
    assert serial.bus.counts.late == 1
    assert serial.recovers(1)
    assert serial.bus.counts.late == 1


def test_the_drain_waits_until_the_line_is_quiet(serial: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus, "DRAIN_QUIET_S", 0.5)  # so that a busy machine's own pauses are none
    serial.read()
    serial.server.once(faults.babble(for_s=TIMEOUT_S + 0.6))

    assert isinstance(serial.attempt(), NoResponseError)
    assert serial.took_s > TIMEOUT_S + 0.6
    assert serial.bus.counts.late > 3
    assert serial.recovers(1)


def test_a_refused_probe_gives_way_to_the_next(serial: Line) -> None:
    """Some models refuse half of a 32-bit value, or a whole block."""
    serial.server.once(faults.refuse(2), faults.refuse(3))

    assert serial.read() == serial.truth()
    assert asked(serial) == [2, 1, 3, 4]


def test_a_unit_that_refuses_every_probe_is_not_believed(serial: Line) -> None:
    serial.server.once(*[faults.refuse(2)] * len(PROBES))

    with pytest.raises(NoResponseError, match="refuses every probe"):
        serial.read()

    assert asked(serial) == [2, 1, 3]
    assert serial.recovers(1)


def test_without_a_free_length_blocks_are_read_without_a_probe(serial: Line) -> None:
    assert serial.read(probes=()) == serial.truth()
    assert asked(serial) == [4]


def test_a_damaged_checksum_is_no_answer(serial: Line) -> None:
    serial.read()
    for fault in (faults.bad_crc, faults.damaged_word):
        serial.server.once(fault)
        assert isinstance(serial.attempt(), NoResponseError)
        assert serial.recovers(1)


def test_a_late_neighbour_does_not_disturb_the_unit_that_is_asked(serial: Line) -> None:
    late, neighbour = UNIT + 1, UNIT
    serial.read(unit=neighbour)
    serial.read(unit=late)
    serial.server.once(faults.late(TIMEOUT_S + 0.15), faults.late(0.12))

    assert isinstance(serial.attempt(unit=late), NoResponseError)
    assert serial.read(unit=neighbour) == serial.truth(unit=neighbour)
    assert asked(serial, neighbour) == [2, 4, 4]


def test_a_unit_that_is_not_there_costs_its_timeout_and_the_neighbour_nothing(serial: Line) -> None:
    serial.server.behave(faults.silent, unit=99)
    serial.read()

    for _ in range(3):
        assert isinstance(serial.attempt(unit=99), NoResponseError)
        assert serial.took_s < TIMEOUT_S + 0.1 + SLACK_S
        assert serial.read() == serial.truth()
    assert asked(serial) == [2, 4, 4, 4, 4]


def test_a_port_that_vanishes_is_unavailable_until_it_is_back(serial: Line, rtu: RtuFaultServer) -> None:
    assert serial.read() == serial.truth()
    rtu.unplug()

    assert isinstance(serial.attempt(), BusUnavailableError)
    with pytest.raises(BusUnavailableError, match="cannot be opened: is the adapter plugged in"):
        serial.read()
    assert serial.took_s < SLACK_S

    rtu.plug()
    assert serial.recovers(1)


def test_a_port_that_vanishes_during_an_answer_is_unavailable(serial: Line, rtu: RtuFaultServer) -> None:
    serial.read()
    rtu.once(faults.cut_off(6))
    going = threading.Timer(0.1, rtu.unplug)
    going.start()

    assert isinstance(serial.attempt(timeout_s=1.0), BusUnavailableError)
    assert serial.took_s < 0.1 + SLACK_S
    going.join()
    rtu.plug()
    assert serial.recovers(1)


def test_a_port_that_is_not_there_at_the_start_is_used_when_it_comes(rtu: RtuFaultServer) -> None:
    rtu.unplug()
    serial = Line(rtu)
    with closing(serial.bus):
        assert isinstance(serial.attempt(), BusUnavailableError)
        rtu.plug()
        assert serial.recovers(1)


def test_after_many_failures_the_port_is_opened_anew(serial: Line, rtu: RtuFaultServer) -> None:
    """A replugged adapter may leave the old port open and dead under the same name."""
    serial.read()
    rtu.swap()

    failures = [serial.attempt(timeout_s=0.05) for _ in range(8)]

    assert all(isinstance(answer, NoResponseError) for answer in failures)
    assert serial.recovers(1)
    assert serial.bus.counts.reopened == 2


def test_questions_keep_the_silence_between_frames(rtu: RtuFaultServer) -> None:
    # Modbus over Serial Line 1.02, 2.5.1.1: 3.5 characters of 11 bits, at 1200 baud 32 ms.
    serial = Line(rtu, baud=1200)
    with closing(serial.bus):
        serial.read()
        for _ in range(3):
            serial.read()
            answered_s = serial.server.asked[-1].came_s
            serial.read()
            assert serial.server.asked[-1].came_s - answered_s > 0.032


def test_a_section_with_a_port_is_a_serial_line(serial: Line) -> None:
    assert isinstance(serial.bus, RtuBus)


@pytest.mark.parametrize("kind", ["serial", "gateway"])
def test_two_devices_with_one_address_are_named_and_neither_is_believed(
    request: pytest.FixtureRequest, kind: str
) -> None:
    line: Line = request.getfixturevalue(kind)
    line.read()
    line.server.once(faults.two_answers)

    answer = line.attempt(timeout_s=1.0)
    assert isinstance(answer, WrongAnswerError)
    assert "two devices may have this address" in str(answer)
    assert line.recovers(1)
