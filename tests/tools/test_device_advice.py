"""What a technician is told when a device does not answer, is reached wrongly, or is typed wrongly."""

import fcntl
import struct
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hardware import faults
from tests.hardware.fault_server import (
    Ending,
    FaultServer,
    Request,
    RtuFaultServer,
    Step,
    TcpFaultServer,
    crc16,
)
from tests.hardware.gateway_server import GatewayFaultServer
from tests.tools.command import UNIT, device
from tpkit.cli import device as commands
from tpkit.errors import BusError, ConfigError
from tpkit.tools import device_advice

QUICK = ("--timeout", "0.2")


def complaint(*options: object) -> str:
    """What `read` says instead of values, with exit code 3."""
    with pytest.raises(BusError) as refused:
        commands.run(Namespace(arguments=[*map(str, ("read", "--profile", "dse-generic", *options, *QUICK))]))
    assert refused.value.exit_code == 3
    return str(refused.value)


def on_network(tcp: TcpFaultServer, *options: object) -> str:
    return complaint("--tcp", f"127.0.0.1:{tcp.port}", *options)


def on_line(rtu: RtuFaultServer, *options: object) -> str:
    return complaint("--rtu", rtu.link, *options)


def with_rtu_frame(server: FaultServer, request: Request) -> Iterator[Step]:
    body = bytes([request.unit]) + server.pdu(request)
    yield body + struct.pack("<H", crc16(body))


@pytest.mark.parametrize("ending", [None, Ending.CLOSE], ids=["stays", "hangs up"])
def test_a_web_server(tcp: TcpFaultServer, ending: Ending | None) -> None:
    tcp.behave(faults.says(b"HTTP/1.1 400 Bad Request\r\n\r\n<html>", ending))

    assert "A web server answers there, not Modbus" in on_network(tcp)


def test_a_server_of_some_other_text(tcp: TcpFaultServer) -> None:
    tcp.behave(faults.says(b"220 mail.example.se ESMTP\r\n"))

    assert "sends text, not Modbus" in on_network(tcp)


def test_rtu_over_tcp_opened_as_modbus_tcp(tcp: TcpFaultServer) -> None:
    tcp.behave(with_rtu_frame)

    assert "has an RTU checksum" in on_network(tcp)
    assert "Use --rtu-over-tcp instead of --tcp" in on_network(tcp)


def test_a_gateway_that_does_not_understand_modbus_tcp() -> None:
    """It waits for RTU frames, and says nothing to anything else."""
    with GatewayFaultServer() as gateway:
        assert "If this is a gateway for a serial line, try --rtu-over-tcp" in on_network(gateway)


def test_modbus_tcp_opened_as_rtu_over_tcp() -> None:
    frame = struct.pack(">HHHBBBH", 1, 0, 5, UNIT, 3, 2, 412)
    with TcpFaultServer(greeting=frame) as greeting:
        said = complaint("--rtu-over-tcp", f"127.0.0.1:{greeting.port}")

    assert "The answer is Modbus TCP: use --tcp instead of --rtu-over-tcp" in said


def test_nobody_listens_there() -> None:
    with TcpFaultServer() as server:
        port = server.port
    said = complaint("--tcp", f"127.0.0.1:{port}")

    assert said.startswith(f"127.0.0.1:{port} does not accept a connection")


@pytest.mark.parametrize(
    "noise", [b"\xf8\x00\xfe\x1e\xe6\x00", b"\xf8\x03\xfe\x1e", b"\x0a\xfe\x1e", b"\x0a"]
)
def test_noise_on_the_line(rtu: RtuFaultServer, noise: bytes) -> None:
    rtu.behave(faults.says(noise))
    said = on_line(rtu)

    assert "This looks like noise: a wrong --baud or --parity, A and B swapped" in said
    assert f"({noise.hex(' ')})" in said


@pytest.mark.parametrize("fault", [faults.bad_crc, faults.damaged_word])
def test_two_devices_with_one_address(rtu: RtuFaultServer, fault) -> None:
    rtu.behave(fault)

    assert "An answer began but was garbled" in on_line(rtu)
    assert "two devices may have one address" in on_line(rtu)


def test_an_adapter_that_hears_itself(rtu: RtuFaultServer) -> None:
    rtu.behave(faults.echo)

    assert "the adapter hears what it sends. Try --echo" in on_line(rtu)


def test_another_unit_answers(rtu: RtuFaultServer) -> None:
    rtu.behave(faults.wrong_unit(11))

    assert "another master asks on the same line" in on_line(rtu)


