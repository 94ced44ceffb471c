"""`tpkit device learn`: registers made by hand, and what the display says."""

import json
import struct
from pathlib import Path

import pytest

from tests.hardware import faults
from tests.hardware.fault_server import RtuFaultServer, TcpFaultServer
from tests.tools.command import device
from tpkit.errors import ConfigError
from tpkit.hardware import profile
from tpkit.tools import learning
from tpkit.tools.learning import Moment, Round, display, learn, looks_like

UNIT = 1


def f32(value: float) -> tuple[int, int]:
    high, low = struct.unpack(">HH", struct.pack(">f", value))
    return high, low


def registers(**at: int) -> dict[int, int]:
    """Twenty registers that hold 0, but for those given as r7=500."""
    return dict.fromkeys(range(20), 0) | {int(name[1:]): word for name, word in at.items()}


def moment(*rounds: Round, **shown: str) -> Moment:
    return Moment(rounds, dict(display(f"{name}={value}") for name, value in shown.items()))


def learned(*moments: Moment) -> dict[str, tuple[int, str, float]]:
    """What is learned: point to register, type and scale."""
    return {name: (fit.address, fit.type, fit.scale) for name, fit in learn(moments).points.items()}


@pytest.mark.parametrize(
    ("shown", "word", "expected"),
    [  # (what the display says, the register, how it must be read): worked out by hand
        ("frequency=50.0", 500, ("generator.frequency", "u16", 0.1)),
        ("frequency=50.0", 5003, ("generator.frequency", "u16", 0.01)),  # 50.03 shows as 50.0
        ("frequency=50,0", 500, ("generator.frequency", "u16", 0.1)),  # a Swede's comma
        ("voltage=231", 231, ("generator.voltage_l1", "u16", 1)),
        ("voltage=230", 2304, ("generator.voltage_l1", "u16", 0.1)),
        ("battery=13.7", 137, ("engine.battery_voltage", "u16", 0.1)),
        ("battery=27.41", 27412, ("engine.battery_voltage", "u16", 0.001)),
        ("speed=1501", 1501, ("engine.speed", "u16", 1)),
        ("oil=412", 412, ("engine.oil_pressure", "u16", 1)),
        ("oil=4.1 bar", 412, ("engine.oil_pressure", "u16", 1)),  # kPa in the register
        ("oil=4.12 bar", 41, ("engine.oil_pressure", "u16", 10)),  # tenths of a bar
        ("oil=60 psi", 60, ("engine.oil_pressure", "u16", 6.894757)),
        ("coolant=-12", 65536 - 12, ("engine.coolant_temperature", "s16", 1)),
        ("coolant=83", 83, ("engine.coolant_temperature", "s16", 1)),
        ("fuel=63", 63, ("tank.fuel_level", "u16", 1)),
        ("fuel=63", 628, ("tank.fuel_level", "u16", 0.1)),
        ("generator.power=6.7 kW", 67, ("generator.power", "s16", 100)),
        ("hours=1234.5", 12345, ("engine.run_time", "u16", 0.1)),
        ("climate.humidity=41", 41, ("climate.humidity", "u16", 1)),
    ],
)
def test_a_value_is_found_in_its_register(shown: str, word: int, expected: tuple[str, str, float]) -> None:
    name, kind, scale = expected
    given = dict([display(shown)])
    assert learned(Moment((registers(r7=word),) * 3, given)) == {name: (7, kind, scale)}


def test_two_registers_in_either_order_of_words() -> None:
    """86 400 s of 24.0 h are 1 * 65536 + 20864."""
    big, little = registers(r7=1, r8=20864), registers(r7=20864, r8=1)
    assert learned(moment(big, hours="24.0")) == {"engine.run_time": (7, "u32", 1 / 3600)}
    assert learn([moment(big, hours="24.0")]).word_order == "big"
    assert learned(moment(little, hours="24.0")) == {"engine.run_time": (7, "u32", 1 / 3600)}
    assert learn([moment(little, hours="24.0")]).word_order == "little"


def test_a_negative_power_in_two_registers() -> None:
    words = registers(r7=0xFFFE, r8=65536 * 2 - 70_000)  # -70000 W, high word first
    assert learned(moment(words, power="-70000")) == {"generator.power": (7, "s32", 1)}


