"""The families of tables: what goes in comes out, with journal and outbox in the same transaction."""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
import pytest

from tpkit.domain.alarms import Alarm, Edge
from tpkit.domain.lifecycle import Stage
from tpkit.domain.messages import Draft, compose
from tpkit.domain.occupancy import Passage
from tpkit.domain.samples import Quality
from tpkit.domain.services import ServiceState
from tpkit.domain.status import TimeReference, TimeTrust
from tpkit.errors import StepRefusedError
from tpkit.store import (
    alarms,
    delivery,
    history,
    journal,
    messages,
    outbox,
    people,
    place,
    readings,
    requests,
)
from tpkit.store.record import Record, Stamp
from tpkit.store.rights import Role

Opener = Callable[[Role], Record]


@pytest.fixture
def web(open_as: Opener) -> Record:
    return open_as(Role.WEB)


@pytest.fixture
def controller(open_as: Opener) -> Record:
    return open_as(Role.CONTROLLER)


@pytest.fixture
def uplink(open_as: Opener) -> Record:
    return open_as(Role.UPLINK)


def kinds(record: Record) -> list[str]:
    return [entry.kind for entry in record.read(lambda c: journal.newest(c, 50))][::-1]


def owed(record: Record) -> list[tuple[str, str]]:
    rows = record.read(lambda c: c.execute("SELECT body FROM outbox ORDER BY n").fetchall())
    bodies = [msgspec.json.decode(row[0], type=outbox.EventBody) for row in rows]
    return [(body.code, body.subject) for body in bodies]


def test_rows_carry_time_boot_and_trust(web: Record, now: datetime) -> None:
    web.write(lambda tx: journal.add(tx, "lead-1", "x", word="y"))

    [entry] = web.read(lambda c: journal.newest(c, 1))
    assert abs(entry.at - now.timestamp() * 1000) < 10_000
    assert (entry.boot, entry.by, entry.body) == (web.boot, "lead-1", {"word": "y"})


def test_an_unknown_time_is_null_not_invented(web: Record) -> None:
    web.clock.reference = msgspec.structs.replace(web.clock.reference, trust=TimeTrust.NONE)
    web.write(lambda tx: journal.add(tx, "lead-1", "x"))

    assert web.read(lambda c: journal.newest(c, 1))[0].at is None


def test_time_runs_faster_only_where_the_speed_says_so(web: Record, now: datetime) -> None:
    reference = web.clock.reference
    web.clock.reference = TimeReference(
        reference.boot_id, reference.boot_ms - 10_000, reference.utc_ms, reference.trust, 60
    )

    assert web.clock.now() - now >= timedelta(seconds=600)
    assert web.clock.mono_ms() - reference.boot_ms < 10_000


def test_record_numbers_go_up_by_one_and_are_shared(web: Record, controller: Record) -> None:
    stamp = controller.stamp()
    first = web.write(lambda tx: outbox.put(tx, outbox.EventBody("a")))
    second = controller.write(lambda tx: history.add(tx, history.MINUTE, {"soc": 81.0}, stamp))
    third = web.write(lambda tx: outbox.put(tx, outbox.EventBody("b")))

    assert [second - first, third - second] == [1, 1]
    assert web.read(delivery.newest_number) == third


def test_a_message_is_posted_journalled_and_owed_together(web: Record, now: datetime) -> None:
    message = compose(
        Draft("power.outage", {"place": "Ekby", "source": "natbolag"}, "Hej", "sv"),
        message_id="m1", author="lead-1", languages=("sv",), now=now,
    )  # fmt: skip
    web.write(lambda tx: messages.post(tx, message))

    assert web.read(messages.current) == [message]
    assert kinds(web) == ["message"]
    assert owed(web) == [("message", "m1")]


def test_a_message_is_withdrawn_once(web: Record, now: datetime) -> None:
    message = compose(Draft("rumour.check", {}), message_id="m1", author="duty-1", languages=("sv",), now=now)
    web.write(lambda tx: messages.post(tx, message))

    assert web.write(lambda tx: messages.withdraw(tx, "m1", "duty-1")) is True
    assert web.write(lambda tx: messages.withdraw(tx, "m1", "duty-1")) is False
    assert web.write(lambda tx: messages.withdraw(tx, "nobody", "duty-1")) is False
    assert web.read(messages.current) == []
    assert owed(web) == [("message", "m1"), ("message_withdrawn", "m1")]


