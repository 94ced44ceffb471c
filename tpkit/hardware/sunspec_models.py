"""The SunSpec models that tpkit reads: which register, counted from the model's start, holds which point.

Places, types and scale factors are those of sunspec/models@7abdf89 (json/model_*.json). Registers 0 and 1
of every model are its number and the count of registers after them.

Left out on purpose: A and W of model 802, and A and W of the storage ports of 714. Their text names no
sign, and makers differ (even between A and W of one device), so charging could be shown as discharging.
PF of the inverters: its text says percent, and there are devices that send 1.00.
"""

from collections.abc import Iterator

from msgspec import Struct

from tpkit.hardware.profile_form import ProfilePoint, ValidWhen, WordType

COMMON = 1
PORTS = 714
PORTS_FIRST = 20  # where the first port of model 714 begins
PORT_LENGTH = 25
PORT_COUNT = 4  # NPrt
PHOTOVOLTAIC, STORAGE = 0, 1  # PrtTyp, at the beginning of a port

NOT_IMPLEMENTED: dict[str, int] = {
    "u16": 0xFFFF, "s16": 0x8000, "u32": 0xFFFFFFFF, "u64": 0xFFFFFFFFFFFFFFFF, "f32": 0x7FC00000,
}  # fmt: skip
"""What a value that the device does not have reads, by type. Enumerations are u16."""


class Layout(Struct, frozen=True):
    """A model: how many registers follow its number and length, and its points by offset from its start."""

    length: int
    points: tuple[ProfilePoint, ...]


def value(
    name: str,
    kind: WordType,
    offset: int,
    scale_offset: int | None = None,
    scale: float = 1.0,
    *,
    valid_when: ValidWhen | None = None,
) -> ProfilePoint:
    """A number at `offset`, times `scale` and ten to the power at `scale_offset`."""
    return ProfilePoint(
        name, offset, kind, scale=scale, scale_address=scale_offset, valid_when=valid_when,
        sentinels={str(NOT_IMPLEMENTED[kind]): "absent"},
    )  # fmt: skip


def _counted(name: str, offset: int, scale_offset: int) -> ProfilePoint:
    """Energy as acc32 in Wh: 0 means that nothing is counted, and all ones were never counted."""
    return ProfilePoint(
        name, offset, "u32", scale=0.001, scale_address=scale_offset,
        sentinels={"0": "absent", str(0xFFFFFFFF): "absent"},
    )  # fmt: skip


def _state(name: str, offset: int, words: str, first: int = 1) -> ProfilePoint:
    """An enumeration whose words stand for the numbers from `first` on."""
    enum = {str(number): word for number, word in enumerate(words.split(), first)}
    return ProfilePoint(name, offset, "u16", enum=enum, sentinels={str(0xFFFF): "absent"})


def _events(stem: str, offset: int, alarms: dict[int, str]) -> Iterator[ProfilePoint]:
    """Bits of a bitfield32, numbered from the least; a name that ends in _warning is one.

    No event has bit 31, and "not implemented" is all ones: the others count only while it is clear.
    """
    yield ProfilePoint(
        f"{stem}.events", offset, "bit", bit=15, enum={"0": "given"}, sentinels={"1": "absent"}
    )
    for number, name in alarms.items():
        yield ProfilePoint(
            f"alarm.{stem}_{name}", offset + (number < 16), "bit", bit=number % 16,
            enum={"0": "not_active", "1": "warning" if name.endswith("_warning") else "alarm"},
            valid_when=ValidWhen(f"{stem}.events", equals=("given",)),
        )  # fmt: skip


INVERTER_STATES = "off sleeping starting mppt throttled shutting_down fault standby"
CHARGE_STATES = "off empty discharging charging full holding testing"
INVERTER_ALARMS = {
    0: "ground_fault", 1: "dc_voltage_high", 7: "hot", 8: "frequency_high", 9: "frequency_low",
    10: "voltage_high", 11: "voltage_low", 12: "fuse", 13: "cold", 15: "test_failure",
}  # fmt: skip
"""Evt1 of the inverters, without the bits that an intended state sets too (disconnected, shut down)."""
BATTERY_ALARMS = {
    0: "communication", 1: "hot", 2: "hot_warning", 3: "cold", 4: "cold_warning",
    5: "charge_current", 6: "charge_current_warning",
    7: "discharge_current", 8: "discharge_current_warning",
    9: "voltage_high", 10: "voltage_high_warning", 11: "voltage_low", 12: "voltage_low_warning",
    13: "charge_low", 14: "charge_low_warning", 15: "charge_high", 16: "charge_high_warning",
    17: "voltage_imbalance_warning", 18: "temperature_imbalance", 19: "temperature_imbalance_warning",
    20: "contactor", 21: "fan", 22: "ground_fault", 23: "door_open", 24: "current_imbalance_warning",
    25: "other", 26: "other_warning", 28: "configuration", 29: "configuration_warning",
}  # fmt: skip

INVERTER: tuple[tuple[str, WordType, int, int, int, int], ...] = (
    # point, type, place and scale factor in 101-103, place in 111-113, least number of phases
    ("inverter.current_l1", "u16", 3, 6, 4, 1),
    ("inverter.current_l2", "u16", 4, 6, 6, 2),
    ("inverter.current_l3", "u16", 5, 6, 8, 3),
    ("inverter.voltage_l12", "u16", 7, 13, 10, 2),
    ("inverter.voltage_l23", "u16", 8, 13, 12, 3),
    ("inverter.voltage_l31", "u16", 9, 13, 14, 3),
    ("inverter.voltage_l1", "u16", 10, 13, 16, 1),
    ("inverter.voltage_l2", "u16", 11, 13, 18, 2),
    ("inverter.voltage_l3", "u16", 12, 13, 20, 3),
    ("inverter.power", "s16", 14, 15, 22, 1),
    ("inverter.frequency", "u16", 16, 17, 24, 1),
    ("inverter.apparent_power", "s16", 18, 19, 26, 1),
    ("inverter.reactive_power", "s16", 20, 21, 28, 1),
    ("inverter.dc_voltage", "u16", 29, 30, 36, 1),
    ("inverter.temperature", "s16", 33, 37, 40, 1),  # of the cabinet
)


