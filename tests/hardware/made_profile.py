"""Small profiles for tests, written as TOML like the real ones."""

import tomllib

from tpkit.config import decode
from tpkit.hardware import profile
from tpkit.hardware.profile_form import Profile
from tpkit.hardware.profile_rules import settled

HEAD = {
    "title": '"Made for a test"',
    "source": '"none"',
    "confidence": '"one source"',
    "tested_on_hardware": "false",
    "function": "3",
    "address_base": "0",
    "word_order": '"big"',
}


def toml(*points: str, tail: str = "", **head: str | None) -> str:
    """TOML of a profile with these points; `head` changes a line of the head, or drops it if None."""
    lines = [f"{key} = {value}" for key, value in (HEAD | head).items() if value is not None]
    return "\n".join([*lines, "point = [", *(f"  {{ {point} }}," for point in points), "]", tail])


def made(*points: str, tail: str = "", **head: str | None) -> Profile:
    """The profile itself. Raises ConfigError like any other."""
    return profile.parse("made", toml(*points, tail=tail, **head))


def unchecked(*points: str, tail: str = "", **head: str | None) -> Profile:
    """The profile without a look at its sense, for numbers that no point of the vocabulary could have."""
    faults: list[str] = []
    decoded: Profile | None = decode(Profile, tomllib.loads(toml(*points, tail=tail, **head)), "", faults)
    assert decoded is not None, faults
    return settled(decoded)
