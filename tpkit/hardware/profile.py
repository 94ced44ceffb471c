"""Device profiles: which register holds which point, as data with a source for every file."""

import tomllib
from importlib.resources import files
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tpkit.config import Section, decode
from tpkit.domain.points import point as vocabulary
from tpkit.errors import ConfigError

WordType = Literal["u16", "s16", "u32", "s32", "f32", "nibble"]
WORDS: dict[str, int] = {"u16": 1, "s16": 1, "u32": 2, "s32": 2, "f32": 2, "nibble": 1}
MAX_BLOCK = 125  # Modbus application protocol 1.1b3, 6.3: at most 125 registers a read


class ValidWhen(Section, frozen=True):
    """The point counts only while `point` of the same device is above `above`."""

    point: str
    above: float


class ProfilePoint(Section, frozen=True):
    """One point of a device. value = raw * scale + offset, in the vocabulary's unit.

    `nibble` counts from 1, the most significant. `enum` maps raw numbers to words. `every_s` is how
    often it is asked for.
    """

    name: str
    address: Annotated[int, Meta(ge=0, le=65535)]
    type: WordType
    scale: float = 1.0
    offset: float = 0.0
    nibble: Annotated[int, Meta(ge=1, le=4)] | None = None
    enum: dict[str, str] = msgspec.field(default_factory=dict)
    valid_when: ValidWhen | None = None
    every_s: Literal[1, 10, 60] = 1

    @property
    def words(self) -> int:
        """How many registers the raw value takes."""
        return WORDS[self.type]


class Profile(Section, frozen=True):
    """A kind of device. Addresses are those of the protocol (first register 0) once loaded.

    `sentinels` holds, for each word type, raw values that mean "no value" and the reason's code.
    """

    title: str
    source: str
    confidence: Literal["official", "two sources", "one source"]
    tested_on_hardware: bool
    function: Literal[3, 4]
    address_base: Literal[0, 1]
    word_order: Literal["big", "little"]
    point: tuple[ProfilePoint, ...]
    max_block: Annotated[int, Meta(ge=1, le=MAX_BLOCK)] = MAX_BLOCK
    allow_gaps: bool = False
    timeout_s: Annotated[float, Meta(ge=0.05, le=10)] = 1.0
    min_gap_s: Annotated[float, Meta(ge=0, le=1)] = 0.0
    sentinels: dict[WordType, dict[str, str]] = msgspec.field(default_factory=dict)


def names() -> list[str]:
    """The profiles that come with tpkit."""
    folder = files("tpkit.hardware").joinpath("profiles")
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def load(name: str) -> Profile:
    """The profile called `name`. Raises ConfigError with every fault in it."""
    if name not in names():
        raise ConfigError([f'"{name}": no such device profile; known: {", ".join(names())}'])
    text = files("tpkit.hardware").joinpath("profiles", f"{name}.toml").read_text("utf-8")
    return parse(name, text)


def parse(name: str, text: str) -> Profile:
    """A profile from TOML text. Raises ConfigError with every fault, each naming the profile."""
    faults: list[str] = []
    try:
        profile: Profile | None = decode(Profile, tomllib.loads(text), "", faults)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"profile {name}: is not TOML: {error}."]) from None
    if profile is not None:
        faults = [fault for item in profile.point for fault in _point_faults(profile, item)]
        faults += _whole_faults(profile)
    if profile is None or faults:
        raise ConfigError([f"profile {name}: {fault}" for fault in faults])
    return _zero_based(profile)


def _point_faults(profile: Profile, item: ProfilePoint) -> list[str]:
    faults = []
    if vocabulary(item.name) is None:
        faults.append("is not in the vocabulary of points")
    if item.scale == 0:
        faults.append("scale = 0 makes every value zero")
    if (item.type == "nibble") != (item.nibble is not None):
        faults.append("nibble = 1..4 and type = nibble belong together")
    if any(not key.isdecimal() for key in item.enum):
        faults.append("keys of enum are raw numbers")
    if item.valid_when and item.valid_when.point not in {other.name for other in profile.point}:
        faults.append(f"valid_when names {item.valid_when.point}, which the profile does not have")
    if item.address < profile.address_base:
        faults.append("address lies below address_base")
    return [f"point {item.name} at {item.address}: {fault}" for fault in faults]


def _whole_faults(profile: Profile) -> list[str]:
    """Faults that are not those of one point."""
    called = [item.name for item in profile.point]
    faults = [] if called else ["point: there is none"]
    faults += [f"point {name}: is there twice" for name in sorted(set(called)) if called.count(name) > 1]
    for kind, meanings in profile.sentinels.items():
        faults += [f"sentinels.{kind}.{key}: is not a raw number" for key in meanings if not _is_number(key)]
    return faults


def _is_number(key: str) -> bool:
    try:
        return int(key, 0) >= 0
    except ValueError:
        return False


def _zero_based(profile: Profile) -> Profile:
    points = tuple(
        msgspec.structs.replace(item, address=item.address - profile.address_base) for item in profile.point
    )
    return msgspec.structs.replace(profile, point=points, address_base=0)
