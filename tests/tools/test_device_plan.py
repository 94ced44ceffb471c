"""`tpkit device profiles` and `plan`."""

import json
from pathlib import Path

from tests.tools.command import device, made_file
from tpkit.hardware import profile


def plan(path: Path, *options: object) -> dict[str, object]:
    ended = device("plan", "--profile", path, "--json", *options)
    assert ended.returncode == 0, ended.stderr
    made: dict[str, object] = json.loads(ended.stdout)
    return made


def test_profiles_for_programs() -> None:
    ended = device("profiles", "--json")
    known = {entry["name"]: entry for entry in json.loads(ended.stdout)}

    assert ended.returncode == 0
    assert list(known) == profile.names()
    assert {"dse-generic", "victron-battery", "victron-system"} <= set(known)
    for entry in known.values():
        assert set(entry) == {"name", "title", "confidence", "source", "tested_on_hardware", "points"}
        assert entry["tested_on_hardware"] is False
        assert entry["confidence"] in ("official", "two sources", "one source")
        assert entry["source"]
    assert known["dse-generic"]["points"] == len(profile.load("dse-generic").point)


def test_profiles_for_people() -> None:
    lines = device("profiles").stdout.splitlines()

    assert lines[0].split() == ["name", "points", "confidence", "tried", "on", "hardware", "what"]
    assert len(lines) == len(profile.names()) + 1
    assert any(
        line.startswith("victron-battery ") and " official " in line and " no " in line for line in lines
    )


def test_what_a_plan_costs(tmp_path: Path) -> None:
    """By hand, at 9600 baud and 11 bits a character.

    Ten registers: 8 to ask, 5 + 20 to answer, 2 x 3.5 of silence = 40 characters = 45.8 ms, and 10 ms
    turnaround: 55.8 ms. One register: 22 characters = 25.2 ms and 10 ms: 35.2 ms, asked for every 10 s.
    Each read wants 50 ms of rest. In all 55.8 + 50 + (35.2 + 50) / 10 = 114.3 ms a second.
    At 19200 baud: 22.9 + 10 = 32.9 ms and 12.6 + 10 = 22.6 ms, in all 90.2 ms.
    """
    path = made_file(
        tmp_path,
        'name = "engine.speed", address = 100, type = "u16"',
        'name = "engine.run_time", address = 108, type = "u32"',
        'name = "tank.fuel_level", address = 5000, type = "u16", every_s = 10',
        allow_gaps="true",
        turnaround_s="0.01",
        min_gap_s="0.05",
    )
    made = plan(path)
    assert made["baud"] == 9600
    assert made["load_percent"] == 11.4
    assert made["blocks"] == [
        {"function": 3, "address": 100, "count": 10, "every_s": 1, "wire_s": 0.0558,
         "points": ["engine.speed", "engine.run_time"]},
        {"function": 3, "address": 5000, "count": 1, "every_s": 10, "wire_s": 0.0352,
         "points": ["tank.fuel_level"]},
    ]  # fmt: skip

    faster = plan(path, "--baud", 19200)
    assert (faster["baud"], faster["load_percent"]) == (19200, 9.0)
    assert [block["wire_s"] for block in faster["blocks"]] == [0.0329, 0.0226]  # type: ignore[attr-defined]

    lines = device("plan", "--profile", path).stdout.splitlines()
    assert lines[2].split() == ["3", "100", "10", "1", "s", "56", "ms"]
    assert lines[3].split() == ["engine.speed", "engine.run_time"]
    assert (
        lines[-1]
        == "One such device takes 11.4 % of a line at 9600 baud, with 50 ms of rest after each read."
    )


def test_a_line_that_is_too_slow_is_said(tmp_path: Path) -> None:
    path = made_file(
        tmp_path, *(f'name = "solar.power_{n}", address = {500 * n}, type = "u16"' for n in (1, 2, 3, 4)),
        turnaround_s="0.3",
    )  # fmt: skip

    assert "That is more than there is" in device("plan", "--profile", path, "--baud", 1200).stdout
    assert "That is more than there is" not in device("plan", "--profile", "dse-generic").stdout


def test_a_plan_that_the_device_decides_about() -> None:
    ended = device("plan", "--profile", "sunspec")

    assert ended.returncode == 0, ended.stderr
    assert "The device is asked which points it has" in ended.stdout
