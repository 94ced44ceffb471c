"""Which registers a device has is found out by asking, once; the rest is read as planned."""

import pytest

from tests.hardware.made_profile import made
from tpkit.errors import DeviceRefusedError, NoResponseError
from tpkit.hardware import reading
from tpkit.hardware.planning import Block
from tpkit.hardware.profile_form import Profile
from tpkit.hardware.reading import DeviceReader


class Device:
    """Registers that hold their own address; any question over a lacking one is refused."""

    def __init__(self, *lacking: int, code: int = 2, longest: int = 125, bars: tuple[int, ...] = ()) -> None:
        self.lacking = set(lacking)
        self.asked: list[tuple[int, int]] = []
        self._code = code
        self._longest = longest
        self._bars = bars

    def __call__(self, block: Block) -> tuple[int, ...]:
        registers = range(block.address, block.address + block.count)
        self.asked.append((block.address, block.count))
        over_bar = any(bar in registers and bar - 1 in registers for bar in self._bars)
        if over_bar or block.count > self._longest or self.lacking & set(registers):
            raise DeviceRefusedError("refused", self._code)
        return tuple(registers)


def word(number: int) -> str:
    """An enum with one word, so that a point reads as its own address."""
    return f'enum = {{ {number} = "{number}" }}'


def row(first: int, count: int, **head: str) -> Profile:
    """Points alarm.N in registers that follow one another."""
    return made(
        *(
            f'name = "alarm.n{n}", address = {n}, type = "u16", {word(n)}'
            for n in range(first, first + count)
        ),
        **head,
    )


def values(reader: DeviceReader, device: Device) -> dict[str, object]:
    """Everything the device says in three rounds, the last of which must not be refused."""
    for _ in range(3):
        found: dict[str, object] = {}
        before = len(device.asked)
        for block in reader.blocks:
            found |= {reading.point: reading.value for reading in reader.read(block, device)}
    assert len(device.asked) - before == len(reader.blocks), "something is still refused"
    return found


def test_one_register_that_is_not_there_costs_one_search_and_no_neighbour() -> None:
    device, reader = Device(37), DeviceReader(row(20, 30))
    found = values(reader, device)

    assert reader.lacking == {"alarm.n37": "refused_2"}
    assert found == {f"alarm.n{n}": str(n) for n in range(20, 50) if n != 37}
    assert [(block.address, block.count) for block in reader.blocks] == [(20, 17), (38, 12)]
    assert (
        len(device.asked) <= 1 + 2 * 5 + 2 * 2
    )  # whole, halves of 30 (15, 8, 4, 2, 1), and two rounds of two blocks


def test_a_whole_block_that_is_not_there_is_told_and_not_asked_for_again() -> None:
    device, reader = Device(*range(20, 30)), DeviceReader(row(20, 10))
    (block,) = reader.blocks
    readings = reader.read(block, device)

    assert {reading.reason for reading in readings} == {"refused_2"}
    assert len(readings) == len(reader.lacking) == 10
    assert reader.blocks == ()
    assert reader.probes == ()


def test_a_gap_that_may_not_be_read_cuts_the_block_there() -> None:
    profile = made(
        'name = "grid.voltage_l1", address = 10, type = "u16"', 'name = "grid.voltage_l2", address = 11, type = "u16"',
        'name = "grid.voltage_l3", address = 14, type = "u16"', allow_gaps="true",
    )  # fmt: skip
    device, reader = Device(12), DeviceReader(profile)

    assert values(reader, device) == {
        "grid.voltage_l1": 10.0,
        "grid.voltage_l2": 11.0,
        "grid.voltage_l3": 14.0,
    }
    assert reader.lacking == {}
    assert [(block.address, block.count) for block in reader.blocks] == [(10, 2), (14, 1)]


def test_a_device_that_takes_fewer_registers_than_its_profile_says_is_asked_for_fewer() -> None:
    device, reader = Device(longest=8), DeviceReader(row(0, 20))
    found = values(reader, device)

    assert len(found) == 20
    assert reader.lacking == {}
    assert all(block.count <= 8 for block in reader.blocks)


