"""The floor: the same blocks polled once a second with bare pymodbus, and sent with bare paho. Nothing else.

python -m tests.bench.bare_loop GX_PORT RTU_PORT BROKER_PORT
"""

import json
import sys
import time

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from pymodbus.client import ModbusSerialClient, ModbusTcpClient

from tpkit.hardware import profile
from tpkit.hardware.planning import plan


def main() -> None:
    """Poll until killed."""
    gx_port, rtu_port, broker_port = sys.argv[1:]
    gx = ModbusTcpClient("127.0.0.1", port=int(gx_port), timeout=1, retries=0)
    line = ModbusSerialClient(rtu_port, baudrate=19200, timeout=1, retries=0)
    jobs = [
        (client, unit, name, [block for block in plan(profile.load(name)) if block.every_s == 1])
        for client, unit, name in (
            (gx, 100, "victron-system"),
            (gx, 225, "victron-battery"),
            (line, 10, "dse-generic"),
        )
    ]
    broker = mqtt.Client(CallbackAPIVersion.VERSION2, "bare", protocol=mqtt.MQTTv5)
    broker.connect("127.0.0.1", int(broker_port))
    broker.loop_start()
    due = time.monotonic()
    while True:
        for client, unit, name, blocks in jobs:
            words = [
                client.read_holding_registers(block.address, count=block.count, device_id=unit).registers
                for block in blocks
            ]
            broker.publish(f"bare/{name}", json.dumps(words), qos=1)
        due += 1
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
