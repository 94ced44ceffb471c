"""A second opinion: pysunspec2 reads the same registers and has the same model texts."""

import math
import random
import struct
from itertools import pairwise

import pytest
from sunspec2 import device as reference_models
from sunspec2.modbus.client import SunSpecModbusClientDevice, SunSpecModbusClientDeviceTCP

from tests.hardware import sunspec_device as made
from tests.hardware.fault_server import TcpFaultServer
from tests.hardware.line import PATIENT_S, UNIT, Line
from tests.hardware.sunspec_device import ESS, PV, SUNSPEC, Device, read
from tpkit.domain.points import point as vocabulary
from tpkit.hardware.reading import DeviceReader
from tpkit.hardware.sunspec import discover
from tpkit.hardware.sunspec_models import LAYOUTS


class Reference(SunSpecModbusClientDevice):  # type: ignore[misc]
    """pysunspec2's own discovery and decoding, over the words of a Device."""

    def __init__(self, device: Device) -> None:
        super().__init__()
        self.words = device.registers
        self.scan()

    def read(self, addr: float, count: float) -> bytes:  # 1.3.7 divides bytes into registers with /
        wanted = range(int(addr), int(addr + count))
        return b"".join(self.words[address].to_bytes(2, "big") for address in wanted)


NAMES = {
    "inverter.current_l1": "AphA", "inverter.current_l2": "AphB", "inverter.current_l3": "AphC",
    "inverter.voltage_l12": "PPVphAB", "inverter.voltage_l23": "PPVphBC", "inverter.voltage_l31": "PPVphCA",
    "inverter.voltage_l1": "PhVphA", "inverter.voltage_l2": "PhVphB", "inverter.voltage_l3": "PhVphC",
    "inverter.power": "W", "inverter.frequency": "Hz", "inverter.apparent_power": "VA",
    "inverter.reactive_power": "VAr", "inverter.energy": "WH",
    "inverter.dc_voltage": "DCV",
    "inverter.temperature": "TmpCab", "inverter.state": "St",
}  # fmt: skip
BATTERY_NAMES = {
    802: {
        "battery.capacity": "AHRtg", "battery.energy_capacity": "WHRtg", "battery.state_of_charge": "SoC",
        "battery.state_of_health": "SoH", "battery.cycles": "NCyc", "battery.state": "ChaSt",
        "battery.connection": "State", "battery.voltage": "V", "battery.cell_voltage_high": "CellVMax",
        "battery.cell_voltage_low": "CellVMin", "battery.charge_current_limit": "AChaMax",
        "battery.discharge_current_limit": "ADisChaMax",
    },
    713: {
        "battery.energy_capacity": "WHRtg", "battery.energy_available": "WHAvail",
        "battery.state_of_charge": "SoC", "battery.state_of_health": "SoH", "alarm.battery": "Sta",
    },
    124: {"battery.state_of_charge": "ChaState", "battery.voltage": "InBatV", "battery.state": "ChaSt"},
    1: {
        "device.maker": "Mn", "device.model": "Md", "device.firmware": "Vr", "device.serial_number": "SN",
    },
}  # fmt: skip
FACTORS = {
    "inverter.energy": 0.001,
    "battery.energy_capacity": 0.001, "battery.energy_available": 0.001,
}  # fmt: skip
WORDS = {
    "MPPT": "mppt", "SOC PROTECTION": "charge_protection", "WARNING": "warning", "ERROR": "alarm",
}  # fmt: skip
TYPES = {
    "uint16": "u16", "enum16": "u16", "int16": "s16", "uint32": "u32", "acc32": "u32", "uint64": "u64",
    "float32": "f32", "string": "text",
}  # fmt: skip


def names_in(number: int) -> dict[str, str]:
    return BATTERY_NAMES.get(number, NAMES)


def laid_out(number: int) -> dict[str, tuple[int, dict[str, object]]]:
    """pysunspec2's text of a model: each point's offset and definition."""
    offset, found = 0, {}
    for point in reference_models.get_model_def(number)["group"]["points"]:
        found[point["name"]] = (offset, point)
        offset += int(point["size"])
    return found