def test_a_silent_line(rtu: RtuFaultServer) -> None:
    rtu.behave(faults.silent)
    said = on_line(rtu, "--baud", 2400)

    assert "(RTU, 2400 baud, 8N1) does not answer. Nothing came back." in said
    assert "A and B the other way round" in said


@pytest.mark.parametrize("code", [2, 11])
def test_a_line_on_which_everything_is_refused(rtu: RtuFaultServer, code: int) -> None:
    rtu.behave(faults.refuse(code))

    assert f": {code} (" in on_line(rtu)
    assert "garbled" not in on_line(rtu)
    assert "two devices" not in on_line(rtu).lower()


def test_no_such_port_names_the_adapters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "by-id").mkdir()
    monkeypatch.setattr(device_advice, "ADAPTERS", tmp_path / "by-id")
    assert complaint("--rtu", tmp_path / "none").endswith("Adapters plugged in: none.")

    (tmp_path / "by-id" / "usb-FTDI").touch()
    assert complaint("--rtu", tmp_path / "none").endswith(f"plugged in: {tmp_path}/by-id/usb-FTDI.")


def test_a_file_is_no_port(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert complaint("--rtu", tmp_path / "file").endswith("is not a serial port.")


def test_a_port_that_the_controller_has_open(rtu: RtuFaultServer) -> None:
    with rtu.link.open("r+b", buffering=0) as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as pyserial with exclusive=True
        said = on_line(rtu)

    assert "stop the controller first (systemctl stop tpkit-controller)" in said


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("dance",), ("read",), ("read", "--tcp"), ("read", "--tcp", "a:b:c"), ("read", "--tcp", "h:0"),
        ("read", "--tcp", "h:65536"), ("read", "--tcp", ":502"), ("read", "--tcp", "h", "--rtu", "p"),
        ("read", "--rtu", "p", "--baud", "9601"), ("read", "--rtu", "p", "--parity", "X"),
        ("read", "--rtu", "p", "--stop-bits", "3"), ("read", "--tcp", "h", "--device-id", "ten"),
        ("read", "--tcp", "h", "--timeout", "soon"), ("watch", "--tcp", "h", "--for", "-1"),
        ("watch", "--tcp", "h", "--for", "nan"), ("plan",), ("plan", "--profile", "x", "--baud", "fast"),
        ("log", "--tcp", "h"), ("log", "--tcp", "h", "--out", "f", "--rounds", "0"),
        ("selftest", "--tcp", "h", "--display", "tank.fuel_level"),
        ("selftest", "--tcp", "h", "--display", "fuel=3"), ("selftest", "--tcp", "h", "--display", "engine.speed="),
        ("selftest", "--tcp", "h", "--checked-by", "<b>"), ("selftest", "--tcp", "h", "--checked-by", ""),
    ],
    ids=" ".join,
)  # fmt: skip
def test_typed_nonsense_is_exit_two(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.run(Namespace(arguments=list(arguments)))
    assert ended.value.code == 2
    assert "usage: tpkit device" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("read", "--tcp", "h"), "--profile is missing: what kind of device is it?"),
        (("read", "--tcp", "h", "--profile", "dse"), '"dse": no such device profile; known: '),
        (("read", "--tcp", "h", "--profile", "none.toml"), "none.toml: cannot be read"),
        (("plan", "--profile", "../../etc/passwd"), "no such device profile"),
        (("read", "--tcp", "h", "--profile", "dse-generic", "--timeout", "99"), "from 0.05 to 10 seconds"),
        (("read", "--tcp", "h", "--profile", "dse-generic", "--timeout", "nan"), "from 0.05 to 10 seconds"),
        (("read", "--tcp", "h", "--profile", "dse-generic", "--device-id", "256"), "device_id = 256"),
        (("read", "--tcp", "h", "--profile", "dse-generic", "--device-id", "-1"), "device_id = -1"),
        (("read", "--rtu", "p", "--profile", "dse-generic", "--device-id", "0"), "an address is 1 to 247"),
        (("read", "--rtu-over-tcp", "h", "--profile", "dse-generic"), "give the port too, as h:PORT"),
        (("read", "--device", "x", "--config", "/none/kit.toml"), "there is no such file"),
        (("read", "--device", "x", "--baud", "9600"), "--baud: with --device these come from"),
        (("selftest", "--tcp", "h", "--profile", "dse-generic", "--checked-by", "AB"), "--device NAME"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named(arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        commands.run(Namespace(arguments=list(arguments)))
    assert sentence in str(refused.value)


def test_an_unknown_device_of_kit_toml(kit_toml: Path) -> None:
    ended = device("read", "--device", "gen", "--config", kit_toml)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f'--device "gen": {kit_toml} has no such device; it has: genset\n'
