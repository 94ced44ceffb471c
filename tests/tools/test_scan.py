"""`tpkit device scan`: who is there, what the line needs, and what a technician is told."""

import argparse
import contextlib
import http.server
import json
import os
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Iterator

import pytest

from tests.hardware import faults
from tests.hardware.fault_server import (
    Fault,
    FaultServer,
    PtyLine,
    Request,
    RtuFaultServer,
    Step,
    TcpFaultServer,
    crc16,
    good,
)
from tests.tools.command import UNIT, command, device, settings
from tests.tools.simulated_site import Site
from tpkit.hardware import asking
from tpkit.tools import device_scan, scanning

AWAY = faults.refuse(10)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that listens and waits for a fraction of the time."""
    monkeypatch.setattr(device_scan, "LISTEN_S", 0.2)
    monkeypatch.setattr(scanning, "SERIAL_TIMEOUT_S", 0.1)
    monkeypatch.setattr(scanning, "NETWORK_TIMEOUT_S", 0.2)
    monkeypatch.setattr(scanning, "PATIENT_S", 0.5)
    monkeypatch.setattr(asking, "QUIET_S", 0.03)


def scan(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict]:
    """One scan: the exit code and the JSON."""
    parser = argparse.ArgumentParser()
    device_scan.register(parser.add_subparsers())
    options = parser.parse_args(["scan", *map(str, arguments), "--json"])
    code = options.run(options)
    return code, json.loads(capsys.readouterr().out)


def deep_sea(server: FaultServer) -> None:
    """The maker's code of GenComm page 3 at the unit that answers."""
    server.registers |= {(UNIT, 768): 1, (UNIT, 769): 4}
    server.behave(good, UNIT)


ONE_SPEED = ("--baud", 9600, "--parity", "N")


def only(server: FaultServer, habits: dict[int, Fault]) -> None:
    """These units answer so; all others say nothing."""
    server.behave(faults.silent)
    for unit, fault in habits.items():
        server.behave(fault, unit)


@pytest.mark.usefixtures("quick")
def test_an_echo_is_noticed(rtu: RtuFaultServer, capsys: pytest.CaptureFixture[str]) -> None:
    rtu.behave(faults.echo)
    rtu.behave(faults.echoed(good), UNIT)
    code, told = scan(capsys, "--rtu", rtu.link, *ONE_SPEED)
    assert (code, [each["unit"] for each in told["found"]]) == (0, [UNIT])
    assert settings(told["kit_toml"]).bus["rs485"].echo


