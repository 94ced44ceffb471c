"""What the simulated devices answer: register words written straight from the makers' tables.

Nothing here comes from the profiles or the decoder: those are what it is there to exercise.
"""

from collections.abc import Mapping

from tpkit.bench.world import TANK_LITRES, World

GX_SYSTEM_UNIT, GX_BATTERY_UNIT, DSE_UNIT = 100, 225, 10
Registers = Mapping[int, int]


def gx_system(world: World) -> Registers:
    """com.victronenergy.system, from Victron's own list: volts x10, amperes x10, watts x1.

    The text at 800 has two characters a register. Firmware of before the 32-bit powers at 902.
    """
    amperes = world.battery_w / world.battery_v
    third = int(world.load_w / 3)
    generator = int(world.generator_w / 3)
    return {
        800: 0x4445, 801: 0x4D4F, 802: 0x3030, 803: 0x3030, 804: 0x3030, 805: 0x3031,  # DEMO00000001
        817: third, 818: third, 819: third,
        820: 0, 821: 0, 822: 0,
        823: generator, 824: generator, 825: generator,
        826: 2 if world.generator_runs else 240,
        840: int(world.battery_v * 10),
        841: _signed16(amperes * 10),
        842: _signed16(world.battery_w),
        843: int(world.charge * 100),
        844: 1 if world.battery_w > 0 else 2,
        845: int((1 - world.charge) * 280 * 10),
        846: int(_time_to_go_s(world) / 100),
        850: 0,
    }  # fmt: skip


def gx_battery(world: World) -> Registers:
    """com.victronenergy.battery: volts x100, state of charge x10."""
    return {
        **dict.fromkeys(range(256, 280), 0),
        258: _signed16(world.battery_w),
        259: int(world.battery_v * 100),
        261: _signed16(world.battery_w / world.battery_v * 10),
        262: 163,
        265: int((1 - world.charge) * 280 * 10),
        266: int(world.charge * 1000),
        303: int(_time_to_go_s(world) / 100),
        304: 990,
    }


def dse(world: World) -> Registers:
    """GenComm pages 3, 4, 5, 6, 7 and 154; 0xFFFF is "unimplemented"."""
    runs = world.generator_runs
    phase_w = int(world.generator_w / 3)
    words = {768: 1, 772: 1}  # 768: the maker, 1 is Deep Sea
    words |= {
        1024: 410 if runs else 0, 1025: int(world.coolant_c), 1026: 0x7FFF,
        1027: int(100 * world.fuel_litres / TANK_LITRES),
        1028: 139 if runs else 0, 1029: 131 if runs else 127,
        1030: 1503 if runs else 0, 1031: 501 if runs else 0,
        1058: 0, 1059: 0,
    }  # fmt: skip
    for phase in range(3):
        words |= _long(1032 + 2 * phase, 2312 if runs else 0)
        words |= _long(1038 + 2 * phase, 4004 if runs else 0)
        words |= _long(1044 + 2 * phase, int(phase_w / 23.12))
        words |= _long(1052 + 2 * phase, phase_w)
        words |= _long(1060 + 2 * phase, 0)
    words |= _long(1050, 0xFFFFFFFF)
    words |= {1408: 3 if runs else 0}
    words |= _long(1536, 3 * phase_w)
    words |= _long(1798, int(world.engine_seconds))
    words |= dict.fromkeys(range(39425, 39431), 0x1111)
    return words


def _long(address: int, value: int) -> dict[int, int]:
    return {address: value >> 16 & 0xFFFF, address + 1: value & 0xFFFF}


def _signed16(value: float) -> int:
    return int(value) & 0xFFFF


def _time_to_go_s(world: World) -> float:
    if world.battery_w >= 0:
        return 0.0
    return min(world.charge_wh / -world.battery_w * 3600, 6_000_000.0)
