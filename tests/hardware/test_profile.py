"""Device profiles: the shipped ones are sound, and each fault of a bad one is named."""

import pytest

from tests.hardware.made_profile import made, toml
from tpkit.domain.points import point as vocabulary
from tpkit.errors import ConfigError
from tpkit.hardware import profile
from tpkit.hardware.planning import plan, probes

FUEL = 'name = "tank.fuel_level", address = 5, type = "u16"'
SPEED = 'name = "engine.speed", address = 6, type = "u16"'


def faults_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        profile.parse("bad", text)
    return caught.value.faults


@pytest.mark.parametrize("name", profile.names())
def test_a_shipped_profile_loads_and_plans(name: str) -> None:
    device = profile.load(name)
    blocks = plan(device)

    planned = [item.name for block in blocks for item in block.points]
    assert sorted(planned) == sorted(item.name for item in device.point)
    assert all(block.count <= device.max_block for block in blocks)
    assert probes(blocks)


@pytest.mark.parametrize("name", profile.names())
def test_a_shipped_profile_names_its_source_and_claims_no_test_on_hardware(name: str) -> None:
    device = profile.load(name)

    assert "@" in device.source  # a project at a commit
    assert not device.tested_on_hardware


@pytest.mark.parametrize("name", profile.names())
def test_points_without_a_unit_are_words_and_the_others_are_not(name: str) -> None:
    for item in profile.load(name).point:
        known = vocabulary(item.name)
        assert known is not None
        assert bool(item.enum) == (known.unit == ""), item.name


def test_the_shipped_profiles_are_these() -> None:
    assert profile.names() == ["dse-generic", "victron-battery", "victron-system"]


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r'"dse": no such device profile; known: dse-generic, victron-b'):
        profile.load("dse")


@pytest.mark.parametrize("name", ["../profiles/dse-generic", "dse-generic.toml", "", "DSE-GENERIC"])
def test_a_name_is_not_a_path(name: str) -> None:
    with pytest.raises(ConfigError, match="no such device profile"):
        profile.load(name)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            toml(FUEL.replace("tank.", "tonk.")),
            "point tonk.fuel_level at 5: is not in the vocabulary of points",
        ),
        (toml(FUEL + ", scale = 0"), "point tank.fuel_level at 5: scale = 0 makes every value zero"),
        (
            toml('name = "alarm.x", address = 5, type = "nibble"'),
            "point alarm.x at 5: nibble = 1..4 and type = nibble belong together",
        ),
        (
            toml(FUEL + ", nibble = 2"),
            "point tank.fuel_level at 5: nibble = 1..4 and type = nibble belong together",
        ),
        (
            toml(FUEL + ', enum = { 0 = "ok", high = "alarm" }'),
            "point tank.fuel_level at 5: keys of enum are raw numbers",
        ),
        (
            toml(FUEL + ', valid_when = { point = "engine.speed", above = 0 }'),
            "point tank.fuel_level at 5: valid_when names engine.speed, which the profile does not have",
        ),
        (
            toml(FUEL.replace("address = 5", "address = 0"), address_base="1"),
            "point tank.fuel_level at 0: address lies below address_base",
        ),
        (toml(FUEL, FUEL.replace("5", "7")), "point tank.fuel_level: is there twice"),
        (
            toml(FUEL, tail='[sentinels]\nu16 = { none = "absent" }'),
            "sentinels.u16.none: is not a raw number",
        ),
        (toml(FUEL, tail="[sentinels]\nu16 = { -1 = 'absent' }"), "sentinels.u16.-1: is not a raw number"),
        (toml(), "point: there is none"),
        (toml(FUEL, word_order=None), "word_order: is missing"),
        (toml(FUEL, source=None), "source: is missing"),
    ],
)
def test_a_fault_is_named_with_its_place(text: str, fault: str) -> None:
    assert faults_of(text) == [f"profile bad: {fault}"]


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        (toml(FUEL, colour='"red"'), "colour: unknown key; allowed here: title, "),
        (toml(FUEL + ", unit = 'l'"), "point[1].unit: unknown key; allowed here: name, "),
        (toml(FUEL, word_order='"middle"'), "word_order = 'middle': "),
        (toml(FUEL, function="6"), "function = 6: "),
        (toml(FUEL, max_block="126"), "max_block = 126: expected `int` <= 125"),
        (toml(FUEL, max_block="0"), "max_block = 0: "),
        (toml(FUEL, timeout_s="0.01"), "timeout_s = 0.01: "),
        (toml(FUEL.replace("5", "65536")), "point[1].address = 65536: "),
        (toml(FUEL.replace("5", "-1")), "point[1].address = -1: "),
        (toml(FUEL.replace("5", '"5"')), "point[1].address = '5': expected `int`, got `str`"),
        (toml(FUEL.replace("u16", "u8")), "point[1].type = 'u8': "),
        (toml(FUEL + ", every_s = 7"), "point[1].every_s = 7: "),
        (toml('name = "alarm.x", address = 1, type = "nibble", nibble = 5'), "point[1].nibble = 5: "),
        (toml(FUEL + ', valid_when = "yes"'), "point[1].valid_when = 'yes': expected a table"),
        (toml(FUEL + ', valid_when = { point = "engine.speed" }'), "point[1].valid_when.above: is missing"),
        (toml('address = 1, type = "u16"'), "point[1].name: is missing"),
        (toml(FUEL, tail='[sentinels]\nu8 = { 0xFF = "absent" }'), "sentinels = "),
        ("title = ", "is not TOML: "),
        ("title = 1\ntitle = 2", "is not TOML: "),
    ],
)
def test_a_fault_of_form_is_named_with_its_place(text: str, beginning: str) -> None:
    (fault,) = faults_of(text)

    assert fault.startswith(f"profile bad: {beginning}")


def test_several_faults_of_form_are_all_reported() -> None:
    text = toml(FUEL.replace("u16", "u8"), SPEED + ", unit = 'rpm'", word_order=None, function="6")

    found = faults_of(text)

    places = ("function = 6", "point[1].type = 'u8'", "point[2].unit: unknown", "word_order: is missing")
    assert len(found) == len(places)
    for fault, place in zip(found, places, strict=True):
        assert fault.startswith(f"profile bad: {place}")


def test_several_faults_of_sense_are_all_reported() -> None:
    found = faults_of(
        toml(
            FUEL + ", scale = 0, nibble = 1",
            SPEED.replace("speed", "sped"),
            tail='[sentinels]\nu16 = { x = "absent" }',
        )
    )

    assert found == [
        "profile bad: point tank.fuel_level at 5: scale = 0 makes every value zero",
        "profile bad: point tank.fuel_level at 5: nibble = 1..4 and type = nibble belong together",
        "profile bad: point engine.sped at 6: is not in the vocabulary of points",
        "profile bad: sentinels.u16.x: is not a raw number",
    ]


def test_a_deciding_point_in_another_block_is_refused_when_planned() -> None:
    device = made(
        FUEL + ', valid_when = { point = "engine.speed", above = 0 }',
        'name = "engine.speed", address = 100, type = "u16"',
    )

    with pytest.raises(ConfigError, match=r"valid_when names .*, read in another block"):
        plan(device)


def test_addresses_are_those_of_the_protocol_once_loaded() -> None:
    """A document that counts from 1 is written down as it is."""
    one_based = made(FUEL, SPEED, address_base="1")
    zero_based = made(FUEL, SPEED, address_base="0")

    assert [item.address for item in one_based.point] == [4, 5]
    assert [item.address for item in zero_based.point] == [5, 6]
    assert one_based.address_base == 0
