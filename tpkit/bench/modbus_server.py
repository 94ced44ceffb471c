"""A small Modbus server for the bench: functions 3 and 4, over TCP or on a pseudo terminal.

It answers from whatever a function returns at that moment, is silent for units it does not have on
RTU, and refuses (0x0A, as a GX does) on TCP. pymodbus's own server cannot be silent.
"""

import contextlib
import os
import select
import socketserver
import struct
import threading
import tty
from collections.abc import Callable, Mapping
from pathlib import Path

from pymodbus.framer import FramerRTU

Units = Mapping[int, Callable[[], Mapping[int, int]]]
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, GATEWAY_PATH_UNAVAILABLE = 1, 2, 10


def answer(units: Units, unit: int, request: bytes) -> bytes | None:
    """The answer's PDU to a request's PDU, or None for a unit that is not there."""
    if unit not in units:
        return None
    function = request[0]
    if function not in (3, 4) or len(request) != 5:
        return bytes([function | 0x80, ILLEGAL_FUNCTION])
    address, count = struct.unpack(">HH", request[1:5])
    registers = units[unit]()
    wanted = range(address, address + count)
    if any(number not in registers for number in wanted):
        return bytes([function | 0x80, ILLEGAL_ADDRESS])
    words = b"".join(struct.pack(">H", registers[number]) for number in wanted)
    return bytes([function, len(words)]) + words


class TcpServer(socketserver.ThreadingTCPServer):
    """Modbus TCP on loopback; `port` 0 takes a free one."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, units: Units, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _TcpHandler)
        self.units = units
        self.port = int(self.server_address[1])
        threading.Thread(target=self.serve_forever, name="gx", daemon=True).start()


class _TcpHandler(socketserver.StreamRequestHandler):
    """One connection; frames have a header with their length."""

    server: TcpServer

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while header := self.rfile.read(7):
                transaction, protocol, length, unit = struct.unpack(">HHHB", header)
                pdu = answer(self.server.units, unit, self.rfile.read(length - 1))
                if pdu is None:
                    pdu = bytes([0x83, GATEWAY_PATH_UNAVAILABLE])
                self.wfile.write(struct.pack(">HHHB", transaction, protocol, len(pdu) + 1, unit) + pdu)


class RtuServer(threading.Thread):
    """Modbus RTU on one end of a pseudo terminal; the kit opens `link` as its serial port."""

    def __init__(self, units: Units, link: Path, turnaround_s: float = 0.005) -> None:
        super().__init__(name="rtu", daemon=True)
        self._units = units
        self._turnaround_s = turnaround_s
        self._master, slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(slave)
        self._slave = slave  # kept open, so that the line stays up while nobody has it open
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(slave))
        self._stop_read, self._stop_write = os.pipe()
        self.start()

    def run(self) -> None:
        """Answer until `close`."""
        received = b""
        while True:
            gap_s = 0.05 if received else None
            ready = select.select([self._master, self._stop_read], [], [], gap_s)[0]
            if self._stop_read in ready:
                break
            if not ready:
                received = b""  # silence ends a frame that never became whole
                continue
            received += os.read(self._master, 256)
            if len(received) >= 8:
                self._reply(received[:8])
                received = received[8:]
        for handle in (self._master, self._slave, self._stop_read, self._stop_write):
            os.close(handle)

    def close(self) -> None:
        """End the thread and the line."""
        os.write(self._stop_write, b"x")
        self.join(timeout=2)

    def _reply(self, frame: bytes) -> None:
        if not FramerRTU.check_CRC(frame[:6], int.from_bytes(frame[6:8], "big")):
            return
        pdu = answer(self._units, frame[0], frame[1:6])
        if pdu is not None:
            select.select([], [], [], self._turnaround_s)
            body = frame[:1] + pdu
            os.write(self._master, body + FramerRTU.compute_CRC(body).to_bytes(2, "big"))
