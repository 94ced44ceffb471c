"""Profiles that could not be read right, each refused in one sentence; and profiles of the site."""

from pathlib import Path

import pytest

from tests.hardware.made_profile import toml
from tpkit.errors import ConfigError
from tpkit.hardware import profile

FUEL = 'name = "tank.fuel_level", address = 5, type = "u16"'
MODE = 'name = "engine.mode", address = 5, type = "u16"'


def faults_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        profile.parse("bad", text)
    return caught.value.faults


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (toml(MODE), "point engine.mode at 5: is a word and wants an enum, or type text or bit"),
        (
            toml(FUEL + ', enum = { 0 = "empty" }'),
            "point tank.fuel_level at 5: is measured in % and cannot be a word",
        ),
        (
            toml(MODE + ', enum = { 1 = "auto" }, unit = "rpm"'),
            'point engine.mode at 5: unit = "rpm": it is a word and has none',
        ),
        (
            toml(MODE.replace("engine.mode", "alarm.Bad Name!") + ', enum = { 1 = "alarm" }'),
            "point alarm.Bad Name! at 5: is not in the vocabulary of points (docs/points.md)",
        ),
        (
            toml(MODE + ', enum = { 1 = "auto", 0x1 = "manual" }'),
            "point engine.mode at 5: enum.0x1: is there twice",
        ),
        (
            toml(FUEL + ', sentinels = { 0x10000 = "absent" }'),
            "point tank.fuel_level at 5: sentinels.0x10000: is more than the type holds, 65535",
        ),
        (
            toml(FUEL, tail='[sentinels]\nu16 = { 65536 = "absent" }'),
            "sentinels.u16.65536: is more than the type holds, 65535",
        ),
        (
            toml(FUEL, tail='[sentinels]\nnibble = { 16 = "absent" }'),
            "sentinels.nibble.16: is more than the type holds, 15",
        ),
        (
            toml(FUEL + ", range = [90, 10]"),
            "point tank.fuel_level at 5: range = [90.0, 10.0]: the lower end comes first",
        ),
        (
            toml(FUEL + ", clamp = [5, 5]"),
            "point tank.fuel_level at 5: clamp = [5.0, 5.0]: the lower end comes first",
        ),
        (
            toml(
                FUEL + ', below = { value = 9, reason = "absent" }, above = { value = 3, reason = "absent" }'
            ),
            "point tank.fuel_level at 5: below lies above above",
        ),
        (
            toml(FUEL + ", scale_address = 0", address_base="1"),
            "point tank.fuel_level at 5: address lies below address_base",
        ),
        (
            toml(FUEL + ', fallback = { address = 0, type = "u16" }', address_base="1"),
            "point tank.fuel_level at 5: address lies below address_base",
        ),
        (
            toml(FUEL + ', fallback = { address = 65535, type = "u32" }'),
            "point tank.fuel_level at 5: reaches beyond the last register",
        ),
        (toml(FUEL, holes="[[9, 8]]"), "holes: [9, 8] is no range of registers"),
        (toml(FUEL, holes="[[0, 8]]", address_base="1"), "point tank.fuel_level at 5: lies in a hole"),
        (toml(FUEL, tail="[[recognise]]\naddress = 1"), "recognise at 1: wants either equals or between"),
        (
            toml(FUEL, address_base="1", tail="[[recognise]]\naddress = 0\nequals = [1]"),
            "recognise at 0: address lies below address_base",
        ),
        (
            toml(FUEL, tail='[[recognise]]\naddress = 1\ntype = "text"\nequals = ["x"]'),
            'recognise at 1: length and type = "text" belong together',
        ),
    ],
)
def test_what_could_not_be_read_right_is_refused(text: str, fault: str) -> None:
    assert f"profile bad: {fault}" in faults_of(text)


def test_a_fallback_is_a_number() -> None:
    (fault,) = faults_of(toml(FUEL + ', fallback = { address = 7, type = "text" }'))

    assert fault.startswith("profile bad: point[1].fallback.type = 'text': ")


def test_a_profile_of_the_site_is_named_by_its_path(tmp_path: Path) -> None:
    own = tmp_path / "our-set.toml"
    own.write_text(toml(FUEL), encoding="utf-8")

    assert [item.name for item in profile.load(str(own)).point] == ["tank.fuel_level"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_profile_of_the_site_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    own = tmp_path / "our-set.toml"
    if content is not None:
        own.write_bytes(content)

    with pytest.raises(ConfigError, match=rf"^profile {own}: cannot be read"):
        profile.load(str(own))
