"""A bus and the fault server at its other end, and how tests read through them."""

import time
from typing import Any

from tests.hardware.fault_server import FaultServer, RtuFaultServer, TcpFaultServer
from tpkit.config import BusSection
from tpkit.errors import BusError
from tpkit.hardware.bus import open_bus
from tpkit.hardware.planning import Block

UNIT = 17
TIMEOUT_S = 0.1  # where no good answer is expected
PATIENT_S = 2.0  # where one is: a busy machine may take its time
DRAIN_S = 0.1  # how long a line must be quiet after a failure
SLACK_S = 0.4  # for a machine that is busy with other things
BLOCK = Block(3, 1000, 4)
PROBES = (Block(3, 1000, 3), Block(3, 1000, 2), Block(3, 1000, 1))


class Line:
    """Reads through `bus` what `server` holds."""

    def __init__(self, server: FaultServer, **section: Any) -> None:
        if isinstance(server, TcpFaultServer):
            section |= {"host": "127.0.0.1", "tcp_port": server.port}
        elif isinstance(server, RtuFaultServer):
            section |= {"port": str(server.link)}
        self.server = server
        self.bus = open_bus("test", BusSection(**section))
        self.took_s = 0.0

    def read(
        self,
        block: Block = BLOCK,
        unit: int = UNIT,
        timeout_s: float = PATIENT_S,
        probes: tuple[Block, ...] = PROBES,
    ) -> tuple[int, ...]:
        """What the bus makes of the answer."""
        started = time.monotonic()
        try:
            return self.bus.read(unit, block, timeout_s, probes)
        finally:
            self.took_s = time.monotonic() - started

    def attempt(self, *args: Any, timeout_s: float = TIMEOUT_S, **kwargs: Any) -> tuple[int, ...] | BusError:
        """The words, or the error instead of them."""
        try:
            return self.read(*args, timeout_s=timeout_s, **kwargs)
        except BusError as error:
            return error

    def truth(self, block: Block = BLOCK, unit: int = UNIT) -> tuple[int, ...]:
        """What the registers really hold."""
        return self.server.words(unit, block.function, block.address, block.count)

    def recovers(self, attempts: int = 3) -> bool:
        """Whether one of the next reads is right; none of them may be wrong."""
        for _ in range(attempts):
            words = self.attempt(timeout_s=PATIENT_S)
            if words == self.truth():
                return True
            assert isinstance(words, BusError), f"{words} is not what the registers hold"
        return False
