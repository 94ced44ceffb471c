"""The panel's glance: one of four states, and each figure with its age. It shows, it does not judge."""

from datetime import datetime, timedelta

from markupsafe import Markup
from msgspec import Struct

from tpkit.domain.alarms import Alarm
from tpkit.domain.endurance import Endurance
from tpkit.domain.samples import Quality, Sample
from tpkit.domain.status import SILENT_AFTER_S, SiteStatus, Verdict
from tpkit.store.live import ControllerLive, UplinkLive
from tpkit.web.translations import Catalogue

JUST_NOW_S = 10
SHAPES = {Verdict.OK: "✓", Verdict.LOOK: "!", Verdict.ACT: "▲", Verdict.UNKNOWN: "?"}


class Tile(Struct, frozen=True):
    """One figure: its name, the value in words, what goes with it, its age, and how it stands."""

    key: str
    name: Markup
    value: Markup
    detail: Markup
    age: Markup
    state: str  # "good" | "uncertain" | "bad" | "manual"


class AlarmLine(Struct, frozen=True):
    """One alarm in words."""

    severity: int
    text: Markup
    since: Markup


class Glance(Struct, frozen=True):
    """Everything at the top of the panel."""

    verdict: str
    shape: str
    word: Markup
    why: Markup
    tiles: list[Tile]
    alarms: list[AlarmLine]
    measuring: bool
    asks_clock: bool


