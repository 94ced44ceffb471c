"""Who may use the panel: a six-digit code a role, and a delay that grows with each wrong one."""

import os
import secrets
import threading
import time
from pathlib import Path

from werkzeug.security import check_password_hash, generate_password_hash

from tpkit.store import journal
from tpkit.store.database import Connection
from tpkit.store.record import Record, Transaction

FIRST_ROLE = "lead-1"
FIRST_CODE_FILE = "first-code.txt"
SECRET_FILE = "web-secret"  # noqa: S105  # a file name
LONGEST_DELAY_S = 60.0


def ensure_first_code(record: Record, state_dir: Path) -> None:
    """Give a kit without staff its first code, in a file only this service's user can read."""

    def work(tx: Transaction) -> str | None:
        if tx.connection.execute("SELECT 1 FROM staff").fetchone():
            return None
        code = f"{secrets.randbelow(1_000_000):06d}"
        row = (FIRST_ROLE, generate_password_hash(code))
        tx.connection.execute("INSERT INTO staff (role, pin_hash) VALUES (?, ?)", row)
        journal.add(tx, "web", "first_code", role=FIRST_ROLE)
        return code

    code = record.write(work)
    if code is not None:
        _write_private(state_dir / FIRST_CODE_FILE, f"{code}\n".encode())


def session_secret(state_dir: Path) -> bytes:
    """The key that signs sessions, made once and kept beside the record."""
    path = state_dir / SECRET_FILE
    if not path.exists():
        _write_private(path, secrets.token_bytes(32))
    return path.read_bytes()


def role_of(record: Record, code: str) -> str | None:
    """The role that this code opens, or None."""

    def read(connection: Connection) -> list[tuple[str, str]]:
        return connection.execute("SELECT role, pin_hash FROM staff ORDER BY role").fetchall()

    for role, pin_hash in record.read(read):
        if check_password_hash(pin_hash, code):
            return role
    return None


class Delay:
    """Makes a device that guesses wait longer each time; no account is ever locked."""

    def __init__(self) -> None:
        self._failures: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def left_s(self, device: str) -> float:
        """How long this device must still wait."""
        with self._lock:
            count, last_s = self._failures.get(device, (0, 0.0))
        allowed_s = last_s + min(2.0 ** (count - 1), LONGEST_DELAY_S) if count else 0.0
        return max(0.0, allowed_s - time.monotonic())

    def note(self, device: str, *, failed: bool) -> None:
        """Remember a try."""
        with self._lock:
            count, _ = self._failures.pop(device, (0, 0.0))
            if failed:
                self._failures[device] = (count + 1, time.monotonic())


def _write_private(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
