"""Device profiles: the shipped ones are sound, and each fault of a bad one is named."""

import re

import pytest

from tests.hardware.made_profile import made, toml
from tpkit.domain.points import point as vocabulary
from tpkit.errors import ConfigError
from tpkit.hardware import profile
from tpkit.hardware.planning import plan
from tpkit.hardware.profile_form import Profile, ProfilePoint

FUEL = 'name = "tank.fuel_level", address = 5, type = "u16"'
KNOWN_AGAIN = (
    r"[\w.-]+/[\w.-]+(@[0-9a-f]{7}\b| \d+(\.\d+)+)|manual|guide|protocol|document|datasheet|wiki|map"
)
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


@pytest.mark.parametrize("name", profile.names())
def test_a_shipped_profile_names_its_source_and_claims_no_test_on_hardware(name: str) -> None:
    """A source is a project at a commit or a release, or a document that can be found again."""
    device = profile.load(name)

    for source in device.source.split("; "):
        assert re.search(KNOWN_AGAIN, source, re.IGNORECASE), source
    assert not device.tested_on_hardware


@pytest.mark.parametrize("name", profile.names())
def test_points_without_a_unit_are_words_and_the_others_are_not(name: str) -> None:
    for item in profile.load(name).point:
        known = vocabulary(item.name)
        assert known is not None
        assert bool(item.enum or item.type == "text") == (known.unit == ""), item.name


def test_the_names_that_others_rely_on_are_shipped() -> None:
    fixed = {"victron-system", "victron-battery", "dse-generic", "datakom", "sdm630"}

    assert fixed <= set(profile.names())


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r'^"dse": no such device profile; known: .*\bdse-generic, '):
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
            "point tonk.fuel_level at 5: is not in the vocabulary of points (docs/points.md)",
        ),
        (toml(FUEL + ", scale = 0"), "point tank.fuel_level at 5: scale = 0 makes every value zero"),
        (
            toml('name = "alarm.x", address = 5, type = "nibble", enum = { 1 = "alarm" }'),
            'point alarm.x at 5: nibble and type = "nibble" belong together',
        ),
        (
            toml(FUEL + ", nibble = 2"),
            'point tank.fuel_level at 5: nibble and type = "nibble" belong together',
        ),
        (
            toml('name = "engine.mode", address = 5, type = "u16", enum = { 0 = "ok", high = "alarm" }'),
            "point engine.mode at 5: enum.high: is not a raw number",
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
        (toml(FUEL + ", units = 'L'"), "point[1].units: unknown key; allowed here: name, "),
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
        (toml(FUEL + ", valid_when = { above = 1 }"), "point[1].valid_when.point: is missing"),
        (toml(FUEL + ", below = { value = 1 }"), "point[1].below.reason: is missing"),
        (toml(FUEL + ', above = { value = 1, reason = "high" }'), "point[1].above.reason = 'high': "),
        (toml(FUEL + ", range = [1]"), "point[1].range = [1]: "),
        (toml('name = "alarm.x", address = 1, type = "bit", bit = 16'), "point[1].bit = 16: "),
        (toml('name = "device.model", address = 1, type = "text", length = 126'), "point[1].length = 126: "),
        (toml(FUEL, holes="[[1]]"), "holes = [[1]]: "),
        (toml(FUEL, retries="4"), "retries = 4: "),
        (toml(FUEL, tail="[defaults]\nbaud = 9601"), "defaults.baud = 9601: "),
        (toml(FUEL, tail="[defaults]\ndevice_id = 256"), "defaults.device_id = 256: "),
        (toml(FUEL, tail="[[recognise]]\nequals = [1]"), "recognise[1].address: is missing"),
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
    text = toml(FUEL.replace("u16", "u8"), SPEED + ", units = 'rpm'", word_order=None, function="6")

    found = faults_of(text)

    places = ("function = 6", "point[1].type = 'u8'", "point[2].units: unknown", "word_order: is missing")
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
        'profile bad: point tank.fuel_level at 5: nibble and type = "nibble" belong together',
        "profile bad: point engine.sped at 6: is not in the vocabulary of points (docs/points.md)",
        "profile bad: sentinels.u16.x: is not a raw number",
    ]


