"""Ground that is not ours: Modbus servers on libmodbus, mosquitto and its clients, a serial line of two
pseudo terminals. Each ends with its `close`, by its own process and none other."""

import contextlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
import tty
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")
STOP_S = 5.0


def until(what: str, condition: Callable[[], T], timeout_s: float = 10.0) -> T:
    """The first true value of `condition()`; the test fails, naming `what`, when the time is up."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout_s:g} s: {what}")
        time.sleep(0.02)
    return found


def need(program: str, package: str) -> str:
    """The path of a program; the test is skipped where it is missing."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip(f"needs {program}: apt install {package}")
    return path


def free_port() -> int:
    """A TCP port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end(process: subprocess.Popen[str]) -> None:
    """Ask a process to end, insist if it does not, and close its pipes."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


class ModbusServer:
    """The C program on libmodbus with one unit's registers, as a process."""

    def __init__(self, program: Path, *words: str, image: Mapping[int, int]) -> None:
        self._process = subprocess.Popen(
            [str(program), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._told("ready"))
        self.set(image)

    def set(self, registers: Mapping[int, int]) -> None:
        """Give holding registers these words; when this returns, the next answer has them."""
        assert self._process.stdin is not None
        for address, word in registers.items():
            self._process.stdin.write(f"3 {address} {word}\n")
        self._process.stdin.flush()
        for address in registers:
            assert self._told("set") == str(address)

    def answered(self) -> int:
        """How many reads it has answered. Fails if anybody tried to write."""
        assert self._process.stdin is not None
        self._process.stdin.write("requests\n")
        self._process.stdin.flush()
        return int(self._told("requests"))

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        self._process.kill()
        end(self._process)

    def close(self) -> None:
        """End it."""
        end(self._process)

    def _told(self, word: str) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().split()
        assert line[:1] == [word], f"the Modbus server said {line} and ended {self._process.poll()}"
        return line[1]


class Line(threading.Thread):
    """A serial line: two pseudo terminals, `near` and `far`, joined at the pace of a UART.

    A pseudo terminal knows no baud rate, so each chunk is held for as long as its characters would
    take. Our own handles on the far sides stay open, so that the line lives while nobody is on it.
    """

    def __init__(self, baud: int) -> None:
        super().__init__(name="line", daemon=True)
        self._second_per_byte = 10 / baud
        (a, near), (b, far) = os.openpty(), os.openpty()
        self._other = {a: b, b: a}
        self._handles = (a, b, near, far)
        self._stop_read, self._stop_write = os.pipe()
        for handle in self._handles:
            tty.setraw(handle)
        self.near, self.far = os.ttyname(near), os.ttyname(far)
        self.start()

    def run(self) -> None:
        """Carry bytes until `close`."""
        while True:
            for handle in select.select([*self._other, self._stop_read], [], [])[0]:
                if handle == self._stop_read:
                    return
                data = os.read(handle, 256)
                time.sleep(len(data) * self._second_per_byte)
                os.write(self._other[handle], data)

    def close(self) -> None:
        """Take the line down."""
        os.write(self._stop_write, b"x")
        self.join()
        for handle in (*self._handles, self._stop_read, self._stop_write):
            os.close(handle)


class Broker:
    """mosquitto on one loopback port that it keeps when it is stopped and started again.

    It keeps the rights of whoever runs the tests, because everything lies under a private directory.
    """

    def __init__(self, folder: Path, *listener_lines: str) -> None:
        self._program = need("mosquitto", "mosquitto")
        self.port = free_port()
        self._log = folder / "mosquitto.out"
        self._settings = folder / "mosquitto.conf"
        lines = [
            "log_type all", "persistence true", f"persistence_location {folder}/", "autosave_on_changes true",
            "autosave_interval 1", "max_queued_messages 100000",
            f"listener {self.port} 127.0.0.1", "allow_anonymous true", *listener_lines,
        ]  # fmt: skip
        if os.geteuid() == 0:
            lines.insert(0, "user root")
        self._settings.write_text("\n".join(lines) + "\n")
        self.start()

    @property
    def address(self) -> str:
        """Host and port as kit.toml has it."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it accepts."""
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [self._program, "-c", str(self._settings)], stdout=log, stderr=log, text=True
            )
        until("mosquitto accepts a connection", self._accepts)

    def stop(self) -> None:
        """SIGTERM: it stores what it holds for absent clients and ends."""
        end(self._process)

    def freeze(self) -> None:
        """SIGSTOP: it takes bytes off the wire no more, and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """kill -9: what it had not answered is gone."""
        self._process.kill()
        end(self._process)

    close = stop

    def retained(self, topic: str) -> str:
        """What a new subscriber gets at once, by mosquitto_sub; empty if nothing is retained."""
        done = subprocess.run(
            [need("mosquitto_sub", "mosquitto-clients"), "-V", "5", "-h", "127.0.0.1", "-p", str(self.port),
             "-t", topic, "-C", "1", "-W", "2"],
            stdout=subprocess.PIPE, text=True, timeout=10, check=False,
        )  # fmt: skip
        return done.stdout

    def received(self, client: str) -> list[str]:
        """Topics of what a client has published since the last start, in the order in which they came."""
        pattern = rf"Received PUBLISH from {client} \([^']*'([^']*)'"
        return re.findall(pattern, self._log.read_text())

    def _accepts(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


def mbpoll(*words: str, first: int, count: int) -> dict[int, int]:
    """Holding registers as mbpoll reads and prints them."""
    done = subprocess.run(
        [need("mbpoll", "mbpoll"), "-0", "-1", "-q", "-t", "4:hex", "-r", str(first), "-c", str(count), *words],
        stdout=subprocess.PIPE, text=True, timeout=10, check=True,
    )  # fmt: skip
    rows = (line.split() for line in done.stdout.splitlines() if line.startswith("["))
    return {int(name.strip("[]:")): int(word, 16) for name, word in rows}