def test_a_replacement_takes_the_old_one_away_in_the_same_breath(web: Record, now: datetime) -> None:
    old = compose(Draft("rumour.check", {}), message_id="m1", author="duty-1", languages=("sv",), now=now)
    new = msgspec.structs.replace(old, id="m2", replaces="m1")
    web.write(lambda tx: messages.post(tx, old))
    web.write(lambda tx: messages.post(tx, new))

    assert [message.id for message in web.read(messages.current)] == ["m2"]


def test_the_most_severe_message_stands_first_then_the_newest(web: Record, now: datetime) -> None:
    for number, phrase in enumerate(("rumour.check", "power.here_gone", "rumour.check")):
        message = compose(Draft(phrase, {}), message_id=f"m{number}", author="duty-1", languages=(), now=now)
        web.write(lambda tx, message=message: messages.post(tx, message))

    assert [message.id for message in web.read(messages.current)] == ["m1", "m2", "m0"]


def test_nobody_has_said_anything_of_a_new_place(web: Record) -> None:
    assert web.read(place.stage).stage == Stage.UNKNOWN
    assert web.read(place.words) == {}
    assert web.read(place.services) == []


def test_the_stage_is_what_was_said_last(web: Record) -> None:
    web.write(lambda tx: place.set_stage(tx, Stage.OPEN, level=2, hours="08-22", by="lead-1"))

    row = web.read(place.stage)
    assert (row.stage, row.level, row.hours, row.said.boot) == (Stage.OPEN, 2, "08-22", web.boot)
    with pytest.raises(StepRefusedError):
        web.write(lambda tx: place.set_stage(tx, Stage.STANDBY, level=0, hours="", by="lead-1"))
    assert web.read(place.stage).stage == Stage.OPEN
    assert kinds(web) == ["stage"]


def test_words_and_services_are_replaced(web: Record) -> None:
    for word in ("works", "gone"):
        web.write(lambda tx, word=word: place.set_word(tx, "power", word, "duty-1"))
    for state in (ServiceState.OPEN, ServiceState.CLOSED):
        web.write(lambda tx, state=state: place.set_service(tx, "water", state, "Köket", "duty-1"))

    assert web.read(place.words)["power"].word == "gone"
    [service] = web.read(place.services)
    assert (service.code, service.state, service.place, service.internal) == (
        "water",
        "closed",
        "Köket",
        False,
    )


def test_fuel_and_radio_are_internal_services(web: Record) -> None:
    web.write(lambda tx: place.set_service(tx, "fuel", ServiceState.OPEN, "Gården", "lead-1"))

    assert web.read(place.services)[0].internal is True


def test_occupancy_is_folded_in_the_order_things_happened(controller: Record) -> None:
    def walk(*directions: int) -> None:
        passages = [Passage("main", direction, 0.97, 1) for direction in directions]
        controller.write(lambda tx: people.add_passages(tx, passages))

    walk(1, 1, 1)
    controller.write(lambda tx: people.add_recount(tx, 10))
    walk(1, -1, -1)
    state = controller.read(people.occupancy)
    assert (state.inside, state.ins, state.outs) == (9, 4, 2)
    controller.write(lambda tx: people.add_recount(tx, 4))
    assert controller.read(people.occupancy).inside == 4


def test_an_alarm_is_on_until_it_is_cleared(controller: Record, now: datetime) -> None:
    alarm = Alarm("fuel_low", "", "", 2, now, 1)
    controller.write(lambda tx: alarms.apply(tx, [Edge(alarm, raised=True)]))
    [active] = controller.read(lambda c: alarms.active(c, controller.boot))
    assert (active.code, active.severity) == ("fuel_low", 2)
    assert active.since_mono_ms > 0

    controller.write(lambda tx: alarms.apply(tx, [Edge(alarm, raised=False)]))
    assert controller.read(lambda c: alarms.active(c, controller.boot)) == []
    assert kinds(controller) == ["alarm", "alarm"]
    assert owed(controller) == [("fuel_low", ""), ("fuel_low", "")]


def test_an_alarm_of_an_earlier_boot_is_as_old_as_the_clock_says(controller: Record, now: datetime) -> None:
    controller.write(lambda tx: alarms.apply(tx, [Edge(Alarm("fuel_low", "", "", 2, now, 1), raised=True)]))
    [active] = controller.read(lambda c: alarms.active(c, controller.boot + 1))

    assert active.since_mono_ms == 0
    assert abs(active.since - now) < timedelta(seconds=10)


