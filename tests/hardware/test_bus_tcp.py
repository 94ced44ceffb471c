"""Modbus TCP: connections end, restart and lead to strangers."""

import socket
from contextlib import closing

import pytest

from tests.hardware import faults
from tests.hardware.fault_server import Ending, Fault, TcpFaultServer
from tests.hardware.line import BLOCK, SLACK_S, TIMEOUT_S, Line
from tpkit.config import BusSection
from tpkit.errors import BusError, BusUnavailableError, NoResponseError
from tpkit.hardware.bus import open_bus

PAGE = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "fault",
    [
        faults.ends(Ending.CLOSE),
        faults.ends(Ending.RESET),
        faults.cut_off(9, Ending.CLOSE),
        faults.cut_off(9, Ending.RESET),
        faults.cut_off(3, Ending.CLOSE),
        faults.says(PAGE, Ending.CLOSE),
    ],
    ids=["close", "reset", "close in a word", "reset in a word", "close in the head", "web page"],
)
def test_a_connection_that_ends_is_unavailable_at_once_and_made_anew(network: Line, fault: Fault) -> None:
    network.read()
    network.server.once(fault)

    assert isinstance(network.attempt(timeout_s=2.0), BusUnavailableError)
    assert network.took_s < SLACK_S
    assert network.recovers(1)
    assert network.bus.counts.reopened == 2


@pytest.mark.parametrize("transaction", [0, 7777, 0xFFFF])
def test_an_answer_to_another_transaction_is_no_answer(network: Line, transaction: int) -> None:
    network.read()
    network.server.once(faults.wrong_transaction(transaction))

    assert isinstance(network.attempt(), NoResponseError)
    assert network.recovers(1)


def test_after_a_silence_the_late_answer_dies_with_its_connection(network: Line, tcp: TcpFaultServer) -> None:
    tcp.once(faults.late(1.5 * TIMEOUT_S))

    assert isinstance(network.attempt(), NoResponseError)
    tcp.once(faults.late(0.7 * TIMEOUT_S))  # still waiting when the late one would have come
    assert network.recovers(1)
    assert tcp.accepted == 2


def test_an_answer_that_drips_beyond_the_timeout_is_given_up(network: Line) -> None:
    network.read()
    network.server.once(faults.byte_by_byte(0.8 * TIMEOUT_S))  # 17 bytes: 2.7 s in all

    assert isinstance(network.attempt(), NoResponseError)
    assert network.took_s < 2 * TIMEOUT_S + SLACK_S
    assert network.recovers(1)


def test_a_server_that_restarts_is_found_again(network: Line, tcp: TcpFaultServer) -> None:
    assert network.read() == network.truth()
    tcp.unplug()

    assert isinstance(network.attempt(), BusUnavailableError)
    with pytest.raises(BusUnavailableError, match="does not accept a connection"):
        network.read()
    assert network.took_s < SLACK_S

    tcp.plug()
    assert network.recovers(1)


def test_a_host_that_speaks_first_and_otherwise_is_never_believed() -> None:
    with TcpFaultServer(greeting=b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n") as server:
        network = Line(server)
        with closing(network.bus):
            for _ in range(3):
                assert isinstance(network.attempt(), BusError)
                assert network.took_s < 2 * TIMEOUT_S + SLACK_S


def test_a_host_that_accepts_and_says_nothing_is_silent() -> None:
    """Connections wait in the listener's queue and nobody takes them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bus = open_bus("test", BusSection(host="127.0.0.1", tcp_port=listener.getsockname()[1]))
        with closing(bus), pytest.raises(NoResponseError):
            bus.read(1, BLOCK, TIMEOUT_S, ())


def test_refusals_keep_the_connection(network: Line, tcp: TcpFaultServer) -> None:
    tcp.once(faults.refuse(10), faults.refuse(11), faults.refuse(2))
    for _ in range(3):
        network.attempt()

    assert network.recovers(1)
    assert tcp.accepted == 1


def test_a_section_with_a_host_is_a_connection(network: Line) -> None:
    assert network.bus.__class__.__name__ == "TcpBus"
