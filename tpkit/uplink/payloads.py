"""From the record and the live picture to the payloads of domain/wire. Nothing is calculated here."""

import zlib
from typing import Any

import msgspec

from tpkit import __version__
from tpkit.config import Config
from tpkit.domain import wire
from tpkit.domain.status import SiteStatus
from tpkit.store import delivery, place
from tpkit.store.database import Connection
from tpkit.store.delivery import Backlog, OwedEvent, OwedRow
from tpkit.store.record import Record, Stamp

TEXT_COLUMNS_FIRST = ("dn", "dt", "q")


def status(*, on: bool, why: str = "") -> bytes:
    """The retained word on whether the kit is connected."""
    return msgspec.json.encode(wire.Status(wire.VERSION, on, why))


def birth(config: Config, record: Record, points: list[str]) -> bytes:
    """Who this kit is."""
    site = config.site
    return msgspec.json.encode(
        wire.Birth(
            wire.VERSION, site.kit, site.org, site.name, __version__, record.ep, record.boot,
            site.priority, site.demo, points,
        )
    )  # fmt: skip


def live(config: Config, record: Record, picture: SiteStatus | None, stamp: Stamp, next_s: int) -> wire.Live:
    """The present picture. Without a controller the measured parts are None, never old."""

    def read(connection: Connection) -> tuple[int, place.StageRow, dict[str, str], Backlog]:
        services = {service.code: str(service.state) for service in place.services(connection)}
        newest, behind = delivery.newest_number(connection), delivery.backlog(connection)
        return newest, place.stage(connection), services, behind

    newest, stage, services, backlog = record.read(read)
    site = config.site
    located = site.lat is not None and site.lon is not None
    return wire.Live(
        v=wire.VERSION, kit=site.kit, ep=record.ep, n_max=newest, boot=stamp.boot, mono=stamp.mono,
        t=stamp.at, q=stamp.q, err_ms=None, next_s=next_s,
        site=wire.Site(
            stage.stage, stage.level, "trygghetspunkt", exercise=False,
            lat=site.lat, lon=site.lon, pos_q="configured" if located else "none",
        ),
        services=services, power=_power(picture),
        people={"in": picture.people.binned if picture else None},
        uplink="ip", backlog=wire.Backlog(backlog.records, backlog.oldest),
        alarms=_alarms(picture), priority=site.priority, demo=site.demo,
    )  # fmt: skip


def event(config: Config, record: Record, owed: OwedEvent) -> bytes:
    """One event with the envelope that makes it unique at central."""
    kit, stamp = config.site.kit, owed.stamp
    body: dict[str, Any] = msgspec.json.decode(owed.body)
    return msgspec.json.encode(
        wire.Event(
            v=wire.VERSION, kit=kit, ep=record.ep, n=owed.n, id=f"{kit}-{record.ep}-{owed.n}",
            boot=stamp.boot, mono=stamp.mono, t=stamp.at, q=stamp.q, **body,
        )
    )  # fmt: skip


def batch(config: Config, record: Record, rows: list[OwedRow]) -> bytes:
    """History rows of one kind as columns, compressed."""
    rows = sorted(rows, key=lambda row: -row.n)
    newest, start = rows[0].n, max(row.stamp.at or 0 for row in rows)
    names = list(dict.fromkeys(name for row in rows for name in row.columns))
    hist = wire.Hist(
        v=wire.VERSION, kit=config.site.kit, ep=record.ep, kind=rows[0].kind,
        n0=rows[-1].n, n1=newest, t0=start, c=[*TEXT_COLUMNS_FIRST, *names],
        d=[
            [newest - row.n, _dt(row, start), row.stamp.q, *(row.columns.get(name) for name in names)]
            for row in rows
        ],
    )  # fmt: skip
    return zlib.compress(msgspec.json.encode(hist), 9)


def _dt(row: OwedRow, start: int) -> int | None:
    return None if row.stamp.at is None else start - row.stamp.at


def _power(picture: SiteStatus | None) -> wire.Power:
    if picture is None:
        return wire.Power("unknown", None, None, None, None)
    fuel, battery = picture.fuel, picture.battery
    hours = fuel.endurance.hours if fuel else battery.endurance.hours if battery else None
    return wire.Power(
        picture.source,
        battery.state_of_charge.number if battery else None,
        picture.load.number,
        None if hours is None else round(hours, 1),
        fuel.level.number if fuel else None,
    )


def _alarms(picture: SiteStatus | None) -> list[wire.WireAlarm]:
    if picture is None:
        return []
    trusted = picture.trust.is_trusted
    return [
        wire.WireAlarm(
            alarm.code, alarm.subject,
            int(alarm.since.timestamp() * 1000) if trusted else None, alarm.severity,
        )
        for alarm in picture.alarms
    ]  # fmt: skip
