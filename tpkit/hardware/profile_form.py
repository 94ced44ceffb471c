"""The form of a device profile: which register holds which point, and how the device wants to be asked."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tpkit.config import Section

WordType = Literal["u16", "s16", "u32", "s32", "u64", "s64", "f32", "nibble", "bit", "text"]
NumberType = Literal["u16", "s16", "u32", "s32", "u64", "s64", "f32"]
WORDS: dict[str, int] = {
    "u16": 1, "s16": 1, "u32": 2, "s32": 2, "u64": 4, "s64": 4, "f32": 2, "nibble": 1, "bit": 1,
}  # fmt: skip
Reason = Literal[
    "absent",
    "over_range",
    "under_range",
    "sensor_fault",
    "bad_data",
    "digital_high",
    "digital_low",
    "reserved",
]
Register = Annotated[int, Meta(ge=0, le=65535)]
Function = Literal[3, 4]
MAX_BLOCK = 125  # Modbus application protocol 1.1b3, 6.3: at most 125 registers a read


class ValidWhen(Section, frozen=True):
    """The point counts only while `point` of the same device is above `above`, or is one of `equals`."""

    point: str
    above: float | None = None
    equals: tuple[str, ...] = ()


class Limit(Section, frozen=True):
    """Beyond `value` (in the maker's unit) there is no value, for this reason."""

    value: float
    reason: Reason


class Fallback(Section, frozen=True):
    """Where older firmware has the same point; used once the first register is refused with exception 2."""

    address: Register
    type: NumberType
    scale: float = 1.0
    offset: float = 0.0


class ProfilePoint(Section, frozen=True):
    """One point of a device. value = raw * scale + offset, in `unit` or else the vocabulary's.

    `nibble` counts from 1, the most significant; `bit` from 0, the least. `length` is that of a text,
    in registers. `enum` maps raw numbers to words, here or under [enums]. `scale_address` holds an s16
    power of ten for the value (SunSpec). `range` narrows what is plausible, in the vocabulary's unit;
    between `below` and `above`, a value outside `clamp` counts as its nearer end.
    `every_s` is how often it is asked for; 3600 for what does not change.
    """

    name: str
    address: Register
    type: WordType
    function: Function | None = None
    length: Annotated[int, Meta(ge=1, le=MAX_BLOCK)] | None = None
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    nibble: Annotated[int, Meta(ge=1, le=4)] | None = None
    bit: Annotated[int, Meta(ge=0, le=15)] | None = None
    enum: dict[str, str] | str = msgspec.field(default_factory=dict)
    sentinels: dict[str, Reason] = msgspec.field(default_factory=dict)
    scale_address: Register | None = None
    range: tuple[float, float] | None = None
    clamp: tuple[float, float] | None = None
    below: Limit | None = None
    above: Limit | None = None
    valid_when: ValidWhen | None = None
    fallback: Fallback | None = None
    every_s: Literal[1, 10, 60, 3600] = 1

    @property
    def words(self) -> int:
        """How many registers the raw value takes."""
        return self.length or WORDS[self.type]

    @property
    def first(self) -> int:
        """The first register that must be read for it."""
        return self.address if self.scale_address is None else min(self.address, self.scale_address)

    @property
    def end(self) -> int:
        """The register after the last one that must be read for it."""
        return max(self.address + self.words, (self.scale_address or 0) + 1)


class Recognise(Section, frozen=True):
    """A register that tells this kind of device: one of `equals`, or within `between`."""

    address: Register
    function: Function | None = None
    type: WordType = "u16"
    length: Annotated[int, Meta(ge=1, le=MAX_BLOCK)] | None = None
    equals: tuple[int | str, ...] = ()
    between: tuple[float, float] | None = None


class LineDefaults(Section, frozen=True):
    """How the device leaves the factory."""

    device_id: Annotated[int, Meta(ge=0, le=255)] = 1
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    tcp_port: int | None = None


class Profile(Section, frozen=True):
    """A kind of device. Addresses are those of the protocol (first register 0) once loaded.

    `sentinels` holds, for each word type, raw values that mean "no value" and why. `holes` are ranges
    of registers (first, last) that may not be read even where gaps may. With `discovery`, the device is
    asked which points it has. `turnaround_s` is the device's
    stated time to answer, `min_gap_s` the rest it wants before the next question.
    """

    title: str
    source: str
    confidence: Literal["official", "two sources", "one source"]
    tested_on_hardware: bool
    function: Function
    address_base: Literal[0, 1]
    word_order: Literal["big", "little"]
    point: tuple[ProfilePoint, ...]
    note: str = ""
    discovery: Literal["none", "sunspec"] = "none"
    defaults: LineDefaults = LineDefaults()
    recognise: tuple[Recognise, ...] = ()
    max_block: Annotated[int, Meta(ge=1, le=MAX_BLOCK)] = MAX_BLOCK
    allow_gaps: bool = False
    holes: tuple[tuple[Register, Register], ...] = ()
    timeout_s: Annotated[float, Meta(ge=0.05, le=10)] = 1.0
    retries: Annotated[int, Meta(ge=0, le=3)] = 0
    min_gap_s: Annotated[float, Meta(ge=0, le=1)] = 0.0
    turnaround_s: Annotated[float, Meta(ge=0, le=1)] = 0.01
    sentinels: dict[WordType, dict[str, Reason]] = msgspec.field(default_factory=dict)
    enums: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
