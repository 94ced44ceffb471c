"""A web service's parts over a record of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.web.browser import Browser
from tpkit.config import Config, parse
from tpkit.store.record import Record
from tpkit.store.rights import Role
from tpkit.web import access
from tpkit.web.staff import create_app

SITE = """
[site]
name = "Ellenbergaskolan"
kit = "kit-0001"
org = "se0180"
municipality = "Ekby kommun"
p4_mhz = 96.2
{demo}
[paths]
state = "{folder}"
run = "{folder}"
pages = "{folder}/pages"
"""


@pytest.fixture
def make_config(tmp_path: Path) -> Callable[..., Config]:
    def make(*, demo: bool = False) -> Config:
        made, faults = parse(SITE.format(folder=tmp_path, demo="demo = true" if demo else ""))
        assert made is not None
        assert not faults
        return made

    return make


@pytest.fixture
def config(make_config: Callable[..., Config]) -> Config:
    return make_config()


@pytest.fixture
def record(open_as: Callable[[Role], Record]) -> Record:
    return open_as(Role.WEB)


@pytest.fixture
def code(record: Record, tmp_path: Path) -> str:
    access.ensure_first_code(record, tmp_path)
    return (tmp_path / access.FIRST_CODE_FILE).read_text().strip()


@pytest.fixture
def stranger(config: Config, record: Record, code: str) -> Browser:
    return Browser(create_app(config, record).test_client())


@pytest.fixture
def staff(config: Config, record: Record) -> Browser:
    """The leader, logged in."""
    client = create_app(config, record).test_client()
    with client.session_transaction(path="/staff/") as kept:
        kept["role"] = access.FIRST_ROLE
    return Browser(client)
