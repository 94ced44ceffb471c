"""One thread a bus asks its devices in turn; a dead device costs its neighbours as little as possible."""

import logging
import math
import threading
import time
from datetime import datetime

from tpkit.config import BusSection, DeviceSection
from tpkit.domain.points import point as vocabulary
from tpkit.domain.samples import LastKnown, Reading, Sample
from tpkit.domain.status import BusHealth, DeviceHealth
from tpkit.errors import BusError, DeviceRefusedError, NoResponseError, WrongAnswerError
from tpkit.hardware.bus import DRAIN_QUIET_S, Bus, open_bus
from tpkit.hardware.inputs import profile_of
from tpkit.hardware.planning import Block
from tpkit.hardware.profile_form import Profile
from tpkit.hardware.reading import Ask, DeviceReader
from tpkit.store.clock import Clock

log = logging.getLogger(__name__)

STEP_S = 1.0
DEAD_WAITS_S = 2.0  # how long the living may go before a dead device that is due
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 20.0  # how long a silent device is left alone, doubling
SHARE_OF_LINE = 60.0  # a silent device among others waits this many of its time-outs: under 2 % of the line
REFUSED_PAUSE_S = 60.0  # how long a block refused for good is not asked for again
BUSY_PAUSE_S = 5.0  # the same for a refusal that may pass (busy, memory): well below a value's lifetime
LASTING_REFUSALS = (1, 2, 3)  # illegal function, address, value
AWAY = (10, 11)  # what a gateway says of a device that it cannot reach
FORGET_AFTER_S = 60.0  # after this much silence the device may be another one
LOOK_AGAIN_S = 3600.0  # how often a register that was lacking is asked for again

Span = tuple[int, int, int]


class DeviceFollower:
    """What is known of one device: its points, its health, and when to ask it again.

    Written by its bus's thread and read by the main loop, under one lock.
    """

    def __init__(
        self, name: str, section: DeviceSection, profile: Profile, clock: Clock, *, is_alone: bool = True
    ) -> None:
        self.name = name
        self._section = section
        self._clock = clock
        self._timeout_s = section.timeout_s or profile.timeout_s
        self._longest_pause_s = max(LONGEST_PAUSE_S, 0.0 if is_alone else SHARE_OF_LINE * self._timeout_s)
        self._reader = DeviceReader(profile)
        self._due_s: dict[Span, float] = {}
        self._not_before_s = 0.0
        self._forget_at_s = time.monotonic() + LOOK_AGAIN_S
        self._rested_s = 0.0
        self._pause_s = 0.0
        self._lock = threading.Lock()
        self._known = self._unknown(profile)
        self._state, self._since_mono_ms = "not_yet", clock.mono_ms()
        self._reason = self._detail = ""
        self._answers = self._failures = 0

    def next_due(self) -> float:
        """When the next block should be read, on the monotonic clock in seconds."""
        due_s = min(
            (self._due_s.get(_span(block), 0.0) for block in self._reader.blocks), default=self._idle_until()
        )
        return max(self._not_before_s, self._rested_s, due_s)

    def turn(self, now_s: float) -> tuple[float, bool, float, float]:
        """The least is next: who is due, the living first, of those who wants a rest for others to use.

        On a line without a pause, a dead device gets its turn all the same, a little late.
        """
        due_s = self.next_due()
        can_wait = self._state == "silent" and now_s - due_s < DEAD_WAITS_S
        return max(due_s, now_s), can_wait, -self._reader.profile.min_gap_s, due_s

    def poll(self, bus: Bus) -> None:
        """Read the blocks that are due, until one goes unanswered or the device wants a rest."""
        started = time.monotonic()

        def ask(block: Block) -> tuple[int, ...]:
            return self._ask(bus, block)

        try:
            self._look_again(started)
            self._reader.prepare(ask)
            self._know_points()
            for block in self._reader.blocks:
                if self._due_s.get(_span(block), 0.0) <= started:
                    self._read(block, ask, started)
                    if self._rested_s > time.monotonic():
                        break
        except BusError as error:
            self._silent(error)

    def samples(self, mono_ms: int) -> list[Sample]:
        """Every point of the device as it stands at boot time `mono_ms`."""
        with self._lock:
            return [known.at(mono_ms) for known in self._known.values()]

    def health(self, *, is_checked: bool = False) -> DeviceHealth:
        """How the device answers."""
        with self._lock:
            return DeviceHealth(
                self.name, self._section.bus, self._section.profile, self._state,
                self._since_mono_ms, self._reason, self._detail, self._answers,
                self._failures, is_checked,
            )  # fmt: skip

    def _ask(self, bus: Bus, block: Block) -> tuple[int, ...]:
        """One read at the device's own pace, again after a garbled answer if the profile says so."""
        profile, tries = self._reader.profile, 0
        while True:
            time.sleep(max(0.0, self._rested_s - time.monotonic()))
            try:
                return bus.read(self._section.device_id, block, self._patience_s(), self._reader.probes)
            except (NoResponseError, WrongAnswerError):
                tries += 1
                if tries > profile.retries or self._state != "answering":
                    raise
            finally:
                self._rested_s = time.monotonic() + profile.min_gap_s

    def _patience_s(self) -> float:
        """How long to wait for an answer. One that was silent gets less, so that draining fits in."""
        hasty_s = max(self._timeout_s / 2, self._timeout_s - DRAIN_QUIET_S)
        return hasty_s if self._state == "silent" else self._timeout_s

    def _idle_until(self) -> float:
        """When to look again at a device that has nothing to ask for: it lacks all, or was not asked yet."""
        return self._forget_at_s if self._reader.lacking else 0.0

    def _read(self, block: Block, ask: Ask, started: float) -> None:
        """Read one block. Raises BusError if the device should be left alone for now."""
        span = _span(block)
        try:
            readings = self._reader.read(block, ask)
        except DeviceRefusedError as error:
            if error.exception_code in AWAY:
                raise
            lasting = error.exception_code in LASTING_REFUSALS
            self._due_s[span] = time.monotonic() + (REFUSED_PAUSE_S if lasting else BUSY_PAUSE_S)
            self._refused(block, error)
            return
        due_s = self._due_s.get(span, _next_step(started) - STEP_S)
        self._due_s[span] = max(due_s + block.every_s, started)
        self._answered(readings, self._clock.now(), self._clock.mono_ms())

    def _look_again(self, now_s: float) -> None:
        """Forget what the device lacks when an hour has passed, or after a long silence."""
        if now_s >= self._forget_at_s:
            self._reader.forget()
            self._due_s.clear()
            self._forget_at_s = now_s + LOOK_AGAIN_S

    def _know_points(self) -> None:
        """Take in the points of a device that was asked what it has."""
        there = self._unknown(self._reader.profile)
        if not there.keys() <= self._known.keys():
            with self._lock:
                self._known = {**there, **self._known}

    def _unknown(self, profile: Profile) -> dict[str, LastKnown]:
        return {
            item.name: LastKnown(self.name, item.name, _unit(item.name), item.every_s)
            for item in profile.point
        }

    def _answered(self, readings: list[Reading], now: datetime, mono_ms: int) -> None:
        with self._lock:
            for reading in readings:
                self._known[reading.point].take(reading, now=now, mono_ms=mono_ms)
            self._enter("answering", "", "")

    def _refused(self, block: Block, error: DeviceRefusedError) -> None:
        with self._lock:
            for item in block.points:
                self._known[item.name].fail(error.code)
            self._enter("answering", "", str(error))

    def _silent(self, error: BusError) -> None:
        self._pause_s = min(max(self._pause_s * 2, FIRST_PAUSE_S), self._longest_pause_s)
        self._not_before_s = _next_step(time.monotonic() + self._pause_s)
        self._due_s.clear()
        self._reader.fell_silent()
        if self._pause_s >= FORGET_AFTER_S / 2:  # the pauses before it add up to about as much
            self._forget_at_s = 0.0
        with self._lock:
            for known in self._known.values():
                known.fail(error.code)
            self._failures += 1
            self._enter("silent", error.code, str(error))

    def _enter(self, state: str, reason: str, detail: str) -> None:
        if state == "answering":
            self._answers += 1
            self._pause_s = 0.0
        if state != self._state:
            level = logging.INFO if state == "answering" else logging.WARNING
            log.log(level, "Device changed state device=%s state=%s detail=%s", self.name, state, detail)
            self._state, self._since_mono_ms = state, self._clock.mono_ms()
        self._reason, self._detail = reason, detail