# What a profile must hold beyond its form: one line a rule of profile_rules.py.
VOLTAGE = 'name = "generator.voltage_l1", address = 10, type = "u32"'
OIL = 'name = "engine.oil_pressure", address = 5, type = "u16"'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            toml(OIL + ', unit = "atm"'),
            'point engine.oil_pressure at 5: unit = "atm": unknown here; allowed: kPa, bar, psi',
        ),
        (
            toml(FUEL + ', unit = "L"'),
            'point tank.fuel_level at 5: unit = "L": unknown here; allowed: %',
        ),
        (
            toml(FUEL + ', fallback = { address = 9, type = "u16", scale = 0 }'),
            "point tank.fuel_level at 5: scale = 0 makes every value zero",
        ),
        (toml(FUEL + ", scale = inf"), "point tank.fuel_level at 5: scale and offset must be finite"),
        (toml(FUEL + ", offset = nan"), "point tank.fuel_level at 5: scale and offset must be finite"),
        (
            toml('name = "alarm.x", address = 5, type = "bit"'),
            'point alarm.x at 5: bit and type = "bit" belong together',
        ),
        (toml(FUEL + ", bit = 0"), 'point tank.fuel_level at 5: bit and type = "bit" belong together'),
        (
            toml('name = "device.model", address = 5, type = "text"'),
            'point device.model at 5: length and type = "text" belong together',
        ),
        (toml(FUEL + ", length = 2"), 'point tank.fuel_level at 5: length and type = "text" belong together'),
        (
            toml(VOLTAGE.replace("10", "65535")),
            "point generator.voltage_l1 at 65535: reaches beyond the last register",
        ),
        (
            toml(VOLTAGE, max_block="1"),
            "point generator.voltage_l1 at 10: needs 2 registers at once, and max_block = 1",
        ),
        (
            toml(FUEL + ", scale_address = 20", max_block="15"),
            "point tank.fuel_level at 5: needs 16 registers at once, and max_block = 15",
        ),
        (toml(FUEL, holes="[[4, 5]]"), "point tank.fuel_level at 5: lies in a hole"),
        (toml(VOLTAGE, holes="[[11, 12]]"), "point generator.voltage_l1 at 10: lies in a hole"),
        (
            toml('name = "engine.mode", address = 5, type = "u16", enum = "modes"'),
            'point engine.mode at 5: enum = "modes": there is no [enums.modes]',
        ),
        (
            toml(FUEL + ', sentinels = { never = "absent" }'),
            "point tank.fuel_level at 5: sentinels.never: is not a raw number",
        ),
        (
            toml(FUEL, tail='[enums.modes]\non = "on"'),
            "enums.modes.on: is not a raw number",
        ),
        (
            toml(FUEL, SPEED, VOLTAGE, 'name = "generator.voltage_l2", address = 11, type = "u32"'),
            "points generator.voltage_l1 at 10 and generator.voltage_l2 at 11 overlap",
        ),
        (
            toml(FUEL + ', valid_when = { point = "tank.fuel_level" }'),
            "point tank.fuel_level at 5: valid_when wants either above or equals",
        ),
        (
            toml(FUEL + ', valid_when = { point = "tank.fuel_level", above = 0, equals = ["1"] }'),
            "point tank.fuel_level at 5: valid_when wants either above or equals",
        ),
        (
            toml(FUEL, 'name = "device.model", address = 4, type = "text", length = 2'),
            "points device.model at 4 and tank.fuel_level at 5 overlap",
        ),
    ],
)
def test_a_fault_of_sense_is_named_with_its_place(text: str, fault: str) -> None:
    assert faults_of(text) == [f"profile bad: {fault}"]


@pytest.mark.parametrize(
    "points",
    [
        (
            'name = "alarm.x", address = 5, type = "bit", bit = 0',
            'name = "alarm.y", address = 5, type = "bit", bit = 1',
        ),
        (FUEL, 'name = "alarm.x", address = 5, type = "u16", enum = { 0 = "ok" }'),
        (VOLTAGE, 'name = "generator.voltage_l2", address = 12, type = "u32"'),
        (VOLTAGE, 'name = "generator.voltage_l2", address = 11, type = "u32", function = 4'),
    ],
    ids=["bits of a register", "one register, two meanings", "neighbours", "another function"],
)
def test_what_shares_whole_registers_or_none_does_not_overlap(points: tuple[str, ...]) -> None:
    assert len(made(*points).point) == 2


def test_a_hole_beside_a_point_is_no_fault() -> None:
    assert made(FUEL, holes="[[0, 4], [6, 9]]").holes == ((0, 4), (6, 9))


def test_a_deciding_point_may_be_read_in_another_block() -> None:
    device = made(
        FUEL + ', valid_when = { point = "engine.speed", above = 0 }',
        'name = "engine.speed", address = 100, type = "u16"',
    )

    assert len(plan(device)) == 2


def settled(point: str, **head: str) -> ProfilePoint:
    """The one point of a profile, as the rest of tpkit sees it."""
    device: Profile = made(point, **head)
    (item,) = device.point
    return item


