"""Profiles as a site uses them: transmitters' points turned into points of the site."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from tpkit.config import DeviceSection, InputSection
from tpkit.domain.points import point as vocabulary
from tpkit.errors import ConfigError
from tpkit.hardware.profile import load
from tpkit.hardware.profile_form import Limit, Profile, ProfilePoint


def profile_of(section: DeviceSection) -> Profile:
    """The profile of a device with its inputs. Raises ConfigError with every fault."""
    profile = load(section.profile)
    faults = [
        f"input {wanted.point}: {fault}"
        for wanted in section.input
        for fault in _input_faults(profile, section.input, wanted)
    ]
    if faults:
        raise ConfigError(faults)
    added = tuple(_mapped(_source(profile, wanted.source), wanted) for wanted in section.input)
    return msgspec.structs.replace(profile, point=profile.point + added)


def faults_of(devices: Mapping[str, DeviceSection]) -> list[str]:
    """Every fault in the profiles and inputs of devices, each with its place in kit.toml."""
    faults = []
    for name, section in devices.items():
        try:
            profile_of(section)
        except ConfigError as error:
            faults += [f"device.{name}.profile: {fault}" for fault in error.faults]
    return faults


def _source(profile: Profile, name: str) -> ProfilePoint:
    return next(item for item in profile.point if item.name == name)


def _input_faults(profile: Profile, inputs: Iterable[InputSection], wanted: InputSection) -> Iterator[str]:
    known, there = vocabulary(wanted.point), {item.name for item in profile.point}
    if known is None or not known.unit:
        yield "is not a measured point of the vocabulary (docs/points.md)"
    if wanted.source not in there or not _source(profile, wanted.source).unit:
        measured = [item.name for item in profile.point if item.unit]
        yield f'source = "{wanted.source}": the profile measures {", ".join(measured)}'
    if wanted.point in there or [other.point for other in inputs].count(wanted.point) > 1:
        yield "is there already"
    if wanted.at[0] == wanted.at[1] or wanted.means[0] == wanted.means[1]:
        yield "at and means must name two different points of the line"


def _mapped(source: ProfilePoint, wanted: InputSection) -> ProfilePoint:
    """`source` on the straight line through (at, means); its limits go along, and turn if the line falls."""
    slope = (wanted.means[1] - wanted.means[0]) / (wanted.at[1] - wanted.at[0])
    known = vocabulary(wanted.point)

    def on_line(value: float) -> float:
        return wanted.means[0] + (value - wanted.at[0]) * slope

    limits: tuple[Limit | None, ...] = tuple(
        None if limit is None else Limit(value=on_line(limit.value), reason=limit.reason)
        for limit in (source.below, source.above)
    )
    below, above = limits if slope > 0 else limits[::-1]
    return msgspec.structs.replace(
        source, name=wanted.point, unit=known.unit if known else "", scale=source.scale * slope,
        offset=on_line(source.offset), range=None, below=below, above=above,
        clamp=(min(wanted.means), max(wanted.means)) if below or above else None,
    )  # fmt: skip