@pytest.mark.parametrize("number", [number for number in LAYOUTS if number != 714])
def test_places_types_and_words_are_those_of_the_text(number: int) -> None:
    theirs, names = laid_out(number), names_in(number)
    ours = {item.name: item for item in LAYOUTS[number].points if item.type != "bit"}
    assert set(ours) <= set(names)
    for name, item in ours.items():
        offset, point = theirs[names[name]]
        assert (item.address, item.type, item.words) == (offset, TYPES[str(point["type"])], point["size"]), (
            name
        )
        factor = point.get("sf")
        assert item.scale_address == (None if factor is None else theirs[str(factor)][0]), name
        symbols = {str(s["value"]): str(s["name"]).removeprefix("gg") for s in point.get("symbols", [])}  # type: ignore[attr-defined]
        assert item.enum == {code: WORDS.get(word, word.lower()) for code, word in symbols.items()}, name


@pytest.mark.parametrize("number", [101, 102, 103, 111, 112, 113, 802])
def test_bits_are_those_of_the_text(number: int) -> None:
    offset, point = laid_out(number)["Evt1"]
    theirs = {int(s["value"]): s["name"] for s in point["symbols"]}  # type: ignore[attr-defined]
    for item in LAYOUTS[number].points:
        if item.type != "bit" or item.bit is None or item.name.endswith(".events"):
            continue
        bit = 16 * (1 - (item.address - offset)) + item.bit
        said = theirs[bit]
        assert item.name.endswith("_warning") == said.endswith("_WARNING"), item.name
        for ours, their_word in {
            "hot": "OVER_TEMP", "cold": "UNDER_TEMP", "charge_low": "UNDER_SOC", "charge_high": "OVER_SOC",
            "ground_fault": "GROUND_FAULT", "dc_voltage_high": "DC_OVER_VOLT", "fuse": "BLOWN_STRING_FUSE",
            "inverter_voltage_high": "AC_OVER_VOLT", "inverter_voltage_low": "AC_UNDER_VOLT",
            "frequency_high": "OVER_FREQ", "frequency_low": "UNDER_FREQ", "test_failure": "HW_TEST_FAIL",
            "battery_voltage_high": "OVER_VOLT", "battery_voltage_low": "UNDER_VOLT",
            "discharge_current": "OVER_DISCHARGE_CURRENT", "_charge_current": "OVER_CHARGE_CURRENT",
            "voltage_imbalance": "VOLTAGE_IMB", "temperature_imbalance": "TEMPERATURE_IMB", "fan": "FAN",
            "current_imbalance": "CURRENT_IMB", "contactor": "CONTACTOR", "door_open": "OPEN_DOOR",
            "other": "OTHER", "configuration": "CONFIGURATION", "communication": "COMMUNICATION",
        }.items():  # fmt: skip
            if item.name.removesuffix("_warning").endswith(ours) and said.startswith(their_word):
                break
        else:
            pytest.fail(f"{item.name} is {said}")


def believable(name: str, value: object) -> object:
    """What tpkit should say where pysunspec2 says `value`: nothing if it is out of the point's range."""
    known = vocabulary(name)
    if isinstance(value, int | float) and known is not None:
        value = round(value, 6)  # as fine as tpkit's values are
        return value if known.lowest <= value <= known.highest else None
    return value


def reference_value(name: str, point: object) -> object:
    """pysunspec2's value in tpkit's unit and words."""
    kind, raw = point.pdef["type"], point.value  # type: ignore[attr-defined]
    if raw is None or kind == "string":
        return raw or None
    if kind == "enum16":
        words = {int(s["value"]): s["name"].removeprefix("gg") for s in point.pdef["symbols"]}  # type: ignore[attr-defined]
        return WORDS.get(words[raw], words[raw].lower()) if raw in words else None
    if kind == "float32" and math.isnan(raw):
        return None
    if point.sf_required:  # type: ignore[attr-defined]
        factor = point.model.points[point.sf].value  # type: ignore[attr-defined]
        if factor is None or abs(factor) > 10:
            return None
    if kind == "acc32" and raw == 0xFFFFFFFF:
        return None
    return believable(name, point.cvalue * FACTORS.get(name, 1))  # type: ignore[attr-defined]


def agree(ours: object, theirs: object) -> bool:
    if isinstance(ours, float) and isinstance(theirs, int | float):
        return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=2e-6)
    return ours == theirs


