"""Small transmitters on RS-485. Registers are worked out by hand from the facts that each test names."""

import pytest

from tests.hardware.decoded import readings, values
from tpkit.domain.samples import Reading
from tpkit.hardware import profile
from tpkit.hardware.planning import plan


# XY-MD02: function 4, 1 degC x10 signed, 2 % x10.
@pytest.mark.parametrize(("raw", "celsius"), [(215, 21.5), (0, 0.0), (0xFFCD, -5.1)])
def test_xy_md02(raw: int, celsius: float) -> None:
    found = values("xy-md02", {1: raw, 2: 455})

    assert found == {"climate.indoor_temperature": celsius, "climate.humidity": 45.5}


def test_a_look_alike_that_counts_in_hundredths_is_mostly_seen() -> None:
    found = readings("xy-md02", {1: 2150, 2: 4550})

    assert found["climate.indoor_temperature"].reason == "implausible"  # 215.0 degC
    assert found["climate.humidity"].reason == "implausible"  # 455.0 %


# QDY30A: function 3, 2 unit, 3 decimals, 4 value signed. Unit 0x11 cm, 0x12 mm, 0x10 m, or 2 mm.
@pytest.mark.parametrize(("unit", "decimals"), [(0x11, 1), (0x12, 0), (0x10, 3), (2, 0)])
def test_qdy30a_that_counts_millimetres(unit: int, decimals: int) -> None:
    found = values("qdy30a", {2: unit, 3: decimals, 4: 1234})

    assert found["tank.height"] == 1.234  # 123.4 cm, 1234 mm, 1.234 m
    assert values("qdy30a-cm", {2: unit, 3: decimals, 4: 1234})["tank.height"] is None


@pytest.mark.parametrize(("unit", "decimals"), [(0x11, 0), (0x10, 2)])
def test_qdy30a_that_counts_centimetres(unit: int, decimals: int) -> None:
    found = values("qdy30a-cm", {2: unit, 3: decimals, 4: 123})

    assert found["tank.height"] == 1.23  # 123 cm, 1.23 m
    assert values("qdy30a", {2: unit, 3: decimals, 4: 123})["tank.height"] is None


@pytest.mark.parametrize("name", ["qdy30a", "qdy30a-cm"])
@pytest.mark.parametrize(
    ("unit", "decimals"),
    [
        (1, 0),  # cm in one source, kPa in the other
        (1, 1),
        (2, 1),
        (2, 2),
        (3, 0),  # MPa
        (0x11, 2),
        (0x12, 1),
        (0x10, 1),
        (0, 0),
        (0xFFFF, 0xFFFF),
    ],
)
def test_a_qdy30a_with_any_other_setting_has_no_height(name: str, unit: int, decimals: int) -> None:
    found = readings(name, {2: unit, 3: decimals, 4: 1234})

    assert found["tank.height"] == Reading("tank.height", None, "not_valid_now")
    assert found["tank.height_format"].reason == "unknown_code"


def test_the_zero_error_of_a_qdy30a_in_air() -> None:
    """About 26 mm are normal; below the zero point there is no height."""
    assert values("qdy30a", {2: 0x12, 4: 26})["tank.height"] == 0.026
    assert readings("qdy30a", {2: 0x12, 4: 0xFFFB})["tank.height"].reason == "implausible"


# PTA8C04: function 3, 0-3 degC x10 signed, 32-35 ohm x10. IEC 60751: 100.0 ohm at 0 degC, 138.5 at 100,
# 60.3 at -100, 194.1 at 250.
def test_pt100() -> None:
    found = values("pta8c04", {0: 0, 1: 1000, 2: 0xFC18, 3: 2500, 32: 1000, 33: 1385, 34: 603, 35: 1941})

    assert [found[f"climate.temperature_{number}"] for number in (1, 2, 3, 4)] == [0.0, 100.0, -100.0, 250.0]
    assert [found[f"climate.resistance_{number}"] for number in (1, 2, 3, 4)] == [100.0, 138.5, 60.3, 194.1]


