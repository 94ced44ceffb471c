"""The uplink against a real broker, with a wire that can be cut."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from paho.mqtt import publish

from tests.conftest import wait_until
from tests.factories import controller_live
from tpkit.bench.broker import free_port, running
from tpkit.bench.link import Link
from tpkit.bench.receipts import ReceiptSender
from tpkit.config import Config, UplinkSection, parse
from tpkit.domain.alarms import Alarm
from tpkit.errors import UplinkRefusedError
from tpkit.store import delivery, live, outbox
from tpkit.store.record import Record
from tpkit.store.rights import Role
from tpkit.uplink import service
from tpkit.uplink.client import Gone, Session
from tpkit.uplink.lanes import Publication

SITE = """
[site]
name = "Ekby"
kit = "kit-0001"
org = "se0180"
municipality = "Ekby"
[paths]
state = "{folder}"
run = "{folder}"
[uplink]
broker = "127.0.0.1:{port}"
live_s = 5
"""


@pytest.fixture(scope="module")
def broker() -> Iterator[int]:
    port = free_port()
    with running(port):
        yield port


@pytest.fixture
def link(broker: int) -> Iterator[Link]:
    made = Link(("127.0.0.1", broker))
    yield made
    made.close()


@pytest.fixture
def central(broker: int, tmp_path: Path) -> Iterator[ReceiptSender]:
    made = ReceiptSender("127.0.0.1", broker, client_id=f"central-{tmp_path.name}")
    yield made
    made.close()


@pytest.fixture
def web(open_as: Callable[[Role], Record]) -> Record:
    return open_as(Role.WEB)


def config(folder: Path, port: int) -> Config:
    made, faults = parse(SITE.format(folder=folder, port=port))
    assert made is not None
    assert not faults
    return made


@pytest.fixture
def run_uplink(tmp_path: Path, link: Link, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Starts the uplink in a thread; a second call stops it and starts it anew."""
    monkeypatch.setattr(service, "BACKOFF_FIRST_S", 0.1)
    monkeypatch.setattr(service, "BACKOFF_LONGEST_S", 0.3)
    monkeypatch.setattr(service, "TURN_S", 0.05)
    running_now: list[tuple[threading.Thread, threading.Event]] = []

    def stop_all() -> None:
        for thread, stop in running_now:
            stop.set()
            thread.join(timeout=10)
            assert not thread.is_alive()
        running_now.clear()

    def start() -> None:
        stop_all()
        stop = threading.Event()
        arguments = (config(tmp_path, link.port), stop, lambda: None)
        thread = threading.Thread(target=service.run, args=arguments)
        thread.start()
        running_now.append((thread, stop))

    yield start
    stop_all()


def put(web: Record, *subjects: str) -> None:
    for subject in subjects:
        web.write(lambda tx, subject=subject: outbox.put(tx, outbox.EventBody("word", subject=subject)))


def subjects(central: ReceiptSender) -> list[str]:
    return [event["subject"] for event in central.events.values()]


def shown(folder: Path) -> live.UplinkLive:
    """What the uplink shows; a blank before its first word."""
    return live.uplink_file(folder).read() or live.UplinkLive(live.FORMAT, 0, "", 0, "", -1, None)


def test_the_present_comes_first_and_then_events_with_the_newest_first(
    run_uplink, web: Record, central: ReceiptSender, tmp_path: Path
) -> None:
    live.controller_file(tmp_path).write(controller_live())
    put(web, "a", "b", "c")
    run_uplink()

    assert central.wait_for(lambda: len(central.events) == 3, 10)
    own = [leaf for leaf in central.order if leaf in ("live", "event", "hist")]
    assert own[0] == "live"
    assert subjects(central) == ["c", "b", "a"]
    assert central.live["kit-0001"]["power"] == {
        "src": "generator", "soc": 81.0, "w_out": 3400.0, "hours_left": 50.0, "fuel_pct": 63.0,
    }  # fmt: skip
    assert central.live["kit-0001"]["people"] == {"in": 35}
    assert wait_until(lambda: shown(tmp_path).state == "connected" and shown(tmp_path).waiting_records == 0)


