"""Catalogues: PO files read once, a language's own names for days, and its direction.

Keys are symbolic (`page.open`); Swedish is the source. A text that a language lacks is shown in
Swedish, marked as Swedish.
"""

import json
import tomllib
from datetime import datetime
from functools import cache
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from babel.messages.pofile import read_po
from markupsafe import Markup, escape
from msgspec import Struct

from tpkit.web.assets import assets_dir

SOURCE = "sv"
SWEDISH_TIME = ZoneInfo("Europe/Stockholm")


class Language(Struct, frozen=True):
    """A language of the pages: its BCP 47 tag, its own name, the name in Latin letters, direction."""

    tag: str
    name: str
    latin: str
    dir: str


@cache
def languages() -> dict[str, Language]:
    """Every language there is a translation for, Swedish first."""
    table = tomllib.loads((assets_dir() / "translations" / "languages.toml").read_text("utf-8"))
    return {tag: Language(tag, **row) for tag, row in table.items()}


class Catalogue:
    """The texts of one language out of one family of PO files (`pages` and `phrases`, or `staff`)."""

    def __init__(self, tag: str, *families: str) -> None:
        self.language = languages()[tag]
        self._texts = _texts(tag, families)
        self._source = self._texts if tag == SOURCE else _texts(SOURCE, families)
        self._days: list[str] = cldr(tag)["days"]
        self._decimal: str = cldr(tag)["decimal"]

    def text(self, key: str, **values: object) -> str:
        """The plain text of `key`, with values put in; Swedish where this language lacks it."""
        return (self._texts.get(key) or self._source[key]).format(**values)

    def has(self, key: str) -> bool:
        """Whether there is such a text in Swedish."""
        return key in self._source

    def say(self, key: str, **values: object) -> Markup:
        """The text as HTML: values isolated by direction, Swedish fallback marked as Swedish."""
        isolated = {
            name: value if isinstance(value, Markup) else Markup("<bdi>{}</bdi>").format(value)
            for name, value in values.items()
        }
        own = self._texts.get(key)
        if own:
            return escape(own).format(**isolated)
        return Markup('<span lang="sv" dir="ltr">{}</span>').format(
            escape(self._source[key]).format(**isolated)
        )

    def number(self, value: float, decimals: int) -> str:
        """A number in Latin digits with the language's decimal sign."""
        return f"{value:.{decimals}f}".replace(".", self._decimal)

    def clock(self, moment: datetime) -> Markup:
        """Weekday and Swedish time in digits, as one run that no bidi neighbour can split."""
        local = moment.astimezone(SWEDISH_TIME)
        return Markup('{} <bdi dir="ltr">{}</bdi>').format(
            self._days[local.weekday()], local.strftime("%H:%M")
        )


@cache
def catalogue(tag: str, *families: str) -> Catalogue:
    """The one catalogue of a language and its families."""
    return Catalogue(tag, *families)


def slots_of(text: str) -> set[str]:
    """Names of the blanks in a text."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@cache
def _texts(tag: str, families: tuple[str, ...]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for family in families:
        path = assets_dir() / "translations" / tag / f"{family}.po"
        if path.exists():
            with path.open("rb") as file:
                for message in read_po(file, abort_invalid=True):
                    if message.id and message.string and not message.fuzzy:
                        texts[str(message.id)] = str(message.string)
    return texts


@cache
def cldr(tag: str) -> dict[str, Any]:
    """What was extracted from CLDR beforehand: `days`, Monday first, and the `decimal` sign."""
    table: dict[str, Any] = json.loads((assets_dir() / "translations" / "cldr.json").read_text("utf-8"))
    found: dict[str, Any] = table.get(tag, table[SOURCE])
    return found
