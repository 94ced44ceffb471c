"""The command line: exit codes, and sentences instead of tracebacks."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.factories import controller_live
from tpkit import __version__
from tpkit.cli import main
from tpkit.store import live

SITE = """
[site]
name = "Ekby"
kit = "kit-0001"
org = "se0180"
municipality = "Ekby"
[paths]
state = "{folder}"
run = "{folder}"
pages = "{folder}/pages"
[web]
listen = "127.0.0.1:{port}"
"""


@pytest.fixture
def kit(tmp_path: Path) -> Callable[[str], str]:
    def write(extra: str = "", port: int = 0) -> str:
        path = tmp_path / "kit.toml"
        path.write_text(SITE.format(folder=tmp_path, port=port) + extra, encoding="utf-8")
        return str(path)

    return write


def test_check_says_that_all_is_right(kit, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", kit()]) == 0
    assert "all right. 0 buses, 0 devices, 0 doors, languages sv en ar" in capsys.readouterr().out


def test_check_lists_every_fault_on_a_line(kit, capsys: pytest.CaptureFixture[str]) -> None:
    bad = '[bus.a]\nhost = "h"\n[device.x]\nbus = "a"\ndevice_id = 1\nprofile = "nobody"\n'
    path = kit(bad)
    Path(path).write_text(Path(path).read_text().replace("[web]", '[web]\nlanguages = ["sv", "tlh"]'))

    assert main(["check", "--config", path]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert 'device.x.profile: "nobody": no such device profile; known: comap-intelilite4, ' in lines[0]
    assert "victron-battery" in lines[0]
    assert 'web.languages: "tlh" has no translation; known: sv, en, ar' in lines[1]


def test_check_of_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--config", str(tmp_path / "none.toml")]) == 1
    assert "there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["dance"], ["check", "--colour"], ["pages"]])
def test_usage_is_exit_code_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"tpkit {__version__}\n"


def test_status_for_people_and_for_programs(kit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live.controller_file(tmp_path).write(controller_live())
    assert main(["status", "--config", kit()]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("OK\n")
    assert "tank.fuel_level" in shown
    assert "people inside 37, between 30 and 46" in shown
    assert main(["status", "--json", "--config", kit()]) == 0
    assert json.loads(capsys.readouterr().out)["fuel"]["level"]["value"] == 63.0


def test_status_without_a_controller_is_exit_code_three(
    kit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--config", kit()]) == 3
    assert "is it running?" in capsys.readouterr().err
    live.controller_file(tmp_path).write(controller_live(mono_ms=1))
    assert main(["status", "--config", kit()]) == 3
    assert "has been silent for" in capsys.readouterr().err


def test_sample_pages_in_every_language(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pages", "--sample", "--out", str(tmp_path)]) == 0
    for tag in ("sv", "en", "ar"):
        assert f'<html lang="{tag}"' in (tmp_path / tag / "index.html").read_text("utf-8")
    assert "3 pages" in capsys.readouterr().out


def test_pages_of_the_present_state(kit, tmp_path: Path, open_as) -> None:
    from tpkit.store.rights import Role

    open_as(Role.WEB)
    assert main(["pages", "--config", kit(), "--out", str(tmp_path / "out")]) == 0
    assert "Läget är inte känt" in (tmp_path / "out" / "sv" / "index.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--scenario", "flood"], "--scenario flood: no such scenario; known: storm, quiet"),
        (["--speed", "0"], "--speed 0: must be between 1 and 10000"),
        (["--http-port", "99999"], "--http-port 99999: must be between 1 and 65535"),
        (["--mqtt", "nowhere"], "--mqtt nowhere: must be HOST:PORT"),
    ],
)
def test_the_demo_refuses_what_it_cannot_do(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", *arguments]) == 1
    assert capsys.readouterr().err.strip() == says


def test_the_demo_says_that_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        run = subprocess.run(
            [sys.executable, "-m", "tpkit", "demo", "--http-port", port], capture_output=True, text=True, timeout=30
        )  # fmt: skip

    assert run.returncode == 1
    assert run.stderr.strip() == f"Port {port} is in use on this machine: choose another with --http-port."


def service(name: str, config: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "tpkit", name, "--config", config],
        stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["controller", "web", "uplink"])
def test_a_service_tells_systemd_and_ends_when_told(
    name: str, kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        process = service(name, kit())
        assert systemd.recv(100) == b"READY=1"
        process.terminate()
        assert systemd.recv(100) == b"STOPPING=1"
        _, errors = process.communicate(timeout=20)

    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize("name", ["controller", "web", "uplink"])
def test_a_service_that_cannot_start_says_one_sentence(name: str, kit, tmp_path: Path) -> None:
    path = kit()
    text = Path(path).read_text().replace(f'state = "{tmp_path}"', f'state = "{tmp_path}/no/such"')
    Path(path).write_text(text)
    process = service(name, path)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 1
    assert len(errors.strip().splitlines()) == 1
    assert "kit.db cannot be used" in errors


def test_a_port_in_use_is_one_sentence(kit) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = service("web", kit(port=taken.getsockname()[1]))
        _, errors = process.communicate(timeout=20)

    assert process.returncode == 1
    assert "another program has that port" in errors
    assert "Traceback" not in errors
