"""Which devices a person has compared with their own display on this site."""

from collections.abc import Mapping
from pathlib import Path

from tpkit.domain.status import TimeTrust
from tpkit.store import journal
from tpkit.store.clock import Clock, system_reference
from tpkit.store.database import Connection
from tpkit.store.record import Transaction, open_record
from tpkit.store.rights import Role


def record(state_dir: Path, device: str, profile: str, by: str) -> None:
    """Note the comparison for good. Raises StoreError if the record in `state_dir` cannot be written."""
    clock = Clock(system_reference(TimeTrust.FLOOR))
    opened = open_record(state_dir, Role.TECHNICIAN, clock)
    try:
        opened.write(lambda tx: _note(tx, device, profile, by))
    finally:
        opened.close()


def checked(connection: Connection, profiles: Mapping[str, str]) -> frozenset[str]:
    """The devices that were compared while they had the profile that they have now (device -> profile)."""
    rows = dict(connection.execute("SELECT device, profile FROM device_check"))
    return frozenset(name for name, profile in profiles.items() if rows.get(name) == profile)


def _note(tx: Transaction, device: str, profile: str, by: str) -> None:
    tx.put("device_check", "device", device=device, by=by, profile=profile)
    journal.add(tx, by, "device_check", device=device, profile=profile)
