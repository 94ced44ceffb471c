"""Listening before asking: who speaks on a line where nobody was asked is another master, or noise."""

import time
from collections.abc import Callable, Iterator

from msgspec import Struct

from tpkit.hardware.asking import Line, answer_frames, crc

LISTEN_S = 5.0
ENOUGH_BYTES = 4096  # traffic is traffic: a babbling line needs no full five seconds
STEP_S = 0.1


class Heard(Struct, frozen=True):
    """How many bytes came unasked in `seconds`, and the units named in whole Modbus frames among them."""

    seconds: float
    bytes: int
    units: tuple[int, ...] = ()

    @property
    def sentence(self) -> str:
        """What that means, for a technician."""
        if not self.bytes:
            return f"Nobody spoke in {self.seconds:.0f} s: no other master on this line."
        if self.units:
            heard = ", ".join(map(str, self.units))
            return (
                f"Another master is at work on this line: in {self.seconds:.0f} s it spoke with "
                f"{'units' if len(self.units) > 1 else 'unit'} {heard}. Two masters disturb "
                f"each other: nothing was asked. Disconnect the other one (often the modem of the rental "
                f"company) or use another port of the device."
            )
        return (
            f"Something speaks on this line: {self.bytes} bytes in {self.seconds:.0f} s that nobody asked "
            f"for. That is another master at another speed, or noise (are A and B swapped?). Nothing was "
            f"asked. Disconnect the other master, or mend the line, and scan again."
        )


def listen(line: Line, seconds: float, tick: Callable[[float], bool]) -> Heard:
    """Listen for `seconds` without a word. `tick` gets the seconds gone by; when it says False, stop early.

    Raises BusUnavailableError when the port goes away.
    """
    started, came = time.monotonic(), b""
    while (gone_s := time.monotonic() - started) < seconds and tick(gone_s) and len(came) < ENOUGH_BYTES:
        piece = line.receive(min(STEP_S, seconds - gone_s))
        if piece is None:
            break
        came += piece
    units = tuple(sorted({frame[0] for frame in frames(came)}))
    return Heard(round(min(seconds, time.monotonic() - started), 3), len(came), units)


def frames(data: bytes) -> Iterator[bytes]:
    """The RTU frames in `data`, questions and answers, whose checksum is right."""
    yield from answer_frames(data)
    for at in range(len(data) - 7):
        question = data[at : at + 8]
        if question[1] in (1, 2, 3, 4, 5, 6) and crc(question[:6]) == question[6:]:
            yield question
