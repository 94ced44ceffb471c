"""What staff type, turned into values or refused with the field and the reason."""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from tpkit.domain.messages import Draft, is_of_our_days
from tpkit.domain.phrases import PHRASES
from tpkit.errors import EntryRefusedError
from tpkit.web.translations import SWEDISH_TIME

Form = Mapping[str, str]
LOCAL_FORMAT = "%Y-%m-%dT%H:%M"


def one_of(form: Form, field: str, allowed: Sequence[str]) -> str:
    """A value out of a list."""
    value = form.get(field, "")
    if value not in allowed:
        raise EntryRefusedError(field, "choose")
    return value


def number(form: Form, field: str, lowest: float, highest: float) -> float:
    """A number; a comma is as good as a point."""
    try:
        value = float(form.get(field, "").strip().replace(",", "."))
    except ValueError:
        raise EntryRefusedError(field, "number") from None
    if not math.isfinite(value) or not lowest <= value <= highest:
        raise EntryRefusedError(field, "range")
    return value


def whole_number(form: Form, field: str, lowest: int, highest: int) -> int:
    """A whole number."""
    value = number(form, field, lowest, highest)
    if value != int(value):
        raise EntryRefusedError(field, "whole")
    return int(value)


def text(form: Form, field: str, limit: int) -> str:
    """A line of text, perhaps empty."""
    value = form.get(field, "").strip()
    if len(value) > limit:
        raise EntryRefusedError(field, "too_long")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in value):
        raise EntryRefusedError(field, "control_characters")
    return value


def moment(form: Form, field: str) -> datetime:
    """A date and time in Swedish time, as the browser's own control gives it; returned in UTC."""
    try:
        said = datetime.fromisoformat(form.get(field, ""))
    except ValueError:
        raise EntryRefusedError(field, "time") from None
    if not is_of_our_days(said):
        raise EntryRefusedError(field, "time")
    return said.replace(tzinfo=SWEDISH_TIME).astimezone(UTC)


def local(when: datetime) -> str:
    """A moment as the browser's date-and-time control wants it."""
    return when.astimezone(SWEDISH_TIME).strftime(LOCAL_FORMAT)


def defaults(now: datetime) -> dict[str, str]:
    """Sensible first values for the blanks that hold times."""
    return {
        "time": local(now + timedelta(hours=2)),
        "time_said": local(now),
        "time_span_from": local(now),
        "time_span_to": local(now + timedelta(hours=2)),
    }


def draft(form: Form) -> Draft:
    """The message form as a draft; times become UTC with offset, for `compose` to judge."""
    phrase = form.get("phrase", "")
    slots = {}
    for name in PHRASES[phrase].slots if phrase in PHRASES else ():
        if name in ("time", "time_said"):
            slots[name] = _utc(form.get(name, ""))
        elif name == "time_span":
            start, end = _utc(form.get("time_span_from", "")), _utc(form.get("time_span_to", ""))
            slots[name] = f"{start}/{end}" if start and end else ""
        else:
            slots[name] = form.get(name, "")
    return Draft(phrase, slots, form.get("note", ""), form.get("note_lang", "sv"))


def _utc(value: str) -> str:
    """An ISO time in UTC, or what was typed if it is none: `compose` then refuses it by name."""
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        return value
    if not is_of_our_days(when):
        return value
    aware = when if when.tzinfo else when.replace(tzinfo=SWEDISH_TIME)
    return aware.astimezone(UTC).isoformat(timespec="minutes")
