"""What is sent next, and what is sent again."""

from collections.abc import Callable

import msgspec
import pytest

from tpkit.config import Config, parse
from tpkit.store import delivery, history, outbox
from tpkit.store.record import Record, Stamp
from tpkit.store.rights import Role
from tpkit.uplink.lanes import (
    BATCH_ROWS,
    HISTORY_WINDOW,
    NOBODY_LISTENS_WAIT_S,
    RECEIPT_WAIT_S,
    REFUSED_WAIT_S,
    Lanes,
    Publication,
)

SITE = '[site]\nname = "Ekby"\nkit = "kit-0001"\norg = "se0180"\nmunicipality = "Ekby"\n'


def config() -> Config:
    made, _ = parse(SITE)
    assert made is not None
    return made


@pytest.fixture
def web(open_as: Callable[[Role], Record]) -> Record:
    return open_as(Role.WEB)


@pytest.fixture
def controller(open_as: Callable[[Role], Record]) -> Record:
    return open_as(Role.CONTROLLER)


@pytest.fixture
def uplink(open_as: Callable[[Role], Record]) -> Record:
    return open_as(Role.UPLINK)


@pytest.fixture
def lanes(uplink: Record) -> Lanes:
    return Lanes(config(), uplink)


def events(web: Record, count: int) -> None:
    for number in range(count):
        body = outbox.EventBody("word", subject=str(number))
        web.write(lambda tx, body=body: outbox.put(tx, body))


def minutes(controller: Record, count: int) -> None:
    def work(tx: object) -> None:
        for number in range(count):
            history.add(tx, history.MINUTE, {"soc": number}, Stamp(1000 * number, 1, number, "ntp"))

    controller.write(work)


def drain(lanes: Lanes) -> list[Publication]:
    found = []
    while publication := lanes.next():
        found.append(publication)
    return found


def numbers(publications: list[Publication]) -> list[int]:
    return [number for publication in publications for number in publication.numbers]


def test_events_come_before_history_and_the_newest_first(
    lanes: Lanes, web: Record, controller: Record
) -> None:
    minutes(controller, 2)
    events(web, 2)
    sent = drain(lanes)

    assert [publication.topic.rpartition("/")[2] for publication in sent] == ["event", "event", "hist"]
    assert numbers(sent) == [4, 3, 2, 1]


def test_an_event_that_comes_while_history_drains_goes_first(
    lanes: Lanes, web: Record, controller: Record
) -> None:
    minutes(controller, 3 * BATCH_ROWS)
    assert lanes.next().is_history
    events(web, 1)
    assert not lanes.next().is_history
    assert lanes.next().is_history


def test_nothing_is_sent_twice_while_it_is_under_way(lanes: Lanes, web: Record) -> None:
    events(web, 3)

    assert numbers(drain(lanes)) == [3, 2, 1]
    assert drain(lanes) == []


def test_history_leaves_room_for_events(lanes: Lanes, controller: Record) -> None:
    minutes(controller, (HISTORY_WINDOW + 5) * BATCH_ROWS)
    sent = drain(lanes)

    assert len(sent) == HISTORY_WINDOW
    lanes.acknowledged(sent[0], 0)
    assert lanes.next() is not None


def test_every_tenth_batch_is_the_oldest(lanes: Lanes, controller: Record) -> None:
    minutes(controller, 15 * BATCH_ROWS)
    firsts = []
    for _ in range(12):
        sent = lanes.next()
        firsts.append(min(sent.numbers))
        lanes.acknowledged(sent, 0)

    assert firsts[9] == 1
    assert firsts[:9] == sorted(firsts[:9], reverse=True)
    assert 1 not in firsts[:9]


def test_every_record_is_sent_exactly_once_whatever_the_order(
    lanes: Lanes, web: Record, controller: Record
) -> None:
    for _ in range(4):
        minutes(controller, 70)
        events(web, 3)
    sent = []
    while publication := lanes.next():
        sent.append(publication)
        lanes.acknowledged(publication, 0)

    assert sorted(numbers(sent)) == list(range(1, 4 * 73 + 1))


def test_a_batch_carries_what_was_measured(lanes: Lanes, controller: Record) -> None:
    import zlib

    minutes(controller, 3)
    batch = msgspec.json.decode(zlib.decompress(lanes.next().payload))

    assert (batch["kit"], batch["kind"], batch["n0"], batch["n1"]) == ("kit-0001", "minute", 1, 3)
    assert batch["c"] == ["dn", "dt", "q", "soc"]
    assert batch["d"] == [[0, 0, "ntp", 2], [1, 1000, "ntp", 1], [2, 2000, "ntp", 0]]


def test_what_was_lost_with_the_connection_is_sent_again(lanes: Lanes, web: Record) -> None:
    events(web, 3)
    sent = drain(lanes)
    lanes.acknowledged(sent[0], 0)
    lanes.lost(sent[1:])

    assert numbers(drain(lanes)) == [2, 1]


def test_a_receipt_ends_our_duty(lanes: Lanes, web: Record, uplink: Record) -> None:
    events(web, 3)
    for publication in drain(lanes):
        lanes.acknowledged(publication, 0)
    assert uplink.read(delivery.backlog).records == 3
    lanes.received([(1, 3)])

    assert uplink.read(delivery.backlog).records == 0
    lanes.remind(1e9)
    assert drain(lanes) == []
    assert Lanes(config(), uplink).next() is None


def test_without_a_receipt_it_is_sent_again_after_a_while(lanes: Lanes, web: Record) -> None:
    events(web, 2)
    lanes.received([(1, 1)])
    for publication in drain(lanes):
        lanes.acknowledged(publication, 100)
    assert not lanes.remind(100 + RECEIPT_WAIT_S - 1)
    assert drain(lanes) == []
    assert lanes.remind(100 + RECEIPT_WAIT_S)
    assert numbers(drain(lanes)) == [2]


def test_where_nobody_sends_receipts_nothing_is_repeated(lanes: Lanes, web: Record) -> None:
    events(web, 2)
    for publication in drain(lanes):
        lanes.acknowledged(publication, 0)
    lanes.remind(1e9)

    assert drain(lanes) == []


def test_what_nobody_listened_to_is_sent_again_soon(lanes: Lanes, web: Record) -> None:
    events(web, 1)
    lanes.acknowledged(lanes.next(), 0, heard=False)
    lanes.remind(NOBODY_LISTENS_WAIT_S)

    assert numbers(drain(lanes)) == [1]


def test_what_the_broker_refused_is_kept_and_tried_much_later(
    lanes: Lanes, web: Record, uplink: Record
) -> None:
    events(web, 1)
    lanes.refused(lanes.next(), 0)
    lanes.remind(REFUSED_WAIT_S - 1)
    assert drain(lanes) == []
    assert uplink.read(delivery.backlog).records == 1
    lanes.remind(REFUSED_WAIT_S)
    assert numbers(drain(lanes)) == [1]


def test_after_a_restart_what_has_no_receipt_is_sent_again(lanes: Lanes, web: Record, uplink: Record) -> None:
    events(web, 4)
    for publication in drain(lanes):
        lanes.acknowledged(publication, 0)
    lanes.received([(2, 3)])

    assert numbers(drain(Lanes(config(), uplink))) == [4, 1]
