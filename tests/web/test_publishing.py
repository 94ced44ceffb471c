"""Whole sets or none, and only what changed is written."""

import gzip
import threading
from pathlib import Path

import pytest

from tests.factories import controller_live
from tpkit.config import Config
from tpkit.domain.lifecycle import Stage
from tpkit.errors import StoreUnavailableError
from tpkit.store import live, place
from tpkit.store.record import Record
from tpkit.web import service
from tpkit.web.publisher import PageSet
from tpkit.web.service import Publisher

PAGES = {"sv/index.html": b"hej", "en/index.html": b"hello"}


def test_a_set_is_published_with_compressed_twins(tmp_path: Path) -> None:
    assert PageSet(tmp_path / "current").publish(PAGES) == 2

    assert (tmp_path / "current" / "sv" / "index.html").read_bytes() == b"hej"
    assert gzip.decompress((tmp_path / "current" / "sv" / "index.html.gz").read_bytes()) == b"hej"
    assert (tmp_path / "current").is_symlink()


def test_what_did_not_change_is_the_same_file(tmp_path: Path) -> None:
    pages = PageSet(tmp_path / "current")
    pages.publish(PAGES)
    before = {name: (tmp_path / "current" / name).stat() for name in PAGES}
    assert pages.publish({**PAGES, "sv/index.html": b"hej igen"}) == 1
    after = {name: (tmp_path / "current" / name).stat() for name in PAGES}

    assert before["en/index.html"].st_ino == after["en/index.html"].st_ino
    assert before["sv/index.html"].st_ino != after["sv/index.html"].st_ino
    assert before["sv/index.html"].st_mtime_ns != after["sv/index.html"].st_mtime_ns


def test_one_old_set_is_kept_for_those_who_are_reading_it(tmp_path: Path) -> None:
    pages = PageSet(tmp_path / "current")
    for number in range(5):
        pages.publish({"sv/index.html": str(number).encode()})

    assert len([path for path in tmp_path.iterdir() if path.is_dir() and not path.is_symlink()]) == 2
    assert (tmp_path / "current" / "sv" / "index.html").read_bytes() == b"4"


def test_a_new_process_takes_over_what_the_last_one_left(tmp_path: Path) -> None:
    PageSet(tmp_path / "current").publish(PAGES)
    (tmp_path / ".current.new").symlink_to("nowhere")
    second = PageSet(tmp_path / "current")
    second.publish({"sv/index.html": b"ny"})
    second.publish({"sv/index.html": b"nyare"})

    assert (tmp_path / "current" / "sv" / "index.html").read_bytes() == b"nyare"
    assert not (tmp_path / "current" / "en").exists()


def test_a_reader_never_sees_half_a_set(tmp_path: Path) -> None:
    pages, stop, torn = PageSet(tmp_path / "current"), threading.Event(), []
    pages.publish({"sv/index.html": b"0" * 4000, "en/index.html": b"0" * 4000})

    def read() -> None:
        while not stop.is_set():
            content = (tmp_path / "current" / "sv" / "index.html").read_bytes()
            if len(set(content)) != 1 or len(content) != 4000:
                torn.append(content[:10])

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(300):
        digit = str(number % 10).encode()
        pages.publish({"sv/index.html": digit * 4000, "en/index.html": digit * 4000})
    stop.set()
    reader.join()
    assert torn == []


def test_a_place_that_cannot_be_written_is_named_and_leaves_the_last_set(tmp_path: Path) -> None:
    pages = PageSet(tmp_path / "current")
    pages.publish(PAGES)
    (tmp_path / "current-1").write_text("in the way")
    broken = PageSet(tmp_path / "no" / "such" / "current")
    (tmp_path / "no").write_text("a file")

    with pytest.raises(StoreUnavailableError, match=r"Pages cannot be published .* check \[paths\] pages"):
        broken.publish(PAGES)
    pages.publish({"sv/index.html": b"still"})
    assert (tmp_path / "current" / "sv" / "index.html").read_bytes() == b"still"


@pytest.fixture
def publisher(config: Config, record: Record) -> Publisher:
    return Publisher(config, record, ("sv", "en"))


def page(config: Config, name: str = "current/sv/index.html") -> str:
    return (Path(config.paths.pages) / name).read_text("utf-8")


def test_what_staff_say_is_on_the_page_in_the_next_turn(
    publisher: Publisher, config: Config, record: Record
) -> None:
    publisher.step()
    assert "Läget är inte känt" in page(config)
    record.write(lambda tx: place.set_stage(tx, Stage.OPEN, level=1, hours="", by="lead-1"))
    publisher.step()

    assert "Öppet" in page(config)
    assert "Senast kända läge" in page(config, "stale/sv/index.html")


def test_nothing_is_written_while_nothing_changes(
    publisher: Publisher, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.step()
    tree = (Path(config.paths.pages) / "current").readlink()
    for _ in range(5):
        publisher.step()
    assert (Path(config.paths.pages) / "current").readlink() == tree

    monkeypatch.setattr(service, "PUBLISH_AT_LEAST_MS", 0)
    publisher.step()
    assert (Path(config.paths.pages) / "current").readlink() != tree


def test_a_controller_that_dies_is_on_the_page(publisher: Publisher, config: Config, tmp_path: Path) -> None:
    file = live.controller_file(tmp_path)
    file.write(controller_live())
    publisher.step()
    assert "svarar inte" not in page(config)
    file.write(controller_live(mono_ms=1))
    publisher.step()

    assert "En del av utrustningen här svarar inte" in page(config)


def test_the_sets_for_the_first_second_lie_on_the_disk(
    publisher: Publisher, config: Config, tmp_path: Path
) -> None:
    publisher.step()

    assert "startar" in (tmp_path / "pages" / "starting" / "sv" / "index.html").read_text("utf-8")
    assert "Läget är inte känt" in (tmp_path / "pages" / "last" / "sv" / "index.html").read_text("utf-8")


def test_the_heart_beats(publisher: Publisher, tmp_path: Path) -> None:
    publisher.step()
    shown = live.web_file(tmp_path).read()

    assert shown is not None
    assert shown.pages == 2
    assert shown.mono_ms >= shown.published_mono_ms > 0


def test_a_full_disk_leaves_the_last_pages_and_goes_on(
    publisher: Publisher, config: Config, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.step()
    kept = PageSet.publish

    def full(*_: object) -> int:
        raise StoreUnavailableError("no space")

    monkeypatch.setattr(PageSet, "publish", full)
    record.write(lambda tx: place.set_stage(tx, Stage.OPEN, level=1, hours="", by="lead-1"))
    publisher.step()
    assert "Läget är inte känt" in page(config)
    monkeypatch.setattr(PageSet, "publish", kept)
    publisher.step()
    assert "Öppet" in page(config)
