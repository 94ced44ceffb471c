"""The stand-in for nginx: files as they are, one redirect for the rest."""

from pathlib import Path
from typing import Any

import pytest

from tpkit.web.public import PublicPages, choose_language
from tpkit.web.publisher import PageSet

TAGS = ("sv", "en", "ar")


@pytest.fixture
def get(tmp_path: Path):
    PageSet(tmp_path / "current").publish({f"{tag}/index.html": f"page {tag} ".encode() * 50 for tag in TAGS})
    (tmp_path / "secret").write_text("x")
    pages = PublicPages(tmp_path, TAGS)

    def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        said: dict[str, Any] = {}
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            **{f"HTTP_{k}": v for k, v in headers.items()},
        }
        body = b"".join(pages(environ, lambda status, given: said.update(status=status, headers=dict(given))))
        return int(said["status"][:3]), said["headers"], body

    return ask


def test_a_page_comes_as_it_was_published(get) -> None:
    status, headers, body = get("/ar/")

    assert (status, body) == (200, b"page ar " * 50)
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-cache"


def test_a_browser_that_can_gets_the_compressed_twin(get) -> None:
    _, headers, body = get("/sv/", ACCEPT_ENCODING="gzip, deflate")

    assert headers["Content-Encoding"] == "gzip"
    assert len(body) < 100


def test_an_unchanged_page_costs_no_body(get) -> None:
    _, headers, _ = get("/sv/")
    status, _, body = get("/sv/", IF_NONE_MATCH=headers["ETag"])

    assert (status, body) == (304, b"")


def test_head_has_no_body(get) -> None:
    status, headers, body = get("/sv/", "HEAD")

    assert (status, body, headers["Content-Length"]) == (200, b"", "400")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/generate_204",
        "/sv",
        "/xx/",
        "/sv/other.html",
        "/../secret",
        "/sv/../../secret",
        "/sv/%2e%2e/secret",
        "/SV/",
        "/sv/index.html.gz",
        "/sv/\x00.html",
        "/" + "a" * 5000,
    ],
)
def test_every_other_path_leads_to_the_front_page(get, path: str) -> None:
    status, headers, _ = get(path, ACCEPT_LANGUAGE="ar-SY,en;q=0.5")

    assert (status, headers["Location"], headers["Cache-Control"]) == (302, "/ar/", "no-store")


def test_nothing_can_be_sent_to_the_public_side(get) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert get("/sv/", method)[0] == 405


def test_before_anything_is_published_it_says_so(tmp_path: Path) -> None:
    said: dict[str, Any] = {}
    pages = PublicPages(tmp_path, TAGS)
    body = b"".join(
        pages({"REQUEST_METHOD": "GET", "PATH_INFO": "/sv/"}, lambda status, _: said.update(status=status))
    )

    assert said["status"].startswith("503")
    assert "Informationssidan startar. Fråga personalen." in body.decode("utf-8")


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("", "sv"),
        ("en", "en"),
        ("ar-SY,en;q=0.5", "ar"),
        ("nb-NO,nb;q=0.9,en;q=0.8", "en"),
        ("EN-us", "en"),
        ("*", "sv"),
        ("de,fr", "sv"),
        ("," * 10_000, "sv"),
        ("x" * 399 + ",ar", "sv"),
    ],
)
def test_the_language_is_the_first_that_the_browser_names(header: str, tag: str) -> None:
    assert choose_language(header, TAGS) == tag
