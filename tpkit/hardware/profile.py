"""Device profiles: finding, reading and checking them. Every file names its sources."""

import tomllib
from importlib.resources import files
from pathlib import Path

from tpkit.config import decode
from tpkit.errors import ConfigError
from tpkit.hardware.profile_form import Profile
from tpkit.hardware.profile_rules import faults_of, settled


def names() -> list[str]:
    """The profiles that come with tpkit."""
    folder = files("tpkit.hardware").joinpath("profiles")
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def load(name: str) -> Profile:
    """The profile called `name`, or in the file at that absolute path. Raises ConfigError with all faults."""
    if Path(name).is_absolute():
        return _load_own(Path(name))
    if name not in names():
        known = ", ".join(names())
        raise ConfigError(
            [f'"{name}": no such device profile; known: {known}, or the path of a file, from /']
        )
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
        faults = faults_of(profile)
    if profile is None or faults:
        raise ConfigError([f"profile {name}: {fault}" for fault in faults])
    return settled(profile)


def _load_own(path: Path) -> Profile:
    """A profile of this site, as `tpkit device learn` or the ComAp importer writes it."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"profile {path}: cannot be read ({error})."]) from None
    return parse(str(path), text)