def _unit(point: str) -> str:
    known = vocabulary(point)
    return known.unit if known else ""


def _next_step(moment_s: float) -> float:
    """The next whole second: all devices of a line are asked in step, and a dead one after the others."""
    return math.ceil(moment_s / STEP_S) * STEP_S


def _span(block: Block) -> Span:
    return block.function, block.address, block.count


class BusThread(threading.Thread):
    """Asks the devices of one bus, each when it is due."""

    def __init__(self, name: str, section: BusSection, followers: list[DeviceFollower]) -> None:
        super().__init__(name=f"bus-{name}", daemon=True)
        self.bus = open_bus(name, section)
        self.followers = followers
        self._bus_name = name
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Poll until told to stop."""
        while self.followers and not self._stop_asked.is_set():
            now_s = time.monotonic()
            follower = min(self.followers, key=lambda each: each.turn(now_s))
            if self._stop_asked.wait(max(0.0, follower.next_due() - time.monotonic())):
                break
            follower.poll(self.bus)
        self.bus.close()

    def stop(self) -> None:
        """Ask the thread to end after the read it is in."""
        self._stop_asked.set()

    def health(self) -> BusHealth:
        """What has come over the line so far."""
        counts = self.bus.counts
        return BusHealth(
            self._bus_name, counts.answers, counts.no_answers, counts.refusals, counts.wrong_answers,
            counts.late, counts.reopened,
        )  # fmt: skip


def start_buses(
    buses: dict[str, BusSection], devices: dict[str, DeviceSection], clock: Clock
) -> list[BusThread]:
    """Start one thread for each bus that has devices."""
    threads = []
    for bus_name, section in buses.items():
        there = {name: device for name, device in devices.items() if device.bus == bus_name}
        followers = [
            DeviceFollower(name, device, profile_of(device), clock, is_alone=len(there) == 1)
            for name, device in there.items()
        ]
        if followers:
            threads.append(BusThread(bus_name, section, followers))
    for thread in threads:
        thread.start()
    return threads
