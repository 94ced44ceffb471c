"""Serves the published files as they are, where there is no nginx to do it."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

PAGE = re.compile(r"/([a-z]{2,3}(?:-[a-z]{2,8})?)/(?:([a-z0-9-]+\.html))?")
HEADERS = [
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
]

NOT_YET = (
    "Informationssidan startar. Fråga personalen. Nödläge: ring 112.\n"
    "The information page is starting. Ask the staff. Emergency: call 112.\n"
).encode()
NOT_YET_HEADERS = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", str(len(NOT_YET))),
    ("Retry-After", "5"),
]


class PublicPages:
    """A WSGI application over the directory that `current` points to."""

    def __init__(self, pages_dir: Path, tags: tuple[str, ...]) -> None:
        self._current = pages_dir / "current"
        self._tags = tags

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start_response("405 Method Not Allowed", [*HEADERS, ("Content-Length", "0")])
            return []
        match = PAGE.fullmatch(environ.get("PATH_INFO", "/"))
        if match is None or match[1] not in self._tags:
            return self._redirect(environ, start_response)
        return self._page(environ, start_response, f"{match[1]}/{match[2] or 'index.html'}")

    def _redirect(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        tag = choose_language(environ.get("HTTP_ACCEPT_LANGUAGE", ""), self._tags)
        headers = [
            *HEADERS, ("Location", f"/{tag}/"), ("Cache-Control", "no-store"),
            ("Vary", "Accept-Language"), ("Content-Length", "0"),
        ]  # fmt: skip
        start_response("302 Found", headers)
        return []

    def _missing(self, environ: Environ, start_response: StartResponse, name: str) -> Iterable[bytes]:
        """An unknown page leads to the front page; a front page that is not there yet says so."""
        if not name.endswith("index.html"):
            return self._redirect(environ, start_response)
        start_response("503 Service Unavailable", [*HEADERS, *NOT_YET_HEADERS])
        return [NOT_YET]

    def _page(self, environ: Environ, start_response: StartResponse, name: str) -> Iterable[bytes]:
        zipped = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
        path = self._current / (f"{name}.gz" if zipped else name)
        try:
            content = path.read_bytes()
            changed_ns = path.stat().st_mtime_ns
        except FileNotFoundError:
            return self._missing(environ, start_response, name)
        tag = f'"{changed_ns:x}-{len(content):x}"'
        headers = [
            *HEADERS, ("Content-Type", "text/html; charset=utf-8"), ("ETag", tag),
            ("Cache-Control", "no-cache"), ("Vary", "Accept-Encoding"),
        ]  # fmt: skip
        if environ.get("HTTP_IF_NONE_MATCH") == tag:
            start_response("304 Not Modified", headers)
            return []
        if zipped:
            headers.append(("Content-Encoding", "gzip"))
        start_response("200 OK", [*headers, ("Content-Length", str(len(content)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]


def choose_language(accept_language: str, tags: tuple[str, ...]) -> str:
    """The first published language that the browser names, in its order; else the first published."""
    for part in accept_language[:400].lower().split(","):
        wanted = part.partition(";")[0].strip()
        for tag in (wanted, wanted.partition("-")[0]):
            if tag in tags:
                return tag
    return tags[0]
