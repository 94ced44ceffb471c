"""SunSpec discovery: which models a device has, where they begin, and so which points can be read."""

from collections.abc import Callable, Iterable

import msgspec
from msgspec import Struct

from tpkit.domain.points import POINTS
from tpkit.errors import DeviceRefusedError, WrongAnswerError
from tpkit.hardware.planning import Block
from tpkit.hardware.profile_form import Profile, ProfilePoint
from tpkit.hardware.sunspec_models import (
    COMMON,
    LAYOUTS,
    PORT_COUNT,
    PORT_LENGTH,
    PORTS,
    PORTS_FIRST,
    port_points,
)

Ask = Callable[[Block], tuple[int, ...]]
"""Reads one block from the device. Raises BusError."""

MARK = 0x53756E53  # "SunS"
END = 0xFFFF
LAST_REGISTER = 65535
MOST_MODELS = 100
ILLEGAL_ADDRESS = 2
NOT_NOW = (5, 6, 10, 11)
"""Exceptions that say nothing of the register: wait, busy, or only the gateway is there."""


class Model(Struct, frozen=True):
    """A model as found on the device: its number, its first register, and L, the registers after the two."""

    number: int
    start: int
    length: int


def discover(profile: Profile, ask: Ask) -> Profile:
    """`profile` with the points that the device has, in the order of registers and ready to be planned.

    Where a point is in several models, one of them counts: of inverters the floating point models before
    101-103 (they need no scale factor), of batteries 802 (the battery's own) before 713 (a summary) before
    124 (set points, mostly) before 714. Of a model that is there twice, the first counts. A model whose
    length is neither that of its text nor one more (a pad) is another layout and is left out, and so is a
    value that is further from its scale factor than one read reaches. `note` says what was used.

    Raises WrongAnswerError if this is no SunSpec device or has nothing that tpkit reads, and what `ask`
    raises.
    """
    base = _base(profile, ask)
    models = _chain(profile, ask, base)
    points: dict[str, ProfilePoint] = {}
    used: set[Model] = set()
    for model in _by_worth(models):
        fresh = [item for item in _points(profile, ask, model) if item.name not in points]
        points |= {item.name: item for item in fresh}
        used |= {model} if fresh else set()
    if all(model.number == COMMON for model in used):
        raise WrongAnswerError(
            f"SunSpec is there at {base}, but with no model that tpkit reads: it has {_listed(models)}; "
            f"tpkit reads {', '.join(str(number) for number in sorted(LAYOUTS))}."
        )
    spare = [model for model in models if model not in used]
    note = f"SunSpec at {base}: {_listed(m for m in models if m in used)}; not used: {_listed(spare)}."
    return msgspec.structs.replace(
        profile,
        point=tuple(sorted(points.values(), key=lambda item: item.address)),
        holes=profile.holes + tuple((model.start, model.start + 1) for model in models),
        note=f"{profile.note} {note}".strip(),
    )


def _base(profile: Profile, ask: Ask) -> int:
    """Where "SunS" is, of the addresses by which the profile recognises a device."""
    bases = [sign.address for sign in profile.recognise if MARK in sign.equals]
    for base in bases:
        try:
            high, low = ask(Block(profile.function, base, 2))
        except DeviceRefusedError as error:
            if error.exception_code in NOT_NOW:
                raise
            continue
        if high << 16 | low == MARK:
            return base
    raise WrongAnswerError(
        f'No "SunS" at {", ".join(map(str, bases))}: the device does not speak SunSpec. Is SunSpec switched '
        "on in its menu, and is device_id right?"
    )


def _chain(profile: Profile, ask: Ask, base: int) -> list[Model]:
    """The models one after another up to the end mark. Raises WrongAnswerError if there is no end."""
    models: list[Model] = []
    at = base + 2
    while len(models) <= MOST_MODELS:
        if at > LAST_REGISTER:
            raise _broken(models, "runs beyond the last register")
        number, length = _header(profile, ask, at)
        if number == END:
            return models
        if number is None or length == 0:
            raise _broken(models, f"stops at {at} without an end mark")
        models.append(Model(number, at, length))
        at += 2 + length
    raise _broken(models, f"has more than {MOST_MODELS} models and no end")


def _header(profile: Profile, ask: Ask, at: int) -> tuple[int | None, int]:
    """Number and length of the model at `at`; None for a register that is not there.

    Some devices have nothing after the end mark, so it is asked for alone if both are refused.
    """
    for count in (2, 1) if at < LAST_REGISTER else (1,):
        try:
            words = ask(Block(profile.function, at, count))
        except DeviceRefusedError as error:
            if error.exception_code != ILLEGAL_ADDRESS:
                raise
        else:
            return words[0], (*words, 0)[1]
    return None, 0


def _broken(models: list[Model], how: str) -> WrongAnswerError:
    return WrongAnswerError(
        f"The device's chain of SunSpec models {how}, after {_listed(models[-3:])}: nothing in it can be "
        "trusted. Restart the device; if it stays so, tell its maker."
    )


def _by_worth(models: list[Model]) -> list[Model]:
    """Those that tpkit can read, the better source first, then in the device's order."""
    worth = list(LAYOUTS)
    known = [model for model in models if _has_known_length(model)]
    return sorted(known, key=lambda model: worth.index(model.number))


def _has_known_length(model: Model) -> bool:
    """Whether the model is as long as its text says, or one register longer: a pad for even length."""
    layout = LAYOUTS.get(model.number)
    if layout is None:
        return False
    more = model.length - layout.length
    return (more % PORT_LENGTH if model.number == PORTS else more) in (0, 1)


def _points(profile: Profile, ask: Ask, model: Model) -> list[ProfilePoint]:
    """The points of a model at the device's addresses."""
    points = LAYOUTS[model.number].points
    if model.number == PORTS:
        points = tuple(port_points(_port_kinds(profile, ask, model)))
    placed = (
        msgspec.structs.replace(
            item,
            address=model.start + item.address,
            scale_address=None if item.scale_address is None else model.start + item.scale_address,
            function=profile.function,
            unit=POINTS[item.name].unit if item.name in POINTS else "",
        )
        for item in points
    )
    return [item for item in placed if item.end - item.first <= profile.max_block]


def _port_kinds(profile: Profile, ask: Ask, model: Model) -> list[int]:
    """PrtTyp of every port of a model 714, as many as it says and has room for."""
    room = (model.length - LAYOUTS[PORTS].length) // PORT_LENGTH
    (said,) = ask(Block(profile.function, model.start + PORT_COUNT, 1))
    first = model.start + PORTS_FIRST
    kinds: list[int] = []
    for port in range(min(said, room)):
        kinds += ask(Block(profile.function, first + PORT_LENGTH * port, 1))
    return kinds


def _listed(models: Iterable[Model]) -> str:
    return ", ".join(f"{model.number} (L {model.length}) at {model.start}" for model in models) or "none"
