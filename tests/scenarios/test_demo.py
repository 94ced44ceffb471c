"""`tpkit demo` as somebody who just cloned the repository meets it."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import wait_until

ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/sv/")
BROKER = re.compile(r"Broker +(127\.0\.0\.1):(\d+)")
LOOPBACK = {"0100007F", "00000000000000000000000001000000"}
LISTENING = "0A"


class Demo:
    """A running demo, and what it has said so far."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.log = folder / "demo.log"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tpkit", "demo", *arguments],
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, "TMPDIR": str(folder)},
            )  # fmt: skip

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def base(self) -> str:
        assert wait_until(lambda: ADDRESS.search(self.said()), 30), self.said()
        found = ADDRESS.search(self.said())
        assert found
        return found[1]

    def family(self) -> list[int]:
        """The demo and everything it started, by pid."""
        found = [self.process.pid]
        for parent in found:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
            found += [int(child) for child in children]
        return found

    def interrupt(self) -> int:
        """Ctrl-C: the terminal sends it to the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(30)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tpkit-test-") as made:
        yield Path(made)


@pytest.fixture(scope="module")
def demo(folder: Path) -> Iterator[Demo]:
    running = Demo(folder, "--speed", "30")
    yield running
    if running.process.poll() is None:
        running.interrupt()


def page(base: str, tag: str) -> str:
    with urllib.request.urlopen(f"{base}/{tag}/", timeout=5) as answer:
        return str(answer.read().decode("utf-8"))


def test_the_page_is_up_within_seconds_and_says_demo(demo: Demo) -> None:
    began = time.monotonic()
    base = demo.base()

    assert time.monotonic() - began < 20
    for tag, word in (
        ("sv", "DEMO: påhittade värden"),
        ("en", "DEMO: invented values"),
        ("ar", "عرض تجريبي"),
    ):
        assert word in page(base, tag)


def test_the_storm_reaches_the_page_in_every_language(demo: Demo) -> None:
    base = demo.base()

    assert wait_until(lambda: "Stark vind. Stanna inne." in page(base, "sv"), 40), demo.said()
    assert "Strong wind. Stay inside." in page(base, "en")
    assert "رياح قوية" in page(base, "ar")


def test_everything_it_opened_is_on_loopback(demo: Demo) -> None:
    demo.base()
    inodes = set()
    for pid in demo.family():
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            try:
                inodes.add(handle.readlink().name)
            except FileNotFoundError:
                continue
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6", "udp", "udp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if f"socket:[{line.split()[9]}]" in inodes
        and (table.startswith("udp") or line.split()[3] == LISTENING)
    ]

    assert len(listening) >= 4  # web, simulated GX, broker, wire
    assert {address.partition(":")[0] for address in listening} <= LOOPBACK


def test_a_service_that_is_killed_is_started_again_and_said_so(demo: Demo) -> None:
    base = demo.base()
    assert wait_until(lambda: "The staff open the place" in demo.said())
    victim = next(
        pid for pid in demo.family() if b"web" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    )
    os.kill(victim, signal.SIGKILL)

    assert wait_until(lambda: "web ended by signal 9; it is started again" in demo.said())
    assert wait_until(lambda: _answers(base), 20)
    assert "Öppet" in page(base, "sv")


def test_the_way_out_drops_and_returns_and_history_arrives(demo: Demo) -> None:
    assert wait_until(lambda: "Central has so far" in demo.said(), 90), demo.said()
    told = re.search(r"Central has so far: (\d+) events, (\d+) history rows", demo.said())

    assert "The way out is cut" in demo.said()
    assert "The way out is back" in demo.said()
    assert told
    assert int(told[1]) >= 13
    assert int(told[2]) >= 5


def test_ctrl_c_ends_all_of_it_and_leaves_nothing(demo: Demo, folder: Path) -> None:
    family = demo.family()
    assert len(family) >= 5
    assert demo.interrupt() == 0

    assert wait_until(lambda: not [pid for pid in family if Path(f"/proc/{pid}").exists()])
    assert list(folder.glob("tpkit-demo-*")) == []
    assert "Traceback" not in demo.said(), demo.said()
    found = BROKER.search(demo.said())
    assert found
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((found[1], int(found[2])), timeout=2).close()


def test_it_stops_by_itself_when_told_for_how_long(tmp_path: Path) -> None:
    demo = Demo(tmp_path, "--for", "2", "--scenario", "quiet")

    assert demo.process.wait(40) == 0
    assert "Stopping" in demo.said()
    assert "Traceback" not in demo.said()


def _answers(base: str) -> bool:
    try:
        return "Ellenbergaskolan" in page(base, "sv")
    except OSError:
        return False
