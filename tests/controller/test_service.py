"""The main loop, one step at a time."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tpkit.config import Config, parse
from tpkit.controller.doors import DoorCounter
from tpkit.controller.service import Controller
from tpkit.controller.timekeeping import TimeKeeper
from tpkit.domain.status import TimeTrust
from tpkit.store import alarms, live, readings, requests
from tpkit.store.record import Record
from tpkit.store.rights import Role

SITE = """
[site]
name = "Ekby"
kit = "kit-0001"
org = "se0180"
municipality = "Ekby"
[tank]
litres = 200
"""


@pytest.fixture
def web(open_as: Callable[[Role], Record]) -> Record:
    return open_as(Role.WEB)


@pytest.fixture
def step(open_as: Callable[[Role], Record], tmp_path: Path) -> Iterator[Callable[[], live.SiteStatus]]:
    """One second of the controller's life; returns what it then shows."""
    config = _config()
    keeper = TimeKeeper(None, 1.0)
    record = open_as(Role.CONTROLLER)
    record.clock = keeper.clock
    doors = DoorCounter({}, record)
    doors.start()
    controller = Controller(config, record, keeper, doors, [])
    file = live.controller_file(tmp_path)

    def take() -> live.SiteStatus:
        controller.step(file)
        shown = file.read()
        assert shown is not None
        return shown.status

    yield take
    controller.close()


def _config() -> Config:
    made, faults = parse(SITE)
    assert made is not None
    assert not faults
    return made


def test_a_recount_is_done_within_a_step(step, web: Record) -> None:
    assert step().people.inside == 0
    web.write(lambda tx: requests.ask(tx, "duty-1", "recount", inside=37))

    people = step().people
    assert (people.inside, people.counted) == (37, True)
    assert web.read(requests.waiting) == []


def test_staff_can_say_what_time_it_is(step, web: Record) -> None:
    web.write(lambda tx: requests.ask(tx, "duty-1", "set_clock", utc_ms=1_800_000_000_000))

    status = step()
    assert status.trust == TimeTrust.STAFF
    assert abs(status.at.timestamp() - 1_800_000_000) < 10


def test_a_request_from_before_a_reboot_does_not_set_the_clock(step, web: Record) -> None:
    web.boot += 1
    web.write(lambda tx: requests.ask(tx, "duty-1", "set_clock", utc_ms=1_800_000_000_000))

    assert abs(step().at.timestamp() - 1_800_000_000) > 1_000
    outcome = web.read(lambda c: c.execute("SELECT outcome FROM request").fetchone()[0])
    assert outcome == "too_old"


def test_an_unknown_request_is_answered_too(step, web: Record) -> None:
    web.write(lambda tx: requests.ask(tx, "duty-1", "dance"))
    step()

    assert web.read(lambda c: c.execute("SELECT done, outcome FROM request").fetchone()) == (
        1,
        "unknown_request",
    )


def test_a_hand_reading_joins_the_picture(step, web: Record) -> None:
    assert step().verdict_code == "no_value"
    web.write(lambda tx: readings.add(tx, "tank.fuel_level", 40.0, "duty-1"))

    status = step()
    assert status.fuel is not None
    assert (status.fuel.level.value, status.fuel.litres) == (40.0, 80.0)


def test_a_full_disk_stops_recording_but_not_showing(
    step, web: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    web.write(lambda tx: readings.add(tx, "tank.fuel_level", 4.0, "duty-1"))
    monkeypatch.setattr(alarms, "apply", full)
    monkeypatch.setattr("tpkit.domain.alarms.RULES", {**alarms_rules(), "fuel_low": _at_once()})
    shown = step()
    assert [alarm.code for alarm in shown.alarms] == ["fuel_low"]
    assert web.read(lambda c: c.execute("SELECT count(*) FROM alarm").fetchone()[0]) == 0

    monkeypatch.undo()
    step()
    assert web.read(lambda c: c.execute("SELECT count(*) FROM alarm").fetchone()[0]) == 1


def alarms_rules() -> dict[str, object]:
    from tpkit.domain.alarms import RULES

    return dict(RULES)


def _at_once() -> object:
    from tpkit.domain.alarms import Rule

    return Rule(2)
