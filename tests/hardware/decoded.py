"""What a device with certain registers says through one of the shipped profiles."""

from collections.abc import Iterable, Mapping

from tests.hardware.made_profile import made
from tpkit.domain.samples import Reading
from tpkit.errors import DeviceRefusedError
from tpkit.hardware import profile
from tpkit.hardware.decoding import decode
from tpkit.hardware.planning import Block, plan
from tpkit.hardware.reading import DeviceReader

ROUNDS = 4  # each refusal costs a round, and so does a deciding point that is read last
ILLEGAL_ADDRESS = 2


def readings(name: str, registers: Mapping[int, int], lacking: Iterable[range] = ()) -> dict[str, Reading]:
    """The readings of the last of some rounds. Registers that are not given hold 0.

    A question over a `lacking` register is refused as by older firmware.
    """
    gone = {register for run in lacking for register in run}

    def ask(block: Block) -> tuple[int, ...]:
        asked = range(block.address, block.address + block.count)
        if gone & set(asked):
            raise DeviceRefusedError("refused", ILLEGAL_ADDRESS)
        return tuple(registers.get(register, 0) for register in asked)

    reader = DeviceReader(profile.load(name))
    found: dict[str, Reading] = {}
    for _ in range(ROUNDS):
        for block in reader.blocks:
            found |= {reading.point: reading for reading in reader.read(block, ask)}
    return found


def values(
    name: str, registers: Mapping[int, int], lacking: Iterable[range] = ()
) -> dict[str, float | str | None]:
    """The same, only the values."""
    return {point: reading.value for point, reading in readings(name, registers, lacking).items()}


def one(point: str, *words: int, **head: str) -> Reading:
    """The reading of one point, alone in its block."""
    device = made(point, **head)
    (block,) = plan(device)
    (reading,) = decode(device, block, words)
    return reading
