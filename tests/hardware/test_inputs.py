"""Transmitters turned into points of the site. Worked by hand from NAMUR NE 43 and straight lines."""

import msgspec
import pytest

from tests.hardware.made_profile import made
from tpkit.config import DeviceSection, InputSection
from tpkit.domain.samples import Reading
from tpkit.errors import ConfigError
from tpkit.hardware import inputs
from tpkit.hardware.decoding import decode
from tpkit.hardware.planning import plan

LOOP = made(
    'name = "loop.current_1", address = 0, type = "u16", unit = "µA", '
    'below = { value = 3600, reason = "sensor_fault" }, above = { value = 21000, reason = "over_range" }',
    'name = "device.model", address = 10, type = "text", length = 2',
)
FUEL = InputSection(source="loop.current_1", point="tank.fuel_level", at=(4, 20), means=(0, 100))


@pytest.fixture(autouse=True)
def _one_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "load", lambda _: LOOP)


def section(*wanted: InputSection) -> DeviceSection:
    return DeviceSection(bus="rs485", device_id=1, profile="made", input=wanted)


def reading(raw: int, wanted: InputSection = FUEL) -> Reading:
    profile = inputs.profile_of(section(wanted))
    block = plan(profile)[0]
    found = {item.point: item for item in decode(profile, block, (raw,))}
    assert "loop.current_1" in found, "the transmitter's own point is still there"
    return found[wanted.point]


@pytest.mark.parametrize(
    ("raw", "percent"),
    [(4000, 0.0), (12000, 50.0), (20000, 100.0), (8800, 30.0), (3800, 0.0), (20500, 100.0)],
    ids=["empty", "half", "full", "30 %", "a little under 4 mA is empty", "a little over 20 mA is full"],
)
def test_a_loop_current_is_a_level(raw: int, percent: float) -> None:
    assert reading(raw) == Reading("tank.fuel_level", percent)


@pytest.mark.parametrize(
    ("raw", "reason"), [(0, "sensor_fault"), (3599, "sensor_fault"), (21001, "over_range")]
)
def test_a_broken_or_shorted_loop_is_never_a_level(raw: int, reason: str) -> None:
    assert reading(raw) == Reading("tank.fuel_level", None, reason)


def test_a_line_that_falls_keeps_its_limits_on_their_sides() -> None:
    """A transmitter that looks down from the lid: 20 mA is an empty tank."""
    falling = InputSection(source="loop.current_1", point="tank.fuel_level", at=(4, 20), means=(100, 0))

    assert reading(8000, falling).value == 75.0
    assert reading(100, falling) == Reading("tank.fuel_level", None, "sensor_fault")
    assert reading(22000, falling) == Reading("tank.fuel_level", None, "over_range")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"point": "tank.fool_level"}, "is not a measured point of the vocabulary"),
        ({"point": "tank.fluid"}, "is not a measured point of the vocabulary"),
        ({"source": "loop.current_2"}, 'source = "loop.current_2": the profile measures loop.current_1'),
        ({"source": "device.model"}, 'source = "device.model": the profile measures loop.current_1'),
        ({"point": "loop.current_1"}, "is there already"),
        ({"at": (4.0, 4.0)}, "two different points of the line"),
        ({"means": (50.0, 50.0)}, "two different points of the line"),
    ],
)
def test_an_input_that_cannot_be_is_named(changes: dict[str, object], fault: str) -> None:
    wrong = msgspec.structs.replace(FUEL, **changes)
    (found,) = inputs.faults_of({"probe": section(wrong)})

    assert found.startswith(f"device.probe.profile: input {wrong.point}: ")
    assert fault in found


def test_the_same_point_twice_is_a_fault_of_both() -> None:
    with pytest.raises(ConfigError) as caught:
        inputs.profile_of(section(FUEL, FUEL))

    assert len(caught.value.faults) == 2
