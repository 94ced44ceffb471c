"""Devices that a person compared with their own display."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tpkit.errors import NotTheirTableError, StoreUnavailableError
from tpkit.store import checks, journal, messages
from tpkit.store.record import Record
from tpkit.store.rights import Role

HERE = {"genset": "dse-generic", "gx": "victron-system"}


def found(record: Record) -> frozenset[str]:
    return record.read(lambda c: checks.checked(c, HERE))


def test_a_device_is_checked_from_the_comparison_on(
    tmp_path: Path, open_as: Callable[[Role], Record]
) -> None:
    controller = open_as(Role.CONTROLLER)
    assert found(controller) == frozenset()
    checks.record(tmp_path, "genset", "dse-generic", "AB")

    assert found(controller) == {"genset"}
    newest = controller.read(lambda c: journal.newest(c, 1))[0]
    assert (newest.by, newest.kind) == ("AB", "device_check")


def test_another_profile_wants_another_comparison(tmp_path: Path, open_as: Callable[[Role], Record]) -> None:
    checks.record(tmp_path, "genset", "comap-intelilite4", "AB")
    assert found(open_as(Role.CONTROLLER)) == frozenset()
    checks.record(tmp_path, "genset", "dse-generic", "CD")
    assert found(open_as(Role.CONTROLLER)) == {"genset"}


def test_a_technician_may_write_nothing_else(open_as: Callable[[Role], Record]) -> None:
    with pytest.raises(NotTheirTableError):
        open_as(Role.TECHNICIAN).write(lambda tx: messages.withdraw(tx, "m", "AB"))


def test_a_record_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match=r"kit\.db cannot be used"):
        checks.record(tmp_path / "nowhere", "genset", "dse-generic", "AB")
