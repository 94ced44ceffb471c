"""Promises of the repository as a whole: what is where, and that documents and code agree."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "tpkit").rglob("*.py"))


def test_the_top_level_holds_what_it_should() -> None:
    allowed = {"firmware", "tpkit", "web", "systemd", "tests", "docs", ".ci", "pyproject.toml", "README.md",
               "Makefile", "LICENSE", "CHANGELOG.md", "SECURITY.md", ".gitignore", ".git"}  # fmt: skip
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").split()]
    found = {path.name for path in ROOT.iterdir()}
    assert {name for name in found if not any(fnmatch(name, pattern) for pattern in ignored)} <= allowed


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_is_long(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


def test_domain_never_asks_what_time_it_is() -> None:
    for path in (ROOT / "tpkit" / "domain").glob("*.py"):
        assert not re.search(r"\.(now|today|utcnow)\(", path.read_text("utf-8")), path.name


def test_only_reads_go_to_the_equipment() -> None:
    for path in (ROOT / "tpkit" / "hardware").glob("*.py"):
        assert not re.search(
            r"\bwrite_(register|coil|registers|coils)|mask_write|readwrite", path.read_text("utf-8")
        ), path.name


def test_the_crossing_decoder_keeps_to_what_micropython_has() -> None:
    text = (ROOT / "tpkit" / "domain" / "crossing.py").read_text("utf-8")

    assert not re.search(r"^(import|from) ", text, re.MULTILINE)
    assert "match " not in text


def test_documents_point_only_at_files_that_exist() -> None:
    for document in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = document.read_text("utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (document.parent / target).exists(), f"{document.name} -> {target}"


def test_the_architecture_names_functions_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named = re.findall(r"`(tpkit/[\w/]+\.py)`[^\n|]*?`(\w+)(?:\.(\w+))?\(?\)?`", text)

    assert len(named) >= 12
    for path, first, second in named:
        source = (ROOT / path).read_text("utf-8")
        for name in filter(None, (first, second)):
            assert re.search(rf"(def|class) {name}\b|^{name}\b|self\.{name}\b", source, re.MULTILINE), (
                f"{path}: {name}"
            )


def test_every_topic_and_field_is_documented() -> None:
    import msgspec

    from tpkit.domain import wire

    text = (ROOT / "docs" / "mqtt.md").read_text("utf-8")
    for leaf in ("status", "birth", "live", "event", "hist", "down/receipt"):
        assert f"`{leaf}`" in text
    for kind in (wire.Status, wire.Birth, wire.Live, wire.Event, wire.Hist, wire.Receipt):
        for field in msgspec.structs.fields(kind):
            assert f"`{field.encode_name}`" in text, f"{kind.__name__}.{field.encode_name}"


def test_every_option_of_the_configuration_is_in_the_example() -> None:
    import msgspec

    from tpkit import config

    text = (ROOT / "docs" / "kit.example.toml").read_text("utf-8")
    for kind in vars(config).values():
        if (
            isinstance(kind, type)
            and issubclass(kind, config.Section)
            and kind not in (config.Section, config.Config)
        ):
            for field in msgspec.structs.fields(kind):
                given = rf"^(# )?{field.encode_name} = |^\[\[[\w.]+\.{field.encode_name}\]\]"
                assert re.search(given, text, re.MULTILINE), field.encode_name
