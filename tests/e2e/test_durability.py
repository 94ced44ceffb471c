"""kill -9 at awkward moments: the others go on, what was acknowledged is still there, and nothing doubles."""

import http.client
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import count
from typing import Any

import pytest

from tests.e2e.ground import until
from tests.e2e.kit import DOOR, LANGUAGES, NAME, SERVICES, Doorway, Kit, Site, Staff, words_of
from tests.e2e.machines import TANK

OUTAGE = {"sv": "Strömmen är borta", "en": "There is no electricity", "ar": "الكهرباء مقطوعة"}
OPEN = {"sv": "Öppet", "en": "Open", "ar": "مفتوح"}
NOT_MEASURING = {
    "sv": "En del av utrustningen här svarar inte",
    "en": "Some of the equipment here is not answering",
    "ar": "بعض الأجهزة هنا لا تستجيب",
}
ORPHAN = "e2e-0003"
BACK_S = 30.0  # the uplink waits up to 2, 4, 8 s before it tries again


@pytest.fixture(scope="module")
def clock_speed() -> int:
    """An hour a second, so that every second makes a history row."""
    return 3600


@pytest.fixture(scope="module")
def orphaned(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Kit, Staff]]:
    """A second, open kit whose controller dies as this module begins: it takes ten seconds to tell."""
    folder = tmp_path_factory.mktemp("orphaned")
    with Kit(folder, TANK, DOOR, broker=site.broker.address, name=ORPHAN) as kit:
        kit.start(*SERVICES)
        staff = Staff(kit)
        staff.log_in(kit.code)
        staff.post("reading", fuel="63")
        staff.post("stage", stage="open", level="1", hours="")
        until("the panel has the reading", lambda: "63 %" in staff.tile("fuel")[1])
        kit.kill("controller")
        yield kit, staff
        assert "Traceback" not in kit.logs(), kit.logs()


@pytest.fixture(autouse=True)
def _everybody_lives(kit: Kit, staff: Staff, orphaned: tuple[Kit, Staff]) -> None:
    """Each test begins with three living services and an open place."""
    for name, process in kit.processes.items():
        assert process.poll() is None, f"{name} has ended: {kit.logs()}"
    until("the place is open", lambda: "Öppet" in kit.page("sv"))


def _post(staff: Staff, place: str) -> int:
    return staff.post("message", phrase="power.outage", place=place, source="kommun").status


def _on_every_page(kit: Kit, place: str) -> bool:
    return all(place in kit.page(tag) for tag in LANGUAGES)


def _events_about(site: Site, place: str) -> list[dict[str, Any]]:
    with site.central.arrived:
        events = list(site.central.events.values())
    return [event for event in events if event.get("data", {}).get("slots", {}).get("place") == place]


def _ins(kit: Kit) -> int:
    return int(kit.live("controller")["status"]["people"]["ins"])


def _history(kit: Kit) -> int:
    return int(kit.rows("SELECT count(*) FROM history")[0][0])


def _revive(kit: Kit, name: str) -> None:
    """Start a service again and wait until it shows that it works."""
    before = kit.live(name)
    kit.start(name)
    until(f"{name} shows itself again", lambda: kit.live(name) != before)


def test_a_message_answered_just_before_web_dies_is_told_to_everybody_once(
    site: Site, kit: Kit, staff: Staff
) -> None:
    assert _post(staff, "Granvägen") == 303
    kit.kill("web")
    pulse = kit.live("controller")["status"]["mono_ms"]
    until("the controller goes on", lambda: kit.live("controller")["status"]["mono_ms"] > pulse + 1000)
    assert kit.live("uplink")["state"] == "connected"
    _revive(kit, "web")
    for tag in LANGUAGES:
        page = words_of(kit.page(tag))
        assert OUTAGE[tag] in page
        assert "Granvägen" in page
        assert OPEN[tag] in page
    until("central has it", lambda: _events_about(site, "Granvägen"))
    assert len(_events_about(site, "Granvägen")) == 1
    assert "Granvägen" in staff.words(), "the volunteer's session ended with the old process"


def test_web_killed_among_messages_keeps_every_one_that_it_acknowledged(
    site: Site, kit: Kit, staff: Staff
) -> None:
    acknowledged: list[str] = []

    def write() -> None:
        with suppress(OSError, http.client.HTTPException):
            for number in count(1):
                if _post(staff, f"Kvarter {number}.") == 303:
                    acknowledged.append(f"Kvarter {number}.")

    writer = threading.Thread(target=write)
    writer.start()
    until("eight messages are acknowledged", lambda: len(acknowledged) >= 8)
    kit.kill("web")
    writer.join()
    _revive(kit, "web")
    for place in acknowledged:
        assert _on_every_page(kit, place), place
        until("central has it", lambda place=place: _events_about(site, place))
        assert len(_events_about(site, place)) == 1
        assert kit.page("sv").count(f"<bdi>{place}</bdi>") == 1


