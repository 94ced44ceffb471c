"""SunSpec discovery: which models are found, which of them count, and how they are read."""

import msgspec
import pytest

from tests.hardware import sunspec_device as made
from tests.hardware.sunspec_device import ESS, PV, SUNSPEC, Device, read, values
from tpkit.errors import DeviceRefusedError, NoResponseError, WrongAnswerError
from tpkit.hardware.planning import plan
from tpkit.hardware.sunspec import discover

SILENCE = NoResponseError("No answer.")


# Finding the device


@pytest.mark.parametrize("base", [40000, 50000, 0])
def test_the_mark_is_found_at_each_of_its_places(base: int) -> None:
    found = discover(SUNSPEC, Device(made.common(), made.three_phase(), base=base).ask)

    assert {item.name: item.address for item in found.point}["inverter.power"] == base + 2 + 68 + 14


def test_address_0_is_read_last_and_only_if_need_be() -> None:
    device = Device(made.common(), made.three_phase(), base=50000)
    discover(SUNSPEC, device.ask)

    assert device.asked[:2] == [(40000, 2), (50000, 2)]
    assert 0 not in {address for address, _ in device.asked}


def test_the_profile_may_name_another_place() -> None:
    only = msgspec.structs.replace(
        SUNSPEC, recognise=(msgspec.structs.replace(SUNSPEC.recognise[0], address=1000),)
    )
    device = Device(made.common(), made.three_phase(), base=1000)

    assert discover(only, device.ask).point
    assert {address for address, _ in device.asked} <= set(device.registers)


def test_words_that_are_not_the_mark_are_passed_over() -> None:
    device = Device(made.common(), made.three_phase(), base=50000)
    device.registers |= {40000: 0x5375, 40001: 0x6E54}

    assert discover(SUNSPEC, device.ask).point[0].address > 50000


def test_no_mark_says_what_to_check() -> None:
    with pytest.raises(WrongAnswerError, match=r'No "SunS" at 40000, 50000, 0: .*switched on in its menu'):
        discover(SUNSPEC, Device(base=30000).ask)


def test_silence_at_the_mark_is_silence_not_another_device() -> None:
    device = Device(made.common(), made.three_phase(), base=50000)
    device.faults[40000] = SILENCE

    with pytest.raises(NoResponseError):
        discover(SUNSPEC, device.ask)


@pytest.mark.parametrize("code", [5, 6, 10, 11])
def test_a_busy_device_or_a_lonely_gateway_is_asked_again_later(code: int) -> None:
    device = Device(made.common(), made.three_phase(), base=50000)
    device.faults[40000] = DeviceRefusedError("Not now.", code)

    with pytest.raises(DeviceRefusedError):
        discover(SUNSPEC, device.ask)


# The chain


@pytest.mark.parametrize("length", [65, 66])
def test_both_lengths_of_the_common_model(length: int) -> None:
    found = values(Device(made.common(length), made.three_phase()))

    assert (found["device.maker"], found["device.model"]) == ("Example Maker", "Example Model 7")
    assert (found["device.serial_number"], found["device.firmware"]) == ("SN-007", "1.2.3")
    assert found["inverter.power"] == 3090.0


def test_models_of_makers_and_unknown_ones_are_passed_over() -> None:
    device = Device(
        made.common(),
        made.vendors(64001),
        made.three_phase(),
        made.vendors(160, 88),
        made.battery(),
        made.vendors(),
    )
    found = discover(SUNSPEC, device.ask)

    assert read(device, found)["inverter.power"].value == 3090.0
    assert read(device, found)["battery.voltage"].value == 51.84
    assert found.note.endswith(
        "1 (L 66) at 40002, 103 (L 50) at 40084, 802 (L 62) at 40226; "
        "not used: 64001 (L 12) at 40070, 160 (L 88) at 40136, 64100 (L 12) at 40290."
    )


def test_an_end_mark_without_a_length_after_it() -> None:
    assert values(Device(made.common(), made.three_phase(), end=[0xFFFF]))["inverter.power"] == 3090.0


def test_a_chain_up_to_the_last_register() -> None:
    models = made.common(), made.three_phase()
    length = 2 + sum(map(len, models)) + 1
    only = msgspec.structs.replace(
        SUNSPEC, recognise=(msgspec.structs.replace(SUNSPEC.recognise[0], address=65536 - length),)
    )
    device = Device(*models, base=65536 - length, end=[0xFFFF])

    assert read(device, discover(only, device.ask))["inverter.power"].value == 3090.0
    assert max(address + count for address, count in device.asked) == 65536


def test_what_comes_after_the_end_mark_is_not_read() -> None:
    device = Device(made.common(), made.three_phase(), made.END, made.battery())

    assert "battery.voltage" not in values(device)
    assert max(address for address, _ in device.asked) < device.starts[3]


