"""From beam edges to stored passages: a passage is on disk before it is counted anywhere."""

import logging
import queue
import threading
import time
from collections.abc import Callable

from tpkit.config import DoorSection
from tpkit.domain.crossing import Crossing
from tpkit.domain.occupancy import Occupancy, Passage, Recount
from tpkit.errors import StoreError
from tpkit.hardware.pins import BeamEdge
from tpkit.store import people
from tpkit.store.clock import boot_ms
from tpkit.store.record import Record, Transaction

log = logging.getLogger(__name__)

TICK_S = 0.05  # while somebody is in a doorway, time is let pass in steps of this
SETTLED_S = 1.0  # so long after the last edge nothing more can come of it
RETRY_S = 1.0  # how soon a passage that could not be stored is tried again


class DoorCounter(threading.Thread):
    """Decodes edges, stores passages, and keeps the occupancy they add up to."""

    def __init__(self, doors: dict[str, DoorSection], record: Record) -> None:
        super().__init__(name="doors", daemon=True)
        self.edges: queue.SimpleQueue[BeamEdge | None] = queue.SimpleQueue()
        self._crossings = {name: Crossing() for name in doors}
        self._record = record
        self._lock = threading.Lock()
        self._occupancy = record.read(people.occupancy)
        self._unsaved: list[Passage] = []

    @property
    def occupancy(self) -> Occupancy:
        """The occupancy by everything stored so far."""
        return self._occupancy

    def run(self) -> None:
        """Decode until `stop`."""
        last_edge_s = float("-inf")
        while True:
            quiet = time.monotonic() - last_edge_s > SETTLED_S
            wait_s = (RETRY_S if self._unsaved else None) if quiet else TICK_S
            try:
                edge = self.edges.get(timeout=wait_s)
            except queue.Empty:
                self._take(self._tick())
                continue
            if edge is None:
                self._take(self._tick())
                return
            last_edge_s = time.monotonic()
            crossing = self._crossings[edge.door]
            self._take(
                [_passage(edge.door, found) for found in crossing.edge(edge.mono_s, edge.beam, edge.broken)]
            )

    def stop(self) -> None:
        """Decode what has come and end."""
        self.edges.put(None)

    def recount(self, inside: int, finish: Callable[[Transaction], None]) -> None:
        """Store a person's count, with `finish` in the same transaction, and go on from there."""

        def work(tx: Transaction) -> None:
            people.add_recount(tx, inside)
            finish(tx)

        with self._lock:
            self._record.write(work)
            self._occupancy = self._occupancy.after(Recount(inside))

    def _tick(self) -> list[Passage]:
        now_s = time.monotonic()
        return [
            _passage(door, found)
            for door, crossing in self._crossings.items()
            for found in crossing.tick(now_s)
        ]

    def _take(self, passages: list[Passage]) -> None:
        self._unsaved += passages
        if not self._unsaved:
            return
        with self._lock:
            try:
                self._record.write(lambda tx: people.add_passages(tx, self._unsaved))
            except StoreError:
                log.exception("Passages could not be stored yet waiting=%d", len(self._unsaved))
                return
            for passage in self._unsaved:
                self._occupancy = self._occupancy.after(passage)
            self._unsaved = []


def _passage(door: str, found: tuple[float, int, float]) -> Passage:
    mono_s, direction, confidence = found
    age_ms = (time.monotonic() - mono_s) * 1000
    return Passage(door, direction, confidence, round(boot_ms() - age_ms))
