"""The controller's main loop: once a second it looks at everything, judges it, and shows it."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from tpkit.config import Config
from tpkit.controller.doors import DoorCounter
from tpkit.controller.judging import Judge, Picture
from tpkit.controller.polling import BusThread, start_buses
from tpkit.controller.recorder import DoorBins, MinuteRows
from tpkit.controller.timekeeping import TimeKeeper
from tpkit.domain.alarms import Edge
from tpkit.domain.samples import Sample
from tpkit.domain.status import SiteStatus
from tpkit.errors import ConfigError, StoreError
from tpkit.hardware.inputs import faults_of
from tpkit.hardware.pins import DoorPins, open_factory
from tpkit.store import alarms, checks, journal, live, readings, requests
from tpkit.store.record import Record, open_record
from tpkit.store.requests import Request
from tpkit.store.rights import Role

log = logging.getLogger(__name__)

PERIOD_S = 1.0


def run(config: Config, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Run until `stop` is set; call `ready` once the first picture is out.

    Raises ConfigError, StoreError or ListenError if it cannot start.
    """
    run_dir = Path(config.paths.run)
    if faults := faults_of(config.device):
        raise ConfigError(faults)
    live_file = live.controller_file(run_dir)
    earlier = live_file.read()
    keeper = TimeKeeper(earlier.time if earlier else None, config.clock.speed)
    record = open_record(Path(config.paths.state), Role.CONTROLLER, keeper.clock)
    doors = DoorCounter(config.door, record)
    pins = None
    if config.door:
        factory = open_factory(config.pins.factory, run_dir)
        pins = DoorPins(factory, config.door, doors.edges.put)
    doors.start()
    buses = start_buses(config.bus, config.device, keeper.clock)
    controller = Controller(config, record, keeper, doors, buses)
    record.write(lambda tx: journal.add(tx, "controller", "start", trust=keeper.clock.trust))
    try:
        controller.step(live_file)
        ready()
        while not stop.wait(PERIOD_S):
            controller.step(live_file)
    finally:
        if pins is not None:
            pins.close()
        controller.close()
        record.close()


class Controller:
    """Holds the parts together. `step` is one second of its life."""

    def __init__(
        self, config: Config, record: Record, keeper: TimeKeeper,
        doors: DoorCounter, buses: list[BusThread],
    ) -> None:  # fmt: skip
        self._record = record
        self._keeper = keeper
        self._doors = doors
        self._buses = buses
        self._judge = Judge(config, record.read(lambda c: alarms.active(c, record.boot)))
        self._minutes = MinuteRows(record)
        self._bins = DoorBins(record)
        self._changes = -1
        self._unsaved: list[Edge] = []
        self._by_hand = self._read_hand()
        self._profiles = {name: section.profile for name, section in config.device.items()}
        self._checked = self._read_checked()

    def step(self, live_file: live.LiveFile[live.ControllerLive]) -> None:
        """Do what staff asked, judge, record, and show. A full disk stops recording, never showing."""
        self._keeper.step()
        try:
            self._answer_requests()
        except StoreError:
            log.exception("Requests could not be answered")
        status, edges = self._judge.judge(self._picture())
        self._unsaved += edges
        try:
            self._record_status(status)
        except StoreError:
            log.exception("History could not be stored")
        live_file.write(live.ControllerLive(live.FORMAT, self._keeper.clock.reference, status))

    def close(self) -> None:
        """Stop the threads and store what is still in memory."""
        for thread in self._buses:
            thread.stop()
        self._doors.stop()
        self._doors.join(timeout=2)
        try:
            self._minutes.flush()
        except StoreError:
            log.exception("The last minutes could not be stored")
        for thread in self._buses:
            thread.join(timeout=2)

    def _picture(self) -> Picture:
        clock = self._keeper.clock
        mono_ms = clock.mono_ms()
        followers = [(thread, follower) for thread in self._buses for follower in thread.followers]
        return Picture(
            clock.now(), mono_ms, self._record.boot, clock.trust,
            tuple(sample for _, follower in followers for sample in follower.samples(mono_ms)),
            self._by_hand,
            tuple(follower.health(is_checked=follower.name in self._checked) for _, follower in followers),
            tuple(thread.health() for thread in self._buses),
            self._doors.occupancy, self._bins.inside,
        )  # fmt: skip

    def _record_status(self, status: SiteStatus) -> None:
        self._minutes.note(status)
        self._bins.step(int(status.at.timestamp() * 1000), status.mono_ms, status.people.inside)
        if self._unsaved:
            self._record.write(lambda tx: alarms.apply(tx, self._unsaved))
            self._unsaved = []
            self._minutes.flush()

    def _answer_requests(self) -> None:
        changes = self._record.changes()
        if changes == self._changes:
            return
        for request in self._record.read(requests.waiting):
            self._answer(request)
        self._by_hand = self._read_hand()
        self._checked = self._read_checked()
        self._changes = changes

    def _answer(self, request: Request) -> None:
        if request.kind == "recount":
            inside = int(request.args["inside"])
            self._doors.recount(inside, lambda tx: requests.finish(tx, request, "done"))
            return
        outcome = "unknown_request"
        if request.kind == "set_clock":
            same_boot = request.boot == self._record.boot
            utc_ms = int(request.args["utc_ms"])
            outcome = self._keeper.set_by_staff(utc_ms, request.mono) if same_boot else "too_old"
        self._record.write(lambda tx: requests.finish(tx, request, outcome))

    def _read_checked(self) -> frozenset[str]:
        return self._record.read(lambda c: checks.checked(c, self._profiles))

    def _read_hand(self) -> dict[str, Sample]:
        clock = self._keeper.clock
        now, mono_ms = clock.now(), clock.mono_ms()
        return self._record.read(lambda c: readings.latest(c, self._record.boot, now, mono_ms))
