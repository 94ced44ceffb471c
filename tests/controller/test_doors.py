"""Edges to stored passages."""

import sqlite3
import time
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import wait_until
from tpkit.config import DoorSection
from tpkit.controller.doors import DoorCounter
from tpkit.errors import StoreUnavailableError
from tpkit.hardware.pins import BeamEdge
from tpkit.store import people
from tpkit.store.record import Record, Transaction
from tpkit.store.rights import Role


@pytest.fixture
def record(open_as: Callable[[Role], Record]) -> Record:
    return open_as(Role.CONTROLLER)


@pytest.fixture
def counter(record: Record) -> Iterator[DoorCounter]:
    made = DoorCounter({"main": DoorSection(outer=17, inner=27)}, record)
    made.start()
    yield made
    made.stop()
    made.join(timeout=5)


def walk(counter: DoorCounter, *, inward: bool = True, count: int = 1) -> None:
    """Edges of people who have just walked through, one after another."""
    began = time.monotonic() - count
    first, second = ("A", "B") if inward else ("B", "A")
    for number in range(count):
        for after, beam, broken in (
            (0.0, first, True),
            (0.2, second, True),
            (0.4, first, False),
            (0.6, second, False),
        ):
            counter.edges.put(BeamEdge("main", beam, broken, began + number + after))


def stored(record: Record) -> int:
    return int(record.read(lambda c: c.execute("SELECT count(*) FROM passage").fetchone()[0]))


def test_a_passage_is_stored_and_then_counted(counter: DoorCounter, record: Record) -> None:
    walk(counter, count=3)
    assert wait_until(lambda: counter.occupancy.inside == 3)
    assert stored(record) == 3
    walk(counter, inward=False)
    assert wait_until(lambda: counter.occupancy.inside == 2)


def test_what_cannot_be_stored_is_not_counted_and_is_tried_again(
    counter: DoorCounter, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def full(tx: Transaction, passages: list[people.Passage]) -> None:
        tries.append(len(passages))
        if len(tries) < 3:
            raise sqlite3.OperationalError("database or disk is full")
        kept(tx, passages)

    kept = people.add_passages
    monkeypatch.setattr(people, "add_passages", full)
    monkeypatch.setattr("tpkit.controller.doors.RETRY_S", 0.05)
    monkeypatch.setattr("tpkit.controller.doors.SETTLED_S", 0.05)
    walk(counter)
    assert wait_until(lambda: len(tries) == 1)
    assert counter.occupancy.inside == 0
    assert wait_until(lambda: counter.occupancy.inside == 1)
    assert stored(record) == 1


def test_a_restart_counts_on_from_what_is_stored(counter: DoorCounter, record: Record) -> None:
    walk(counter, count=4)
    assert wait_until(lambda: counter.occupancy.inside == 4)

    assert DoorCounter({}, record).occupancy == counter.occupancy


def test_a_recount_and_its_request_are_one_transaction(counter: DoorCounter, record: Record) -> None:
    def refuse(_tx: Transaction) -> None:
        raise StoreUnavailableError("no")

    with pytest.raises(StoreUnavailableError):
        counter.recount(37, refuse)
    assert counter.occupancy.inside == 0
    counter.recount(37, lambda _tx: None)
    assert counter.occupancy.inside == 37
    assert record.read(people.occupancy).inside == 37


def test_stopping_decodes_what_has_come(record: Record) -> None:
    counter = DoorCounter({"main": DoorSection(outer=17, inner=27)}, record)
    walk(counter, count=20)
    counter.start()
    counter.stop()
    counter.join(timeout=5)

    assert stored(record) == 20
