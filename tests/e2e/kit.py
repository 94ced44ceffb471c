"""The kit as it is installed: three processes, one kit.toml, one directory; and people who use it by HTTP."""

import http.client
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Mapping
from contextlib import closing
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.ground import Broker, Line, ModbusServer, end, free_port, until
from tpkit.bench.receipts import ReceiptSender

SERVICES = ("controller", "web", "uplink")
LANGUAGES = ("sv", "en", "ar")
ORG, NAME = "se0180", "e2e-0001"
OUTER, INNER = 17, 27

SITE = """\
[site]
name = "Ellenbergaskolan"
kit = "{name}"
org = "{org}"
municipality = "Provkommun"
p4_mhz = 96.2
capacity = 120
demo = true
"""

DOOR = f"""
[pins]
factory = "fed"

[door.main]
outer = {OUTER}
inner = {INNER}
"""


class Answer(NamedTuple):
    """What came back over HTTP; redirects are not followed."""

    status: int
    headers: Mapping[str, str]
    text: str


def ask(
    port: int, path: str, body: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """GET, or POST with a form. Raises OSError if nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
    try:
        form = None if body is None else urllib.parse.urlencode(body)
        connection.request("GET" if form is None else "POST", path, form, sent)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
    finally:
        connection.close()


def words_of(page: str) -> str:
    """A page as it reads: without style sheet and tags."""
    bare = re.sub(r"<style>.*?</style>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", "", bare)).split())


class Kit:
    """One kit under `folder`. Use as a context manager: it ends what it started."""

    def __init__(
        self, folder: Path, *parts: str, broker: str = "", uplink: str = "", name: str = NAME
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.config = folder / "kit.toml"
        self.run_dir = folder / "run"
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self._told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)  # as systemd's, sd_notify(3)
        self._told.bind("")  # the kernel gives it an abstract name
        self._told.settimeout(20)
        folders = {key: folder / key for key in ("state", "run", "pages")}
        for path in folders.values():
            path.mkdir(mode=0o700)
        paths = "".join(f"{key} = {json.dumps(str(path))}\n" for key, path in folders.items())
        web = f'\n[web]\nlisten = "127.0.0.1:{self.port}"\n'
        if broker:
            uplink = f'\n[uplink]\nbroker = "{broker}"\nlive_s = 5\n{uplink}'
        site = SITE.format(name=name, org=ORG)
        self.config.write_text(f"{site}\n[paths]\n{paths}{web}{uplink}{''.join(parts)}", encoding="utf-8")

    def __enter__(self) -> "Kit":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            end(process)
        self._told.close()

    def start(self, *names: str) -> None:
        """Start services all at once, and wait until each has said that it is ready."""
        for name in names:
            with (self.folder / f"{name}.log").open("a") as log:
                self.processes[name] = subprocess.Popen(
                    [sys.executable, "-m", "tpkit", name, "--config", str(self.config)],
                    stdout=log, stderr=log, text=True,
                    env={**os.environ, "NOTIFY_SOCKET": "@" + self._told.getsockname()[1:].decode()},
                )  # fmt: skip
        for _ in names:
            self._await("READY=1")

    def kill(self, name: str) -> None:
        """kill -9: it learns of nothing and tidies nothing up."""
        self.processes[name].kill()
        end(self.processes[name])

    def stop(self) -> dict[str, int]:
        """Ask every service to end, as systemd does, and hear them say so; return their exit codes."""
        for process in self.processes.values():
            process.terminate()
        for _ in self.processes:
            self._await("STOPPING=1")
        return {name: process.wait(10) for name, process in self.processes.items()}

    def logs(self) -> str:
        """What the services wrote to standard error so far."""
        return "\n".join(path.read_text("utf-8") for path in sorted(self.folder.glob("*.log")))

    def live(self, service: str) -> dict[str, Any]:
        """A service's live file; empty if there is none."""
        path = self.run_dir / f"{service}.json"
        return dict(json.loads(path.read_bytes())) if path.exists() else {}

    def status(self) -> dict[str, Any]:
        """`tpkit status --json`, run as a technician does."""
        done = self.run("status", "--json")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run one command of tpkit on this kit.toml."""
        command = [sys.executable, "-m", "tpkit", words[0], "--config", str(self.config), *words[1:]]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What stands in the record, as SQLite itself reads it."""
        path = self.folder / "state" / "kit.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def page(self, language: str) -> str:
        """A public front page as a phone gets it."""
        answer = ask(self.port, f"/{language}/")
        assert answer.status == 200, answer
        return answer.text

    def await_page(self, text: str) -> None:
        """Wait until the Swedish page has a text, and web lives."""
        until(f"the page says {text}", lambda: text in self.page("sv"))

    def published(self) -> dict[str, str]:
        """Every public page there is: as served, and every file in the published and the stored sets."""
        pages = {f"/{language}/": self.page(language) for language in LANGUAGES}
        for place in (self.folder / "pages", self.folder / "state" / "pages"):
            for path in place.rglob("*.html"):
                pages[str(path.relative_to(self.folder))] = path.read_text("utf-8")
        return pages

    @property
    def code(self) -> str:
        """The first code, as the label in the lid has it."""
        return (self.folder / "state" / "first-code.txt").read_text("ascii").strip()

    def _await(self, word: str) -> None:
        while (told := self._told.recv(100).decode()) != word:
            assert told in ("READY=1", "STOPPING=1"), told


class Site(NamedTuple):
    """A kit with everything around it."""

    kit: Kit
    gx: ModbusServer
    line: Line
    genset: ModbusServer
    broker: Broker
    central: ReceiptSender


class Staff:
    """A session on the panel that shows each answer as it came, refusals too."""

    def __init__(self, kit: Kit) -> None:
        self._port = kit.port
        self._cookie = ""

    def log_in(self, code: str) -> None:
        """Open the panel."""
        answer = self.post("login", page="login", code=code)
        assert answer.status == 302, answer

    def get(self, page: str = "") -> Answer:
        """A page of the panel."""
        return self._keep(ask(self._port, f"/staff/{page}", headers=self._headers()))

    def post(self, form: str, page: str = "", token: str | None = None, **fields: str) -> Answer:
        """Submit a form, with the token of `page` unless another is given."""
        if token is None:
            token = self.token(page)
        sent = {**({"csrf_token": token} if token else {}), **fields}
        return self._keep(ask(self._port, f"/staff/{form}", sent, self._headers()))

    def token(self, page: str = "") -> str:
        """The token in the forms of a page."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page).text)
        assert found, "the page has no form"
        return found[1]

    def words(self) -> str:
        """The panel as it reads."""
        return words_of(self.get().text)

    def tile(self, key: str, page: str = "") -> tuple[str, str]:
        """State and words of one tile of the panel, or of a panel that was fetched before."""
        found = re.search(
            rf'<li class="(\w+)" id="tile-{key}">(.*?)</li>', page or self.get().text, re.DOTALL
        )
        return (found[1], words_of(found[2])) if found else ("", "")

    def verdict(self, page: str = "") -> str:
        """The panel's state, or that of a panel that was fetched before: ok, look, act or unknown."""
        found = re.search(r'<section class="verdict (\w+)">', page or self.get().text)
        assert found, "the panel shows no state"
        return found[1]

    def confirm_clock(self) -> None:
        """Say *yes, that is right* if the panel asks what time it is, and wait until that is done."""
        found = re.search(r'name="clock" type="datetime-local" value="([^"]+)"', self.get().text)
        if found:
            assert self.post("clock", clock=found[1]).status == 303
            until("the clock is taken", lambda: 'action="/staff/clock"' not in self.get().text)

    def _headers(self) -> dict[str, str]:
        return {"Cookie": self._cookie, "Accept-Language": "sv"}

    def _keep(self, answer: Answer) -> Answer:
        self._cookie = answer.headers.get("Set-Cookie", self._cookie).partition(";")[0]
        return answer


PASSAGE_NS = 250_000_000
EDGES = ((0, OUTER, 0), (60, INNER, 0), (120, OUTER, 1), (180, INNER, 1))  # ms, pin, level; low is broken


class Doorway:
    """People hurrying in, as edges fed to the controller's pins: outer beam first, each body over both."""

    def __init__(self, kit: Kit) -> None:
        self._path = kit.run_dir / "pins.sock"
        self._free_ns = 0

    def enter(self, people: int = 1) -> None:
        """`people` one after the other, the last one just now. Raises OSError if nobody listens."""
        at = max(self._free_ns, time.monotonic_ns() - people * PASSAGE_NS)
        self._free_ns = at + people * PASSAGE_NS
        with socket.socket(socket.AF_UNIX) as pins:
            pins.connect(str(self._path))
            for start in range(at, self._free_ns, PASSAGE_NS):
                lines = [f"{start + ms * 1_000_000} {pin} {level}\n" for ms, pin, level in EDGES]
                pins.sendall("".join(lines).encode("ascii"))
