"""Pictures for tests: a calm site, to be changed where a test needs it otherwise."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from tpkit.domain.endurance import Endurance
from tpkit.domain.samples import Quality, Sample
from tpkit.domain.status import Battery, Fuel, People, SiteStatus, TimeReference, TimeTrust, Verdict
from tpkit.store.clock import boot_id, boot_ms
from tpkit.store.live import FORMAT, ControllerLive

AT = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)


def sample(point: str, value: float | str | None, unit: str = "", **changes: Any) -> Sample:
    """A good sample of device `genset`, one second old; bad if it has no value."""
    quality = Quality.BAD if value is None else Quality.GOOD
    made = Sample("genset", point, value, unit, quality, AT, boot_ms() - 1_000)
    return msgspec.structs.replace(made, **changes)


def site_status(**changes: Any) -> SiteStatus:
    """Everything works, trusted clock, 63 % fuel, 81 % battery, 3.4 kW, 37 people."""
    fuel = Fuel(sample("tank.fuel_level", 63.0, "%"), 126.0, Endurance(50.0, 38.0, 70.0))
    battery = Battery(
        sample("battery.state_of_charge", 81.0, "%"),
        sample("battery.power", -900.0, "W"),
        Endurance(9.75, 7.8, 11.7),
    )
    calm = SiteStatus(
        at=AT, mono_ms=boot_ms(), boot=1, trust=TimeTrust.NTP,
        verdict=Verdict.OK, verdict_code="", verdict_subject="", verdict_since_mono_ms=0,
        source="generator", load=sample("load.power", 3400.0, "W"), fuel=fuel, battery=battery,
        people=People(37, 30, 46, 60, 23, counted=True, binned=35), alarms=(), devices=(), buses=(),
        samples=(fuel.level, battery.state_of_charge),
    )  # fmt: skip
    return msgspec.structs.replace(calm, **changes)


def controller_live(**changes: Any) -> ControllerLive:
    """The controller's live file, with `changes` made to its status."""
    status = site_status(**changes)
    time = TimeReference(boot_id(), boot_ms(), int(AT.timestamp() * 1000), status.trust)
    return ControllerLive(FORMAT, time, status)