def _inverter(phases: int) -> Layout:
    """Models 101 (one phase), 102 (split phase) and 103 (three phases)."""
    measured = (
        value(name, kind, offset, scale_offset)
        for name, kind, offset, scale_offset, _, least in INVERTER
        if phases >= least
    )
    energy, state = _counted("inverter.energy", 24, 26), _state("inverter.state", 38, INVERTER_STATES)
    return Layout(50, (*measured, energy, state, *_events("inverter", 40, INVERTER_ALARMS)))


def _float_inverter(phases: int) -> Layout:
    """Models 111, 112 and 113: the same in floating point."""
    measured = (value(name, "f32", offset) for name, _, _, _, offset, least in INVERTER if phases >= least)
    energy = value("inverter.energy", "f32", 32, scale=0.001)
    state = _state("inverter.state", 48, INVERTER_STATES)
    return Layout(60, (*measured, energy, state, *_events("inverter", 50, INVERTER_ALARMS)))


def _text(name: str, offset: int, length: int) -> ProfilePoint:
    return ProfilePoint(name, offset, "text", length=length, every_s=3600)


_HAS_STORAGE = ValidWhen("battery.energy_capacity", above=0)
"""Model 713 says 0 % where there is no storage (its text on SoC)."""

LAYOUTS: dict[int, Layout] = {
    113: _float_inverter(3),
    112: _float_inverter(2),
    111: _float_inverter(1),
    103: _inverter(3),
    102: _inverter(2),
    101: _inverter(1),
    802: Layout(
        62,
        (
            value("battery.capacity", "u16", 2, 52),
            value("battery.energy_capacity", "u16", 3, 53, 0.001),
            value("battery.state_of_charge", "u16", 11, 56),
            value("battery.state_of_health", "u16", 13, 58),
            value("battery.cycles", "u32", 14),
            _state("battery.state", 16, CHARGE_STATES),
            ProfilePoint(
                "battery.connection", 22, "u16", sentinels={"65535": "absent"},
                enum={
                    "1": "disconnected", "2": "initializing", "3": "connected", "4": "standby",
                    "5": "charge_protection", "6": "suspending", "99": "fault",
                },
            ),
            value("battery.voltage", "u16", 34, 59),
            value("battery.cell_voltage_high", "u16", 37, 60),
            value("battery.cell_voltage_low", "u16", 40, 60),
            value("battery.charge_current_limit", "u16", 45, 62),
            value("battery.discharge_current_limit", "u16", 46, 62),
            *_events("battery", 26, BATTERY_ALARMS),
        ),
    ),
    713: Layout(
        7,
        (
            value("battery.energy_capacity", "u16", 2, 7, 0.001),
            value("battery.energy_available", "u16", 3, 7, 0.001, valid_when=_HAS_STORAGE),
            value("battery.state_of_charge", "u16", 4, 8, valid_when=_HAS_STORAGE),
            value("battery.state_of_health", "u16", 5, 8, valid_when=_HAS_STORAGE),
            _state("alarm.battery", 6, "ok warning alarm", first=0),
        ),
    ),
    124: Layout(
        24,
        (
            value("battery.state_of_charge", "u16", 8, 22),
            value("battery.voltage", "u16", 10, 24),
            _state("battery.state", 11, CHARGE_STATES),
        ),
    ),
    PORTS: Layout(18, ()),
    COMMON: Layout(
        65,
        (
            _text("device.maker", 2, 16),
            _text("device.model", 18, 16),
            _text("device.firmware", 42, 8),
            _text("device.serial_number", 50, 16),
        ),
    ),
}  # fmt: skip
"""By model number, the better source first: see `sunspec.discover`. The ports of 714 come on top."""


def port_points(kinds: list[int]) -> Iterator[ProfilePoint]:
    """The points of model 714 for ports of these kinds, the first port first.

    With one photovoltaic port that is the solar plant; of several, the first four are numbered. The
    device's sums are solar only if all ports are. The voltage of the storage port is the battery's if
    there is one such port.
    """
    solar = [port for port, kind in enumerate(kinds) if kind == PHOTOVOLTAIC]
    storage = [port for port, kind in enumerate(kinds) if kind == STORAGE]
    if solar and len(solar) == len(kinds):
        yield value("solar.power", "s16", 6, 17)
        yield value("solar.energy", "u64", 7, 18, 0.001)
    if len(solar) == 1:
        start = PORTS_FIRST + PORT_LENGTH * solar[0]
        if len(kinds) > 1:
            yield value("solar.power", "s16", start + 12, 17)
        yield value("solar.current", "s16", start + 10, 15)
        yield value("solar.voltage", "u16", start + 11, 16)
    for number, port in enumerate(solar[:4] if len(solar) > 1 else (), 1):
        start = PORTS_FIRST + PORT_LENGTH * port
        yield value(f"solar.power_{number}", "s16", start + 12, 17)
        yield value(f"solar.voltage_{number}", "u16", start + 11, 16)
    if len(storage) == 1:
        yield value("battery.voltage", "u16", PORTS_FIRST + PORT_LENGTH * storage[0] + 11, 16)