def test_a_request_waits_until_it_is_done(web: Record, controller: Record) -> None:
    web.write(lambda tx: requests.ask(tx, "lead-1", "recount", inside=37))
    [asked] = controller.read(requests.waiting)
    assert (asked.kind, asked.args, asked.boot) == ("recount", {"inside": 37}, web.boot)

    controller.write(lambda tx: requests.finish(tx, asked, "done"))
    assert web.read(requests.waiting) == []
    assert kinds(web) == ["recount"]


def test_a_hand_reading_is_a_sample_with_its_age(web: Record, now: datetime) -> None:
    web.write(lambda tx: readings.add(tx, "tank.fuel_level", 40.0, "duty-1"))
    web.write(lambda tx: readings.add(tx, "tank.fuel_level", 38.5, "duty-1"))
    mono_ms = web.clock.mono_ms()
    sample = web.read(lambda c: readings.latest(c, web.boot, web.clock.now(), mono_ms))["tank.fuel_level"]

    assert (sample.value, sample.unit, sample.quality, sample.device) == (38.5, "%", Quality.MANUAL, "hand")
    assert sample.age_s(mono_ms + 60_000) >= 60


def test_a_hand_reading_from_before_the_boot_is_as_old_as_the_clock_says(web: Record) -> None:
    web.write(lambda tx: readings.add(tx, "tank.fuel_level", 40.0, "duty-1"))
    later = web.clock.now() + timedelta(hours=3)
    sample = web.read(lambda c: readings.latest(c, web.boot + 1, later, 5_000))["tank.fuel_level"]

    assert sample.age_s(5_000) == pytest.approx(3 * 3600, abs=30)


def test_a_packed_row_comes_out_as_it_went_in() -> None:
    columns = {"soc": 81.5, "genset:engine.state": "running", "w_out": 0, "nothing": None}

    assert history.unpack(history.pack(columns)) == columns


def fill(controller: Record, web: Record) -> list[int]:
    """Six records, an event and a minute row by turns; returns their numbers."""
    numbers = []
    for number in range(3):
        body = outbox.EventBody(f"e{number}")
        numbers.append(web.write(lambda tx, body=body: outbox.put(tx, body)))
        stamp = Stamp(1000 * number, 1, 0, "ntp")
        numbers.append(
            controller.write(lambda tx, s=stamp, n=number: history.add(tx, "minute", {"soc": n}, s))
        )
    return numbers


def test_what_central_confirmed_is_remembered_and_its_events_go(
    web: Record, controller: Record, uplink: Record
) -> None:
    assert fill(controller, web) == [1, 2, 3, 4, 5, 6]
    assert uplink.read(delivery.backlog).records == 6

    uplink.write(lambda tx: delivery.confirm(tx, [(1, 2), (4, 4)]))
    uplink.write(lambda tx: delivery.confirm(tx, [(3, 3)]))

    assert list(uplink.read(delivery.confirmed)) == [(1, 4)]
    assert owed(uplink) == [("e2", "")]
    assert uplink.read(lambda c: c.execute("SELECT count(*) FROM history").fetchone()[0]) == 3
    assert uplink.read(delivery.backlog).records == 2


def test_the_newest_owed_comes_first(web: Record, controller: Record, uplink: Record) -> None:
    fill(controller, web)

    assert uplink.read(lambda c: delivery.event_within(c, [(1, 6)])).n == 5
    assert uplink.read(lambda c: delivery.event_within(c, [(6, 6), (1, 3)])).n == 3
    assert uplink.read(lambda c: delivery.event_within(c, [(2, 2)])) is None
    assert [row.n for row in uplink.read(lambda c: delivery.rows_within(c, [(1, 6)], 2))] == [6, 4]
    assert [row.n for row in uplink.read(lambda c: delivery.rows_within(c, [(1, 6)], 2, oldest=True))] == [
        2,
        4,
    ]


def test_a_batch_holds_one_kind_only(controller: Record, uplink: Record) -> None:
    for kind in ("minute", "minute", "doors", "doors"):
        controller.write(lambda tx, kind=kind: history.add(tx, kind, {"x": 1}, Stamp(1, 1, 1, "ntp")))

    rows = uplink.read(lambda c: delivery.rows_within(c, [(1, 4)], 10))
    assert [(row.n, row.kind) for row in rows] == [(4, "doors"), (3, "doors")]
