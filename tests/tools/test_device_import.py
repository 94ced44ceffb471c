"""`tpkit device import`: from a controller's export to a profile that kit.toml can name."""

from pathlib import Path

from tests.hardware.test_comap import EXPORT
from tests.tools.command import device
from tpkit.hardware import profile


def test_an_export_becomes_a_profile_that_is_loaded_by_its_path(tmp_path: Path) -> None:
    export, own = tmp_path / "cfgmodbus.txt", tmp_path / "our-set.toml"
    export.write_text(EXPORT, encoding="utf-8")
    done = device("import", export, "--title", "The set behind the hall")
    assert (done.returncode, done.stderr) == (0, "")
    own.write_text(done.stdout, encoding="utf-8")

    loaded = profile.load(str(own))
    assert loaded.title == "The set behind the hall"
    found = {item.name: item.address for item in loaded.point}
    assert (found["engine.speed"], found["tank.fuel_level"]) == (1004, 1055)


def test_a_file_that_is_no_export_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    for name in ("photo.jpg", "nowhere.txt"):
        done = device("import", tmp_path / name, "--title", "x")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"{tmp_path / name}: cannot be read")
    (tmp_path / "letter.txt").write_text("Dear sir")
    assert device("import", tmp_path / "letter.txt", "--title", "x").returncode == 1
