"""A serial device server: RTU frames over a TCP connection, with every fault there is."""

import contextlib
import select
import struct
import time

from tests.hardware.fault_server import (
    POLL_S,
    QUIET_S,
    Request,
    RtuFaultServer,
    TcpFaultServer,
    TcpLine,
    crc16,
)


class GatewayFaultServer(TcpFaultServer):
    """As the RTU server, but on loopback."""

    frame = RtuFaultServer.frame

    def _listen(self, line: TcpLine) -> None:
        waiting, last = b"", time.monotonic()
        with contextlib.suppress(OSError, ValueError):  # ValueError: closed by whoever plays a fault
            while not self._stopped.is_set():
                if not select.select([line.connection], [], [], POLL_S)[0]:
                    continue
                if time.monotonic() - last > QUIET_S:
                    waiting = b""  # silence ends a frame that never became whole
                last = time.monotonic()
                came = line.connection.recv(256)
                if not came:
                    break
                waiting += came
                while len(waiting) >= 8:
                    frame, waiting = waiting[:8], waiting[8:]
                    if struct.pack("<H", crc16(frame[:6])) == frame[6:]:
                        question = struct.unpack(">BBHH", frame[:6])
                        self._react(Request(0, *question, frame, time.monotonic()), line)
        line.connection.close()
