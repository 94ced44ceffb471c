"""A person at the panel, by Flask's own client."""

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tpkit.store import journal
from tpkit.store.record import Record

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """A person at the panel: gets a page, then submits one of its forms."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, page: str = "", **headers: str) -> TestResponse:
        return self.client.get(f"/staff/{page}", headers={"Accept-Language": "sv", **headers})

    def post(self, form: str, page: str = "", **fields: Any) -> TestResponse:
        token = TOKEN.search(self.get(page).text)
        assert token, "the page has no form"
        return self.client.post(
            f"/staff/{form}", data={"csrf_token": token[1], **fields}, headers={"Accept-Language": "sv"}
        )


def by(record: Record) -> list[tuple[str, str]]:
    """Who did what, as the journal has it, oldest first."""
    return [(entry.by, entry.kind) for entry in record.read(lambda c: journal.newest(c, 99))][::-1]