def test_floating_point_in_either_order() -> None:
    (high, low), (high_2, low_2) = f32(50.02), f32(231.37)
    big = registers(r6=high, r7=low, r8=high_2, r9=low_2)
    little = registers(r6=low, r7=high, r8=low_2, r9=high_2)
    for words, order in ((big, "big"), (little, "little")):
        told = learn([moment(words, frequency="50.02", voltage="231.4")])
        assert told.word_order == order
        assert {name: (fit.address, fit.type) for name, fit in told.points.items()} == {
            "generator.frequency": (6, "f32"),
            "generator.voltage_l1": (8, "f32"),
        }


def test_one_float_that_fits_in_either_order_is_not_guessed() -> None:
    told = learn([moment(registers(r7=f32(50.0)[0]), frequency="50.0")])  # 50.0 has a low word of 0
    assert told.points == {}
    assert "either order of words" in told.left_out["generator.frequency"]


def test_a_large_number_next_to_a_known_order_gets_both_its_registers() -> None:
    """With the order known from the hours, 6730 W in the low word of two is read from both."""
    words = registers(r3=1, r4=20864, r8=6730)
    assert learned(moment(words, hours="24.0", power="6730"))["generator.power"] == (7, "s32", 1)
    assert learned(moment(registers(r8=6730), power="6730"))["generator.power"] == (8, "s16", 1)


def test_what_fits_in_two_places_is_not_learned_until_it_moves() -> None:
    before = moment(registers(r7=500, r9=500), frequency="50.0")  # one may be the rated frequency
    told = learn([before])
    assert told.points == {}
    assert "several registers fit (7, 9)" in told.left_out["generator.frequency"]

    after = moment(registers(r7=487, r9=500), frequency="48.7")
    assert learned(before, after) == {"generator.frequency": (7, "u16", 0.1)}


def test_zero_proves_nothing_alone_but_rules_out() -> None:
    stopped = moment(registers(r9=1500), speed="0")
    assert "0 proves nothing" in learn([stopped]).left_out["engine.speed"]
    running = moment(registers(r7=1500, r9=1500), speed="1500")
    assert learned(running, stopped) == {"engine.speed": (7, "u16", 1)}


def test_small_numbers_prove_nothing() -> None:
    assert learned(moment(registers(r7=9), fuel="9")) == {}
    assert learned(moment(registers(r7=10), fuel="10")) == {"tank.fuel_level": (7, "u16", 1)}


@pytest.mark.parametrize("word", [494, 506, 5006, 0, 49])
def test_what_the_display_does_not_say_is_not_learned(word: int) -> None:
    told = learn([moment(registers(r7=word), frequency="50.0")])
    assert told.points == {}
    assert "generator.frequency" in told.left_out


def test_a_register_that_jumps_about_is_not_believed() -> None:
    jumping = [registers(r7=word) for word in (100, 500, 900)]
    assert learned(moment(*jumping, frequency="50.0")) == {}
    trembling = [registers(r7=word) for word in (499, 500, 501)]
    assert learned(moment(*trembling, frequency="50.0")) == {"generator.frequency": (7, "u16", 0.1)}


def test_a_register_that_is_not_always_there_is_not_believed() -> None:
    gone = registers()
    del gone[7]
    assert learned(moment(registers(r7=500), gone, frequency="50.0")) == {}


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ((500, 501), "50 Hz x 0.1"),
        ((5000,), "50 Hz x 0.01"),
        ((230,), "230 V x 1"),
        ((2304,), "230 V x 0.1"),
        ((400,), "400 V x 1"),
        ((137,), "12 V x 0.1"),
        ((274,), "24 V x 0.1"),
        ((1500, 1498), "1500 rpm x 1"),
        ((3000,), "3000 rpm x 1"),
        ((63,), "percent x 1"),
        ((12345, 12345, 12346), "a counter, hours perhaps"),
    ],
)
def test_registers_are_marked_by_what_they_look_like(words: tuple[int, ...], hint: str) -> None:
    assert hint in looks_like([{7: word} for word in words], 7)


def test_floats_are_marked_in_the_order_that_fits() -> None:
    high, low = f32(50.02)
    assert looks_like([{7: high, 8: low}], 7) == ("50 Hz f32 big",)
    assert looks_like([{7: low, 8: high}], 7) == ("50 Hz f32 little",)


def test_other_numbers_are_not_marked() -> None:
    for word in (0, 111, 65535, 32768):
        assert looks_like([{7: word}], 7) == ()
    assert looks_like([{7: 500}, {7: 600}], 7) == ()


