"""`tpkit device log`: the frames as they were, and nothing that should stay here."""

import json
from pathlib import Path

from tests.hardware import faults
from tests.hardware.fault_server import RtuFaultServer, TcpFaultServer
from tests.tools.command import UNIT, device


def frames(path: Path, sign: str) -> list[str]:
    lines = [line.split(" ", 2) for line in map(str.strip, path.read_text("utf-8").splitlines())]
    return [line[2] for line in lines if line[1:2] == [sign]]


def test_every_frame_both_ways(line, rtu: RtuFaultServer, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    ended = device("log", *line, "--out", path, "--rounds", 2)

    assert ended.returncode == 0, ended.stderr
    assert frames(path, ">") == [request.frame.hex(" ") for request in rtu.asked]
    assert " ".join(frames(path, "<")) == " ".join(rtu.good(request).hex(" ") for request in rtu.asked)
    # The first of the real questions, by the specification: unit 10, function 3, 1024 = 0x0400, 42 = 0x2A.
    assert any(frame.startswith("0a 03 04 00 00 2a ") for frame in frames(path, ">"))
    text = path.read_text("utf-8")
    assert "tank.fuel_level = 63.0 %" in text
    assert text.count("! round") == 2
    head = [line for line in text.splitlines() if line.startswith("#")]
    assert any("profile dse-generic" in line for line in head)
    assert any("RTU, 19200 baud, 8N1" in line or "RTU, 9600 baud, 8N1" in line for line in head)
    seconds = [float(line.split()[0]) for line in text.splitlines() if not line.startswith("#")]
    assert seconds == sorted(seconds)


def test_a_silent_device_leaves_a_log_too_and_it_names_no_host(tcp: TcpFaultServer, tmp_path: Path) -> None:
    tcp.behave(faults.silent)
    path = tmp_path / "log.txt"
    ended = device(
        "log", "--tcp", f"localhost:{tcp.port}", "--profile", "dse-generic", "--timeout", "0.1", "--out", path,
        "--rounds", 1, "--json",
    )  # fmt: skip

    assert ended.returncode == 3
    asked = len(tcp.asked)
    assert json.loads(ended.stdout) == {"file": str(path), "sent": asked, "received": 0}
    text = path.read_text("utf-8")
    assert "localhost" not in text
    assert "does not answer" in text
    assert frames(path, ">") == [request.frame.hex(" ") for request in tcp.asked]


def test_a_file_that_is_there_is_not_overwritten(there, tcp: TcpFaultServer, tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("important", encoding="utf-8")
    ended = device("log", *there, "--out", path)

    assert (ended.returncode, path.read_text("utf-8")) == (1, "important")
    assert ended.stderr == f"--out {path}: cannot be written (File exists).\n"
    assert not [request for request in tcp.asked if request.unit == UNIT]
