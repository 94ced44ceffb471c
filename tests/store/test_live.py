"""Live files: whole or not at all."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tpkit.errors import StoreUnavailableError
from tpkit.store import live
from tpkit.store.clock import boot_ms

SHOWN = live.UplinkLive(live.FORMAT, 1_000, "trying", 900, "no way", 7, None)


def test_what_one_writes_another_reads(tmp_path: Path) -> None:
    live.uplink_file(tmp_path).write(SHOWN)

    assert live.uplink_file(tmp_path).read() == SHOWN
    assert oct((tmp_path / "uplink.json").stat().st_mode)[-3:] == "640"


def test_a_reader_sees_each_new_content(tmp_path: Path) -> None:
    writer, reader = live.uplink_file(tmp_path), live.uplink_file(tmp_path)
    for waiting in range(5):
        content = live.UplinkLive(live.FORMAT, waiting, "connected", 0, "", waiting, None)
        writer.write(content)
        assert reader.read() == content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"v": 1}',
        b'{"v": 99, "mono_ms": 1, "state": "", "since_mono_ms": 1, "reason": "", "waiting_records": 0, "confirmed_mono_ms": null}',
    ],
)
def test_what_this_version_does_not_understand_is_absent(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "uplink.json").write_bytes(content)

    assert live.uplink_file(tmp_path).read() is None


def test_a_file_that_goes_away_is_absent(tmp_path: Path) -> None:
    file = live.uplink_file(tmp_path)
    assert file.read() is None
    file.write(SHOWN)
    assert file.read() == SHOWN
    (tmp_path / "uplink.json").unlink()
    assert file.read() is None


def test_a_draft_left_by_a_killed_writer_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / ".uplink.json.new").write_bytes(b"half")
    live.uplink_file(tmp_path).write(SHOWN)

    assert live.uplink_file(tmp_path).read() == SHOWN


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError, match=r"uplink\.json cannot be written .*check \[paths\] run"):
        live.uplink_file(tmp_path / "none").write(SHOWN)


def test_what_was_written_before_a_reboot_is_absent(tmp_path: Path) -> None:
    from tests.factories import controller_live

    future = live.UplinkLive(live.FORMAT, boot_ms() + 3_600_000, "connected", 0, "", 0, None)
    live.uplink_file(tmp_path).write(future)
    assert live.uplink_file(tmp_path).read() is None
    shown = controller_live()
    other_boot = msgspec.structs.replace(shown, time=msgspec.structs.replace(shown.time, boot_id="another"))
    live.controller_file(tmp_path).write(other_boot)
    assert live.controller_file(tmp_path).read() is None


def test_times_survive_the_file(tmp_path: Path) -> None:
    from tests.factories import controller_live

    shown = controller_live(at=datetime(2026, 11, 23, 14, 2, tzinfo=UTC))
    live.controller_file(tmp_path).write(shown)
    assert live.controller_file(tmp_path).read() == shown