@pytest.mark.parametrize("ohm", [0, 3, 601, 1943, 4000, 0xFFFF])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_an_open_or_shorted_pt100_has_no_temperature(number: int, ohm: int) -> None:
    sound = {0: 215, 1: 215, 2: 215, 3: 215, 32: 1084, 33: 1084, 34: 1084, 35: 1084}
    found = readings("pta8c04", sound | {31 + number: ohm})

    assert found[f"climate.resistance_{number}"].reason == "sensor_fault"
    assert found[f"climate.temperature_{number}"].value is None
    others = {1, 2, 3, 4} - {number}
    assert all(found[f"climate.temperature_{other}"].value == 21.5 for other in others)


@pytest.mark.parametrize("word", [0x8000, 0x8001])
def test_a_break_code_of_other_pt100_modules_is_no_temperature(word: int) -> None:
    """32768 or -32767 (modmux PM6RTD)."""
    assert readings("pta8c04", {0: word, 32: 1000})["climate.temperature_1"].reason == "implausible"


# Senseair S8: request FE 04 00 03 00 01 D5 C5, answer FE 04 02 03 88 D5 C5 (SFeli/ESP32_S8): 0x0388 = 904 ppm.
def test_senseair() -> None:
    device = profile.load("senseair-s8")

    assert values("senseair-s8", {3: 0x0388})["climate.co2"] == 904.0
    assert device.defaults.device_id == 0xFE


@pytest.mark.parametrize("status", [1, 0x20, 0x8000])
def test_senseair_with_a_fault_has_no_value(status: int) -> None:
    assert readings("senseair-s8", {0: status, 3: 904})["climate.co2"].reason == "not_valid_now"


# Waveshare 8AI: function 4, 0-7 in microamperes in the current modes; modes by function 3 at 0x1000-0x1007:
# 0 0-5 V, 1 1-5 V, 2 0-20 mA, 3 4-20 mA, 4 raw. NAMUR NE 43: below 3.6 mA broken, above 21 mA beyond.
MODES = {0x1000 + channel: 3 for channel in range(8)}


@pytest.mark.parametrize(
    ("raw", "value", "reason"),
    [
        (12_000, 12.0, ""),
        (4000, 4.0, ""),
        (20_000, 20.0, ""),
        (3600, 3.6, ""),
        (3599, None, "sensor_fault"),
        (0, None, "sensor_fault"),
        (21_000, 21.0, ""),
        (21_001, None, "over_range"),
        (0xFFFF, None, "over_range"),
    ],
)
@pytest.mark.parametrize("channel", range(8))
def test_loops(channel: int, raw: int, value: float | None, reason: str) -> None:
    found = readings("waveshare-8ai", MODES | {channel: raw})
    point = f"loop.current_{channel + 1}"

    assert found[point] == Reading(point, value, reason)


@pytest.mark.parametrize("channel", range(8))
def test_a_channel_counts_in_a_current_mode_only(channel: int) -> None:
    point = f"loop.current_{channel + 1}"
    neighbour = f"loop.current_{(channel + 1) % 8 + 1}"

    for mode in (0, 1, 4, 9):
        found = readings("waveshare-8ai", MODES | dict.fromkeys(range(8), 12_000) | {0x1000 + channel: mode})
        assert found[point] == Reading(point, None, "not_valid_now")
        assert found[neighbour].value == 12.0
    found = readings("waveshare-8ai", MODES | {channel: 12_000, 0x1000 + channel: 2})
    assert found[point].value == 12.0  # the factory's mode
    assert found[f"loop.mode_{channel + 1}"].value == "0_20_ma"


def test_modes_are_read_by_another_function_than_values() -> None:
    blocks = plan(profile.load("waveshare-8ai"))

    assert {(block.function, block.address, block.count) for block in blocks} == {(4, 0, 8), (3, 0x1000, 8)}


@pytest.mark.parametrize(
    ("name", "function"),
    [("xy-md02", 4), ("qdy30a", 3), ("qdy30a-cm", 3), ("pta8c04", 3), ("senseair-s8", 4)],
)
def test_functions(name: str, function: int) -> None:
    assert {block.function for block in plan(profile.load(name))} == {function}
