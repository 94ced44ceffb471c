"""One thread a bus asks its devices in turn; a dead device costs its neighbours as little as possible."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from tpkit.config import BusSection, DeviceSection
from tpkit.domain.points import point as vocabulary
from tpkit.domain.samples import LastKnown, Sample
from tpkit.domain.status import DeviceHealth
from tpkit.errors import BusError, DeviceRefusedError
from tpkit.hardware.bus import Bus, open_bus
from tpkit.hardware.decoding import decode
from tpkit.hardware.planning import Block, plan, probes
from tpkit.hardware.profile import Profile
from tpkit.store.clock import Clock

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 20.0  # how long a silent device is left alone, doubling
REFUSED_PAUSE_S = 60.0  # how long a block that the device does not have is not asked for again
BUSY_PAUSE_S = 5.0  # the same for a refusal that may pass (busy, gateway): well below a value's lifetime
LASTING_REFUSALS = (1, 2, 3)  # illegal function, address, value


class DeviceFollower:
    """What is known of one device: its points, its health, and when to ask it again.

    Written by its bus's thread and read by the main loop, under one lock.
    """

    def __init__(self, name: str, section: DeviceSection, profile: Profile, clock: Clock) -> None:
        self.name = name
        self._section = section
        self._profile = profile
        self._clock = clock
        self._timeout_s = section.timeout_s or profile.timeout_s
        self._blocks = plan(profile)
        self._probes = probes(self._blocks)
        self._due_s = [0.0] * len(self._blocks)
        self._pause_s = 0.0
        self._lock = threading.Lock()
        self._known = {
            item.name: LastKnown(name, item.name, _unit(item.name), item.every_s) for item in profile.point
        }
        self._state, self._since_mono_ms = "not_yet", clock.mono_ms()
        self._reason = self._detail = ""
        self._answers = self._failures = 0

    def next_due(self) -> float:
        """When the next block should be read, on the monotonic clock in seconds."""
        return min(self._due_s)

    def poll(self, bus: Bus) -> None:
        """Read every block that is due, until one goes unanswered."""
        started = time.monotonic()
        for index, due_s in enumerate(self._due_s):
            if due_s > started:
                continue
            if not self._read(bus, index, started):
                break
            time.sleep(self._profile.min_gap_s)

    def samples(self, mono_ms: int) -> list[Sample]:
        """Every point of the device as it stands at boot time `mono_ms`."""
        with self._lock:
            return [known.at(mono_ms) for known in self._known.values()]

    def health(self, bus: Bus) -> DeviceHealth:
        """How the device answers."""
        with self._lock:
            return DeviceHealth(
                self.name, self._section.bus, self._section.profile, self._state,
                self._since_mono_ms, self._reason, self._detail, self._answers,
                self._failures, bus.late, bus.reopened,
            )  # fmt: skip

    def _read(self, bus: Bus, index: int, started: float) -> bool:
        """Read one block; False if the device should be left alone for now."""
        block = self._blocks[index]
        try:
            words = bus.read(self._section.device_id, block, self._timeout_s, self._probes)
        except DeviceRefusedError as error:
            lasting = error.exception_code in LASTING_REFUSALS
            self._due_s[index] = time.monotonic() + (REFUSED_PAUSE_S if lasting else BUSY_PAUSE_S)
            self._refused(block, error)
            return True
        except BusError as error:
            self._silent(error)
            return False
        self._due_s[index] = max(self._due_s[index] + block.every_s, started)
        self._answered(block, words, self._clock.now(), self._clock.mono_ms())
        return True

    def _answered(self, block: Block, words: tuple[int, ...], now: datetime, mono_ms: int) -> None:
        readings = decode(self._profile, block, words)
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
        self._pause_s = min(max(self._pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)
        self._due_s = [time.monotonic() + self._pause_s] * len(self._blocks)
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


class BusThread(threading.Thread):
    """Asks the devices of one bus, each when it is due."""

    def __init__(self, name: str, section: BusSection, followers: list[DeviceFollower]) -> None:
        super().__init__(name=f"bus-{name}", daemon=True)
        self.bus = open_bus(name, section)
        self.followers = followers
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Poll until told to stop."""
        while self.followers and not self._stop_asked.is_set():
            follower = min(self.followers, key=DeviceFollower.next_due)
            if self._stop_asked.wait(max(0.0, follower.next_due() - time.monotonic())):
                break
            follower.poll(self.bus)
        self.bus.close()

    def stop(self) -> None:
        """Ask the thread to end after the read it is in."""
        self._stop_asked.set()


def start_buses(
    buses: dict[str, BusSection], devices: dict[str, DeviceSection],
    load_profile: Callable[[str], Profile], clock: Clock,
) -> list[BusThread]:  # fmt: skip
    """Start one thread for each bus that has devices."""
    threads = []
    for bus_name, section in buses.items():
        followers = [
            DeviceFollower(name, device, load_profile(device.profile), clock)
            for name, device in devices.items()
            if device.bus == bus_name
        ]
        if followers:
            threads.append(BusThread(bus_name, section, followers))
    for thread in threads:
        thread.start()
    return threads