def test_what_changed_is_told() -> None:
    assert learning.changed([{1: 5, 2: 6, 3: 7}, {1: 5, 2: 7}]) == {2, 3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", '"" is no measured point'),
        ("nonsense=1", '"nonsense" is no measured point'),
        ("engine.state=1", '"engine.state" is no measured point'),
        ("frequency", "write it as generator.frequency=VALUE"),
        ("frequency=", "write it as"),
        ("frequency=fifty", "write it as"),
        ("frequency=5e1", "write it as"),
        ("frequency=1e999", "write it as"),
        ("frequency=nan", "write it as"),
        ("frequency=50.0 bar", 'unit "bar" is unknown here; allowed: Hz'),
    ],
)
def test_typed_nonsense_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        display(text)
    assert said in str(refused.value)


def test_the_display_is_read_to_half_its_last_digit() -> None:
    """4.12 bar = 412 kPa, half of its last digit is 0.005 bar = 0.5 kPa."""
    name, shown = display("oil = 4,12 bar")
    assert name == "engine.oil_pressure"
    assert (shown.value, shown.half) == (pytest.approx(412), pytest.approx(0.5))
    assert display("coolant=-0.5")[1].value == -0.5


# The command


def set_up(server: TcpFaultServer | RtuFaultServer) -> None:
    words = dict.fromkeys(range(40), 0) | {7: 500, 8: 2304, 9: 1501, 20: 1, 21: 20864}
    server.registers |= {(UNIT, at): word for at, word in words.items()}


DISPLAY = ("--display", "frequency=50.0", "--display", "voltage=230", "--display", "hours=24.0")
QUICK = ("--to", 39, "--pause", 0.05)


def test_a_profile_is_written_and_loads(tcp: TcpFaultServer, tmp_path: Path) -> None:
    set_up(tcp)
    tcp.behave(faults.lacks(5, 30))  # holes do not stop it
    path = tmp_path / "nova.toml"
    ended = device(
        "learn", "--tcp", f"127.0.0.1:{tcp.port}", *QUICK, *DISPLAY, "--display", "fuel=61",
        "--title", 'Åkes "Nova" \\ 20 kVA', "--out", path,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "left out: tank.fuel_level: no register that was read holds it" in ended.stdout
    made = profile.parse("nova", path.read_text("utf-8"))
    assert made.title == 'Åkes "Nova" \\ 20 kVA'
    assert (made.confidence, made.tested_on_hardware, made.word_order) == ("one source", False, "big")
    assert made.source.startswith("this machine, 20")
    assert made.source.endswith(", learned")
    assert {(item.name, item.address, item.type, item.scale) for item in made.point} == {
        ("generator.frequency", 7, "u16", 0.1),
        ("generator.voltage_l1", 8, "u16", 0.1),
        ("engine.run_time", 20, "u32", 1 / 3600),
    }
    assert {request.function for request in tcp.asked} == {3}


def test_for_programs_all_of_it_is_json(tcp: TcpFaultServer, tmp_path: Path) -> None:
    set_up(tcp)
    path = tmp_path / "x.toml"
    ended = device(
        "learn", "--tcp", f"127.0.0.1:{tcp.port}", *QUICK, *DISPLAY, "--title", "X", "--out", path, "--json"
    )
    told = json.loads(ended.stdout)
    assert ended.returncode == 0
    assert told["file"] == str(path)
    assert [each["words"] for each in told["registers"] if each["address"] == 8] == [[2304, 2304, 2304]]
    assert {each["name"] for each in told["points"]} == {
        "generator.frequency", "generator.voltage_l1", "engine.run_time",
    }  # fmt: skip


def test_a_serial_line_and_its_speed_go_into_the_profile(rtu: RtuFaultServer, tmp_path: Path) -> None:
    set_up(rtu)
    path = tmp_path / "nova.toml"
    ended = device(
        "learn", "--rtu", rtu.link, "--baud", 19200, "--parity", "E", *QUICK, *DISPLAY, "--title", "Nova",
        "--out", path,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    usual = profile.parse("nova", path.read_text("utf-8")).defaults
    assert (usual.device_id, usual.baud, usual.parity, usual.stop_bits) == (1, 19200, "E", 1)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("50.0\n230\n\n\n\n\n\n\n\nn\nNova 20\ny\n", True),
        ("50.0\n230\n\n\n\n\n\n\n\nn\nNova 20\nn\n", False),
        ("50.0\n230\n\n\n\n\n\n\n\nn\nNova 20\n", False),
        ("fifty\n50.0\n\n\n\n\n\n\n\n\nn\nNova 20\nyes\n", True),  # a slip is asked for again
        ("51.7\n\n\n\n\n\n\n\n\nn\nNova 20\ny\n", False),  # nothing confirmed
        ("", False),
    ],
)
def test_a_person_is_asked_and_nothing_is_written_without_a_yes(
    typed: str, written: bool, tcp: TcpFaultServer, tmp_path: Path
) -> None:
    set_up(tcp)
    path = tmp_path / "nova.toml"
    ended = device("learn", "--tcp", f"127.0.0.1:{tcp.port}", *QUICK, "--out", path, stdin=typed)
    assert (ended.returncode, path.exists()) == ((0, True) if written else (1, False))
    assert ("Nothing was written." in ended.stdout) != written
    if written:
        assert "generator.frequency" in {item.name for item in profile.parse("n", path.read_text()).point}


