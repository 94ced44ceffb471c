"""People at the door, as beam edges on the controller's fed pins."""

import random
import socket
import threading
import time
from pathlib import Path

OUTER_PIN, INNER_PIN = 17, 27
STEP_S, BODY_S = 0.18, 0.32  # from beam to beam, and how long a body covers one


class Visitors:
    """Walks people through the door by writing to the socket of fed pins."""

    def __init__(self, pins: Path, seed: int = 1) -> None:
        self._pins = pins
        self._random = random.Random(seed)  # traffic, not secrets
        self.inside = 0

    def walk(self, direction: int, stop: threading.Event) -> None:
        """One person in (+1) or out (-1), in real time."""
        first, second = (OUTER_PIN, INNER_PIN) if direction > 0 else (INNER_PIN, OUTER_PIN)
        pace = self._random.uniform(0.8, 1.3)
        began = time.monotonic()
        edges = sorted([
            (0.0, first, 0), (BODY_S * pace, first, 1),
            (STEP_S * pace, second, 0), ((STEP_S + BODY_S) * pace, second, 1),
        ])  # fmt: skip
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect(str(self._pins))
            for after, pin, level in edges:
                stop.wait(max(0.0, began + after - time.monotonic()))
                channel.sendall(f"{time.monotonic_ns()} {pin} {level}\n".encode("ascii"))
        self.inside += direction

    def wander(self, stop: threading.Event) -> None:
        """People come, mostly, and sometimes leave, until `stop`; a kit that restarts is waited for."""
        while not stop.wait(self._random.uniform(1.5, 4.0)):
            leaving = self.inside > 8 and self._random.random() < 0.35
            try:
                self.walk(-1 if leaving else 1, stop)
            except OSError:
                stop.wait(1.0)
