"""The staff panel: a Flask application behind a login, usable without script."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, g, redirect, render_template, request, session, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from markupsafe import Markup
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.wrappers import Response as BaseResponse

from tpkit.config import Config
from tpkit.domain.lifecycle import PUBLIC_WORDS, STEPS, Stage
from tpkit.domain.messages import compose
from tpkit.domain.phrases import PHRASES, SOURCES
from tpkit.domain.services import SERVICES, ServiceState
from tpkit.errors import EntryRefusedError, MessageRefusedError, StepRefusedError, StoreError
from tpkit.store import live, messages, place, readings, requests
from tpkit.store.clock import boot_ms
from tpkit.store.record import Record
from tpkit.web import access, forms
from tpkit.web.assets import assets_dir
from tpkit.web.glance import Glance, Teller
from tpkit.web.pages import FAMILIES, sentence
from tpkit.web.translations import Catalogue, catalogue, languages

IDLE = timedelta(hours=12)
STAFF_LANGUAGES = ("sv", "en")
OPEN_ENDPOINTS = {"login", "static"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
View = str | BaseResponse | tuple[str, int]


def create_app(config: Config, record: Record) -> Flask:
    """The panel over `record`, under /staff/."""
    assets = assets_dir()
    app = Flask(
        "tpkit.web", template_folder=str(assets / "templates"),
        static_folder=str(assets / "static"), static_url_path="/staff/static",
    )  # fmt: skip
    app.config.update(
        SECRET_KEY=access.session_secret(Path(config.paths.state)),
        SESSION_COOKIE_NAME="tpkit", SESSION_COOKIE_PATH="/staff", SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict", PERMANENT_SESSION_LIFETIME=IDLE,
        MAX_CONTENT_LENGTH=64 * 1024, WTF_CSRF_TIME_LIMIT=None,
    )  # fmt: skip
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    CSRFProtect(app)
    Panel(app, config, record)
    return app


class Panel:
    """The panel's views. Each change is committed before the browser is told that it is done."""

    def __init__(self, app: Flask, config: Config, record: Record) -> None:
        self._config = config
        self._record = record
        self._delay = access.Delay()
        run_dir = Path(config.paths.run)
        self._controller = live.controller_file(run_dir)
        self._uplink = live.uplink_file(run_dir)
        app.before_request(self._require_login)
        app.after_request(_add_headers)
        app.context_processor(self._context)
        for kind in (EntryRefusedError, MessageRefusedError, StepRefusedError):
            app.register_error_handler(kind, self._refused)
        app.register_error_handler(StoreError, self._not_stored)
        app.register_error_handler(CSRFError, self._expired)
        for rule, view, methods in (
            ("/staff/", self.panel, ("GET",)),
            ("/staff/glance", self.glance, ("GET",)),
            ("/staff/login", self.login, ("GET", "POST")),
            ("/staff/logout", self.logout, ("POST",)),
            ("/staff/language", self.language, ("POST",)),
            ("/staff/stage", self.stage, ("POST",)),
            ("/staff/word", self.word, ("POST",)),
            ("/staff/service", self.service, ("POST",)),
            ("/staff/recount", self.recount, ("POST",)),
            ("/staff/reading", self.reading, ("POST",)),
            ("/staff/clock", self.clock, ("POST",)),
            ("/staff/message", self.message, ("GET", "POST")),
            ("/staff/withdraw", self.withdraw, ("POST",)),
        ):
            app.add_url_rule(rule, view.__name__, view, methods=list(methods))

    def login(self) -> View:
        """Ask for the code; a wrong one makes the next try wait."""
        device = request.remote_addr or ""
        if request.method == "GET":
            return render_template("staff/login.html", fault="")
        left_s = self._delay.left_s(device)
        if left_s > 0:
            return render_template("staff/login.html", fault="wait", seconds=int(left_s) + 1), 429
        role = access.role_of(self._record, request.form.get("code", "").strip())
        self._delay.note(device, failed=role is None)
        if role is None:
            return render_template("staff/login.html", fault="wrong"), 403
        language = session.get("language")
        session.clear()
        session.permanent = True
        session["role"] = role
        if language:
            session["language"] = language
        return redirect(url_for("panel"))

    def logout(self) -> View:
        """End the session."""
        session.clear()
        return redirect(url_for("login"))

    def language(self) -> View:
        """Choose the panel's language."""
        session["language"] = forms.one_of(request.form, "language", STAFF_LANGUAGES)
        return redirect(url_for("panel" if session.get("role") else "login"))

    def panel(self) -> View:
        """The whole panel."""
        return self._panel_page()

    def glance(self) -> View:
        """Only the glance, for the page's script; unchanged content costs a 304."""
        content = render_template("staff/_glance.html", glance=self._glance(), **self._waiting())
        response = Response(content)
        response.set_etag(hashlib.sha256(content.encode("utf-8")).hexdigest()[:32])
        return response.make_conditional(request)

    def stage(self) -> View:
        """Take the point a step further."""
        to = Stage(forms.one_of(request.form, "stage", tuple(Stage)))
        level = forms.whole_number(request.form, "level", 0, 3)
        hours = forms.text(request.form, "hours", 80)
        return self._do(lambda tx: place.set_stage(tx, to, level=level, hours=hours, by=self._role()))

    def word(self) -> View:
        """Confirm what residents read about power or room."""
        subject = forms.one_of(request.form, "subject", tuple(PUBLIC_WORDS))
        word = forms.one_of(request.form, "word", tuple(PUBLIC_WORDS[subject]))
        return self._do(lambda tx: place.set_word(tx, subject, word, self._role()))

    def service(self) -> View:
        """Set one service."""
        code = forms.one_of(request.form, "code", SERVICES)
        state = ServiceState(forms.one_of(request.form, "state", tuple(ServiceState)))
        where = forms.text(request.form, "place", 80)
        return self._do(lambda tx: place.set_service(tx, code, state, where, self._role()))

    def recount(self) -> View:
        """Ask the controller to go on from a person's count."""
        inside = forms.whole_number(request.form, "inside", 0, 10_000)
        return self._do(lambda tx: requests.ask(tx, self._role(), "recount", inside=inside))

    def reading(self) -> View:
        """Enter the fuel level by hand."""
        percent = forms.number(request.form, "fuel", 0, 100)
        return self._do(lambda tx: readings.add(tx, "tank.fuel_level", percent, self._role()))

    def clock(self) -> View:
        """Answer the question what time it is."""
        now, said = self._now(), forms.moment(request.form, "clock")
        if forms.local(said) == forms.local(now):
            said = now  # "yes, that is right" keeps the seconds
        utc_ms = int(said.timestamp() * 1000)
        return self._do(lambda tx: requests.ask(tx, self._role(), "set_clock", utc_ms=utc_ms))

    def message(self) -> View:
        """Choose a phrase, fill its blanks, post it."""
        values = request.form if request.method == "POST" else request.args
        phrase = values.get("phrase", "")
        if request.method == "GET" or phrase not in PHRASES:
            return self._message_form(phrase if phrase in PHRASES else "", forms.defaults(self._now()))
        try:
            posted = compose(
                forms.draft(request.form), message_id=secrets.token_hex(6), author=self._role(),
                languages=tuple(languages()), now=self._now(),
            )  # fmt: skip
        except MessageRefusedError as refused:
            return self._message_form(phrase, dict(request.form), refused), 422
        return self._do(lambda tx: messages.post(tx, posted))

    def withdraw(self) -> View:
        """Take a message off every page."""
        message_id = forms.text(request.form, "id", 40)
        return self._do(lambda tx: messages.withdraw(tx, message_id, self._role()))

    def _do(self, work: Any) -> View:
        """Commit one change, then show the panel."""
        self._record.write(work)
        return redirect(url_for("panel"), 303)

    def _panel_page(self, fault: str = "") -> str:
        said = self._said()
        stage = self._record.read(place.stage)
        return render_template(
            "staff/panel.html", glance=self._glance(), fault=fault, stage=stage,
            steps=sorted(STEPS[stage.stage]), words=self._record.read(place.words),
            public_words={subject: sorted(words) for subject, words in PUBLIC_WORDS.items()},
            services=self._service_rows(), states=list(ServiceState),
            messages=[
                (message, sentence(message, catalogue(said.language.tag, *FAMILIES)))
                for message in self._record.read(messages.current)
            ],
            clock=forms.local(self._now()), **self._waiting(),
        )  # fmt: skip

    def _service_rows(self) -> list[tuple[str, str, str]]:
        known = {row.code: row for row in self._record.read(place.services)}
        return [
            (code, known[code].state, known[code].place) if code in known else (code, "", "")
            for code in SERVICES
        ]

    def _message_form(
        self, phrase: str, values: dict[str, str], refused: MessageRefusedError | None = None
    ) -> str:
        return render_template(
            "staff/message.html", phrases=PHRASES, phrase=phrase, values=values, sources=SOURCES,
            note_languages=list(languages().values()), refused=refused,
            texts=catalogue(self._said().language.tag, *FAMILIES),
        )  # fmt: skip

    def _glance(self) -> Glance:
        shown = self._controller.read()
        return Teller(self._said(), shown, self._uplink.read(), boot_ms()).glance()

    def _waiting(self) -> dict[str, Any]:
        return {"waiting": [asked.kind for asked in self._record.read(requests.waiting)]}

    def _now(self) -> datetime:
        shown = self._controller.read()
        if shown is not None:
            self._record.clock.reference = shown.time
        return self._record.clock.now().astimezone(UTC)

    def _role(self) -> str:
        return str(session["role"])

    def _said(self) -> Catalogue:
        if "said" not in g:
            chosen = session.get("language") or request.accept_languages.best_match(STAFF_LANGUAGES)
            g.said = catalogue(chosen if chosen in STAFF_LANGUAGES else "sv", "staff", "pages")
        found: Catalogue = g.said
        return found

    def _context(self) -> dict[str, Any]:
        token = Markup('<input type="hidden" name="csrf_token" value="{}">')
        return {
            "said": self._said(), "site": self._config.site, "role": session.get("role", ""),
            "csrf": lambda: token.format(generate_csrf()),
        }  # fmt: skip

    def _require_login(self) -> View | None:
        if isinstance(request.routing_exception, MethodNotAllowed):
            return redirect(url_for("panel"))  # the address of a form, asked for again by the browser
        if request.endpoint is None:
            abort(404)
        if request.endpoint in OPEN_ENDPOINTS or request.endpoint == "language" or session.get("role"):
            return None
        if request.endpoint == "glance":
            return "", 401
        return redirect(url_for("login"))

    def _refused(self, error: EntryRefusedError | MessageRefusedError | StepRefusedError) -> View:
        said = self._said()
        if isinstance(error, StepRefusedError):
            return self._panel_page(said.text("refused.step")), 409
        what, why = said.text(f"field.{error.field}"), said.text(f"refused.{error.reason}")
        return self._panel_page(f"{what}: {why}"), 422

    def _not_stored(self, _error: StoreError) -> View:
        return render_template("staff/not_stored.html"), 503

    def _expired(self, _error: CSRFError) -> View:
        return render_template("staff/login.html", fault="expired"), 403


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        if name != "Cache-Control" or request.endpoint != "static":
            response.headers[name] = value
    return response