def test_a_second_look_at_another_moment_decides(tcp: TcpFaultServer, tmp_path: Path) -> None:
    set_up(tcp)
    tcp.registers[(UNIT, 12)] = 500
    path = tmp_path / "nova.toml"
    once = "50.0\n\n\n\n\n\n\n\n\n"
    common = ("learn", "--tcp", f"127.0.0.1:{tcp.port}", *QUICK, "--out", path)
    assert "several registers fit (7, 12)" in device(*common, stdin=f"{once}n\n").stdout
    assert device(*common, stdin=f"{once}y\n{once}n\n").returncode == 1
    assert not path.exists()


def test_a_silent_device_is_exit_3(tcp: TcpFaultServer, tmp_path: Path) -> None:
    tcp.behave(faults.silent)
    ended = device("learn", "--tcp", f"127.0.0.1:{tcp.port}", *QUICK, stdin="")
    assert (ended.returncode, ended.stderr.count("\n")) == (3, 1)
    assert "gave no answer at register 0" in ended.stderr


def test_a_device_that_refuses_everything_is_exit_3(tcp: TcpFaultServer) -> None:
    tcp.behave(faults.refuse(2))
    ended = device("learn", "--tcp", f"127.0.0.1:{tcp.port}", *QUICK, stdin="")
    assert ended.returncode == 3
    assert "refuses every register from 0 to 39 by function 3" in ended.stderr


def test_a_late_answer_is_not_taken_for_the_next_register(rtu: RtuFaultServer, tmp_path: Path) -> None:
    """Only registers 0 and 2 exist, so the first round takes seven questions and leaves two of one length.

    In the second round the answer for 0 comes 1.2 s after its question, while 2 is being waited for.
    """
    rtu.registers |= {(UNIT, 0): 500, (UNIT, 2): 777}
    rtu.once(*[faults.lacks(1, 3)] * 7, faults.late(1.2), faults.late(0.5))
    path = tmp_path / "nova.toml"
    ended = device(
        "learn", "--rtu", rtu.link, "--to", 3, "--rounds", 2, "--pause", 0.05, "--display", "frequency=50.0",
        "--title", "X", "--json", "--out", path,
    )  # fmt: skip
    words = {each["address"]: each["words"] for each in json.loads(ended.stdout)["registers"]}
    assert words == {0: [500, None], 2: [777, 777]}
    assert ended.returncode == 1  # 50.0 was not there in every round
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", 9, "--to", 8), "the first not above the last"),
        (("--to", 70000), "must be 0 to 65535"),
        (("--to", 5000), "5000 registers at most"),
        (("--device-id", 256), "must be 0 to 255"),
        (("--json",), "nobody will be asked"),
        (("--display", "frequency=50.0"), "--title is missing"),
        (("--display", "x=1", "--title", "T"), '"x" is no measured point'),
        (("--display", "fuel=10", "--display", "fuel=11", "--title", "T"), "is there twice"),
        (("--out", "/etc/passwd"), "must be a new file"),
        (("--baud", 9600), "those of a serial adapter"),
    ],
)
def test_typed_nonsense_is_a_sentence_and_nothing_is_asked(
    arguments: tuple[object, ...], said: str, tcp: TcpFaultServer
) -> None:
    ended = device("learn", "--tcp", f"127.0.0.1:{tcp.port}", *arguments, stdin="")
    assert ended.returncode == 1
    assert said in ended.stderr
    assert not tcp.asked


def test_a_file_that_cannot_be_written_is_a_sentence(tcp: TcpFaultServer, tmp_path: Path) -> None:
    set_up(tcp)
    path = tmp_path / "no" / "such" / "nova.toml"
    ended = device("learn", "--tcp", f"127.0.0.1:{tcp.port}", *QUICK, *DISPLAY, "--title", "X", "--out", path)
    assert ended.returncode == 1
    assert "cannot be written" in ended.stderr