# By hand: 1 bar = 100 kPa; 1 psi = 6.894757 kPa; 1 h = 3600 s = 60 min; 0 degC = 32 degF = 273.15 K.
@pytest.mark.parametrize(
    ("name", "unit", "scale", "raw", "value"),
    [
        ("engine.oil_pressure", "bar", 0.1, 41, 410.0),
        ("engine.oil_pressure", "psi", 1.0, 60, 413.68542),
        ("engine.oil_pressure", "kPa", 1.0, 414, 414.0),
        ("generator.power", "kW", 0.1, 125, 12_500.0),
        ("generator.apparent_power", "kVA", 1.0, 15, 15_000.0),
        ("generator.reactive_power", "kvar", 1.0, 2, 2_000.0),
        ("battery.cell_voltage_low", "mV", 1.0, 3276, 3.276),
        ("loop.current_1", "µA", 1.0, 12_000, 12.0),
        ("loop.current_1", "A", 0.001, 12, 12.0),
        ("generator.energy", "Wh", 1.0, 2500, 2.5),
        ("engine.run_time", "s", 1.0, 5400, 1.5),
        ("engine.run_time", "min", 1.0, 90, 1.5),
        ("battery.temperature", "K", 0.1, 2982, 25.05),
        ("engine.coolant_temperature", "°F", 1.0, 212, 100.0),
        ("tank.capacity", "m³", 0.0001, 12_000, 1200.0),
        ("tank.height", "cm", 1.0, 150, 1.5),
        ("tank.height", "mm", 1.0, 1500, 1.5),
    ],
)
def test_a_makers_unit_becomes_that_of_the_vocabulary(
    name: str, unit: str, scale: float, raw: int, value: float
) -> None:
    item = settled(f'name = "{name}", address = 5, type = "u16", unit = "{unit}", scale = {scale}')

    assert raw * item.scale + item.offset == pytest.approx(value)
    known = vocabulary(name)
    assert known is not None
    assert item.unit == known.unit


def test_an_offset_and_a_limit_are_in_the_makers_unit_and_are_converted() -> None:
    """By hand: 10 - 1 = 9 bar = 900 kPa; less than 2 bar is less than 200 kPa, more than 12 bar than 1200."""
    item = settled(
        OIL + ', unit = "bar", offset = -1, below = { value = 2, reason = "sensor_fault" }, '
        'above = { value = 12, reason = "over_range" }'
    )

    assert 10 * item.scale + item.offset == pytest.approx(900)
    assert item.below is not None
    assert (item.below.value, item.below.reason) == (200, "sensor_fault")
    assert item.above is not None
    assert (item.above.value, item.above.reason) == (1200, "over_range")


def test_a_fallback_is_converted_and_counted_like_its_point() -> None:
    item = settled(
        'name = "generator.power", address = 10, type = "s32", unit = "kW", '
        'fallback = { address = 7, type = "s16", scale = 0.1, offset = 2 }',
        address_base="1",
    )

    assert item.fallback is not None
    assert (item.fallback.address, item.fallback.scale, item.fallback.offset) == (6, 100, 2000)


def test_sentinels_of_a_type_and_of_a_point_are_joined_and_the_points_own_wins() -> None:
    item = settled(
        OIL + ', sentinels = { 0x8000 = "sensor_fault", 0xFFFE = "over_range" }',
        tail='[sentinels]\nu16 = { 0xFFFF = "absent", 0xFFFE = "bad_data" }\ns16 = { 1 = "absent" }',
    )

    assert item.sentinels == {"65535": "absent", "32768": "sensor_fault", "65534": "over_range"}


def test_a_named_enum_and_one_in_place_are_the_same() -> None:
    mode = 'name = "engine.mode", address = 5, type = "u16", enum = '
    named = settled(mode + '"modes"', tail='[enums.modes]\n0 = "off"\n0x10 = "on"')

    assert named.enum == {"0": "off", "16": "on"}
    assert named == settled(mode + '{ 0 = "off", 16 = "on" }')


def test_a_bit_without_an_enum_is_an_alarm() -> None:
    item = settled('name = "alarm.x", address = 5, type = "bit", bit = 3')

    assert item.enum == {"0": "not_active", "1": "alarm"}


def test_addresses_are_those_of_the_protocol_once_loaded() -> None:
    """A document that counts from 1 is written down as it is."""
    recognised = "[[recognise]]\naddress = 3\nequals = [1]"
    points = (FUEL + ", scale_address = 9", SPEED)
    one_based = made(*points, address_base="1", holes="[[20, 29]]", tail=recognised)
    zero_based = made(*points, address_base="0", holes="[[20, 29]]", tail=recognised)

    assert [(item.address, item.scale_address) for item in one_based.point] == [(4, 8), (5, None)]
    assert [(item.address, item.scale_address) for item in zero_based.point] == [(5, 9), (6, None)]
    assert (one_based.recognise[0].address, one_based.holes) == (2, ((19, 28),))
    assert (zero_based.recognise[0].address, zero_based.holes) == (3, ((20, 29),))
    assert one_based.address_base == 0
