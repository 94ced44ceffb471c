"""Followers and bus threads against a device that fails on request."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest

from tests.conftest import wait_until
from tests.hardware import faults
from tests.hardware.fault_server import FaultServer, RtuFaultServer, TcpFaultServer, good
from tests.hardware.made_profile import made
from tpkit.config import BusSection, DeviceSection
from tpkit.controller import polling
from tpkit.controller.polling import BusThread, DeviceFollower, start_buses
from tpkit.domain.samples import Quality, Sample
from tpkit.hardware import reading
from tpkit.hardware.bus import Bus, open_bus
from tpkit.hardware.profile_form import Profile
from tpkit.store.clock import Clock

UNIT = 10
FUEL, SPEED, HOURS = 1027, 2000, 3000
# Three blocks: 2 registers at 1027 and 2000 (one length!), 2 at 3000 read seldom; and one of 6 for probes.
PROFILE = made(
    'name = "tank.fuel_level", address = 1027, type = "u16"',
    'name = "engine.oil_pressure", address = 1028, type = "u16"',
    'name = "engine.speed", address = 2000, type = "u16"',
    'name = "engine.oil_temperature", address = 2001, type = "s16"',
    'name = "generator.voltage_l1", address = 2500, type = "u32", scale = 0.1',
    'name = "generator.voltage_l2", address = 2502, type = "u32", scale = 0.1',
    'name = "generator.voltage_l3", address = 2504, type = "u32", scale = 0.1',
    'name = "engine.run_time", address = 3000, type = "u32", every_s = 10',
    tail='[sentinels]\nu16 = { 0xFFFF = "absent" }',
)


def hold(server: FaultServer, unit: int = UNIT) -> None:
    """Give a unit a plausible engine."""
    words = {FUEL: 63, FUEL + 1: 414, SPEED: 1500, SPEED + 1: 90, HOURS: 0, HOURS + 1: 812}
    words |= {2500: 0, 2501: 2300, 2502: 0, 2503: 2301, 2504: 0, 2505: 2302}
    server.registers.update({(unit, address): word for address, word in words.items()})


def section(server: FaultServer) -> BusSection:
    if isinstance(server, TcpFaultServer):
        return BusSection(host="127.0.0.1", tcp_port=server.port)
    assert isinstance(server, RtuFaultServer)
    return BusSection(port=str(server.link), baud=115200)


@pytest.fixture(params=["tcp", "rtu"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FaultServer]:
    made_server = TcpFaultServer() if request.param == "tcp" else RtuFaultServer(tmp_path / "rs485")
    with made_server:
        hold(made_server)
        yield made_server


@pytest.fixture
def rtu(tmp_path: Path) -> Iterator[RtuFaultServer]:
    with RtuFaultServer(tmp_path / "line") as line:
        hold(line)
        yield line


@pytest.fixture
def bus(server: FaultServer) -> Iterator[Bus]:
    opened = open_bus("test", section(server))
    with closing(opened):
        yield opened


def follow(
    clock: Clock, unit: int = UNIT, profile: Profile = PROFILE, timeout_s: float = 0.5
) -> DeviceFollower:
    return DeviceFollower("genset", device(unit=unit, timeout_s=timeout_s), profile, clock)


def device(bus: str = "test", unit: int = UNIT, timeout_s: float = 0.5) -> DeviceSection:
    return DeviceSection(bus=bus, device_id=unit, profile="made", timeout_s=timeout_s)


@pytest.fixture
def follower(clock: Clock) -> DeviceFollower:
    return follow(clock)


@pytest.fixture
def hasty(clock: Clock) -> DeviceFollower:
    """For devices that will not answer."""
    return follow(clock, timeout_s=0.1)


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "STEP_S", 0.01)
    monkeypatch.setattr(polling, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(polling, "LONGEST_PAUSE_S", 0.2)


def sample(follower: DeviceFollower, point: str, mono_ms: int) -> Sample:
    return next(item for item in follower.samples(mono_ms) if item.point == point)


def poll_when_due(follower: DeviceFollower, bus: Bus) -> None:
    threading.Event().wait(max(0.0, follower.next_due() - time.monotonic()))
    follower.poll(bus)


def test_before_the_first_answer_there_is_no_value(follower: DeviceFollower, clock: Clock) -> None:
    fuel = sample(follower, "tank.fuel_level", clock.mono_ms())

    assert (fuel.value, fuel.quality, fuel.reason) == (None, Quality.BAD, "not_yet")
    assert (fuel.taken_at, fuel.age_s(clock.mono_ms())) == (None, None)


def test_every_point_of_a_device_that_answers_is_good(
    follower: DeviceFollower, bus: Bus, clock: Clock
) -> None:
    before_ms = clock.mono_ms()
    follower.poll(bus)
    now_ms = clock.mono_ms()

    found = {item.point: item for item in follower.samples(now_ms)}
    assert {item.quality for item in found.values()} == {Quality.GOOD}
    assert (found["tank.fuel_level"].value, found["tank.fuel_level"].unit) == (63.0, "%")
    assert (found["generator.voltage_l2"].value, found["generator.voltage_l2"].unit) == (230.1, "V")
    assert all(before_ms <= item.mono_ms <= now_ms for item in found.values())
    assert follower.health().state == "answering"


def test_a_device_that_is_unplugged_keeps_its_last_value_with_growing_age_and_then_has_none(
    follower: DeviceFollower, bus: Bus, server: FaultServer, clock: Clock
) -> None:
    follower.poll(bus)
    good = sample(follower, "tank.fuel_level", clock.mono_ms())

    server.unplug()
    poll_when_due(follower, bus)

    for age_ms in (1_000, 15_000, 30_000):
        fuel = sample(follower, "tank.fuel_level", good.mono_ms + age_ms)
        assert (fuel.value, fuel.quality, fuel.reason) == (63.0, Quality.UNCERTAIN, "bus_unavailable")
        assert fuel.age_s(good.mono_ms + age_ms) == age_ms / 1000
    gone = sample(follower, "tank.fuel_level", good.mono_ms + 30_001)
    assert (gone.value, gone.quality, gone.reason) == (None, Quality.BAD, "bus_unavailable")
    assert (gone.taken_at, gone.mono_ms) == (good.taken_at, good.mono_ms)
    seldom = sample(follower, "engine.run_time", good.mono_ms + 29_000)
    assert seldom.quality is Quality.UNCERTAIN


def test_a_sentinel_ages_its_own_point_and_no_other(
    follower: DeviceFollower, bus: Bus, server: FaultServer, clock: Clock
) -> None:
    follower.poll(bus)
    good = sample(follower, "tank.fuel_level", clock.mono_ms())

    server.registers[UNIT, FUEL] = 0xFFFF
    poll_when_due(follower, bus)

    fuel = sample(follower, "tank.fuel_level", good.mono_ms + 5_000)
    assert (fuel.value, fuel.quality, fuel.reason) == (63.0, Quality.UNCERTAIN, "absent")
    gone = sample(follower, "tank.fuel_level", good.mono_ms + 30_001)
    assert (gone.value, gone.quality, gone.reason) == (None, Quality.BAD, "absent")
    assert gone.taken_at == good.taken_at
    assert sample(follower, "engine.oil_pressure", clock.mono_ms()).quality is Quality.GOOD


def test_a_sentinel_from_the_start_is_never_a_value(
    follower: DeviceFollower, bus: Bus, server: FaultServer, clock: Clock
) -> None:
    server.registers[UNIT, FUEL] = 0xFFFF
    follower.poll(bus)

    fuel = sample(follower, "tank.fuel_level", clock.mono_ms())
    assert (fuel.value, fuel.quality, fuel.reason, fuel.taken_at) == (None, Quality.BAD, "absent", None)


@pytest.mark.parametrize(
    ("address", "points"),
    [
        (FUEL, {"tank.fuel_level"}),
        (SPEED, {"engine.speed"}),
        (2502, {"generator.voltage_l2"}),
        (HOURS, {"engine.run_time"}),
    ],
)
def test_a_register_that_a_device_lacks_is_found_once_and_the_rest_goes_on(
    follower: DeviceFollower, bus: Bus, server: FaultServer, clock: Clock, address: int, points: set[str]
) -> None:
    """Wherever it is: on a serial line the probes must not all be at it."""
    server.behave(faults.lacks(address))
    follower.poll(bus)
    poll_when_due(follower, bus)

    found = {item.point: item for item in follower.samples(clock.mono_ms())}
    assert {name for name, item in found.items() if item.reason == "refused_2"} == points
    assert {found[name].quality for name in points} == {Quality.BAD}
    assert {item.quality for name, item in found.items() if name not in points} == {Quality.GOOD}
    health = follower.health()
    assert (health.state, health.failures) == ("answering", 0)
    refusals = bus.counts.refusals
    poll_when_due(follower, bus)
    assert bus.counts.refusals == refusals, "it is asked for again"


def test_what_was_lacking_is_looked_for_again_after_an_hour(
    bus: Bus, server: FaultServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "LOOK_AGAIN_S", 0.05)
    fuel = follow(clock, profile=made('name = "tank.fuel_level", address = 1027, type = "u16"'))
    server.behave(faults.lacks(1027))
    fuel.poll(bus)
    assert sample(fuel, "tank.fuel_level", clock.mono_ms()).reason == "refused_2"

    server.behave(good)
    poll_when_due(fuel, bus)
    assert sample(fuel, "tank.fuel_level", clock.mono_ms()).value == 63.0


@pytest.mark.parametrize(("code", "pause_s"), [(1, 60), (3, 60), (4, 5), (5, 5), (6, 5)])
def test_what_is_refused_for_good_is_left_alone_and_what_may_pass_is_asked_again_soon(
    clock: Clock, code: int, pause_s: float
) -> None:
    """A busy controller must not cost a value its lifetime of 30 s."""
    fuel = follow(clock, profile=made('name = "tank.fuel_level", address = 1027, type = "u16"'))
    with TcpFaultServer() as server, closing(open_bus("test", section(server))) as bus:
        server.once(faults.refuse(code))
        fuel.poll(bus)

    assert fuel.next_due() - time.monotonic() == pytest.approx(pause_s, abs=0.5)
    assert fuel.health().state == "answering"


@pytest.mark.parametrize("code", [10, 11])
def test_a_gateway_that_cannot_reach_the_device_says_so_and_stays_connected(clock: Clock, code: int) -> None:
    with TcpFaultServer() as server, closing(open_bus("test", section(server))) as bus:
        hold(server)
        away = follow(clock)
        server.once(faults.refuse(code))
        away.poll(bus)
        health = away.health()
        assert (health.state, health.reason) == ("silent", f"refused_{code}")
        poll_when_due(away, bus)
        assert away.health().state == "answering"
        assert bus.counts.reopened == 1


def test_a_garbled_answer_is_asked_for_again_at_once_if_the_profile_says_so(
    bus: Bus, server: FaultServer, clock: Clock
) -> None:
    patient = follow(
        clock, profile=made('name = "tank.fuel_level", address = 1027, type = "u16"', retries="1")
    )
    patient.poll(bus)
    server.once(faults.bad_crc if isinstance(server, RtuFaultServer) else faults.silent)
    poll_when_due(patient, bus)

    assert patient.health().failures == 0
    assert bus.counts.no_answers == 1


def test_a_silent_device_among_others_takes_under_a_fiftieth_of_the_line(
    server: FaultServer, bus: Bus, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """60 time-outs of rest for each time-out of waiting: 1.6 %."""
    monkeypatch.setattr(polling, "STEP_S", 0.01)
    monkeypatch.setattr(polling, "LONGEST_PAUSE_S", 0.1)
    server.behave(faults.silent)
    section_ = device(timeout_s=0.05)
    dead = DeviceFollower("genset", section_, PROFILE, clock, is_alone=False)
    monkeypatch.setattr(polling, "FIRST_PAUSE_S", 4.0)
    dead.poll(bus)

    assert dead.next_due() - time.monotonic() == pytest.approx(3.0, abs=0.1)


def test_a_silent_device_is_asked_once_and_not_for_every_block(
    hasty: DeviceFollower, bus: Bus, server: FaultServer
) -> None:
    server.behave(faults.silent)
    hasty.poll(bus)

    assert len(server.asked) == 1
    health = hasty.health()
    assert (health.state, health.reason, health.failures) == ("silent", "no_response", 1)
    assert f"Device {UNIT} on bus test" in health.detail
    assert bus.counts.late == 0


@pytest.mark.usefixtures("short_pauses")
def test_a_silent_device_is_left_alone_for_longer_and_longer_up_to_a_limit(
    hasty: DeviceFollower, bus: Bus, server: FaultServer
) -> None:
    server.behave(faults.silent)
    pauses = []
    for _ in range(5):
        poll_when_due(hasty, bus)
        pauses.append(hasty.next_due() - time.monotonic())

    assert pauses == pytest.approx([0.05, 0.1, 0.2, 0.2, 0.2], abs=0.03)


def test_pauses_end_well_within_a_value_lifetime() -> None:
    assert polling.FIRST_PAUSE_S == 1.0
    assert polling.LONGEST_PAUSE_S == 20.0
    assert polling.BUSY_PAUSE_S < 30.0


@pytest.mark.usefixtures("short_pauses")
def test_a_device_that_comes_back_recovers_and_starts_with_short_pauses_again(
    follower: DeviceFollower, bus: Bus, server: FaultServer, clock: Clock
) -> None:
    follower.poll(bus)
    server.unplug()
    for _ in range(3):
        poll_when_due(follower, bus)
    silent = follower.health()
    assert (silent.state, silent.failures) == ("silent", 3)

    server.plug()
    poll_when_due(follower, bus)

    assert {item.quality for item in follower.samples(clock.mono_ms())} == {Quality.GOOD}
    back = follower.health()
    assert (back.state, back.reason, back.detail) == ("answering", "", "")
    assert bus.counts.reopened >= 2
    assert back.since_mono_ms >= silent.since_mono_ms
    server.behave(faults.silent)
    follower.poll(bus)
    poll_when_due(follower, bus)
    assert follower.next_due() - time.monotonic() < 0.06


@pytest.mark.usefixtures("short_pauses")
def test_the_time_of_a_state_is_that_of_its_beginning(
    hasty: DeviceFollower, bus: Bus, server: FaultServer
) -> None:
    server.behave(faults.silent)
    poll_when_due(hasty, bus)
    first = hasty.health().since_mono_ms
    poll_when_due(hasty, bus)

    assert hasty.health().since_mono_ms == first


def test_a_dead_unit_does_not_stop_its_neighbour_on_the_line(rtu: RtuFaultServer, clock: Clock) -> None:
    hold(rtu, unit=11)
    rtu.behave(faults.silent, unit=UNIT)
    dead, alive = follow(clock, timeout_s=0.15), follow(clock, unit=11)
    thread = BusThread("test", section(rtu), [dead, alive])
    thread.start()
    try:
        # Four blocks at the start, then three every second.
        assert wait_until(lambda: alive.health().answers >= 12, timeout_s=10)
    finally:
        thread.stop()
        thread.join(timeout=5)

    assert not thread.is_alive()
    assert {item.quality for item in alive.samples(clock.mono_ms())} == {Quality.GOOD}
    assert 1 <= dead.health().failures <= 3
    assert dead.health().answers == 0


def test_points_that_change_slowly_are_asked_for_seldom(rtu: RtuFaultServer, clock: Clock) -> None:
    thread = BusThread("test", section(rtu), [follow(clock)])
    thread.start()
    try:
        assert wait_until(lambda: sum(asked.address == SPEED for asked in rtu.asked) >= 4, timeout_s=10)
    finally:
        thread.stop()
        thread.join(timeout=5)

    assert sum(asked.address == HOURS and asked.count == 2 for asked in rtu.asked) <= 2


def test_a_dead_bus_does_not_delay_another(
    rtu: RtuFaultServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "profile_of", lambda _: PROFILE)
    with ExitStack() as stack:
        silent = stack.enter_context(TcpFaultServer())
        silent.behave(faults.silent)
        buses = {"gx": section(silent), "line": section(rtu), "spare": BusSection(port="/dev/none")}
        devices = {"inverter": device("gx", timeout_s=1.5), "genset": device("line")}
        threads = start_buses(buses, devices, clock)
        for thread in threads:
            stack.callback(thread.join, timeout=5)
            stack.callback(thread.stop)
        assert [thread.name for thread in threads] == ["bus-gx", "bus-line"]
        (genset,) = threads[1].followers

        assert wait_until(lambda: genset.health().answers >= 4, timeout_s=1.4)
        assert all(item.quality is Quality.GOOD for item in genset.samples(clock.mono_ms()))
    assert not any(thread.is_alive() for thread in threads)


RESTING = made(
    'name = "meter.frequency", address = 70, type = "u16"',
    'name = "meter.energy", address = 300, type = "u16"',
    'name = "meter.power", address = 500, type = "u32"',
    min_gap_s="1.0",
)


def test_while_one_device_rests_another_is_asked(rtu: RtuFaultServer, clock: Clock) -> None:
    """The meter wants a second between two questions; the generator set must not wait for that."""
    hold(rtu, unit=11)
    meter, genset = follow(clock, profile=RESTING), follow(clock, unit=11)
    thread = BusThread("test", section(rtu), [genset, meter])
    thread.start()
    try:
        assert wait_until(lambda: meter.health().answers >= 2)
    finally:
        thread.stop()
        thread.join(timeout=5)
    order = [asked.unit for asked in rtu.asked]
    until_rested = order[: order.index(UNIT, order.index(11))]

    assert order[0] == UNIT, "who wants a rest is asked first"
    assert until_rested.count(11) >= 4


def test_a_dead_device_is_asked_after_the_living(clock: Clock, server: FaultServer, bus: Bus) -> None:
    living, dead = follow(clock), follow(clock, timeout_s=0.1)
    server.behave(faults.silent)
    dead.poll(bus)
    now_s = max(living.next_due(), dead.next_due()) + 1

    assert sorted([dead, living], key=lambda each: each.turn(now_s)) == [living, dead]


def test_a_line_without_a_pause_does_not_keep_a_dead_device_dead(rtu: RtuFaultServer, clock: Clock) -> None:
    """A living device that is always due: it wants more questions a second than the line carries."""
    hold(rtu, unit=11)
    greedy = msgspec.structs.replace(
        PROFILE, point=tuple(msgspec.structs.replace(item, every_s=0) for item in PROFILE.point)
    )
    dead, living = follow(clock, timeout_s=0.1), follow(clock, unit=11, profile=greedy)
    rtu.behave(faults.silent, unit=UNIT)
    thread = BusThread("test", section(rtu), [dead, living])
    thread.start()
    try:
        assert wait_until(lambda: dead.health().failures >= 2, timeout_s=15)
        assert living.health().state == "answering"
    finally:
        thread.stop()
        thread.join(timeout=5)


def test_a_device_that_was_exchanged_for_another_with_as_many_points_is_read(
    bus: Bus, server: FaultServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is asked what it has: after an hour it has as much, but something else."""
    monkeypatch.setattr(polling, "LOOK_AGAIN_S", 0.05)
    monkeypatch.setattr(polling, "STEP_S", 0.01)
    found = [
        made(f'name = "{name}", address = 1027, type = "u16"') for name in ("tank.fuel_level", "engine.speed")
    ]
    monkeypatch.setattr(reading.sunspec, "discover", lambda *_: found.pop(0) if len(found) > 1 else found[0])
    asked = follow(clock, profile=made(discovery='"sunspec"'))
    asked.poll(bus)
    assert sample(asked, "tank.fuel_level", clock.mono_ms()).value == 63.0

    assert wait_until(lambda: asked.poll(bus) or "engine.speed" in {s.point for s in asked.samples(0)})
    assert sample(asked, "engine.speed", clock.mono_ms()).value == 63.0