def test_passages_once_counted_stay_counted_through_two_deaths(kit: Kit) -> None:
    door, begun, stop = Doorway(kit), 0, threading.Event()
    earlier = _ins(kit)

    def stream() -> None:
        nonlocal begun
        while not stop.wait(0.25):
            begun += 1
            try:
                door.enter()
            except OSError:
                begun -= 1  # nobody heard of that one

    walkers = threading.Thread(target=stream)
    walkers.start()
    try:
        for _ in range(2):
            before = _ins(kit)
            until("people are counted", lambda before=before: _ins(kit) >= before + 4)
            kit.kill("controller")
            counted = _ins(kit)  # what the last live file told every screen
            _revive(kit, "controller")
            assert _ins(kit) >= counted
    finally:
        stop.set()
        walkers.join()
    counted = _ins(kit)
    assert counted - earlier <= begun, "a passage was counted twice"
    door.enter(3)
    until("three more are counted", lambda: _ins(kit) >= counted + 3)
    assert _ins(kit) <= earlier + begun + 3


def test_what_the_uplink_had_not_sent_when_it_died_is_sent_by_the_next(
    site: Site, kit: Kit, staff: Staff
) -> None:
    assert _post(staff, "Före döden") == 303
    kit.kill("uplink")
    assert _post(staff, "Utan sändare") == 303
    _revive(kit, "uplink")
    for place in ("Före döden", "Utan sändare"):
        until(f"central has {place}", lambda place=place: _events_about(site, place))
        assert len(_events_about(site, place)) == 1


def test_what_a_dying_broker_had_not_acknowledged_is_sent_again(site: Site, kit: Kit, staff: Staff) -> None:
    site.broker.freeze()
    assert _post(staff, "Obekräftat") == 303
    posted = kit.live("controller")["status"]["mono_ms"]
    until("the uplink has had two turns", lambda: kit.live("controller")["status"]["mono_ms"] > posted + 2000)
    site.broker.kill()
    site.broker.start()
    until("central has it", lambda: _events_about(site, "Obekräftat"), BACK_S)
    assert len(_events_about(site, "Obekräftat")) == 1


def test_nothing_is_lost_while_the_broker_is_away_and_the_present_comes_first(
    site: Site, kit: Kit, staff: Staff
) -> None:
    places = [f"Trapphus {number}." for number in range(1, 16)]
    until("the uplink is connected", lambda: kit.live("uplink")["state"] == "connected", BACK_S)
    (before,) = kit.rows("SELECT n FROM counter")[0]
    uplink = kit.processes["uplink"]
    until("the uplink is stopped outside a transaction", lambda: _stopped_at_rest(kit, uplink))
    site.broker.stop()
    assert all(_post(staff, place) == 303 for place in places[:-1])
    uplink.send_signal(signal.SIGCONT)  # it begins to publish all that before it notices the end
    until("the uplink says that it tries", lambda: kit.live("uplink")["state"] == "trying")
    assert kit.live("uplink")["reason"]
    assert "Ingen förbindelse" in staff.tile("uplink")[1]
    assert _post(staff, places[-1]) == 303
    made = _history(kit)
    until("history waits too", lambda: _history(kit) > made)

    site.broker.start()
    until("the uplink is back", lambda: kit.live("uplink")["state"] == "connected", BACK_S)
    for place in places:
        until(f"central has {place}", lambda place=place: _events_about(site, place))
        assert len(_events_about(site, place)) == 1
    leaves = [topic.rpartition("/")[2] for topic in site.broker.received(NAME)]
    assert leaves[0] == "status"
    assert next(leaf for leaf in leaves if leaf in ("live", "event", "hist")) == "live"
    newest = site.central.live[NAME]["n_max"]
    assert newest >= before + len(places)
    until("no number is missing", lambda: _numbers(site) >= set(range(before + 1, newest + 1)))
    until("the panel knows it", lambda: "centralen svarade just nu" in staff.tile("uplink")[1])


def test_with_the_controller_dead_everybody_is_told_and_staff_can_still_write(
    site: Site, orphaned: tuple[Kit, Staff]
) -> None:
    kit, staff = orphaned
    for tag in LANGUAGES:
        until("the public page says so", lambda tag=tag: NOT_MEASURING[tag] in kit.page(tag), 15)
        assert OPEN[tag] in kit.page(tag)
    assert staff.verdict() == "unknown"
    assert "Mätningen svarar inte" in staff.words()
    assert staff.tile("fuel") == ("", ""), "an old value is still on the panel"
    assert kit.run("status", "--json").returncode == 3
    assert _post(staff, "Björkallén") == 303
    until("the message is on every page", lambda: _on_every_page(kit, "Björkallén"))
    power = {"src": "unknown", "soc": None, "w_out": None, "hours_left": None, "fuel_pct": None}
    until("live holds no old value", lambda: site.central.live[ORPHAN]["power"] == power, BACK_S)

    assert staff.post("recount", inside="54").status == 303
    assert "Väntar på mätningen" in staff.words()
    _revive(kit, "controller")
    until("the recount is done", lambda: "Väntar" not in staff.words())
    until("it is on the panel", lambda: "54 mellan 54 och 54" in staff.tile("people")[1])
    until("the public page has lost the notice", lambda: NOT_MEASURING["sv"] not in kit.page("sv"))


def _stopped_at_rest(kit: Kit, process: subprocess.Popen[str]) -> bool:
    """Stop a process; if that leaves the record locked, let it go on and say False."""
    process.send_signal(signal.SIGSTOP)
    with closing(sqlite3.connect(kit.folder / "state" / "kit.db", timeout=0.5)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
            return False
        connection.execute("ROLLBACK")
    return True


def _numbers(site: Site) -> set[int]:
    with site.central.arrived:
        keys = [key for key in (*site.central.events, *site.central.rows) if key[0] == NAME]
    assert len({ep for _, ep, _ in keys}) == 1
    return {number for _, _, number in keys}
