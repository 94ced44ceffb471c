"""The public pages as bytes: one language, one response, no script, nothing to fetch besides."""

from datetime import datetime
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct

from tpkit.config import SiteSection
from tpkit.domain.messages import Message
from tpkit.domain.phrases import PHRASES, Severity
from tpkit.web.assets import assets_dir
from tpkit.web.facts import Facts, Word
from tpkit.web.translations import SOURCE, Catalogue, Language, catalogue, languages

FAMILIES = ("pages", "phrases")
Pages = dict[str, bytes]


class MessageView(Struct, frozen=True):
    """A message in one language: its sentence, and the same in Swedish for readers of another."""

    severity: str
    sentence: Markup
    swedish: Markup | None
    note: str
    note_language: Language | None
    sender: Markup
    said: Markup


def render_front(facts: Facts, tags: tuple[str, ...]) -> Pages:
    """The front page in each language, by path."""
    return {f"{tag}/index.html": _front(facts, tag, tags) for tag in tags}


def render_stale(facts: Facts, tags: tuple[str, ...]) -> Pages:
    """What is shown once web has died: when this was last known, and no promises."""
    return {f"{tag}/index.html": _plain("stale", facts.site, tag, tags, facts) for tag in tags}


def render_starting(site: SiteSection, tags: tuple[str, ...]) -> Pages:
    """What is shown before the first page is published: no data at all."""
    return {f"{tag}/index.html": _plain("starting", site, tag, tags, None) for tag in tags}


def message_view(message: Message, said: Catalogue) -> MessageView:
    """A message as readers of one language see it."""
    swedish = catalogue(SOURCE, *FAMILIES)
    note_language = languages().get(message.note_lang) if message.note else None
    return MessageView(
        Severity(message.severity).name.lower(),
        sentence(message, said),
        None if said is swedish else sentence(message, swedish),
        message.note,
        note_language,
        said.say(f"role.{message.author.partition('-')[0]}"),
        said.clock(message.effective),
    )


def sentence(message: Message, said: Catalogue) -> Markup:
    """The phrase with its slots filled, every value isolated."""
    slots = {name: _slot(name, value, said) for name, value in message.slots.items()}
    return said.say(f"phrase.{message.phrase}", **slots)


def _slot(name: str, value: str, said: Catalogue) -> Markup:
    match name:
        case "source":
            return said.say(f"source.{value}")
        case "time" | "time_said":
            return said.clock(datetime.fromisoformat(value))
        case "time_span":
            start, _, end = value.partition("/")
            return Markup("{} – {}").format(
                said.clock(datetime.fromisoformat(start)), said.clock(datetime.fromisoformat(end))
            )
    return Markup("<bdi>{}</bdi>").format(value)


def _front(facts: Facts, tag: str, tags: tuple[str, ...]) -> bytes:
    said = catalogue(tag, *FAMILIES)
    return _render(
        "front", facts.site, tag, tags,
        facts=facts,
        power=_confirmed("power", facts.power, said),
        room=_confirmed("room", facts.room, said),
        messages=[message_view(message, said) for message in facts.messages],
        official={key for key, phrase in PHRASES.items() if phrase.official},
    )  # fmt: skip


def _confirmed(subject: str, word: Word | None, said: Catalogue) -> tuple[Markup, Markup | None]:
    """What is said of power or room, and when; nothing said is *ask the staff*, never a guess."""
    if word is None:
        return said.say("page.ask_staff"), None
    return said.say(f"{subject}.{word.word}"), said.clock(word.said) if word.said else None


def _plain(name: str, site: SiteSection, tag: str, tags: tuple[str, ...], facts: Facts | None) -> bytes:
    return _render(name, site, tag, tags, facts=facts)


def _render(name: str, site: SiteSection, tag: str, tags: tuple[str, ...], **values: object) -> bytes:
    said = catalogue(tag, *FAMILIES)
    text = _environment().get_template(f"public/{name}.html").render(
        said=said, swedish=catalogue(SOURCE, *FAMILIES), site=site, own=said.language,
        others=[languages()[other] for other in tags if other != tag], **values,
    )  # fmt: skip
    return text.encode("utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(assets_dir() / "templates"),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
