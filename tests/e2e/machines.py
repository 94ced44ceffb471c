"""What the two machines answer, as raw words from the makers' tables, and what that means, by hand.

Victron GX: the system service's list (dbus_modbustcp attributes.csv), unit 100. Deep Sea: GenComm
pages 3 to 7 and 154 (register address = page * 256 + offset), unit 10. Only addresses that stand here
exist; a read beyond them is refused.
"""

from collections.abc import Mapping
from pathlib import Path

from tests.e2e.ground import Line, ModbusServer

GX_UNIT, DSE_UNIT, DSE_BAUD = 100, 10, 19200
FUEL, LOAD_L1, SOURCE, SOC = 1027, 817, 826, 843

GX = {
    817: 1000, 818: 1100, 819: 1500,            # consumption per phase, W x1: 3600 W together
    820: 0, 821: 0, 822: 0,                     # grid, W
    823: 0, 824: 0, 825: 0,                     # generator, W
    826: 240,                                   # active source: 240 is "not connected", so inverting
    840: 523,                                   # battery volts x10: 52.3 V
    841: 0xFD50,                                # amperes x10, signed: 0xFD50 = 64848 - 65536 = -688, -68.8 A
    842: 0xF1F0,                                # watts, signed: 0xF1F0 = 61936 - 65536 = -3600 W
    843: 87,                                    # state of charge, %
    844: 2,                                     # discharging
    845: 364,                                   # consumed ampere hours x -10: -36.4 Ah
    846: 72,                                    # time to go, 100 s a count: 7200 s = 2 h
    850: 0,                                     # solar, W
}  # fmt: skip

GX_MEANS = {
    "load.power_l1": 1000.0, "load.power_l2": 1100.0, "load.power_l3": 1500.0,
    "grid.power_l1": 0.0, "generator.power_l1": 0.0, "inverter.source": "none",
    "battery.voltage": 52.3, "battery.current": -68.8, "battery.power": -3600.0,
    "battery.state_of_charge": 87.0, "battery.state": "discharging", "battery.consumed": -36.4,
    "battery.time_to_go": 2.0, "solar.power": 0.0,
}  # fmt: skip

DSE = {
    772: 1,                                     # control mode: auto
    1024: 410,                                  # oil pressure, kPa
    1025: 0xFFF6,                               # coolant, signed: 0xFFF6 = 65526 - 65536 = -10 degrees
    1026: 0x7FFF,                               # oil temperature: "unimplemented" of a signed word
    1027: 63,                                   # fuel level, %
    1028: 139, 1029: 131,                       # charge alternator and engine battery, V x10
    1030: 1503, 1031: 501,                      # engine speed, rpm; generator frequency, Hz x10: 50.1
    1032: 0, 1033: 2312, 1034: 0, 1035: 2309, 1036: 0, 1037: 2318,   # L-N volts x10, high word first
    1038: 0, 1039: 4004, 1040: 0, 1041: 4000, 1042: 0, 1043: 4010,   # L-L volts x10
    1044: 0, 1045: 43, 1046: 0, 1047: 48, 1048: 0, 1049: 9,          # amperes x10
    1050: 0xFFFF, 1051: 0xFFFF,                 # earth current: "unimplemented" of two words
    1052: 0, 1053: 1000, 1054: 0, 1055: 1100,   # watts L1 and L2
    1056: 0xFFFF, 1057: 0xFF38,                 # watts L3, signed 32 bits: 0xFFFFFF38 = -200
    1058: 0, 1059: 0,                           # power factor angle; mains frequency
    1060: 0, 1061: 0, 1062: 0, 1063: 0, 1064: 0, 1065: 0,            # mains volts
    1408: 3,                                    # engine state: running
    1536: 0, 1537: 1900,                        # total watts
    1798: 0x0046, 1799: 0x90B0,                 # run time: 0x004690B0 = 4624560 s = 1284.6 h
    39425: 0x1111, 39426: 0x1111, 39427: 0x1111,                     # named alarms, four a word:
    39428: 0x1111, 39429: 0x1111, 39430: 0x1111,                     # 1 is "not active"
}  # fmt: skip

DSE_MEANS = {
    "engine.mode": "auto", "engine.oil_pressure": 410.0, "engine.coolant_temperature": -10.0,
    "engine.oil_temperature": None, "tank.fuel_level": 63.0, "engine.charge_voltage": 13.9,
    "engine.battery_voltage": 13.1, "engine.speed": 1503.0, "generator.frequency": 50.1,
    "generator.voltage_l1": 231.2, "generator.voltage_l2": 230.9, "generator.voltage_l3": 231.8,
    "generator.current_l1": 4.3, "generator.current_l2": 4.8, "generator.current_l3": 0.9,
    "generator.power_l1": 1000.0, "generator.power_l2": 1100.0, "generator.power_l3": -200.0,
    "engine.state": "running", "generator.power": 1900.0, "engine.run_time": 1284.6,
    "alarm.low_oil_pressure": "not_active", "alarm.low_fuel_level": "not_active",
}  # fmt: skip

TANK = """
[tank]
litres = 200
reserve_litres = 6

[generator]
rated_kw = 10
litres_per_hour = { 25 = 1, 50 = 2 }

[battery]
capacity_kwh = 14.4
"""
# 63 % of a 200 l box is 126 l, 120 l above the reserve. 3600 W is 36 % of 10 kW: between 1 l/h at 25 %
# and 2 l/h at 50 %, 1 + 11/25 = 1.44 l/h. 120 / 1.44 = 83.33 h. At the least the level is 2 % of 200 l
# too high and the burn a quarter more: 116 / 1.8 = 64.4 h.
# 87 % is 67 % above the floor of 20: 0.67 * 14400 Wh / 3600 W = 2.68 h.
LITRES, FUEL_HOURS, FUEL_HOURS_SURELY, BATTERY_HOURS = 126.0, 83.33, 64.44, 2.68

BUSES = """
[bus.gx]
host = "127.0.0.1"
tcp_port = {gx}

[bus.rs485]
port = "{line}"
baud = {baud}

[device.gx]
bus = "gx"
device_id = {gx_unit}
profile = "victron-system"

[device.genset]
bus = "rs485"
device_id = {dse_unit}
profile = "dse-generic"
"""


def gx_server(program: Path) -> ModbusServer:
    """The GX on a TCP port of its own."""
    return ModbusServer(program, "tcp", "0", str(GX_UNIT), image=GX)


def dse_server(program: Path, line: Line, image: Mapping[int, int] = DSE) -> ModbusServer:
    """The generator controller at the far end of a serial line."""
    return ModbusServer(program, "rtu", line.far, str(DSE_UNIT), str(DSE_BAUD), image=image)


def buses(gx: ModbusServer, line: Line) -> str:
    """The two machines as kit.toml has them."""
    return BUSES.format(gx=gx.port, line=line.near, baud=DSE_BAUD, gx_unit=GX_UNIT, dse_unit=DSE_UNIT)
