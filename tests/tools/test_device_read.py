"""`tpkit device read`: values a person can trust, and a reason wherever there is none."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.hardware import faults
from tests.hardware.fault_server import RtuFaultServer, TcpFaultServer
from tests.hardware.gateway_server import GatewayFaultServer
from tests.tools.command import PATIENT, UNIT, command, device, genset, made_file

VOLTS = 'name = "generator.voltage_l1", address = 100, type = "u16", scale = 0.1'


def read(*options: object) -> dict[str, dict[str, object]]:
    """The JSON answer, by point."""
    ended = device("read", *options, "--json")
    assert ended.returncode == 0, ended.stderr
    return {entry["point"]: entry for entry in json.loads(ended.stdout)}


@pytest.fixture
def made(tcp: TcpFaultServer, tmp_path: Path):
    """Reads a profile made for the test."""

    def read_made(*points: str, more: tuple[str, ...] = (), **head: str) -> dict[str, dict[str, object]]:
        path = made_file(tmp_path, *points, **head)
        where = ("--tcp", f"127.0.0.1:{tcp.port}", "--device-id", UNIT, "--profile", path)
        return read(*where, *PATIENT, *more)

    return read_made


def test_every_point_with_its_raw_words_for_people(there) -> None:
    ended = device("read", *there)

    assert ended.returncode == 0, ended.stderr
    lines = [line.split() for line in ended.stdout.splitlines()]
    assert ["tank.fuel_level", "63", "%", "003F", "good"] in lines
    assert ["generator.voltage_l1", "230.1", "V", "0000", "08FD", "good"] in lines
    assert ["engine.state", "running", "0003", "good"] in lines
    absent = next(line for line in ended.stdout.splitlines() if line.startswith("engine.oil_temperature"))
    assert absent.split()[1:4] == ["-", "°C", "7FFF"]
    assert absent.endswith("absent: the device does not have it")
    assert f"device {UNIT} at 127.0.0.1" in ended.stdout
    assert "Compare some with the machine's own display" in ended.stdout


def test_every_point_for_programs(there, tcp: TcpFaultServer) -> None:
    tcp.registers[UNIT, 1027] = 0xFFF9  # a fuel switch, not a sender: devices.md section 2, sentinels
    points = read(*there)

    assert points["generator.voltage_l1"] == {
        "point": "generator.voltage_l1", "value": 230.1, "unit": "V", "quality": "good", "reason": "",
        "raw": ["0000", "08FD"],
    }  # fmt: skip
    assert points["engine.run_time"]["value"] == 24.0
    assert points["tank.fuel_level"] == {
        "point": "tank.fuel_level", "value": None, "unit": "%", "quality": "bad", "reason": "digital_low",
        "raw": ["FFF9"],
    }  # fmt: skip


def test_the_same_over_a_serial_line(line) -> None:
    points = read(*line)

    assert points["tank.fuel_level"]["value"] == 63.0
    assert points["generator.voltage_l3"]["value"] == 230.5


def test_the_same_through_a_serial_device_server() -> None:
    with GatewayFaultServer() as gateway:
        genset(gateway)
        where = ("--rtu-over-tcp", f"127.0.0.1:{gateway.port}", "--device-id", UNIT, *PATIENT)
        points = read(*where, "--profile", "dse-generic")

    assert points["tank.fuel_level"]["value"] == 63.0


def test_a_register_that_is_not_there_is_null_and_no_failure(there, tcp: TcpFaultServer) -> None:
    tcp.behave(faults.lacks(1050, 1408))
    points = read(*there)

    assert points["engine.state"] == {
        "point": "engine.state", "value": None, "unit": "", "quality": "bad", "reason": "refused_2", "raw": [],
    }  # fmt: skip
    assert points["tank.fuel_level"]["value"] == 63.0
    assert points["generator.power_l3"]["value"] == 2280.0  # beyond the missing register


def test_a_device_that_has_nothing_of_the_profile_is_told_apart_from_a_silent_one(
    there, tcp: TcpFaultServer
) -> None:
    tcp.behave(faults.refuse(2))
    ended = device("read", *there)

    assert ended.returncode == 0, ended.stderr
    assert "The device answers, but it has none of these registers: is --profile right?" in ended.stdout


def test_an_older_register_is_read_where_the_newer_is_refused(made, tcp: TcpFaultServer) -> None:
    tcp.behave(faults.lacks(200))
    tcp.registers[UNIT, 50] = 123
    points = made(
        'name = "grid.power", address = 200, type = "s32", fallback = { address = 50, type = "s16", scale = 10.0 }',
    )

    assert (points["grid.power"]["value"], points["grid.power"]["raw"]) == (1230.0, ["007B"])


def test_a_value_counts_by_one_that_is_read_later(made, tcp: TcpFaultServer) -> None:
    """The deciding register lies in another block, after it."""
    tcp.registers |= {(UNIT, 100): 2301, (UNIT, 500): 1}
    points = made(
        VOLTS + ', valid_when = { point = "engine.state", equals = ["running"] }',
        'name = "engine.state", address = 500, type = "u16", enum = { 0 = "stopped", 1 = "running" }',
    )
    assert points["generator.voltage_l1"]["value"] == 230.1

    tcp.registers[UNIT, 500] = 0
    points = made(
        VOLTS + ', valid_when = { point = "engine.state", equals = ["running"] }',
        'name = "engine.state", address = 500, type = "u16", enum = { 0 = "stopped", 1 = "running" }',
    )
    assert (points["generator.voltage_l1"]["value"], points["generator.voltage_l1"]["reason"]) == (
        None,
        "not_valid_now",
    )


def test_both_word_orders_side_by_side(made, tcp: TcpFaultServer, tmp_path: Path) -> None:
    """By hand: 0x00010002 is 65538, 0x00020001 is 131073."""
    tcp.registers |= {(UNIT, 200): 1, (UNIT, 201): 2, (UNIT, 199): 7}
    points = made(
        'name = "grid.power", address = 200, type = "s32"',
        'name = "engine.speed", address = 199, type = "u16"',
        more=("--both-orders",),
    )
    assert points["grid.power"]["value"] == 65538.0
    assert points["grid.power"]["orders"] == {"big": 65538.0, "little": 131073.0}
    assert "orders" not in points["engine.speed"]

    where = ("--tcp", f"127.0.0.1:{tcp.port}", "--device-id", UNIT, "--profile", tmp_path / "made.toml")
    ended = device("read", *where, "--both-orders", *PATIENT)
    assert "high word first  low word first" in ended.stdout
    assert ["65538", "131073"] in [line.split()[-2:] for line in ended.stdout.splitlines()]


def test_whoever_reads_may_stop_listening(there) -> None:
    with subprocess.Popen(
        command("read", *there), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""


def test_no_unit_answering_is_exit_three_and_one_sentence(tcp: TcpFaultServer) -> None:
    tcp.behave(faults.silent)
    where = f"127.0.0.1:{tcp.port}"
    ended = device("read", "--tcp", where, "--profile", "dse-generic", "--timeout", "0.1", "--json")

    assert (ended.returncode, ended.stdout) == (3, "")
    assert len(tcp.asked) == 4  # two blocks, twice each; the others are not waited for
    assert ended.stderr.startswith(
        f"Device 10 at {where} (Modbus TCP) does not answer. The connection stands"
    )
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("deaf", [(1024,), (1408, 1536)], ids=["the first", "two in a row"])
def test_a_block_without_an_answer_does_not_take_the_others_with_it(
    there, tcp: TcpFaultServer, deaf: tuple[int, ...]
) -> None:
    def partly_deaf(server, request):
        if request.address not in deaf:
            yield server.good(request)

    tcp.behave(partly_deaf)
    points = read(*there, "--timeout", "0.5")

    for point, block in (("tank.fuel_level", 1024), ("engine.state", 1408), ("generator.power", 1536)):
        assert points[point]["reason"] == ("no_response" if block in deaf else ""), point
    assert points["engine.run_time"]["value"] == 24.0


@pytest.mark.parametrize("code", [10, 11])
def test_a_gateway_without_its_device_is_exit_three(there, tcp: TcpFaultServer, code: int) -> None:
    tcp.behave(faults.refuse(code))
    ended = device("read", *there)

    assert ended.returncode == 3
    assert "The gateway answers, but not the device behind it" in ended.stderr


def test_a_busy_device_is_asked_again(there, tcp: TcpFaultServer) -> None:
    tcp.once(faults.refuse(6), faults.refuse(6))

    assert read(*there)["tank.fuel_level"]["value"] == 63.0


def test_a_lost_answer_is_asked_for_again(tcp: TcpFaultServer) -> None:
    tcp.once(faults.silent)
    points = read("--tcp", f"127.0.0.1:{tcp.port}", "--profile", "dse-generic", "--timeout", "0.5")

    assert points["tank.fuel_level"]["value"] == 63.0


def test_a_device_of_kit_toml_brings_its_settings(rtu: RtuFaultServer, kit_toml: Path) -> None:
    points = read("--device", "genset", "--config", kit_toml)

    assert points["tank.fuel_level"]["value"] == 63.0


def test_a_sunspec_device_is_asked_what_it_has(tcp: TcpFaultServer) -> None:
    """Offsets and lengths: devices.md section 4 (sunspec/models): model 103 has L 50, W 14, Hz 16."""
    chain = {
        40000: 0x5375,
        40001: 0x6E53,
        40002: 1,
        40003: 66,
        40070: 103,
        40071: 50,
        40122: 0xFFFF,
        40123: 0,
    }
    values = {40070 + 14: 5000, 40070 + 15: 0, 40070 + 16: 5001, 40070 + 17: 0xFFFE}  # scale factors 0 and -2
    tcp.registers |= {(1, address): word for address, word in (chain | values).items()}
    points = read("--tcp", f"127.0.0.1:{tcp.port}", "--profile", "sunspec", "--device-id", 1, *PATIENT)

    assert (points["inverter.power"]["value"], points["inverter.frequency"]["value"]) == (5000.0, 50.01)


def test_what_is_no_sunspec_device_is_said(tcp: TcpFaultServer) -> None:
    ended = device(
        "read", "--tcp", f"127.0.0.1:{tcp.port}", "--profile", "sunspec", "--device-id", 1, *PATIENT
    )

    assert ended.returncode == 3
    assert "SunSpec" in ended.stderr
    assert "Two devices" not in ended.stderr