@pytest.mark.usefixtures("quick")
def test_noise_at_every_address_is_noise(rtu: RtuFaultServer, capsys: pytest.CaptureFixture[str]) -> None:
    rtu.behave(faults.says(b"\xfe\x80\x00\xfc\xe0"))
    code, told = scan(capsys, "--rtu", rtu.link, *ONE_SPEED)
    assert (code, told["found"]) == (3, [])
    assert any("looks like noise. Are A and B swapped" in line for line in told["sentences"])


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("fault", [faults.bad_crc, faults.twice], ids=["collision", "one after the other"])
def test_garbled_answers_of_one_unit_are_two_devices(
    fault: Fault, rtu: RtuFaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    only(rtu, {3: fault, UNIT: good})
    code, told = scan(capsys, "--rtu", rtu.link, *ONE_SPEED)
    assert (code, [each["unit"] for each in told["found"]]) == (0, [UNIT])
    assert any("Two devices may have address 3" in line for line in told["sentences"])


@pytest.mark.usefixtures("quick")
def test_a_slow_device_is_found_by_its_late_answer(
    rtu: RtuFaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    only(rtu, {5: faults.late(0.25)})
    code, told = scan(capsys, "--rtu", rtu.link, *ONE_SPEED)
    assert (code, [each["unit"] for each in told["found"]]) == (0, [5])


@pytest.mark.usefixtures("quick")
def test_nothing_at_all_is_exit_3_and_a_speed_that_the_adapter_does_not_know_is_left_out(
    rtu: RtuFaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pseudo terminal has no parity: 8E1 cannot be set when nothing else changes."""
    only(rtu, {})
    code, told = scan(capsys, "--rtu", rtu.link, "--baud", 9600)
    assert code == 3
    assert any(line.startswith("Nobody answered.") for line in told["sentences"])
    assert any(line.startswith("Not tried, 9600 8E1: ") for line in told["sentences"])


@pytest.mark.usefixtures("quick")
def test_one_line_has_one_speed(rtu: RtuFaultServer, capsys: pytest.CaptureFixture[str]) -> None:
    """A pseudo terminal answers at any speed: after the first with an answer no other is tried."""
    only(rtu, {1: good})
    _, told = scan(capsys, "--rtu", rtu.link)
    assert [each["unit"] for each in told["found"]] == [1]
    assert told["speed"] == {"baud": 9600, "parity": "N", "stop_bits": 1}


@pytest.mark.usefixtures("quick")
def test_a_gateway_is_asked_for_each_address(tcp: TcpFaultServer, capsys: pytest.CaptureFixture[str]) -> None:
    tcp.behave(AWAY)
    deep_sea(tcp)
    tcp.behave(faults.refuse(2), 200)
    code, told = scan(capsys, "--tcp", f"127.0.0.1:{tcp.port}")
    assert (code, sorted(each["unit"] for each in told["found"])) == (0, [UNIT, 200])
    assert {request.unit for request in tcp.asked} == {*range(248), 254, 255}  # 254: a transmitter's default
    parsed = settings(told["kit_toml"])
    assert [(each.device_id, each.profile) for each in parsed.device.values()] == [(UNIT, "dse-generic")]
    assert (parsed.bus["lan"].host, parsed.bus["lan"].tcp_port) == ("127.0.0.1", tcp.port)


@pytest.mark.usefixtures("quick")
def test_a_host_that_ignores_addresses_is_one_device(
    tcp: TcpFaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    tcp.behave(faults.refuse(2))
    code, told = scan(capsys, "--tcp", f"127.0.0.1:{tcp.port}")
    assert (code, [each["unit"] for each in told["found"]]) == (0, [1])
    assert any("Every address answers alike" in line for line in told["sentences"])


@pytest.mark.usefixtures("quick")
def test_rtu_behind_a_host_is_told_and_then_found(capsys: pytest.CaptureFixture[str]) -> None:
    with rtu_over_tcp({1}) as port:
        code, told = scan(capsys, "--tcp", f"127.0.0.1:{port}")
        assert (code, told["found"]) == (1, [])
        assert any(
            f"speaks RTU over TCP, not Modbus TCP: scan with --rtu-over-tcp 127.0.0.1:{port}" in line
            and 'framing = "rtu"' in line
            for line in told["sentences"]
        )
        code, told = scan(capsys, "--rtu-over-tcp", f"127.0.0.1:{port}")
    assert (code, [each["unit"] for each in told["found"]]) == (0, [1])
    assert settings(told["kit_toml"]).bus["lan"].framing == "rtu"


@contextlib.contextmanager
def rtu_over_tcp(units: set[int]) -> Iterator[int]:
    """A serial device server: the bytes of a connection go to a line and back. Yields its port."""

    class Units(TcpFaultServer):
        def _listen(self, line: object) -> None:
            connection = line.connection  # type: ignore[attr-defined]
            with contextlib.suppress(OSError):
                while came := connection.recv(256):
                    body = came[:-2]
                    if struct.pack("<H", crc16(body)) == came[-2:] and body[0] in units:
                        answer = bytes([body[0], body[1] | 0x80, 2])
                        connection.sendall(answer + struct.pack("<H", crc16(answer)))

    with Units() as server:
        yield server.port


# The command as a technician runs it


@pytest.fixture
def web_server() -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_the_safety_sentence_comes_first_and_a_device_is_found(rtu: RtuFaultServer) -> None:
    only(rtu, {UNIT: good})
    deep_sea(rtu)
    ended = device("scan", "--rtu", rtu.link, *ONE_SPEED)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = ended.stdout.splitlines()
    assert "OFF or manual" in lines[0]
    assert lines[1] == "Only an electrician connects to its terminals. Use an isolated adapter."
    assert "This takes" in lines[2]
    assert "no other master" in lines[3]
    printed = ended.stdout.split("For kit.toml:")[1]
    assert [(each.device_id, each.profile) for each in settings(printed).device.values()] == [
        (UNIT, "dse-generic")
    ]
    assert settings(printed).bus["rs485"].port == str(rtu.link)


def test_another_master_stops_it_before_the_first_question() -> None:
    line, stop = PtyLine(), threading.Event()

    def poll() -> None:
        body = bytes.fromhex("0A0304000002")
        with contextlib.suppress(OSError, ValueError):
            while not stop.wait(0.2):
                line.send(body + struct.pack("<H", crc16(body)))

    other = threading.Thread(target=poll)
    other.start()
    ended = device("scan", "--rtu", os.ttyname(line.theirs.fileno()))
    stop.set()
    other.join()
    line.end()
    assert ended.returncode == 1
    assert "Another master is at work on this line" in ended.stdout
    assert "unit 10." in ended.stdout
    assert "For kit.toml" not in ended.stdout


def test_a_web_server_is_called_one(web_server: int) -> None:
    ended = device("scan", "--tcp", f"127.0.0.1:{web_server}")
    assert ended.returncode == 1
    assert f"127.0.0.1:{web_server} is a web server, not Modbus." in ended.stdout


def test_for_programs_stdout_is_json_only(tcp: TcpFaultServer) -> None:
    tcp.behave(AWAY)
    deep_sea(tcp)
    ended = device("scan", "--tcp", f"127.0.0.1:{tcp.port}", "--json")
    told = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert "OFF or manual" in ended.stderr
    assert [each["profiles"][0] for each in told["found"]] == ["dse-generic"]


@pytest.mark.parametrize("how", ["Ctrl-C", "q and Enter"])
def test_the_stop_key_prints_what_was_found_so_far(how: str, tcp: TcpFaultServer) -> None:
    reached = threading.Event()

    def at_last(server: FaultServer, request: Request) -> Iterator[Step]:
        reached.set()
        yield from faults.silent(server, request)

    tcp.behave(AWAY)
    deep_sea(tcp)
    for unit in set(range(200, 248)) - set(scanning.likely_units(scanning.catalogue().values())):
        tcp.behave(at_last, unit)
    keyboard = PtyLine()
    running = subprocess.Popen(
        command("scan", "--tcp", f"127.0.0.1:{tcp.port}"),
        stdin=keyboard.theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert reached.wait(60)
    if how == "Ctrl-C":
        running.send_signal(signal.SIGINT)
    else:
        keyboard.send(b"q\n")
    started = time.monotonic()
    out, errors = running.communicate(timeout=30)
    keyboard.end()
    assert time.monotonic() - started < 20
    assert running.returncode == 130, errors
    assert "Traceback" not in errors
    assert "Stopped. This is what was found so far." in out
    assert f"Unit {UNIT}: profile dse-generic" in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "required"),
        (("--tcp", "nonsense:port"), 2, "is not HOST"),
        (("--tcp", "127.0.0.1:99999"), 2, "is not HOST"),
        (("--tcp", "127.0.0.1:502", "--rtu", "/dev/x"), 2, "not allowed with"),
        (("--tcp", "127.0.0.1:502", "--baud", 9600), 1, "those of a serial adapter"),
        (("--rtu-over-tcp", "127.0.0.1"), 1, "give the port too"),
        (("--rtu", "/dev/x", "--baud", 9601), 2, "invalid choice"),
        (("--rtu", "/dev/x", "--parity", "X"), 2, "invalid choice"),
        (("--rtu", "/dev/there-is-none"), 3, "cannot be opened"),
        (("--rtu", "/etc/hostname"), 3, "cannot be opened"),
        (("--rtu", ""), 3, "cannot be opened"),
        (("--tcp", "127.0.0.1:1"), 3, "does not accept a connection"),
        (("--tcp", "no-such-host.invalid"), 3, "does not accept a connection"),
        (("--tcp", f"{'a' * 70}.se"), 3, "does not accept a connection"),
    ],
)
def test_typed_nonsense_is_a_sentence(arguments: tuple[object, ...], code: int, said: str) -> None:
    ended = device("scan", *arguments)
    assert (ended.returncode, said in ended.stderr) == (code, True), ended.stderr


@pytest.mark.usefixtures("quick")
def test_every_address_of_a_line_is_1_to_247(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Site()
    site.holds(1, 3, 1, 0)
    site.holds(247, 4, 1, 0)
    monkeypatch.setattr(device_scan, "open_line", lambda *_: site)
    code, told = scan(capsys, "--rtu", "here", *ONE_SPEED, "--all")
    assert (code, [each["unit"] for each in told["found"]]) == (0, [1, 247])
    assert {unit for unit, _ in site.asked} == set(range(1, 248))
    assert {function for _, function in site.asked} == {3, 4, 17, 43}
