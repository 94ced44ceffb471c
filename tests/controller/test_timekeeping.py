"""Where tpkit's time comes from."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from tpkit.controller import timekeeping
from tpkit.controller.timekeeping import CHECK_MS, EARLIEST, TimeKeeper, system_trust
from tpkit.domain.status import TimeTrust
from tpkit.store.clock import boot_ms, system_reference


@pytest.fixture
def synchronised(monkeypatch: pytest.MonkeyPatch):
    """Says whether the kernel's clock is disciplined; not, to begin with."""
    state = {"is": False}
    monkeypatch.setattr(timekeeping, "kernel_clock_is_synchronised", lambda: state["is"])
    return lambda value: state.update({"is": value})


def test_the_kernel_answers_the_question() -> None:
    assert timekeeping.kernel_clock_is_synchronised() in (True, False)


def test_a_time_before_this_version_is_no_time(synchronised) -> None:
    assert system_trust(datetime(1970, 1, 1, tzinfo=UTC)) == TimeTrust.NONE
    assert system_trust(EARLIEST + timedelta(days=1)) == TimeTrust.FLOOR
    synchronised(True)
    assert system_trust(EARLIEST + timedelta(days=1)) == TimeTrust.NTP
    assert system_trust(EARLIEST - timedelta(days=1)) == TimeTrust.NONE


def test_a_person_may_set_an_untrusted_clock(synchronised) -> None:
    keeper = TimeKeeper(None, 1.0)
    said = datetime(2026, 12, 24, 15, 0, tzinfo=UTC)

    assert keeper.set_by_staff(int(said.timestamp() * 1000), boot_ms() - 2_000) == "done"
    assert keeper.clock.trust == TimeTrust.STAFF
    assert timedelta(seconds=2) <= keeper.clock.now() - said < timedelta(seconds=10)


def test_a_person_does_not_overrule_a_better_clock(synchronised) -> None:
    synchronised(True)
    keeper = TimeKeeper(None, 1.0)
    before = keeper.clock.reference

    assert keeper.set_by_staff(0, boot_ms()) == "clock_is_better"
    assert keeper.clock.reference == before


def test_a_restart_keeps_the_time_that_was_set(synchronised) -> None:
    first = TimeKeeper(None, 1.0)
    first.set_by_staff(2_000_000_000_000, boot_ms())
    second = TimeKeeper(first.clock.reference, 1.0)

    assert second.clock.reference == first.clock.reference


def test_the_time_of_another_boot_is_worth_nothing(synchronised) -> None:
    old = msgspec.structs.replace(
        system_reference(TimeTrust.STAFF), boot_id="another", utc_ms=2_000_000_000_000
    )
    keeper = TimeKeeper(old, 1.0)

    assert keeper.clock.trust == TimeTrust.FLOOR
    assert abs(keeper.clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_better_source_takes_over_from_a_person(synchronised, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = TimeKeeper(None, 1.0)
    keeper.set_by_staff(2_000_000_000_000, boot_ms())
    keeper.step()
    assert keeper.clock.trust == TimeTrust.STAFF

    synchronised(True)
    later = boot_ms() + 2 * CHECK_MS
    monkeypatch.setattr(type(keeper.clock), "mono_ms", lambda _self: later)
    keeper.step()
    assert keeper.clock.trust == TimeTrust.NTP


def test_a_faster_clock_is_left_to_run(synchronised) -> None:
    keeper = TimeKeeper(None, 60.0)
    reference = keeper.clock.reference
    keeper.step()

    assert keeper.clock.reference == reference
    assert reference.speed == 60.0
