"""What residents may read, gathered from the record. Nothing measured is among it."""

from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from tpkit.config import Config, SiteSection
from tpkit.domain.lifecycle import Stage
from tpkit.domain.messages import Message, is_shown
from tpkit.domain.services import PUBLIC_SERVICES, ServiceState
from tpkit.domain.status import SILENT_AFTER_S, TimeTrust
from tpkit.store import live, messages, place
from tpkit.store.clock import Clock, boot_ms, system_reference
from tpkit.store.database import Connection
from tpkit.store.record import Record, open_record
from tpkit.store.rights import Role


class Word(Struct, frozen=True):
    """Something a person said, and when (None while the clock was not known)."""

    word: str
    said: datetime | None


class OfferedService(Struct, frozen=True):
    """One service that residents are told of."""

    code: str
    state: str
    place: str


class Facts(Struct, frozen=True):
    """Everything the public pages are made of."""

    site: SiteSection
    now: datetime
    trust: TimeTrust
    stage: Word
    hours: str
    power: Word | None
    room: Word | None
    services: tuple[OfferedService, ...]
    messages: tuple[Message, ...]
    measuring: bool

    @property
    def essence(self) -> "Facts":
        """The same without the time, to see whether anything has changed for residents."""
        return Facts(
            self.site, datetime.min.replace(tzinfo=UTC), self.trust, self.stage, self.hours,
            self.power, self.room, self.services, self.messages, self.measuring,
        )  # fmt: skip


def gather(config: Config, record: Record, *, measuring: bool) -> Facts:
    """Read the facts as they stand. `measuring` is whether the controller is alive."""
    now, trust = record.clock.now(), record.clock.trust

    def read(connection: Connection) -> Facts:
        stage = place.stage(connection)
        words = place.words(connection)
        offered = {service.code: service for service in place.services(connection)}
        return Facts(
            site=config.site, now=now, trust=trust, stage=_word(stage.said), hours=stage.hours,
            power=_word(words["power"]) if "power" in words else None,
            room=_word(words["room"]) if "room" in words else None,
            services=tuple(
                OfferedService(code, offered[code].state, offered[code].place)
                for code in PUBLIC_SERVICES
                if code in offered and offered[code].state != ServiceState.NOT_HERE
            ),
            messages=tuple(
                message
                for message in messages.current(connection)
                if is_shown(message, now, trusted=trust.is_trusted)
            ),
            measuring=measuring,
        )  # fmt: skip

    return record.read(read)


def read_facts(config: Config) -> Facts:
    """The facts as a one-off, for the command line."""
    shown = live.controller_file(Path(config.paths.run)).read()
    clock = Clock(shown.time if shown else system_reference(TimeTrust.FLOOR))
    record = open_record(Path(config.paths.state), Role.READER, clock)
    try:
        return gather(config, record, measuring=controller_lives(shown))
    finally:
        record.close()


def controller_lives(shown: live.ControllerLive | None) -> bool:
    """Whether the controller has written lately."""
    return shown is not None and boot_ms() - shown.status.mono_ms <= SILENT_AFTER_S * 1000


def _word(said: place.Said) -> Word:
    moment = None if said.at is None else datetime.fromtimestamp(said.at / 1000, UTC)
    return Word(said.word, None if said.word == Stage.UNKNOWN else moment)