def test_nothing_is_lost_while_the_wire_is_cut_and_the_present_comes_first_again(
    run_uplink, web: Record, central: ReceiptSender, link: Link, tmp_path: Path
) -> None:
    put(web, "before")
    run_uplink()
    assert central.wait_for(lambda: subjects(central) == ["before"], 10)
    link.cut()
    assert wait_until(lambda: shown(tmp_path).state == "trying")
    assert shown(tmp_path).reason
    put(web, *(f"cut-{number}" for number in range(30)))
    with central.arrived:
        central.order.clear()
    link.mend()

    assert central.wait_for(lambda: len(central.events) == 31, 15)
    assert next(leaf for leaf in central.order if leaf in ("live", "event")) == "live"
    assert set(subjects(central)) == {"before", *(f"cut-{number}" for number in range(30))}
    assert wait_until(lambda: shown(tmp_path).waiting_records == 0)


def test_a_restart_sends_only_what_central_has_not_confirmed(
    run_uplink, web: Record, central: ReceiptSender, tmp_path: Path
) -> None:
    put(web, "a", "b")
    run_uplink()
    assert wait_until(lambda: len(central.events) == 2 and shown(tmp_path).waiting_records == 0)
    put(web, "c")
    run_uplink()

    assert central.wait_for(lambda: len(central.events) == 3, 10)
    assert set(central.times_seen.values()) == {1}


def test_without_a_controller_the_present_says_not_known(
    run_uplink, central: ReceiptSender, tmp_path: Path
) -> None:
    live.controller_file(tmp_path).write(controller_live(mono_ms=1))
    run_uplink()

    assert central.wait_for(lambda: "kit-0001" in central.live, 10)
    picture = central.live["kit-0001"]
    assert set(picture["power"].values()) == {"unknown", None}
    assert picture["people"] == {"in": None}


def test_a_new_alarm_is_told_at_once(run_uplink, central: ReceiptSender, tmp_path: Path) -> None:
    live.controller_file(tmp_path).write(controller_live())
    run_uplink()
    assert central.wait_for(lambda: "kit-0001" in central.live, 10)
    alarm = Alarm("fuel_low", "", "", 2, controller_live().status.at, 1)
    live.controller_file(tmp_path).write(controller_live(alarms=(alarm,)))

    assert central.wait_for(
        lambda: [a["code"] for a in central.live["kit-0001"]["alarms"]] == ["fuel_low"], 3
    )


def test_a_receipt_that_makes_no_sense_changes_nothing(
    run_uplink, web: Record, tmp_path: Path, broker: int
) -> None:
    def receive(payload: bytes) -> None:
        publish.single("tp/v1/se0180/kit-0001/down/receipt", payload, 1, port=broker, protocol=5)

    def receive_from_central(*stored: tuple[int, int]) -> None:
        receive(msgspec.json.encode({"v": 1, "ep": web.ep, "stored": stored, "now": 1}))

    put(web, "a")
    run_uplink()
    assert wait_until(lambda: shown(tmp_path).state == "connected")
    receive(b"")
    receive(b"{")
    receive(b'{"v":1,"ep":"other","stored":[[1,99]],"now":1}')
    receive(msgspec.json.encode({"v": 9, "ep": web.ep, "stored": [[1, 99]], "now": 1}))
    receive(b"x" * 20_000)
    receive_from_central()
    assert wait_until(lambda: shown(tmp_path).confirmed_mono_ms is not None)
    assert list(web.read(delivery.confirmed)) == []

    newest = web.read(delivery.newest_number)
    receive_from_central((-5, 10**9))
    assert wait_until(lambda: list(web.read(delivery.confirmed)) == [(1, newest)])


def test_no_way_out_is_said_with_its_reason(tmp_path: Path, web: Record) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=service.run, args=(config(tmp_path, free_port()), stop, lambda: None))
    thread.start()
    try:
        assert wait_until(lambda: "refused" in shown(tmp_path).reason)
    finally:
        stop.set()
        thread.join(timeout=10)


def test_a_message_that_the_connection_would_not_take_is_among_the_unanswered(
    broker: int, link: Link, tmp_path: Path
) -> None:
    settings = config(tmp_path, link.port)
    assert settings.uplink is not None
    session = Session(settings, settings.uplink)
    session.open()
    link.cut()
    assert wait_until(lambda: isinstance(session.wait(0.1), Gone))
    refused = Publication("tp/v1/se0180/kit-0001/event", b"{}", (7,))
    with pytest.raises(ConnectionError):
        session.publish(refused)
    session.close()

    assert session.unanswered == [refused]


def test_a_certificate_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "ca.crt"
    section = UplinkSection(broker="localhost:8883", ca=str(missing))
    with pytest.raises(UplinkRefusedError, match=str(missing)):
        Session(config(tmp_path, 8883), section)
