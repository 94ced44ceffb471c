"""Which service may write which table, installed as SQLite's authorizer.

It stops slips in the code, in tests and in the field alike. It does not stop a process that has
been taken over: whoever can open the file can open it without this.
"""

import sqlite3
from collections.abc import Callable
from enum import StrEnum


class Role(StrEnum):
    """Who opens the record."""

    CONTROLLER = "controller"
    WEB = "web"
    UPLINK = "uplink"
    TECHNICIAN = "technician"
    READER = "reader"


INSERT, UPDATE, DELETE = sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE

_ALL_SERVICES = {
    "life": {INSERT},
    "boot": {INSERT},
    "counter": {UPDATE},
    "journal": {INSERT},
    "outbox": {INSERT},
}

WRITES: dict[Role, dict[str, set[int]]] = {
    Role.CONTROLLER: {
        **_ALL_SERVICES,
        "history": {INSERT, DELETE},
        "passage": {INSERT, DELETE},
        "recount": {INSERT},
        "alarm": {INSERT, UPDATE},
        "request": {UPDATE},
    },
    Role.WEB: {
        **_ALL_SERVICES,
        "message": {INSERT, UPDATE},
        "service": {INSERT, UPDATE},
        "stage": {INSERT},
        "public_word": {INSERT, UPDATE},
        "reading": {INSERT},
        "request": {INSERT},
        "staff": {INSERT, UPDATE},
    },
    Role.UPLINK: {
        **_ALL_SERVICES,
        "outbox": {INSERT, DELETE},
        "stored": {INSERT, DELETE},
        "message": {INSERT, UPDATE},
    },
    Role.TECHNICIAN: {**_ALL_SERVICES, "device_check": {INSERT, UPDATE}},
    Role.READER: {},
}

_HARMLESS = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_TRANSACTION,
    sqlite3.SQLITE_RECURSIVE,
}


def guard(role: Role) -> Callable[..., int]:
    """An authorizer that lets `role` read everything and write only its own tables."""
    allowed = WRITES[role]

    def authorize(action: int, first: str | None, *_: str | None) -> int:
        if action in _HARMLESS or action in allowed.get(first or "", ()):
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    return authorize
