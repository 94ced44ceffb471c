"""docs/points.md and docs/profiles.md say what the code says."""

import re
from pathlib import Path

import msgspec
import pytest

from tpkit.domain.points import POINTS
from tpkit.hardware import profile
from tpkit.hardware.decoding import decode
from tpkit.hardware.planning import plan
from tpkit.hardware.profile_form import (
    Fallback,
    Limit,
    LineDefaults,
    Profile,
    ProfilePoint,
    Reason,
    Recognise,
    ValidWhen,
    WordType,
)
from tpkit.hardware.profile_rules import CONVERSIONS
from tpkit.tools import points

DOCS = Path(__file__).parents[2] / "docs"
ABOUT = (DOCS / "profiles.md").read_text("utf-8")


def test_the_list_of_points_is_what_the_code_says() -> None:
    assert (DOCS / "points.md").read_text("utf-8") == points.document(), "python -m tpkit.tools.points"


def test_the_list_of_profiles_is_what_is_shipped() -> None:
    assert points.with_profiles(ABOUT) == ABOUT, "python -m tpkit.tools.points"


# The rows as a reader finds them, without the generator.
def test_every_point_is_listed_once_with_its_unit() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| ([^|]*) \|", (DOCS / "points.md").read_text("utf-8"), re.MULTILINE)

    assert rows == [(name, known.unit) for name, known in POINTS.items()]


def test_signs_are_told_where_they_are_not_obvious() -> None:
    """Issue 3: units and signs, battery + = charging."""
    assert points.meaning("battery.current") == points.meaning("battery.power") == "positive: charging"
    for name in ("grid.power", "grid.power_l2", "generator.power", "inverter.power", "meter.power"):
        assert "positive: " in points.meaning(name), name
    assert points.meaning("generator.power_factor") == ""


@pytest.mark.parametrize("key", points.MEANINGS)
def test_every_meaning_is_of_a_point_that_exists(key: str) -> None:
    assert any(points.meaning(name) == points.MEANINGS[key] for name in POINTS), key


@pytest.mark.parametrize("kind", [Profile, ProfilePoint, Recognise, LineDefaults, ValidWhen, Limit, Fallback])
def test_every_key_of_a_profile_is_documented(kind: type[msgspec.Struct]) -> None:
    known = set(re.findall(r"`(\w+)`", ABOUT)) | set(re.findall(r"(\w+) = ", ABOUT))

    assert {field.encode_name for field in msgspec.structs.fields(kind)} <= known


def test_every_type_reason_and_unit_is_documented() -> None:
    for word in (*WordType.__args__, *Reason.__args__):  # type: ignore[attr-defined]
        assert f"`{word}`" in ABOUT, word
    for unit, _ in CONVERSIONS:
        assert re.search(rf"(?<!\w){re.escape(unit)}(?!\w)", ABOUT), unit


def test_every_shipped_profile_is_listed_with_title_confidence_and_source() -> None:
    for name in profile.names():
        known = profile.load(name)
        assert f"| `{name}` | {known.title} | {known.confidence} | {known.source} |" in ABOUT, name


@pytest.mark.parametrize("device", ["Pylontech", "JK", "Daly"])
def test_rejected_devices_are_named_with_the_reason_and_what_to_do_instead(device: str) -> None:
    (row,) = re.findall(rf"^\| {device}[^|]*\|([^|]+)\|([^|]+)\|$", ABOUT, re.MULTILINE)

    why, instead = row
    assert "not" in why
    assert "`victron-battery`" in instead


def test_the_worked_example_does_what_its_text_says() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", ABOUT, re.DOTALL)
    device = profile.parse("acme", example)
    blocks = plan(device)

    assert [(block.address, block.count, block.every_s) for block in blocks] == [
        (30, 2, 1),
        (35, 1, 1),
        (39, 1, 10),
        (32, 2, 60),
    ]
    assert decode(device, blocks[0], (41, 63))[0].value == 410.0
    assert decode(device, blocks[0], (32_767, 63))[0].reason == "sensor_fault"
