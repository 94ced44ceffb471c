"""A service that cannot start says so in one clear sentence a fault, with exit code 1 and no traceback."""

import re
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.ground import end, free_port
from tests.e2e.kit import SERVICES, Kit


def refusals(config: Path, *services: str) -> dict[str, list[str]]:
    """The lines with which services (all three unless named) refuse to start, each by itself."""
    started = {
        name: subprocess.Popen(
            [sys.executable, "-m", "tpkit", name, "--config", str(config)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for name in services or SERVICES
    }  # fmt: skip
    told = {}
    try:
        for name, process in started.items():
            out, error = process.communicate(timeout=10)
            assert process.returncode == 1, (name, process.returncode, error)
            assert out == ""
            assert "Traceback" not in error, error
            told[name] = error.splitlines()
    except subprocess.TimeoutExpired:
        pytest.fail(f"{name} started: {started.keys() - told.keys()} did not refuse")
    finally:
        for process in started.values():
            end(process)
    return told


def sentence(lines: list[str]) -> str:
    """The one sentence there is."""
    assert len(lines) == 1, lines
    assert lines[0].endswith("."), lines[0]
    return lines[0]


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    """A kit that would start, to be spoilt."""
    with Kit(tmp_path, broker=f"127.0.0.1:{free_port()}") as made:
        return made


def _spoil(kit: Kit, old: str, new: str) -> None:
    text = kit.config.read_text("utf-8")
    assert old in text
    kit.config.write_text(text.replace(old, new), encoding="utf-8")


def test_a_missing_kit_toml_is_named_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "kit.toml"
    for lines in refusals(path).values():
        assert sentence(lines).startswith(f"{path}: there is no such file")
        assert "--config" in lines[0]


@pytest.mark.parametrize("content", [b"[site\nname = 1\n", b"\xff\xfe\x00", b"name = \n"])
def test_what_is_not_toml_is_said_to_be_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kit.toml"
    path.write_bytes(content)
    for lines in refusals(path).values():
        assert str(path) in sentence(lines)
        assert "is not TOML" in lines[0] or "cannot be read" in lines[0]


def test_all_faults_are_listed_at_once_each_with_its_place(kit: Kit) -> None:
    _spoil(kit, "capacity = 120", "capacity = 0\ncapasity = 120\npriority = 12")
    _spoil(kit, "demo = true", 'demo = "yes"')
    _spoil(kit, "[web]", "[wlan]\nssid = 1\n\n[web]\nlanguages = []")
    for lines in refusals(kit.config).values():
        assert all(line.startswith(f"{kit.config}: ") for line in lines)
        found = {line.removeprefix(f"{kit.config}: ").partition(" ")[0].rstrip(":") for line in lines}
        expected = {"site.capacity", "site.capasity", "site.priority", "site.demo", "web.languages", "wlan"}
        assert found == expected


def test_a_profile_nobody_has_is_named_with_those_there_are(kit: Kit) -> None:
    _spoil(
        kit,
        "[web]",
        '[bus.a]\nhost = "127.0.0.1"\n[device.g]\nbus = "a"\ndevice_id = 1\nprofile = "dze"\n[web]',
    )
    (line,) = refusals(kit.config, "controller")["controller"]
    assert '"dze"' in line
    assert "dse-generic" in line
    assert "device.g" in line
    done = kit.run("check")
    assert (done.returncode, "device.g" in done.stderr) == (1, True)


def test_one_unit_id_twice_on_a_bus_names_both_devices(kit: Kit) -> None:
    device = '[device.{}]\nbus = "a"\ndevice_id = 10\nprofile = "dse-generic"\n'
    bus = f'[bus.a]\nport = "/dev/null"\n{device.format("first")}{device.format("second")}'
    _spoil(kit, "[web]", f"{bus}[web]")
    for lines in refusals(kit.config).values():
        (line,) = lines
        assert "device.second.device_id = 10" in line
        assert "device.first" in line


def test_invented_edges_are_refused_where_it_is_not_a_demo(kit: Kit) -> None:
    _spoil(kit, "demo = true", '[pins]\nfactory = "fed"\n[clock]\nspeed = 60\n[door.d]\nouter = 5\ninner = 5')
    for lines in refusals(kit.config).values():
        assert [line.split(": ")[1].split(" ")[0] for line in lines] == [
            "door.d.inner", "pins.factory", "clock.speed",
        ]  # fmt: skip


def test_a_port_in_use_is_said_with_its_number(kit: Kit) -> None:
    with closing(socket.create_server(("127.0.0.1", kit.port))):
        line = sentence(refusals(kit.config, "web")["web"])
    assert str(kit.port) in line
    assert "web.listen" in line


@pytest.mark.parametrize("place", ["file", "missing", "read-only"])
def test_a_state_directory_that_cannot_be_written_is_named(kit: Kit, tmp_path: Path, place: str) -> None:
    state = {"file": tmp_path / "a-file", "missing": tmp_path / "nowhere", "read-only": Path("/proc/self")}[
        place
    ]
    (tmp_path / "a-file").write_text("")
    _spoil(kit, str(tmp_path / "state"), str(state))
    for lines in refusals(kit.config).values():
        assert str(state) in sentence(lines)


def test_a_run_directory_that_cannot_be_written_is_named(kit: Kit, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    _spoil(kit, str(tmp_path / "run"), str(tmp_path / "a-file"))
    for lines in refusals(kit.config).values():
        assert str(tmp_path / "a-file") in sentence(lines)
        assert "[paths] run" in lines[0]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        ("PRAGMA user_version = 2001", "written by tpkit 2"),
        ("PRAGMA application_id = 252006674; PRAGMA user_version = 4; CREATE TABLE t (a)", "another program"),
        ("PRAGMA user_version = 4; CREATE TABLE t (a)", "another program"),
        ("CREATE TABLE t (a)", "another program"),
    ],
    ids=["newer major", "foreign id", "foreign version", "foreign tables only"],
)
def test_a_kit_db_that_is_not_ours_to_use_is_left_alone(kit: Kit, make: str, said: str) -> None:
    path = kit.folder / "state" / "kit.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(make)
    before = _schema(path)
    for lines in refusals(kit.config).values():
        assert said in sentence(lines)
        assert str(path) in lines[0]
    assert _schema(path) == before


def test_another_programs_database_is_not_turned_to_our_journal_mode(kit: Kit) -> None:
    path = kit.folder / "state" / "kit.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA application_id = 252006674; CREATE TABLE t (a)")
    assert "another program" in sentence(refusals(kit.config, "web")["web"])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_kit_db_that_is_no_database_is_said_to_be_none(kit: Kit) -> None:
    path = kit.folder / "state" / "kit.db"
    path.write_bytes(b"not a database at all " * 200)
    for lines in refusals(kit.config).values():
        assert re.search(rf"{path} .*not a database", sentence(lines))
    assert path.read_bytes().startswith(b"not a database at all")


def _schema(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return [
            *connection.execute("SELECT name, sql FROM sqlite_master"),
            *connection.execute("PRAGMA user_version"), *connection.execute("PRAGMA application_id"),
        ]  # fmt: skip
