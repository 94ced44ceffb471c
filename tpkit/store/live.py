"""Live files: what a service shows right now, one file a service, written whole and renamed into place."""

import os
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from tpkit.domain.status import SiteStatus, TimeReference
from tpkit.errors import StoreUnavailableError
from tpkit.store.clock import boot_id, boot_ms

FORMAT = 1


class ControllerLive(Struct, frozen=True):
    """What the controller shows: tpkit's time and the one picture."""

    v: int
    time: TimeReference
    status: SiteStatus

    @property
    def mono_ms(self) -> int:
        """Boot time in ms at which it was written."""
        return self.status.mono_ms


class WebLive(Struct, frozen=True):
    """What web shows: that it lives, and when the pages were last published (boot time, ms)."""

    v: int
    mono_ms: int
    published_mono_ms: int
    pages: int


class UplinkLive(Struct, frozen=True):
    """What the uplink shows; times are boot time in ms, None if it never happened since the start.

    `state`: "off" (none configured), "trying", "connected". `reason` says why it is not connected.
    """

    v: int
    mono_ms: int
    state: str
    since_mono_ms: int
    reason: str
    waiting_records: int
    confirmed_mono_ms: int | None


Shown = ControllerLive | WebLive | UplinkLive
T = TypeVar("T", ControllerLive, WebLive, UplinkLive)


class LiveFile(Generic[T]):
    """One service's live file; one process writes it, any number read it."""

    def __init__(self, run_dir: Path, name: str, kind: type[T]) -> None:
        self._path = run_dir / f"{name}.json"
        self._draft = run_dir / f".{name}.json.new"
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)
        self._seen_ns = -1
        self._seen: T | None = None

    def write(self, content: T) -> None:
        """Replace the file; readers see the old or the new one, never half of it."""
        try:
            handle = os.open(self._draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o640)
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(content))
            self._draft.rename(self._path)
        except OSError as error:
            raise StoreUnavailableError(
                f"The live file {self._path} cannot be written ({error}): check [paths] run."
            ) from error

    def read(self) -> T | None:
        """The content, or None if there is none that this version understands."""
        try:
            changed_ns = self._path.stat().st_mtime_ns
            if changed_ns == self._seen_ns:
                return self._seen
            content = self._path.read_bytes()
        except OSError:
            self._seen_ns, self._seen = -1, None
            return None
        self._seen_ns, self._seen = changed_ns, self._decode(content)
        return self._seen

    def _decode(self, content: bytes) -> T | None:
        try:
            seen = self._decoder.decode(content)
        except msgspec.DecodeError:
            return None
        return seen if seen.v == FORMAT and _is_of_this_boot(seen) else None


def _is_of_this_boot(seen: Shown) -> bool:
    """A file that outlived a reboot (where [paths] run is not in memory) says nothing about now."""
    time = getattr(seen, "time", None)
    return seen.mono_ms <= boot_ms() + 1000 and (time is None or time.boot_id == boot_id())


def controller_file(run_dir: Path) -> LiveFile[ControllerLive]:
    """The controller's live file."""
    return LiveFile(run_dir, "controller", ControllerLive)


def web_file(run_dir: Path) -> LiveFile[WebLive]:
    """Web's live file."""
    return LiveFile(run_dir, "web", WebLive)


def uplink_file(run_dir: Path) -> LiveFile[UplinkLive]:
    """The uplink's live file."""
    return LiveFile(run_dir, "uplink", UplinkLive)
