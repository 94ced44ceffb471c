"""Two-wire adapters that hear what they send: the echo is taken off, and is never an answer."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.hardware import faults
from tests.hardware.fault_server import RtuFaultServer, good
from tests.hardware.line import Line
from tpkit.errors import BusError, DeviceRefusedError
from tpkit.hardware.planning import Block


@pytest.fixture
def hears_itself(rtu: RtuFaultServer) -> Iterator[Line]:
    """A line with an echo that kit.toml tells of."""
    line = Line(rtu, echo=True)
    with closing(line.bus):
        yield line


@pytest.mark.parametrize("address", [1000, 0x0300, 0x03FF])
def test_an_answer_behind_its_echo_is_read(hears_itself: Line, address: int) -> None:
    """0x03.. looks like the byte count of an answer in the echo."""
    hears_itself.server.behave(faults.echoed(good))
    block = Block(3, address, 4)

    assert hears_itself.read(block) == hears_itself.truth(block)
    assert hears_itself.bus.counts.no_answers == 0


def test_an_echo_alone_is_no_answer(hears_itself: Line) -> None:
    hears_itself.server.behave(faults.echoed(good))
    hears_itself.read()
    hears_itself.server.once(faults.echoed(faults.silent))

    assert isinstance(hears_itself.attempt(), BusError)
    assert hears_itself.recovers(1)


def test_a_refusal_behind_its_echo_is_a_refusal(hears_itself: Line) -> None:
    hears_itself.server.behave(faults.echoed(good))
    hears_itself.read()
    hears_itself.server.once(faults.echoed(faults.refuse(2)))

    with pytest.raises(DeviceRefusedError):
        hears_itself.read()


def test_an_adapter_without_the_echo_that_kit_toml_tells_of_is_read_all_the_same(hears_itself: Line) -> None:
    assert hears_itself.read() == hears_itself.truth()


def test_an_echo_that_kit_toml_does_not_tell_of_is_never_believed(serial: Line) -> None:
    serial.server.behave(faults.echoed(good))

    for _ in range(4):
        answer = serial.attempt(timeout_s=0.2)
        assert isinstance(answer, BusError) or answer == serial.truth()
