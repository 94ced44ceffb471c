"""Web's main loop: publish when something changed, and keep serving whatever happens."""

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from waitress.server import create_server

from tpkit.config import Config, host_and_port
from tpkit.domain.status import TimeTrust
from tpkit.errors import ConfigError, ListenError, StoreError
from tpkit.store import live
from tpkit.store.clock import Clock, boot_ms, system_reference
from tpkit.store.record import Record, open_record
from tpkit.store.rights import Role
from tpkit.web import access, pages
from tpkit.web.facts import Facts, controller_lives, gather
from tpkit.web.public import Environ, PublicPages, StartResponse
from tpkit.web.publisher import PageSet
from tpkit.web.translations import languages

log = logging.getLogger(__name__)

TURN_S = 1.0
PUBLISH_AT_LEAST_MS = 5 * 60_000
HEARTBEAT_MS = 5_000
THREADS = 4


def run(config: Config, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Run until `stop` is set. Raises ConfigError, StoreError or ListenError if it cannot start."""
    tags = tuple(config.web.languages)
    unknown = [tag for tag in tags if tag not in languages()]
    if unknown:
        raise ConfigError([f"web.languages: no translation for {', '.join(unknown)}"])
    state_dir = Path(config.paths.state)
    shown = live.controller_file(Path(config.paths.run)).read()
    clock = Clock(shown.time if shown else system_reference(TimeTrust.FLOOR))
    record = open_record(state_dir, Role.WEB, clock)
    access.ensure_first_code(record, state_dir)
    publisher = Publisher(config, record, tags)
    publisher.step()
    server = _listen(config, Application(config, record, tags))
    thread = threading.Thread(target=server.run, name="http", daemon=True)
    thread.start()
    ready()
    try:
        while not stop.wait(TURN_S):
            publisher.step()
    finally:
        server.close()
        thread.join(timeout=3)
        record.close()


class Application:
    """The public pages, and the staff panel once somebody asks for it: Flask is loaded then."""

    def __init__(self, config: Config, record: Record, tags: tuple[str, ...]) -> None:
        self._config = config
        self._record = record
        self._public = PublicPages(Path(config.paths.pages), tags)
        self._staff: Any = None
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO", "").startswith("/staff"):
            answer: Iterable[bytes] = self._panel()(environ, start_response)
            return answer
        return self._public(environ, start_response)

    def _panel(self) -> Any:
        with self._lock:
            if self._staff is None:
                from tpkit.web.staff import create_app

                self._staff = create_app(self._config, self._record)
        return self._staff


class Publisher:
    """Renders and publishes when what residents read has changed, and at least every five minutes."""

    def __init__(self, config: Config, record: Record, tags: tuple[str, ...]) -> None:
        pages_dir, run_dir = Path(config.paths.pages), Path(config.paths.run)
        self._config = config
        self._record = record
        self._tags = tags
        self._controller = live.controller_file(run_dir)
        self._shown = live.web_file(run_dir)
        self._sets = {name: PageSet(pages_dir / name) for name in ("current", "stale")}
        self._on_disk = Path(config.paths.state) / "pages"
        self._changes: tuple[int, bool, TimeTrust] | None = None
        self._essence: Facts | None = None
        self._published_ms = self._beat_ms = -PUBLISH_AT_LEAST_MS
        PageSet(self._on_disk / "starting").publish(pages.render_starting(config.site, tags))

    def step(self) -> None:
        """Look whether anything changed. A full disk leaves the last pages in place."""
        try:
            self._publish_if_due()
        except StoreError:
            log.exception("Pages could not be published")
        mono_ms = boot_ms()
        if mono_ms - self._beat_ms >= HEARTBEAT_MS:
            self._shown.write(live.WebLive(live.FORMAT, mono_ms, self._published_ms, len(self._tags)))
            self._beat_ms = mono_ms

    def _publish_if_due(self) -> None:
        shown = self._controller.read()
        if shown is not None:
            self._record.clock.reference = shown.time
        changes = (self._record.changes(), controller_lives(shown), self._record.clock.trust)
        due = boot_ms() - self._published_ms >= PUBLISH_AT_LEAST_MS
        if changes == self._changes and not due:
            return
        facts = gather(self._config, self._record, measuring=changes[1])
        if facts.essence != self._essence or due:
            self._publish(facts)
        self._changes = changes

    def _publish(self, facts: Facts) -> None:
        front = pages.render_front(facts, self._tags)
        self._sets["stale"].publish(pages.render_stale(facts, self._tags))
        self._sets["current"].publish(front)
        self._published_ms = boot_ms()
        if facts.essence != self._essence:
            PageSet(self._on_disk / "last").publish(front)
        self._essence = facts.essence


def _listen(config: Config, application: Application) -> Any:
    host, port = host_and_port(config.web.listen)
    try:
        return create_server(
            application, host=host, port=port, threads=THREADS, connection_limit=500,
            channel_timeout=10, ident=None, clear_untrusted_proxy_headers=True,
        )  # fmt: skip
    except OSError as error:
        raise ListenError(
            f"web.listen = {config.web.listen} cannot be opened ({error.strerror or error}): another "
            f"program has that port, or this machine does not have that address."
        ) from None
