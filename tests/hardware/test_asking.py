"""Raw questions: what goes on the wire, and what is made of what comes back."""

import random
import struct
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from tests.hardware import faults
from tests.hardware.fault_server import Ending, Fault, RtuFaultServer, TcpFaultServer, crc16, good
from tpkit.errors import BusUnavailableError
from tpkit.hardware.asking import (
    Line,
    Question,
    SerialLine,
    SocketLine,
    ask,
    crc,
    identification,
    objects,
    read,
    server_id,
)

UNIT = 17
PATIENT_S = 2.0
SHORT_S = 0.15


class Wire:
    """A line that answers at once, by a function from the question's frame to the pieces that come."""

    def __init__(self, answer: Callable[[bytes], list[bytes]], rtu: bool = True) -> None:
        self.rtu = rtu
        self.sent: list[bytes] = []
        self._answer = answer
        self._pieces: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        self._pieces = self._answer(data)

    def receive(self, timeout_s: float) -> bytes | None:
        return self._pieces.pop(0) if self._pieces else b""

    def close(self) -> None:
        self._pieces = []


def framed(body: bytes) -> bytes:
    return body + struct.pack("<H", crc16(body))


def says(*pieces: bytes, rtu: bool = True) -> Line:
    return Wire(lambda _: list(pieces), rtu)


@pytest.fixture
def serial(rtu: RtuFaultServer) -> Iterator[SerialLine]:
    with closing(SerialLine(str(rtu.link), 9600, "N", 1)) as line:
        yield line


@pytest.fixture
def network(tcp: TcpFaultServer) -> Iterator[SocketLine]:
    with closing(SocketLine("127.0.0.1", tcp.port)) as line:
        yield line


def test_the_checksum_is_that_of_the_standard() -> None:
    """Modbus over serial line 1.02, 6.2.2: 02 07 has the CRC 1241, low byte first."""
    assert crc(b"\x02\x07") == b"\x41\x12"


@pytest.mark.parametrize(
    ("question", "pdu"),
    [  # the examples of the Modbus application protocol 1.1b3, 6.3, 6.4, 6.13 and 6.21
        (read(UNIT, 3, 0x6B, 3), "03 00 6B 00 03"),
        (read(UNIT, 4, 8, 1), "04 00 08 00 01"),
        (server_id(UNIT), "11"),
        (identification(UNIT), "2B 0E 01 00"),
    ],
)
def test_the_four_questions_are_those_of_the_standard(question: Question, pdu: str) -> None:
    assert question.pdu == bytes.fromhex(pdu)
    serial, network = Wire(lambda _: []), Wire(lambda _: [], rtu=False)
    ask(serial, question, SHORT_S)
    ask(network, question, SHORT_S, turn=0x1234)
    assert serial.sent == [framed(bytes([UNIT]) + question.pdu)]
    head = struct.pack(">HHHB", 0x1234, 0, len(question.pdu) + 1, UNIT)
    assert network.sent == [head + question.pdu]


@pytest.mark.parametrize("function", sorted(set(range(256)) - {3, 4, 17, 43}))
def test_no_other_function_can_be_made_into_a_question(function: int) -> None:
    with pytest.raises(ValueError, match="is never sent"):
        Question(UNIT, function, b"\0\1\0\1")  # type: ignore[arg-type]


@pytest.mark.parametrize("server", ["serial", "network"])
def test_a_good_answer_gives_its_registers(server: str, request: pytest.FixtureRequest) -> None:
    line: Line = request.getfixturevalue(server)
    device = request.getfixturevalue("rtu" if server == "serial" else "tcp")
    device.registers |= {(UNIT, 100): 500, (UNIT, 101): 0xFFFF}
    answer = ask(line, read(UNIT, 3, 100, 2), PATIENT_S, turn=1)
    assert (answer.kind, answer.words, answer.refused) == ("answer", (500, 65535), 0)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 6, 10, 11])