@pytest.mark.parametrize(
    ("models", "end", "message"),
    [
        ((made.common(), [103, 0]), made.END, "stops at 40070 without an end mark, after 1 "),
        ((made.common(), [103, 50]), made.END, "stops at 40122 without an end mark"),
        ((made.common(), made.three_phase()), [], "stops at 40122 without an end mark"),
        ((made.common(), [64000, 30000]), [], "runs beyond the last register"),
        (([[64000, 1, 0]] * 101), made.END, "more than 100 models and no end"),
    ],
)
def test_a_broken_chain_is_not_trusted(models: list[list[int]], end: list[int], message: str) -> None:
    with pytest.raises(WrongAnswerError, match=message):
        discover(SUNSPEC, Device(*models, end=end).ask)


def test_a_hundred_models_are_read() -> None:
    device = Device(*[made.vendors(64000, 1)] * 99, made.three_phase())

    assert discover(SUNSPEC, device.ask).point


@pytest.mark.parametrize(
    "fault", [SILENCE, DeviceRefusedError("Busy.", 6), DeviceRefusedError("Nobody there.", 11)]
)
def test_silence_in_the_middle_of_the_chain_is_reported_as_it_is(fault: Exception) -> None:
    device = Device(made.common(), made.three_phase(), made.battery())
    device.faults[device.starts[1]] = fault  # type: ignore[assignment]

    with pytest.raises(type(fault)):
        discover(SUNSPEC, device.ask)


def test_nothing_that_can_be_read_says_what_there_is() -> None:
    with pytest.raises(WrongAnswerError, match=r"no model that tpkit reads: it has 1 \(L 66\) at 40002, 203"):
        discover(SUNSPEC, Device(made.common(), made.vendors(203, 105)).ask)


# Some batteries give number 802 to a layout of their own of 20 registers.
@pytest.mark.parametrize("length", [20, 61, 64])
def test_a_model_of_another_length_is_another_layout(length: int) -> None:
    found = discover(SUNSPEC, Device(made.three_phase(), made.vendors(802, length)).ask)

    assert not [item.name for item in found.point if item.name.startswith("battery")]
    assert f"not used: 802 (L {length})" in found.note


def test_a_model_with_a_pad() -> None:
    model = made.storage_capacity()
    model[1] = 8

    assert values(Device([*model, 0x8000]))["battery.state_of_charge"] == 64.0


# Which model counts


def test_the_battery_itself_before_its_summary_before_the_set_points() -> None:
    models = made.ports(ESS), made.storage_control(), made.storage_capacity(), made.battery()

    assert values(Device(*models))["battery.state_of_charge"] == 63.7
    assert values(Device(*models))["battery.energy_available"] == 9.0
    assert values(Device(*models[:3]))["battery.state_of_charge"] == 64.0
    assert values(Device(*models[:3]))["battery.voltage"] == 48.2
    assert values(Device(*models[:3]))["battery.state"] == "discharging"


def test_floating_point_before_scale_factors() -> None:
    found = values(Device(made.three_phase(), made.float_three_phase()))

    assert found["inverter.power"] == -1500.0
    assert found["inverter.voltage_l2"] is None


def test_of_a_model_that_is_there_twice_the_first_counts() -> None:
    device = Device(
        made.common(), made.battery(charge=400), made.common(maker="Another"), made.battery(charge=900)
    )
    found = discover(SUNSPEC, device.ask)

    assert read(device, found)["battery.state_of_charge"].value == 40.0
    assert read(device, found)["device.maker"].value == "Example Maker"
    assert "not used: 1 (L 66) at 40134, 802 (L 62) at 40202." in found.note


# The plan


def test_every_value_is_read_together_with_its_scale_factor_and_inside_its_model() -> None:
    device = Device(
        made.common(), made.three_phase(), made.vendors(64001, 200), made.battery(), made.ports(*[PV] * 7)
    )
    known = discover(SUNSPEC, device.ask)
    blocks = plan(known)
    planned = [item for block in blocks for item in block.points]

    assert sorted(item.name for item in planned) == sorted(item.name for item in known.point)
    for block in blocks:
        assert block.count <= 125
        assert sum(start < block.address + block.count for start in device.starts) == sum(
            start <= block.address for start in device.starts
        )
        assert all(block.address <= item.first for item in block.points)
        assert all(item.end <= block.address + block.count for item in block.points)
    assert read(device, known)["solar.power_4"].value == 400.0


# From Mn (offset 2) to SN (50 + 16) and from AphA (3) to Evt1 (40 + 2); 713 from WHRtg (2) to Pct_SF (8).
def test_a_model_is_one_read_and_the_next_is_another() -> None:
    device = Device(made.common(), made.three_phase(), made.storage_capacity())
    blocks = plan(discover(SUNSPEC, device.ask))

    assert sorted((block.address, block.count) for block in blocks) == [
        (40002 + 2, 64), (40070 + 3, 39), (40122 + 2, 7),
    ]  # fmt: skip


@pytest.mark.parametrize("longest", [125, 100, 60, 50])
def test_a_device_that_takes_short_reads_only(longest: int) -> None:
    short = msgspec.structs.replace(SUNSPEC, max_block=longest)
    device = Device(made.common(), made.three_phase(), made.battery(), made.ports(PV, PV, PV, PV))
    known = discover(short, device.ask)

    assert max(block.count for block in plan(known)) <= longest
    assert read(device, known)["battery.voltage"].value == 51.84