def test_older_firmware_gets_the_older_register() -> None:
    profile = made(
        'name = "load.power_l1", address = 902, type = "u32", '
        'fallback = { address = 817, type = "u16", scale = 10 }'
    )
    device, reader = Device(902, 903), DeviceReader(profile)

    assert values(reader, device) == {"load.power_l1": 8170.0}
    assert reader.lacking == {}


def test_a_sentinel_of_the_older_type_is_none_of_the_newer() -> None:
    profile = made(
        'name = "grid.power_l1", address = 908, type = "s32", fallback = { address = 820, type = "u16" }',
        tail='[sentinels]\nu16 = { 0x0334 = "absent" }',  # 820
    )
    assert values(DeviceReader(profile), Device(908)) == {"grid.power_l1": None}


def test_a_device_without_either_register_lacks_the_point() -> None:
    profile = made(
        'name = "load.power_l1", address = 902, type = "u32", fallback = { address = 817, type = "u16" }'
    )
    reader = DeviceReader(profile)

    assert values(reader, Device(817, 902)) == {}
    assert reader.lacking == {"load.power_l1": "refused_2"}


@pytest.mark.parametrize("code", [1, 3, 4, 6, 10])
def test_another_refusal_teaches_nothing(code: int) -> None:
    reader = DeviceReader(row(0, 4))
    with pytest.raises(DeviceRefusedError):
        reader.read(reader.blocks[0], Device(2, code=code))

    assert reader.lacking == {}
    assert len(reader.blocks) == 1


def test_a_silence_in_the_middle_of_a_search_teaches_nothing() -> None:
    device = Device(2)

    def fails_later(block: Block) -> tuple[int, ...]:
        if len(device.asked) == 2:
            raise NoResponseError("silence")
        return device(block)

    reader = DeviceReader(row(0, 4))
    with pytest.raises(NoResponseError):
        reader.read(reader.blocks[0], fails_later)

    assert reader.lacking == {}
    assert [(block.address, block.count) for block in reader.blocks] == [(0, 4)]


def test_what_was_lacking_is_forgotten_on_demand() -> None:
    device, reader = Device(2), DeviceReader(row(0, 4))
    values(reader, device)
    device.lacking.clear()
    reader.forget()

    assert len(values(reader, device)) == 4
    assert reader.lacking == {}


PORT = made(
    'name = "generator.port_use", address = 235, type = "u16", every_s = 60, '
    'enum = { 1 = "smart_load", 2 = "generator" }',
    'name = "generator.power", address = 166, type = "u16", '
    'valid_when = { point = "generator.port_use", equals = ["generator"] }',
)


@pytest.mark.parametrize(("use", "power"), [(2, 166.0), (1, None)])
def test_a_point_may_hang_on_another_that_is_read_seldom(use: int, power: float | None) -> None:
    """Deye: registers 166 and 235 of the one-phase models."""
    reader = DeviceReader(PORT)

    def device(block: Block) -> tuple[int, ...]:
        return (use,) if block.address == 235 else (166,)

    fast, slow = reader.blocks
    assert reader.read(fast, device)[0].reason == "not_valid_now", "nothing is known of the port yet"
    reader.read(slow, device)
    assert reader.read(fast, device)[0].value == power
    reader.fell_silent()
    assert reader.read(fast, device)[0].value is None, "what decided is of before the silence"


def test_a_device_that_is_asked_what_it_is_is_asked_again_once_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a long silence its models may lie elsewhere."""
    asked: list[Profile] = []
    found = [row(0, 2), row(100, 3)]

    def discover(profile: Profile, ask: object) -> Profile:
        asked.append(profile)
        return found[len(asked) - 1]

    monkeypatch.setattr(reading.sunspec, "discover", discover)
    given = made(discovery='"sunspec"')
    reader, device = DeviceReader(given), Device()
    assert reader.blocks == ()
    reader.prepare(device)
    reader.prepare(device)
    assert len(values(reader, device)) == 2
    reader.forget()
    reader.prepare(device)

    assert sorted(values(reader, device)) == ["alarm.n100", "alarm.n101", "alarm.n102"]
    assert asked == [given, given]
