"""`tpkit device watch`: what changes, as it changes."""

import json
import os
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.conftest import wait_until
from tests.hardware import faults
from tests.hardware.fault_server import TcpFaultServer, good
from tests.tools.command import UNIT, command, device


@pytest.fixture
def watching(there) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command("watch", *there, "--timeout", "0.5"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        yield running
        running.kill()


def line_with(running: subprocess.Popen[str], words: str) -> str:
    assert running.stdout is not None
    for line in running.stdout:
        if words in line:
            return line
    raise AssertionError(f"it ended without {words}")


def test_plain_lines_where_there_is_no_terminal(watching: subprocess.Popen[str], tcp: TcpFaultServer) -> None:
    assert line_with(watching, "tank.fuel_level").split()[1:] == [
        "tank.fuel_level",
        "63",
        "%",
        "003F",
        "good",
    ]
    tcp.registers[UNIT, 1027] = 51
    following = line_with(watching, "tank.fuel_level")
    assert following.split()[1:] == ["tank.fuel_level", "51", "%", "0033", "good"]
    tcp.behave(faults.silent)
    line_with(watching, "does not answer")
    tcp.behave(good)
    line_with(watching, "tank.fuel_level 51 %")

    watching.send_signal(signal.SIGINT)
    _, errors = watching.communicate(timeout=20)
    assert (watching.returncode, errors) == (0, "")


def test_only_what_is_new_is_told(there, tcp: TcpFaultServer) -> None:
    told = device("watch", *there, "--for", "2.5").stdout

    assert told.count("tank.fuel_level") == 1
    assert len([asked for asked in tcp.asked if asked.address == 1024]) in (2, 3)  # at 0, 1 and 2 s


def test_a_line_of_json_each_second(there) -> None:
    ended = device("watch", *there, "--for", "1.5", "--json")
    rounds = [json.loads(line) for line in ended.stdout.splitlines()]

    assert ended.returncode == 0
    assert len(rounds) == 2
    assert rounds[1]["values"]["tank.fuel_level"] == 63.0


def test_a_table_on_a_terminal(there, tcp: TcpFaultServer) -> None:
    ours, theirs = os.openpty()
    shown = b""

    def sees(*words: bytes) -> bool:
        nonlocal shown
        if select.select([ours], [], [], 0.1)[0]:
            shown += os.read(ours, 65536)
        screen = shown.rpartition(b"\x1b[H\x1b[2J")[2]
        return all(word in screen for word in words)

    with closing(os.fdopen(ours, "rb", buffering=0)), subprocess.Popen(
        command("watch", *there, "--timeout", "0.2"), stdout=theirs, stderr=subprocess.DEVNULL
    ) as running:  # fmt: skip
        os.close(theirs)
        assert wait_until(lambda: sees(b"tank.fuel_level", b"63", b"age", b"Ctrl-C ends."), 20)
        tcp.behave(faults.silent)
        assert wait_until(lambda: sees(b"tank.fuel_level", b"does not answer", b" 2 s"), 20)
        assert sees(b"uncertain")
        assert not sees(b" good")
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=20) == 0


def test_a_device_that_never_answers_is_not_watched(tcp: TcpFaultServer) -> None:
    tcp.behave(faults.silent)
    where = f"127.0.0.1:{tcp.port}"
    ended = device("watch", "--tcp", where, "--profile", "dse-generic", "--timeout", "0.1")

    assert (ended.returncode, ended.stdout) == (3, "")