def garbled(model: list[int], dice: random.Random) -> list[int]:
    """The model with other values. Scale factors are mostly small, and floats mostly of a device's size."""
    number, length, *words = model
    for offset, point in laid_out(number).values():
        for at in range(max(offset - 2, 0), offset - 2 + int(str(point["size"]))):
            words[at] = dice.choice([0xFFFF, 0x8000, 0, 0x7FC0, 11, dice.randrange(0x10000)])
        if offset < 2 or dice.random() < 0.2:
            continue
        if point["type"] == "sunssf":
            words[offset - 2] = dice.randrange(-4, 3) & 0xFFFF
        elif point["type"] == "float32":
            words[offset - 2 : offset] = struct.unpack(">HH", struct.pack(">f", dice.uniform(-300, 600)))
        else:
            words[offset - 2] = dice.randrange(0x10000) >> dice.choice([0, 4, 8, 13])
    return [number, length, *words]


@pytest.mark.parametrize(
    "model",
    [made.three_phase(n) for n in (101, 102, 103)]
    + [made.float_three_phase(n) for n in (111, 112, 113)]
    + [made.battery(), made.storage_control(), made.storage_capacity()],
    ids=lambda model: str(model[0]),
)
def test_pysunspec2_reads_the_same(model: list[int]) -> None:
    number, compared, with_value = model[0], 0, 0
    dice = random.Random(number)
    for turn in range(80):
        device = Device(made.common(), garbled(model, dice) if turn else model)
        theirs, ours = Reference(device), read(device)
        for name, reading in ours.items():
            if name.endswith(".events") or reading.reason == "not_valid_now" or name not in names_in(number):
                continue
            said = reference_value(name, theirs.models[number][0].points[names_in(number)[name]])
            assert agree(reading.value, said), (turn, name, reading, said)
            compared, with_value = compared + 1, with_value + (said is not None)

    assert with_value > compared / 5


def test_pysunspec2_reads_the_same_texts_and_ports() -> None:
    device = Device(made.common(), made.ports(PV, ESS, PV), made.three_phase())
    theirs, ours = Reference(device), read(device)

    for name, point in BATTERY_NAMES[1].items():
        assert ours[name].value == theirs.models[1][0].points[point].value
    group = theirs.models[714][0].groups["Prt"]
    for name, port, point in [
        ("solar.power_1", 0, "DCW"), ("solar.power_2", 2, "DCW"),
        ("solar.voltage_1", 0, "DCV"), ("solar.voltage_2", 2, "DCV"), ("battery.voltage", 1, "DCV"),
    ]:  # fmt: skip
        assert ours[name].value == pytest.approx(group[port].points[point].cvalue), name


def test_pysunspec2_finds_the_same_models() -> None:
    device = Device(
        made.common(65), made.vendors(64001), made.three_phase(), made.ports(PV, ESS), made.storage_control(),
        made.battery(), made.vendors(),
    )  # fmt: skip
    note = discover(SUNSPEC, device.ask).note
    theirs = Reference(device)

    for model in theirs.model_list:
        assert f"{model.model_id} (L {model.model_len}) at {model.model_addr}" in note
    for one, other in pairwise(theirs.model_list):
        assert other.model_addr == one.model_addr + one.model_len + 2


def test_over_the_wire(network: Line) -> None:
    device = Device(made.common(), made.three_phase(), made.battery(), made.ports(PV, ESS))
    network.server.registers |= {(UNIT, at): word for at, word in device.registers.items()}
    reader = DeviceReader(SUNSPEC)
    reader.prepare(network.read)
    ours = {reading.point: reading for block in reader.blocks for reading in reader.read(block, network.read)}

    assert isinstance(network.server, TcpFaultServer)
    theirs = SunSpecModbusClientDeviceTCP(UNIT, "127.0.0.1", network.server.port, timeout=PATIENT_S)
    theirs.scan()
    theirs.disconnect()
    assert ours["inverter.power"].value == theirs.models[103][0].W.cvalue == 3090
    assert ours["battery.voltage"].value == theirs.models[802][0].V.cvalue == 51.84
    assert ours["device.maker"].value == theirs.models[1][0].Mn.value == "Example Maker"
