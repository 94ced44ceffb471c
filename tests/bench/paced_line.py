"""Simulated devices at the far end of an RS-485 line that takes its time, or behind a TCP port that does not.

python -m tests.bench.paced_line LOG BAUD     (BAUD 0: Modbus TCP)

Says `ready PORT`. Every read of a unit below is answered, after its turnaround, by characters that
come one by one. LOG gets a line for each question: unit, address, count, when its first character was
sent, and when the last of its answer came (- if none did), in seconds of the monotonic clock. `silent
UNIT` on stdin makes a unit dead.
"""

import contextlib
import os
import select
import socket
import struct
import sys
import time
import tty
from pathlib import Path
from typing import TextIO

from tests.hardware.made_up_line import checksum

BITS = 11  # start, eight data, parity or second stop, stop
QUESTION = 8  # characters
UNITS = (1, 2, 3, 10)
TURNAROUND_S = 0.01  # as the profiles have it

ALARMS = 39425  # GenComm page 154: from here four alarms a register


def word(unit: int, address: int) -> int:
    """What a register holds: 230.0 as a float for the meter, else a plausible small number."""
    if unit == 1:
        return 0 if address % 2 else 0x4366
    if unit == 10:
        return 0x1111 if address >= ALARMS else 100 * (address % 2)
    return 215


def answer(unit: int, pdu: bytes) -> bytes:
    """The PDU of the good answer to a read."""
    function, address, count = struct.unpack(">BHH", pdu)
    words = (word(unit, number) for number in range(address, address + count))
    return bytes([function, 2 * count]) + struct.pack(f">{count}H", *words)


class SerialLine:
    """The line and its devices. A pseudo terminal knows no speed, so every character is held back."""

    def __init__(self, baud: int, log: TextIO) -> None:
        self._character_s = BITS / baud
        self._log = log
        self._silent: set[int] = set()
        self._master, self._slave = os.openpty()  # the slave stays open, so that the line lives
        tty.setraw(self._master)
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)

    def run(self) -> None:
        """Answer until stdin ends."""
        waiting = b""
        while True:
            ready = select.select([self._master, sys.stdin], [], [])[0]
            if sys.stdin in ready:
                command = sys.stdin.readline().split()
                if not command:
                    return
                self._silent.add(int(command[1]))
            if self._master in ready:
                waiting += os.read(self._master, 256)
                came_s = time.monotonic()
                while len(waiting) >= QUESTION:
                    self._react(waiting[:QUESTION], came_s)
                    waiting = waiting[QUESTION:]

    def _react(self, frame: bytes, came_s: float) -> None:
        unit, _, address, count = struct.unpack(">BBHH", frame[:6])
        if checksum(frame[:6]) != frame[6:]:
            return
        ended = "-"
        if unit in UNITS and unit not in self._silent:
            body = frame[:1] + answer(unit, frame[1:6])
            begin_s = came_s + QUESTION * self._character_s + TURNAROUND_S
            ended = f"{self._send(body + checksum(body), begin_s):.6f}"
        self._log.write(f"{unit} {address} {count} {came_s:.6f} {ended}\n")

    def _send(self, frame: bytes, begin_s: float) -> float:
        for number, byte in enumerate(frame, start=1):
            due_s = begin_s + number * self._character_s
            time.sleep(max(0.0, due_s - time.monotonic() - (0.0003 if number == len(frame) else 0.0)))
            while (now_s := time.monotonic()) < due_s:
                pass
            os.write(self._master, bytes([byte]))
        return now_s


def serve_tcp(listener: socket.socket, log: TextIO) -> None:
    """Answer one client after the other at once; ends with the process."""
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, contextlib.suppress(ConnectionResetError):  # who is killed leaves an answer unread
            while len(frame := connection.recv(12)) == 12:
                came_s = time.monotonic()
                pdu = answer(frame[6], frame[7:])
                connection.sendall(frame[:4] + struct.pack(">HB", len(pdu) + 1, frame[6]) + pdu)
                address, count = struct.unpack(">HH", frame[8:])
                log.write(f"{frame[6]} {address} {count} {came_s:.6f} {time.monotonic():.6f}\n")


def main() -> None:
    """Run until stdin ends or the process is ended."""
    path, baud = Path(sys.argv[1]), int(sys.argv[2])
    with path.open("w", buffering=1) as log:
        if baud:
            line = SerialLine(baud, log)
            sys.stdout.write(f"ready {line.port}\n")
            sys.stdout.flush()
            line.run()
        else:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                sys.stdout.write(f"ready {listener.getsockname()[1]}\n")
                sys.stdout.flush()
                serve_tcp(listener, log)


if __name__ == "__main__":
    main()
