"""Others that read the same blocks from the same line, one after the other without a pause.

python -m tests.bench.modbus_peers pymodbus|pymodbus-tcp|minimalmodbus PORT BAUD UNIT:FUNCTION:ADDRESS:COUNT ...
"""

import sys
from collections.abc import Callable

Block = tuple[int, int, int, int]
Read = Callable[[int, int, int, int], object]
TIMEOUT_S = 1.0


def bare_pymodbus(port: str, baud: int) -> Read:
    """The library that tpkit uses, and nothing round it."""
    from pymodbus.client import ModbusSerialClient, ModbusTcpClient

    client: ModbusSerialClient | ModbusTcpClient
    if baud:
        client = ModbusSerialClient(port, baudrate=baud, timeout=TIMEOUT_S, retries=0)
    else:
        client = ModbusTcpClient("127.0.0.1", port=int(port), timeout=TIMEOUT_S, retries=0)

    def read(unit: int, function: int, address: int, count: int) -> object:
        ask = client.read_holding_registers if function == 3 else client.read_input_registers
        return ask(address, count=count, device_id=unit).registers

    return read


def minimal_modbus(port: str, baud: int) -> Read:
    """A small library of its own, on pyserial: https://pypi.org/project/minimalmodbus/."""
    import minimalmodbus  # type: ignore[import-not-found]  # installed for the run only

    devices: dict[int, object] = {}

    def read(unit: int, function: int, address: int, count: int) -> object:
        if unit not in devices:
            devices[unit] = device = minimalmodbus.Instrument(port, unit)
            device.serial.baudrate = baud
            device.serial.timeout = TIMEOUT_S
        return devices[unit].read_registers(address, count, function)  # type: ignore[attr-defined]

    return read


def main() -> None:
    """Read until killed."""
    name, port, baud, *texts = sys.argv[1:]
    read = (minimal_modbus if name == "minimalmodbus" else bare_pymodbus)(port, int(baud))
    blocks: list[Block] = [tuple(map(int, text.split(":"))) for text in texts]  # type: ignore[misc]
    while True:
        for block in blocks:
            read(*block)


if __name__ == "__main__":
    main()
