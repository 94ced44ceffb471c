"""Minute rows and door bins."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest

from tests.factories import sample, site_status
from tpkit.controller.recorder import DoorBins, MinuteRows, rounded
from tpkit.domain.occupancy import Passage
from tpkit.store import history, people
from tpkit.store.history import Columns
from tpkit.store.record import Record
from tpkit.store.rights import Role

MINUTE = 60_000
HOUR = 60 * MINUTE
START = 1_795_392_000_000  # a full hour


@pytest.fixture
def record(open_as: Callable[[Role], Record]) -> Record:
    return open_as(Role.CONTROLLER)


def rows(record: Record, kind: str) -> list[Columns]:
    found = record.read(
        lambda c: c.execute("SELECT body FROM history WHERE kind = ? ORDER BY n", (kind,)).fetchall()
    )
    return [history.unpack(row[0]) for row in found]


def test_a_minute_is_one_row_with_means_and_extremes(record: Record, now: datetime) -> None:
    minutes = MinuteRows(record)
    for second, watts in ((0, 1000.0), (20, 4000.0), (40, 2500.0), (60, 9000.0)):
        minutes.note(site_status(at=now + timedelta(seconds=second), load=sample("load.power", watts, "W")))
    minutes.flush()

    [row] = rows(record, history.MINUTE)
    assert (row["w_out"], row["w_out_min"], row["w_out_max"]) == (2500.0, 1000, 4000)
    assert (row["soc"], row["fuel_pct"], row["hours_left"]) == (81.0, 63.0, 50.0)
    assert row["genset:tank.fuel_level"] == 63.0


def test_what_has_no_value_is_not_in_the_row(record: Record, now: datetime) -> None:
    minutes = MinuteRows(record)
    missing = sample("tank.fuel_level", None)
    for second in (0, 60):
        minutes.note(
            site_status(
                at=now + timedelta(seconds=second), load=sample("load.power", None), samples=(missing,)
            )
        )
    minutes.flush()

    [row] = rows(record, history.MINUTE)
    assert "w_out" not in row
    assert "genset:tank.fuel_level" not in row


def test_rows_are_committed_five_at_a_time(record: Record, now: datetime) -> None:
    minutes = MinuteRows(record)
    for minute in range(5):
        minutes.note(site_status(at=now + timedelta(minutes=minute)))
    assert rows(record, history.MINUTE) == []
    minutes.note(site_status(at=now + timedelta(minutes=5)))
    assert len(rows(record, history.MINUTE)) == 5


def walk(record: Record, *directions: int) -> None:
    passages = [Passage("main", direction, 0.97, 1) for direction in directions]
    record.write(lambda tx: people.add_passages(tx, passages))


def step(bins: DoorBins, at_ms: int, inside: int) -> None:
    """One step under a clock that runs as it should."""
    bins.step(at_ms, at_ms, inside)


def test_a_bin_ends_every_quarter_of_an_hour_with_what_was_counted(record: Record) -> None:
    bins = DoorBins(record)
    step(bins, START, 0)
    walk(record, *[1] * 14, -1)
    step(bins, START + 14 * MINUTE, 13)
    assert rows(record, history.DOORS) == []
    step(bins, START + 15 * MINUTE, 13)
    walk(record, -1, -1)
    step(bins, START + 30 * MINUTE, 11)

    found = [(row["in"], row["out"], row["inside"]) for row in rows(record, history.DOORS)]
    assert found == [(14, 1, 13), (0, 2, 11)]
    assert bins.inside == 11


def test_a_bin_is_an_hour_while_few_are_inside(record: Record) -> None:
    bins = DoorBins(record)
    step(bins, START, 0)
    walk(record, 1, 1, 1)
    step(bins, START + 45 * MINUTE, 3)
    assert rows(record, history.DOORS) == []
    step(bins, START + HOUR, 3)

    [row] = rows(record, history.DOORS)
    assert (row["in"], row["inside"]) == (3, 5)


@pytest.mark.parametrize(
    ("inside", "told"), [(0, 0), (2, 0), (3, 5), (7, 5), (8, 10), (9, 10), (10, 10), (37, 37)]
)
def test_few_people_are_rounded(inside: int, told: int) -> None:
    assert rounded(inside) == told


def test_nothing_is_told_before_the_first_bin_has_ended(record: Record) -> None:
    bins = DoorBins(record)
    step(bins, START + 7 * MINUTE, 25)

    assert bins.inside is None


def test_after_a_restart_the_bin_goes_on_where_it_was(record: Record) -> None:
    first = DoorBins(record)
    step(first, START, 20)
    walk(record, 1)
    step(first, START + 15 * MINUTE, 20)
    walk(record, 1, 1)
    second = DoorBins(record)
    assert second.inside == 20
    step(second, START + 20 * MINUTE, 22)
    step(second, START + 30 * MINUTE, 22)

    assert [row["in"] for row in rows(record, history.DOORS)] == [1, 2]


def test_a_clock_that_is_set_ends_no_bin_and_the_next_quarter_does(record: Record) -> None:
    bins = DoorBins(record)
    step(bins, START, 12)
    walk(record, 1)
    bins.step(START + 8 * 24 * HOUR, START + 1000, 13)
    assert bins.inside is None
    bins.step(START + 8 * 24 * HOUR + 15 * MINUTE, START + 1000 + 15 * MINUTE, 13)

    assert bins.inside == 13
    assert [row["in"] for row in rows(record, history.DOORS)] == [1]


def test_people_who_arrive_all_at_once_do_not_end_the_hour_that_few_began(record: Record) -> None:
    bins = DoorBins(record)
    step(bins, START + 20 * MINUTE, 3)
    step(bins, START + 21 * MINUTE, 88)
    assert bins.inside is None
    step(bins, START + 30 * MINUTE, 88)

    assert bins.inside == 88


def test_a_clock_that_is_put_back_does_not_stop_the_bins(record: Record) -> None:
    bins = DoorBins(record)
    step(bins, START, 20)
    step(bins, START + 15 * MINUTE, 20)
    long_ago = START - 90 * 24 * HOUR
    bins.step(long_ago, START + 16 * MINUTE, 20)
    walk(record, 1)
    bins.step(long_ago + 15 * MINUTE, START + 31 * MINUTE, 21)

    assert rows(record, history.DOORS)[-1]["in"] == 1


def test_a_row_has_the_time_of_its_minute_not_of_its_commit(record: Record, now: datetime) -> None:
    minutes = MinuteRows(record)
    minutes.note(site_status(at=now))
    minutes.note(site_status(at=now + timedelta(minutes=1)))
    made = record.stamp().mono
    record.clock.reference = msgspec.structs.replace(record.clock.reference, utc_ms=0)
    minutes.flush()

    at, mono = record.read(lambda c: c.execute("SELECT at, mono FROM history").fetchone())
    assert abs(at - now.timestamp() * 1000) < 30_000
    assert abs(mono - made) < 5_000
