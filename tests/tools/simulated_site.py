"""A whole line of devices in memory, for what is worked out from their answers."""

import struct

from tests.hardware.fault_server import crc16


class Site:
    """Units behind a line that answers at once: registers, texts for functions 17 and 43, else a refusal."""

    def __init__(self, rtu: bool = True, nobody: int | None = None) -> None:
        self.rtu = rtu
        self.nobody = nobody
        self.registers: dict[tuple[int, int, int], int] = {}
        self.units: set[int] = set()
        self.texts: dict[tuple[int, int], bytes] = {}
        self.asked: list[tuple[int, int]] = []
        self._waiting = b""

    def holds(self, unit: int, function: int, address: int, *words: int) -> None:
        self.units.add(unit)
        self.registers |= {(unit, function, at): word for at, word in enumerate(words, start=address)}

    def send(self, data: bytes) -> None:
        unit, pdu = (data[0], data[1:-2]) if self.rtu else (data[6], data[7:])
        self.asked.append((unit, pdu[0]))
        answer = self._answer(unit, pdu)
        body = bytes([unit]) + (answer or b"")
        if answer is None:
            self._waiting = b""
        elif self.rtu:
            self._waiting = body + struct.pack("<H", crc16(body))
        else:
            self._waiting = data[:4] + struct.pack(">H", len(body)) + body

    def receive(self, timeout_s: float) -> bytes | None:
        came, self._waiting = self._waiting, b""
        return came

    def close(self) -> None:
        self._waiting = b""

    def _answer(self, unit: int, pdu: bytes) -> bytes | None:
        if unit not in self.units:
            return None if self.nobody is None else bytes([pdu[0] | 0x80, self.nobody])
        if pdu[0] in (3, 4):
            first, count = struct.unpack(">HH", pdu[1:])
            words = [self.registers.get((unit, pdu[0], at)) for at in range(first, first + count)]
            if None in words:
                return bytes([pdu[0] | 0x80, 2])
            return bytes([pdu[0], 2 * count]) + struct.pack(f">{count}H", *words)
        return self.texts.get((unit, pdu[0]), bytes([pdu[0] | 0x80, 1]))
