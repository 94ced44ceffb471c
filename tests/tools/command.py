"""Runs `tpkit device` as a technician would, and the generator set that it is pointed at."""

import subprocess
import sys
from pathlib import Path

from tests.hardware.fault_server import FaultServer
from tests.hardware.made_profile import toml
from tpkit import config

UNIT = 10
SITE = '[site]\nname = "Ekby"\nkit = "kit-0001"\norg = "se0180"\nmunicipality = "Ekby"\n'
PATIENT = ("--timeout", "3")


def device(*arguments: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """One command in a process of its own; never with a traceback."""
    ended = subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=90, input=stdin, check=False
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tpkit", "device", *map(str, arguments)]


def genset(server: FaultServer, unit: int = UNIT) -> None:
    """A DSE set under load. Registers and scales: devices.md section 2 (dse.py, 55x operator manual)."""
    registers = dict.fromkeys(range(1024, 1066), 0) | dict.fromkeys(range(39425, 39431), 0x1111)
    registers |= {
        772: 1,  # auto
        1024: 412,  # kPa
        1025: 83,  # °C
        1026: 0x7FFF,  # no oil temperature sender
        1027: 63,  # %
        1028: 141,  # 14.1 V
        1029: 137,  # 13.7 V
        1030: 1500,  # rpm
        1031: 500,  # 50.0 Hz
        1033: 2301, 1035: 2298, 1037: 2305,  # 230.1, 229.8, 230.5 V
        1045: 101, 1047: 98, 1049: 100,  # 10.1, 9.8, 10.0 A
        1053: 2250, 1055: 2200, 1057: 2280,  # W, at a power factor of about 0.97
        1408: 3,  # running
        1536: 0, 1537: 6730,  # W: the sum of the three
        1798: 1, 1799: 20864,  # 86400 s = 24 h
    }  # fmt: skip
    server.registers |= {(unit, address): word for address, word in registers.items()}


def made_file(folder: Path, *points: str, tail: str = "", **head: str | None) -> Path:
    """A profile of these points in a file."""
    path = folder / "made.toml"
    path.write_text(toml(*points, tail=tail, **head), encoding="utf-8")
    return path


def settings(kit_toml: str) -> config.Config:
    """The printed lines as part of a kit.toml without faults."""
    parsed, found = config.parse(SITE + kit_toml)
    assert parsed is not None
    assert not found
    return parsed
