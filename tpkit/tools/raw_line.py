"""What scan and learn share: which line is meant, a bar that shows how far they are, and the stop key."""

import argparse
import math
import select
import sys

from tpkit.errors import ConfigError
from tpkit.hardware.asking import Line, SerialLine, SocketLine
from tpkit.tools.device_common import endpoint
from tpkit.tools.scanning import Speed


def add_way(parser: argparse.ArgumentParser) -> None:
    """Add --rtu, --tcp and --rtu-over-tcp."""
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--rtu", metavar="PORT", help="a serial adapter, best by its name in /dev/serial/by-id")
    way.add_argument("--tcp", type=endpoint, metavar="HOST[:PORT]", help="a host that speaks Modbus TCP")
    way.add_argument(
        "--rtu-over-tcp", type=endpoint, metavar="HOST:PORT", help="a serial server that passes bytes on"
    )


def host_of(options: argparse.Namespace) -> tuple[str, int]:
    """Host and port that were typed; nothing for a serial adapter. Raises ConfigError."""
    if options.rtu is not None:
        return "", 0
    host, port = options.tcp or options.rtu_over_tcp
    if port is None and options.tcp is None:
        raise ConfigError([f"--rtu-over-tcp {host}: give the port too, as {host}:PORT"])
    if options.baud or options.parity:
        raise ConfigError(["--baud and --parity are those of a serial adapter (--rtu)."])
    return host, port or 502


def open_line(options: argparse.Namespace, speed: Speed | None) -> Line:
    """The line that was typed. Raises BusUnavailableError."""
    if options.rtu is not None:
        speed = speed or Speed()
        return SerialLine(options.rtu, speed.baud, speed.parity, speed.stop_bits)
    return SocketLine(*host_of(options), rtu=options.tcp is None)


class Progress:
    """A bar on the terminal, the time that is left at most, and the stop key (q and Enter)."""

    def __init__(self, total_s: float) -> None:
        self._total_s = max(total_s, 0.1)
        self._done_s = 0.0
        self._shown = sys.stderr.isatty()
        self._stoppable = sys.stdin is not None and sys.stdin.isatty()

    def step(self, seconds: float, text: str) -> None:
        """`seconds` of the time are gone. Raises KeyboardInterrupt when q was typed."""
        self._done_s = min(self._total_s, self._done_s + seconds)
        if self._shown:
            part = self._done_s / self._total_s
            bar = ("#" * round(20 * part)).ljust(20, ".")
            left = in_words_s(self._total_s - self._done_s)
            sys.stderr.write(f"\r[{bar}] {part:4.0%}  {left} left at most  {text}\x1b[K")
            sys.stderr.flush()
        if self._stoppable and select.select([sys.stdin], [], [], 0)[0]:
            typed = sys.stdin.readline()
            self._stoppable = bool(typed)
            if typed.strip().lower() == "q":
                raise KeyboardInterrupt

    def end(self) -> None:
        """Wipe the bar."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def in_words_s(seconds: float) -> str:
    """A duration for people, rounded up."""
    whole = math.ceil(seconds)
    return f"{whole} s" if whole < 120 else f"{math.ceil(whole / 60)} min"
