"""Extracts what the pages need of CLDR into web/translations/cldr.json, so that no service loads locales.

Run as `python -m tpkit.tools.cldr` after adding a language. A contract test compares the file with
the installed Babel.
"""

import json
import sys
import tomllib
from pathlib import Path
from typing import TypedDict

from babel import Locale

FOLDER = Path(__file__).parents[2] / "web" / "translations"


class Extract(TypedDict):
    """Names of the days, Monday first, as they stand alone, and the decimal sign of Latin digits."""

    days: list[str]
    decimal: str


def extract(tag: str) -> Extract:
    """What CLDR says of a language."""
    locale = Locale.parse(tag, sep="-")
    names = locale.days["stand-alone"]["wide"]
    return {"days": [names[day] for day in range(7)], "decimal": locale.number_symbols["latn"]["decimal"]}


def table() -> dict[str, Extract]:
    """The extract for every language of `languages.toml`."""
    tags = tomllib.loads((FOLDER / "languages.toml").read_text("utf-8"))
    return {tag: extract(tag) for tag in tags}


if __name__ == "__main__":
    text = json.dumps(table(), ensure_ascii=False, indent=2) + "\n"
    (FOLDER / "cldr.json").write_text(text, encoding="utf-8")
    sys.stdout.write(f"{FOLDER / 'cldr.json'}: {len(table())} languages\n")
