"""A volunteer with a browser: does over HTTP what a person does on the staff panel."""

import http.client
import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime

from tpkit.errors import ServiceSilentError

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
CLOCK = re.compile(r'name="clock" type="datetime-local" value="([^"]+)"')
TIMEOUT_S = 10


class Volunteer:
    """One browser session. Raises ServiceSilentError when web does not answer."""

    def __init__(self, base_url: str) -> None:
        self._base = f"{base_url}/staff/"
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        self._tag = ""

    def log_in(self, code: str) -> None:
        """Open the panel with a code."""
        self.post("login", page="login", code=code)

    def confirm_clock(self) -> None:
        """Say *yes, that is right* if the panel asks what time it is."""
        shown = CLOCK.search(self._get(""))
        if shown:
            self.post("clock", clock=shown[1])

    def post(self, form: str, page: str = "", **fields: str) -> str:
        """Submit a form of the panel and return the page that follows."""
        token = TOKEN.search(self._get(page))
        if token is None:
            raise ServiceSilentError("The staff panel has no form: is somebody logged in?")
        body = urllib.parse.urlencode({"csrf_token": token[1], **fields}).encode()
        return self._get(form, body)

    def glance(self) -> bool:
        """Look at the glance as the panel's script does; whether anything had changed."""
        asked = urllib.request.Request(f"{self._base}glance", headers={"If-None-Match": self._tag})
        try:
            with self._opener.open(asked, timeout=TIMEOUT_S) as answer:
                self._tag = answer.headers.get("ETag", "")
                return True
        except urllib.error.HTTPError as error:
            if error.code == http.client.NOT_MODIFIED:
                return False
            raise ServiceSilentError(f"The glance answered {error.code}.") from None
        except OSError as error:
            raise ServiceSilentError(f"The staff panel did not answer ({error}).") from None

    def _get(self, page: str, body: bytes | None = None) -> str:
        try:
            with self._opener.open(self._base + page, body, timeout=TIMEOUT_S) as answer:
                return str(answer.read().decode("utf-8"))
        except OSError as error:
            raise ServiceSilentError(f"The staff panel did not answer ({error}).") from None


def now_text() -> str:
    """The present time with its offset, as a time field of a message takes it."""
    return datetime.now(UTC).isoformat(timespec="minutes")
