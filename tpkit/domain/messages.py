"""What staff tell residents: a phrase with filled slots, and perhaps a note as written."""

import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from tpkit.domain.phrases import PHRASES, SOURCES, Severity
from tpkit.errors import MessageRefusedError

TEXT_SLOT_LIMIT = 80
NOTE_LIMIT = 500
OFFICIAL_ROLE = "lead"


class Draft(Struct, frozen=True):
    """What came out of the form. Times are ISO 8601 with offset; a span is two of them with a slash."""

    phrase: str
    slots: Mapping[str, str]
    note: str = ""
    note_lang: str = "sv"


class Message(Struct, frozen=True):
    """One message as it is stored, shown and sent; words after CAP 1.2.

    `author` is a role code such as `lead-1`, never a name. `slots` hold text, source codes or
    ISO 8601 times in UTC.
    """

    id: str
    phrase: str
    slots: dict[str, str]
    note: str
    note_lang: str
    severity: Severity
    author: str
    effective: datetime
    expires: datetime
    replaces: str = ""


def compose(
    draft: Draft, *, message_id: str, author: str, languages: tuple[str, ...], now: datetime
) -> Message:
    """Turn a draft into a message, or raise MessageRefusedError naming the field to change."""
    phrase = PHRASES.get(draft.phrase)
    if phrase is None:
        raise MessageRefusedError("phrase", "choose")
    if phrase.official and not author.startswith(OFFICIAL_ROLE):
        raise MessageRefusedError("phrase", "lead_only")
    slots = {name: _slot(name, draft.slots.get(name, "").strip()) for name in phrase.slots}
    note = _text("note", draft.note.strip(), NOTE_LIMIT, lines=True)
    if note and draft.note_lang not in languages:
        raise MessageRefusedError("note_lang", "choose")
    return Message(
        message_id, draft.phrase, slots, note, draft.note_lang if note else "",
        phrase.severity, author, now, now + timedelta(hours=phrase.hours),
    )  # fmt: skip


def is_shown(message: Message, now: datetime, *, trusted: bool) -> bool:
    """Whether residents still read `message`: only a dropping phrase ends by time, on a trusted clock."""
    return not (trusted and PHRASES[message.phrase].drops and now > message.expires)


def is_of_our_days(when: datetime) -> bool:
    """Whether a time can be meant: at the ends of the calendar, not even its zone can be worked out."""
    return 2000 <= when.year < 2100


def _slot(name: str, value: str) -> str:
    if not value:
        raise MessageRefusedError(name, "missing")
    match name:
        case "source":
            if value not in SOURCES:
                raise MessageRefusedError(name, "choose")
            return value
        case "time" | "time_said":
            return _time(name, value)
        case "time_span":
            start, _, end = (_time(name, part) if part else "/" for part in value.partition("/"))
            if "/" in (start, end) or start > end:
                raise MessageRefusedError(name, "span")
            return f"{start}/{end}"
        case _:
            return _text(name, value, TEXT_SLOT_LIMIT)


def _time(name: str, value: str) -> str:
    if value == "/":
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise MessageRefusedError(name, "time") from None
    if moment.tzinfo is None or not is_of_our_days(moment):
        raise MessageRefusedError(name, "time")
    return moment.isoformat(timespec="minutes")


def _text(name: str, value: str, limit: int, *, lines: bool = False) -> str:
    if len(value) > limit:
        raise MessageRefusedError(name, "too_long")
    allowed = "\n\r" if lines else ""
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in allowed for char in value):
        raise MessageRefusedError(name, "control_characters")
    return value.replace("\r\n", "\n")
