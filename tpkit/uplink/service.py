"""The uplink's main loop: find a way out, send the present, then the past, and wait for receipts."""

import logging
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tpkit.config import Config, UplinkSection
from tpkit.domain import wire
from tpkit.domain.status import SILENT_AFTER_S, SiteStatus, TimeTrust
from tpkit.errors import UplinkRefusedError
from tpkit.store import delivery, live
from tpkit.store.clock import Clock, boot_ms, system_reference
from tpkit.store.record import Record, open_record
from tpkit.store.rights import Role
from tpkit.uplink import payloads
from tpkit.uplink.client import Acknowledged, Gone, Happening, Received, Session
from tpkit.uplink.lanes import Lanes, Publication

log = logging.getLogger(__name__)

BACKOFF_FIRST_S, BACKOFF_LONGEST_S = 2.0, 120.0
STABLE_S = 60.0  # a connection that lasted this long forgets the earlier failures
STALLED_S = 20.0  # no answer to a publication for this long: the link is dead, whatever TCP says
TURN_S = 1.0
SHOW_EVERY_S = 5.0
MAX_DOWNLINK_BYTES = 16_384


def run(config: Config, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Run until `stop` is set. Without an [uplink] section it only says that there is none."""
    clock = Clock(system_reference(TimeTrust.FLOOR))
    record = open_record(Path(config.paths.state), Role.UPLINK, clock)
    uplink = Uplink(config, record, stop)
    try:
        uplink.show(force=True)
        ready()
        uplink.run(config.uplink)
    finally:
        record.close()


class Uplink:
    """Keeps a session with the broker, and what the panel shows of it."""

    def __init__(self, config: Config, record: Record, stop: threading.Event) -> None:
        run_dir = Path(config.paths.run)
        self._config = config
        self._record = record
        self._stop = stop
        self._lanes = Lanes(config, record)
        self._controller = live.controller_file(run_dir)
        self._shown = live.uplink_file(run_dir)
        self._state, self._reason = "off" if config.uplink is None else "trying", ""
        self._since_ms = boot_ms()
        self._confirmed_ms: int | None = None
        self._show_at = 0.0
        self._live_at = 0.0
        self._last_live: wire.Live | None = None
        self._born = b""
        self._changes = -1

    def run(self, section: UplinkSection | None) -> None:
        """Connect again and again until told to stop."""
        failures = 0
        while not self._stop.is_set():
            if section is None:
                self._stop.wait(SHOW_EVERY_S)
                self.show()
                continue
            began = time.monotonic()
            try:
                self._one_session(section)
            except (OSError, UplinkRefusedError) as error:
                self._enter("trying", str(error) or type(error).__name__)
            failures = 0 if time.monotonic() - began > STABLE_S else failures + 1
            self._pause(failures)

    def show(self, *, force: bool = False) -> None:
        """Write the live file now and then, and at once when `force` is set."""
        if not force and time.monotonic() < self._show_at:
            return
        self._show_at = time.monotonic() + SHOW_EVERY_S
        backlog = self._record.read(delivery.backlog)
        self._shown.write(
            live.UplinkLive(
                live.FORMAT, boot_ms(), self._state, self._since_ms, self._reason,
                backlog.records, self._confirmed_ms,
            )
        )  # fmt: skip

    def _pause(self, failures: int) -> None:
        longest = min(BACKOFF_LONGEST_S, BACKOFF_FIRST_S * 2 ** min(failures, 10))
        end = time.monotonic() + random.uniform(0, longest)  # noqa: S311  # jitter, not a secret
        while not self._stop.is_set() and time.monotonic() < end:
            self.show()
            self._stop.wait(min(1.0, max(0.0, end - time.monotonic())))

    def _enter(self, state: str, reason: str = "") -> None:
        if state != self._state:
            self._since_ms = boot_ms()
            log.info("Uplink changed state state=%s reason=%s", state, reason)
        self._state, self._reason = state, reason
        self.show(force=True)

    def _one_session(self, section: UplinkSection) -> None:
        session = Session(self._config, section)
        try:
            session.open()
            self._enter("connected")
            self._announce(session)
            while not self._stop.is_set():
                self._send(session, section)
                self._take(session.wait(TURN_S))
                if session.oldest_wait_s() > STALLED_S:
                    raise ConnectionError("the broker has stopped answering")
        finally:
            self._lanes.lost(session.unanswered)
            session.close(self._publication("status", payloads.status(on=False, why="shutdown")))

    def _announce(self, session: Session) -> None:
        """Say who and how we are before anything else, so that the board is right in one round trip."""
        session.publish(self._publication("status", payloads.status(on=True)))
        picture = self._picture()
        points = sorted({sample.point for sample in picture.samples}) if picture else []
        born = payloads.birth(self._config, self._record, points)
        if born != self._born:
            session.publish(self._publication("birth", born))
            self._born = born
        self._live_at = 0.0
        self._changes = -1

    def _send(self, session: Session, section: UplinkSection) -> None:
        if self._lanes.remind(time.monotonic()):
            self._changes = -1
        self.show()
        if time.monotonic() >= self._live_at or self._matters():
            self._send_live(session, section)
        changes = self._record.changes()
        if changes == self._changes:
            return
        while session.has_room:
            publication = self._lanes.next()
            if publication is None:
                self._changes = changes
                return
            session.publish(publication)

    def _send_live(self, session: Session, section: UplinkSection) -> None:
        picture = self._picture()
        self._last_live = payloads.live(
            self._config, self._record, picture, self._record.stamp(), section.live_s
        )
        session.publish(self._publication("live", msgspec.json.encode(self._last_live)))
        self._live_at = time.monotonic() + section.live_s

    def _matters(self) -> bool:
        """Whether alarms or the power's source have changed since the last `live`."""
        picture, last = self._picture(), self._last_live
        if last is None:
            return True
        codes = [(alarm.code, alarm.subject) for alarm in picture.alarms] if picture else []
        source = picture.source if picture else "unknown"
        return codes != [(a.code, a.subject) for a in last.alarms] or source != last.power.src

    def _take(self, happening: Happening | None) -> None:
        match happening:
            case Acknowledged(publication, refusal, heard) if refusal:
                log.error("Broker refused a message topic=%s reason=%s", publication.topic, refusal)
                self._lanes.refused(publication, time.monotonic())
            case Acknowledged(publication, _, heard):
                self._lanes.acknowledged(publication, time.monotonic(), heard=heard)
                self._changes = -1
            case Received(name, payload) if name.rpartition("/down/")[2].startswith("receipt"):
                self._take_receipt(payload)
            case Gone(reason):
                raise ConnectionError(reason)

    def _take_receipt(self, payload: bytes) -> None:
        try:
            if len(payload) > MAX_DOWNLINK_BYTES:
                raise msgspec.DecodeError("too large")
            receipt = msgspec.json.decode(payload, type=wire.Receipt)
        except msgspec.DecodeError as error:
            log.warning("A receipt could not be read error=%s", error)
            return
        newest = self._record.read(delivery.newest_number)
        if receipt.v != wire.VERSION or receipt.ep != self._record.ep:
            return
        self._lanes.received([(max(1, a), min(b, newest)) for a, b in receipt.stored])
        self._confirmed_ms = boot_ms()
        self.show(force=True)

    def _picture(self) -> SiteStatus | None:
        """The controller's picture if it is alive; tpkit's time comes with it."""
        shown = self._controller.read()
        if shown is None:
            return None
        self._record.clock.reference = shown.time
        is_old = boot_ms() - shown.status.mono_ms > SILENT_AFTER_S * 1000
        return None if is_old else shown.status

    def _publication(self, leaf: str, payload: bytes) -> Publication:
        site = self._config.site
        return Publication(wire.topic(site.org, site.kit, leaf), payload, retain=True)