class Teller:
    """Puts one picture into one language."""

    def __init__(
        self, said: Catalogue, shown: ControllerLive | None, uplink: UplinkLive | None, mono_ms: int
    ) -> None:
        self._said = said
        self._shown = shown
        self._uplink = uplink
        self._mono_ms = mono_ms

    def glance(self) -> Glance:
        """The whole glance. A silent controller makes the state *unknown*, whatever it said last."""
        shown, said = self._shown, self._said
        silent_s = None if shown is None else (self._mono_ms - shown.status.mono_ms) / 1000
        if shown is None or silent_s is None or silent_s > SILENT_AFTER_S:
            return self._without_controller(silent_s)
        status = shown.status
        return Glance(
            status.verdict, SHAPES[status.verdict], said.say(f"verdict.{status.verdict}"),
            self._why(status), self._tiles(status), [self._alarm(alarm) for alarm in status.alarms],
            measuring=True, asks_clock=not status.trust.is_trusted,
        )  # fmt: skip

    def _without_controller(self, silent_s: float | None) -> Glance:
        said = self._said
        why = said.say("why.controller_never") if silent_s is None else said.say(
            "why.controller_silent", since=self._ago(silent_s)
        )  # fmt: skip
        return Glance(
            Verdict.UNKNOWN, SHAPES[Verdict.UNKNOWN], said.say("verdict.unknown"), why,
            [self._uplink_tile()], [], measuring=False, asks_clock=False,
        )  # fmt: skip

    def _why(self, status: SiteStatus) -> Markup:
        if not status.verdict_code:
            return Markup("")
        code, subject = status.verdict_code, status.verdict_subject
        if code in ("no_value", "starting", "clock_not_trusted"):
            return self._said.say(f"why.{code}", what=self._point_name(subject))
        return self._alarm_text(code, subject)

    def _tiles(self, status: SiteStatus) -> list[Tile]:
        tiles = []
        if status.fuel is not None:
            detail = self._lasts(status.fuel.endurance, status)
            if status.fuel.litres is not None:
                litres = self._said.say("unit.litres", n=f"{status.fuel.litres:.0f}")
                detail = Markup("{} · {}").format(detail, litres)
            tiles.append(self._tile("fuel", status.fuel.level, detail))
        if status.battery is not None:
            detail = self._lasts(status.battery.endurance, status)
            tiles.append(self._tile("battery", status.battery.state_of_charge, detail))
        tiles.append(self._tile("load", status.load, self._said.say(f"source_of_power.{status.source}")))
        tiles.append(self._people_tile(status))
        tiles.append(self._uplink_tile())
        return tiles

    def _tile(self, key: str, sample: Sample, detail: Markup) -> Tile:
        name, number = self._said.say(f"tile.{key}"), sample.number
        if number is None:
            return Tile(key, name, self._said.say("value.none"), self._reason(sample), Markup(""), "bad")
        value = (
            f"{self._said.number(number / 1000, 1)} kW"
            if sample.unit == "W"
            else f"{number:.0f} {sample.unit}"
        )
        age = self._ago(sample.age_s(self._mono_ms) or 0.0)
        if sample.quality == Quality.MANUAL:
            age = self._said.say("value.by_hand", ago=age)
        elif sample.quality == Quality.UNCERTAIN:
            age = Markup("{} · {}").format(age, self._reason_word(sample.reason))
        if sample.device in self._unchecked():
            age = Markup("{} · {}").format(age, self._said.say("value.not_checked_here"))
        return Tile(key, name, Markup("<bdi>{}</bdi>").format(value), detail, age, sample.quality)

    def _unchecked(self) -> set[str]:
        """Devices that nobody has compared with their own display here."""
        devices = self._shown.status.devices if self._shown else ()
        return {device.name for device in devices if not device.is_checked}

    def _people_tile(self, status: SiteStatus) -> Tile:
        people, said = status.people, self._said
        detail = said.say("people.interval", low=people.low, high=people.high)
        if not people.counted:
            detail = Markup("{} · {}").format(detail, said.say("people.count_now"))
        age = self._ago((self._mono_ms - status.mono_ms) / 1000)
        return Tile(
            "people",
            said.say("tile.people"),
            Markup("{}").format(people.inside),
            detail,
            age,
            "good",
        )

    def _uplink_tile(self) -> Tile:
        said, uplink = self._said, self._uplink
        name = said.say("tile.uplink")
        if uplink is None or (self._mono_ms - uplink.mono_ms) / 1000 > SILENT_AFTER_S:
            return Tile("uplink", name, said.say("uplink.silent"), Markup(""), Markup(""), "bad")
        detail = said.say("uplink.waiting", n=uplink.waiting_records)
        if uplink.confirmed_mono_ms is not None:
            ago = self._ago((self._mono_ms - uplink.confirmed_mono_ms) / 1000)
            detail = Markup("{} · {}").format(detail, said.say("uplink.confirmed", ago=ago))
        since = said.say("uplink.since", ago=self._ago((self._mono_ms - uplink.since_mono_ms) / 1000))
        state = "good" if uplink.state == "connected" else "uncertain"
        return Tile("uplink", name, said.say(f"uplink.{uplink.state}"), detail, since, state)

    def _lasts(self, endurance: Endurance, status: SiteStatus) -> Markup:
        """Safe time first; as clock times on a trusted clock, else as durations."""
        if endurance.hours is None:
            return self._said.say(f"endurance.{endurance.because}")
        surely, probably = endurance.at_least or 0.0, endurance.hours
        if status.trust.is_trusted:
            return self._said.say(
                "endurance.until",
                surely=self._said.clock(status.at + timedelta(hours=surely)),
                probably=self._said.clock(status.at + timedelta(hours=probably)),
            )
        return self._said.say("endurance.hours", surely=f"{surely:.0f}", probably=f"{probably:.0f}")

    def _alarm(self, alarm: Alarm) -> AlarmLine:
        if alarm.since_mono_ms:
            since = self._ago((self._mono_ms - alarm.since_mono_ms) / 1000)
        else:
            since = self._said.say("alarm.before_start")
        return AlarmLine(alarm.severity, self._alarm_text(alarm.code, alarm.subject), since)

    def _alarm_text(self, code: str, subject: str) -> Markup:
        key = f"machine.{subject}"
        what = self._said.say(key) if self._said.has(key) else Markup("<bdi>{}</bdi>").format(subject)
        return self._said.say(f"alarm.{code}", what=what)

    def _reason(self, sample: Sample) -> Markup:
        word = self._reason_word(sample.reason)
        if sample.taken_at is None:
            return word
        when = self._when(sample.taken_at, sample.age_s(self._mono_ms) or 0.0)
        return self._said.say("value.none_since", when=when, reason=word)

    def _reason_word(self, reason: str) -> Markup:
        key = f"reason.{reason.partition('_')[0] if reason.startswith('refused') else reason}"
        return self._said.say(key) if self._said.has(key) else self._said.say("reason.other", code=reason)

    def _when(self, moment: datetime, age_s: float) -> Markup:
        trusted = self._shown is not None and self._shown.status.trust.is_trusted
        return self._said.clock(moment) if trusted else self._ago(age_s)

    def _point_name(self, point: str) -> Markup:
        key = f"point.{point}"
        return self._said.say(key) if self._said.has(key) else Markup("<bdi>{}</bdi>").format(point)

    def _ago(self, seconds: float) -> Markup:
        if seconds < JUST_NOW_S:
            return self._said.say("ago.now")
        if seconds < 60:
            return self._said.say("ago.seconds", n=f"{10 * int(seconds / 10)}")
        if seconds < 5400:
            return self._said.say("ago.minutes", n=f"{seconds / 60:.0f}")
        return self._said.say("ago.hours", n=f"{seconds / 3600:.0f}")
