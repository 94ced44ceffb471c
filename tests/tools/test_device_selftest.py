"""`tpkit device selftest`: a verdict in words, and the comparison with the machine's own display."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hardware import faults
from tests.hardware.fault_server import RtuFaultServer, TcpFaultServer, good
from tests.tools.command import UNIT, command, device
from tpkit.store import checks
from tpkit.store.record import Record
from tpkit.store.rights import Role

QUICK = ("--rounds", 2)


@pytest.fixture
def checked(open_as: Callable[[Role], Record]) -> Callable[[], frozenset[str]]:
    """The devices recorded as checked."""
    return lambda: open_as(Role.READER).read(lambda db: checks.checked(db, {"genset": "dse-generic"}))


def test_a_sound_device(there) -> None:
    ended = device("selftest", *there, *QUICK)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = [" ".join(line.split()) for line in ended.stdout.splitlines()]
    assert "generator.voltage_l1 fine 230.1 V" in lines
    assert "generator V x A = W, L1 fine 2324 VA and 2250 W" in lines  # 230.1 x 10.1
    assert "generator sum of phases fine the phases make 6730 W, the total is 6730 W" in lines
    assert "speed and frequency fine 1500 rpm and 50 Hz: a generator of 4 poles" in lines
    assert "without a value: 1 (absent: the device does not have it)" in lines
    assert any(line.startswith("line fine ") and "0 without a good answer (0.0 %)" in line for line in lines)
    assert any(line.startswith("The numbers fit together") for line in lines)
    assert lines[-1].startswith("Now compare with the machine's own display.")


def test_a_wrong_scale_is_found(there, tcp: TcpFaultServer) -> None:
    tcp.registers[UNIT, 1045] = 1010  # 101.0 A with 2250 W
    ended = device("selftest", *there, *QUICK, "--json")
    said = json.loads(ended.stdout)

    assert ended.returncode == 1
    wrong = [check["name"] for check in said["checks"] if check["state"] == "wrong"]
    assert wrong == ["generator V x A = W, L1"]
    assert said["verdict"] == (
        "Something is wrong: generator V x A = W, L1. Do not use these numbers before it is found out."
    )
    assert said["without_value"] == {"absent": 1}
    assert (said["compared"], said["recorded"]) == ([], False)


def test_a_standing_set_cannot_be_judged(there, tcp: TcpFaultServer) -> None:
    tcp.registers |= {(UNIT, address): 0 for address in (*range(1030, 1066), 1408, 1536, 1537)}
    ended = device("selftest", *there, *QUICK)

    assert ended.returncode == 0
    assert "speed and frequency not now 0 rpm and 0 Hz: not running" in " ".join(ended.stdout.split())
    assert "could not be judged now" in ended.stdout


def test_a_bad_line_is_counted(there, tcp: TcpFaultServer) -> None:
    tcp.once(good, faults.silent)
    ended = device("selftest", *there, "--timeout", "0.3", "--rounds", 1, "--json")
    line = json.loads(ended.stdout)["checks"][-1]

    questions = len(tcp.asked)
    assert ended.returncode == 1
    assert (line["name"], line["state"]) == ("line", "wrong")
    assert line["text"].startswith(
        f"{questions} questions, 1 without a good answer ({100 / questions:.1f} %)"
    )


def test_a_silent_device_is_exit_three(tcp: TcpFaultServer) -> None:
    tcp.behave(faults.silent)
    where = f"127.0.0.1:{tcp.port}"
    ended = device("selftest", "--tcp", where, "--profile", "dse-generic", "--timeout", "0.1")

    assert (ended.returncode, ended.stdout) == (3, "")


DISPLAY = ("--display", "tank.fuel_level=62", "generator.voltage_l1=231", "engine.state=Running")


def test_a_comparison_that_agrees_is_recorded(
    kit_toml: Path, checked: Callable[[], frozenset[str]], open_as: Callable[[Role], Record]
) -> None:
    ended = device(
        "selftest", "--device", "genset", "--config", kit_toml, *QUICK, "--checked-by", "AB", *DISPLAY
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "tank.fuel_level: read 63, display 62: agrees" in ended.stdout
    assert "engine.state: read running, display Running: agrees" in ended.stdout
    assert ended.stdout.endswith("Recorded: the device is checked here.\n")
    assert checked() == {"genset"}
    entries = open_as(Role.READER).read(lambda db: db.execute("SELECT by, kind FROM journal").fetchall())
    assert [tuple(entry) for entry in entries] == [("AB", "device_check")]


@pytest.mark.parametrize(
    ("display", "sentence"),
    [
        ("tank.fuel_level=6.3", "tank.fuel_level: read 63, display 6.3: DOES NOT AGREE"),
        ("generator.voltage_l1=400", "generator.voltage_l1: read 230.1, display 400: DOES NOT AGREE"),
        ("engine.state=stopped", "engine.state: read running, display stopped: DOES NOT AGREE"),
        ("engine.oil_temperature=90", "engine.oil_temperature: read -, display 90: DOES NOT AGREE"),
    ],
)
def test_one_that_does_not_agree_is_not(
    kit_toml: Path, checked: Callable[[], frozenset[str]], display: str, sentence: str
) -> None:
    ended = device(
        "selftest", "--device", "genset", "--config", kit_toml, *QUICK, "--checked-by", "AB",
        "--display", "engine.speed=1500", "--display", display,
    )  # fmt: skip

    assert ended.returncode == 1
    assert sentence in ended.stdout
    assert "engine.speed: read 1500, display 1500: agrees" in ended.stdout
    assert ended.stdout.endswith("Not recorded: the device stays marked as not checked here.\n")
    assert not (kit_toml.parent / "kit.db").exists() or checked() == frozenset()


def test_wrong_numbers_are_not_recorded_whatever_the_display_says(
    kit_toml: Path, rtu: RtuFaultServer
) -> None:
    rtu.registers[UNIT, 1045] = 1010
    ended = device(
        "selftest", "--device", "genset", "--config", kit_toml, *QUICK, "--checked-by", "AB", *DISPLAY
    )

    assert ended.returncode == 1
    assert not (kit_toml.parent / "kit.db").exists()


def test_without_initials_nothing_is_recorded(kit_toml: Path) -> None:
    ended = device("selftest", "--device", "genset", "--config", kit_toml, *QUICK, *DISPLAY)

    assert ended.returncode == 0
    assert not (kit_toml.parent / "kit.db").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--display", "battery.voltage=12"), "the profile has no point battery.voltage"),
        (("--display", "tank.fuel_level=half"), "tank.fuel_level is a number in %"),
        (("--display", "tank.fuel_level=nan"), "tank.fuel_level is a number in %"),
        ((), "say what the machine's own display shows: --display POINT=VALUE"),
    ],
)
def test_what_cannot_be_compared_is_named(kit_toml: Path, options: tuple[str, ...], sentence: str) -> None:
    ended = device(
        "selftest",
        "--device",
        "genset",
        "--config",
        kit_toml,
        *QUICK,
        "--checked-by",
        "AB",
        *options,
        stdin="",
    )

    assert ended.returncode == 1
    assert sentence in ended.stderr


def test_at_a_terminal_the_person_is_asked(kit_toml: Path, checked: Callable[[], frozenset[str]]) -> None:
    """Skips the first question with Enter and answers the second."""
    ours, theirs = os.openpty()
    with os.fdopen(ours, "r+b", buffering=0) as keyboard, subprocess.Popen(
        command("selftest", "--device", "genset", "--config", kit_toml, *QUICK, "--checked-by", "AB"),
        stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        os.close(theirs)
        keyboard.write(b"\n231\n\n\n")
        told, asked = running.communicate(timeout=60)

    assert running.returncode == 0, told + asked
    assert "tank.fuel_level: what does the machine's own display say, in %?" in asked
    assert "generator.voltage_l1: read 230.1, display 231: agrees" in told
    assert "tank.fuel_level: read" not in told
    assert checked() == {"genset"}