def test_a_refusal_names_its_code(code: int, rtu: RtuFaultServer, serial: SerialLine) -> None:
    rtu.behave(faults.refuse(code))
    answer = ask(serial, read(UNIT, 3, 100), PATIENT_S)
    assert (answer.kind, answer.refused, answer.words) == ("refusal", code, ())


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.silent, "silence"),
        (faults.short, "other"),
        (faults.long, "other"),
        (faults.empty, "other"),
        (faults.wrong_unit(9), "other"),
        (faults.wrong_function(4), "other"),
        (faults.bad_crc, "noise"),
        (faults.damaged_word, "noise"),
        (faults.cut_off(6), "noise"),
        (faults.twice, "noise"),  # two devices with one address
        (faults.noise_before(b"\0"), "answer"),  # a glitch while the line turns round
        (faults.noise_after(b"\xff"), "answer"),
        (faults.byte_by_byte(0.005), "answer"),
        (faults.echo, "silence"),
    ],
)
def test_what_comes_on_a_serial_line_is_called_by_its_name(
    fault: Fault, kind: str, rtu: RtuFaultServer, serial: SerialLine
) -> None:
    rtu.behave(fault)
    answer = ask(serial, read(UNIT, 3, 100, 2), PATIENT_S if kind == "answer" else 0.4)
    assert answer.kind == kind
    assert answer.words == (rtu.words(UNIT, 3, 100, 2) if kind == "answer" else ())


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.silent, "silence"),
        (faults.wrong_transaction(0x7777), "silence"),  # a late answer is none
        (faults.short, "other"),
        (faults.wrong_unit(9), "other"),
        (faults.cut_off(6), "noise"),
        (faults.ends(Ending.CLOSE), "closed"),
        (faults.ends(Ending.RESET), "closed"),
        (faults.says(b"HTTP/1.1 400 Bad Request\r\n\r\n", Ending.CLOSE), "web"),
        (faults.says(b"login: "), "noise"),
    ],
)
def test_what_comes_over_tcp_is_called_by_its_name(
    fault: Fault, kind: str, tcp: TcpFaultServer, network: SocketLine
) -> None:
    tcp.once(fault)
    assert ask(network, read(UNIT, 3, 100, 2), 0.4, turn=5).kind == kind
    good = ask(network, read(UNIT, 3, 100, 2), PATIENT_S, turn=6)
    assert good.words == tcp.words(UNIT, 3, 100, 2)  # and the next question is answered


def test_an_echo_is_noticed_and_the_answer_behind_it_is_found(
    rtu: RtuFaultServer, serial: SerialLine
) -> None:
    rtu.behave(faults.echoed(good))
    answer = ask(serial, read(UNIT, 3, 100), PATIENT_S)
    assert (answer.kind, answer.echo) == ("answer", True)
    assert answer.words == rtu.words(UNIT, 3, 100, 1)


def test_a_late_answer_is_not_believed_by_the_next_question(rtu: RtuFaultServer, serial: SerialLine) -> None:
    rtu.once(faults.late(0.3))
    assert ask(serial, read(UNIT, 3, 100, 2), 0.1).kind == "silence"
    assert ask(serial, read(UNIT, 4, 200, 1), PATIENT_S).kind in ("other", "answer")


def test_the_answer_to_43_is_read_as_in_the_standard() -> None:
    """The standard's example (6.21): objects 0, 1 and 2, with lengths counted by hand."""
    body = (
        bytes.fromhex("11 2B 0E 01 01 00 00 03")
        + b"\x00\x16Company identification"
        + b"\x01\x0fProduct code XX"
        + b"\x02\x05V2.11"
    )
    answer = ask(says(framed(body)), identification(UNIT), SHORT_S)
    assert answer.kind == "answer"
    assert objects(answer) == ("Company identification", "Product code XX", "V2.11")


@pytest.mark.parametrize("lost", range(1, 20))
def test_objects_that_are_cut_short_break_nothing(lost: int) -> None:
    body = bytes.fromhex("11 2B 0E 01 01 00 00 02") + b"\x00\x05Maker\x01\x05Model"
    answer = ask(says(framed(body)[:-lost]), identification(UNIT), SHORT_S)
    assert answer.kind == "noise"
    assert objects(answer) == ()


def test_random_bytes_never_pass_for_registers() -> None:
    chance = random.Random(8)
    question = read(UNIT, 3, 100, 2)
    for _ in range(3000):
        came = bytes([UNIT, 3, 4]) + chance.randbytes(chance.randrange(12))
        answer = ask(says(came), question, SHORT_S)
        if answer.kind == "answer":  # once in 65536
            assert framed(came[:7]) == came[:9]


def test_a_port_that_is_not_there_is_a_sentence(rtu: RtuFaultServer) -> None:
    for port in ("/dev/there-is-none", "/etc/hostname", ""):
        with pytest.raises(BusUnavailableError, match="cannot be opened"):
            SerialLine(port, 9600, "N", 1)


def test_a_port_that_another_program_uses_is_left_to_it(rtu: RtuFaultServer, serial: SerialLine) -> None:
    with pytest.raises(BusUnavailableError, match="no other program using it"):
        SerialLine(str(rtu.link), 9600, "N", 1)


def test_a_port_that_goes_away_is_a_sentence(rtu: RtuFaultServer, serial: SerialLine) -> None:
    rtu.unplug()
    with pytest.raises(BusUnavailableError, match="went away"):
        ask(serial, read(UNIT, 3, 100), SHORT_S)


def test_a_host_that_refuses_is_a_sentence(tcp: TcpFaultServer) -> None:
    tcp.unplug()
    with pytest.raises(BusUnavailableError, match=f"does not accept a connection on port {tcp.port}"):
        SocketLine("127.0.0.1", tcp.port)
