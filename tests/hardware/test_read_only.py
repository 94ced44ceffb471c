"""No write function code leaves the process.

What the polling's clients and the tools' questions do with every function code there is, seen at the last
call before the kernel; and what the source says, for there must be no third way out.
"""

import ast
import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pymodbus.client.mixin import ModbusClientMixin
from pymodbus.pdu import ModbusPDU

import tpkit
from tests.hardware.fault_server import FaultServer
from tests.hardware.line import PROBES, TIMEOUT_S, UNIT, Line
from tpkit.hardware.asking import Question, ask, identification, read, server_id
from tpkit.hardware.clients import QuietSerialClient, QuietTcpClient
from tpkit.hardware.planning import Block

ROOT = Path(tpkit.__file__).parent
# Modbus Application Protocol 1.1b3, 6: 1 to 4 read, 17 and 43 say who is there. The others write (5, 6, 15,
# 16, 21, 22, 23), restart or silence a device (8), or are nothing that a kit needs.
READING = {1, 2, 3, 4, 17, 43}
WRITERS: dict[str, dict[str, Any]] = {
    "write_coil": {"address": 1, "value": True},
    "write_coils": {"address": 1, "values": [True]},
    "write_register": {"address": 1, "value": 1},
    "write_registers": {"address": 1, "values": [1]},
    "mask_write_register": {"address": 1},
    "readwrite_registers": {"read_count": 1, "write_address": 1, "values": [1]},
    "write_file_record": {"records": []},
    "diag_restart_communication": {"toggle": True},
    "diag_force_listen_only": {},
    "diag_clear_counters": {},
    "diag_clear_overrun_counter": {},
    "diag_getclear_modbus_response": {},
}
REQUESTS = {"WriteSingleCoilRequest", "WriteSingleRegisterRequest", "WriteMultipleCoilsRequest",
            "WriteMultipleRegistersRequest", "MaskWriteRegisterRequest", "WriteFileRecordRequest",
            "ReadWriteMultipleRegistersRequest"}  # fmt: skip


class Other(ModbusPDU):
    """A request with any function code."""

    def __init__(self, function: int) -> None:
        super().__init__(dev_id=UNIT)
        self.function_code = function

    def encode(self) -> bytes:
        return struct.pack(">HH", 1000, 4)


class Port:
    """A socket or serial port that notes the function code of whatever is sent through it."""

    def __init__(self, port: Any, function_at: int) -> None:
        self._port = port
        self._function_at = function_at
        self.functions: list[int] = []

    def send(self, data: bytes) -> Any:
        self.functions.append(data[self._function_at])
        return self._port.send(data) if isinstance(self._port, socket.socket) else self._port.write(data)

    write = sendall = send

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


class Way:
    """A bus's own client, open, with a listener at its socket or port."""

    def __init__(self, line: Line, function_at: int) -> None:
        found = [
            item for item in vars(line.bus).values() if isinstance(item, QuietSerialClient | QuietTcpClient)
        ]
        (self.client,) = found
        assert self.client.connect()
        self.port = Port(self.client.socket, function_at)
        self.client.socket = self.port  # type: ignore[assignment]

    def call(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Call a method of the client as the polling would."""
        self.client.expect(4, TIMEOUT_S)
        getattr(self.client, name)(*args, **kwargs)


@pytest.fixture(params=["tcp", "rtu", "rtu over tcp"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    server: FaultServer = request.getfixturevalue("rtu" if request.param == "rtu" else "tcp")
    made = Line(server, **({"framing": "rtu"} if request.param == "rtu over tcp" else {}))
    with contextlib.closing(made.bus):
        yield made


@pytest.fixture
def way(line: Line, request: pytest.FixtureRequest) -> Way:
    # Behind the header of Modbus TCP and the unit, or behind the unit.
    return Way(line, 7 if request.node.callspec.params["line"] == "tcp" else 1)


def test_the_listener_hears_what_is_allowed(way: Way) -> None:
    """Otherwise the next tests would prove nothing."""
    for function in (3, 4):
        with contextlib.suppress(Exception):  # an RTU client finds no RTU server at this port
            way.call("execute", False, Other(function))
        way.client.connect()

    assert 3 in way.port.functions


def test_a_request_of_any_other_function_is_refused_before_the_wire(way: Way) -> None:
    for function in sorted(set(range(256)) - READING):
        with pytest.raises(PermissionError):
            way.call("execute", False, Other(function))

    assert way.port.functions == []


@pytest.mark.parametrize("name", WRITERS)
def test_a_writing_method_of_the_library_is_refused_before_the_wire(way: Way, name: str) -> None:
    with pytest.raises(PermissionError):
        way.call(name, **WRITERS[name])

    assert way.port.functions == []


def test_the_list_of_writing_methods_is_whole() -> None:
    """A later pymodbus may have more."""
    called = {
        name for name in dir(ModbusClientMixin) if "write" in name or "clear" in name or "force" in name
    }

    assert called <= set(WRITERS)


def test_a_whole_frame_that_writes_cannot_be_sent_beside_the_library(way: Way) -> None:
    head = struct.pack(">HHHB", 1, 0, 6, UNIT) if way.port._function_at == 7 else bytes([UNIT])
    for function in sorted(set(range(256)) - READING):
        with pytest.raises(PermissionError):
            way.client.send(head + bytes([function]) + b"\x00\x01\x00\x01")
    for stump in (b"", head):
        with pytest.raises(PermissionError):
            way.client.send(stump)

    assert way.port.functions == []


@pytest.mark.parametrize("function", [0, 1, 2, 5, 6, 15, 16, 22, 23, 43, 128, 131])
def test_a_block_of_a_foreign_function_is_never_asked_by_it(line: Line, function: int) -> None:
    with contextlib.suppress(Exception):
        line.bus.read(UNIT, Block(function, 1000, 4), TIMEOUT_S, PROBES)

    assert {request.function for request in line.server.asked} <= READING


# The questions of the tools


class Recorder:
    """A line that keeps what is sent and stays silent."""

    def __init__(self, *, rtu: bool) -> None:
        self.rtu = rtu
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def receive(self, timeout_s: float) -> bytes | None:
        return b""

    def close(self) -> None:
        """There is nothing to close."""


def test_a_question_that_writes_cannot_be_made() -> None:
    question = read(UNIT, 3, 1)
    for function in sorted(set(range(256)) - READING):
        with pytest.raises(ValueError, match="never sent"):
            Question(UNIT, function, b"\x00\x01\x00\x01")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="never sent"):
            msgspec.structs.replace(question, function=function)
        with pytest.raises(AttributeError):
            question.function = function  # type: ignore[misc, assignment]


@pytest.mark.parametrize("rtu", [True, False])
def test_what_the_tools_ask_is_what_goes_out(rtu: bool) -> None:
    recorder = Recorder(rtu=rtu)
    for question in (read(UNIT, 3, 1000, 4), read(UNIT, 4, 1000, 4), server_id(UNIT), identification(UNIT)):
        ask(recorder, question, 0.01)

    assert [frame[1 if rtu else 7] for frame in recorder.sent] == [3, 4, 17, 43]


# What the source says


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_names_a_writing_method_or_request(path: Path) -> None:
    """Names and attributes, whether called or passed on, and texts that could be such a name."""
    assert not {*WRITERS, *REQUESTS} & set(_names(ast.parse(path.read_text("utf-8"))))


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.alias(name=name):
                yield name.rpartition(".")[2]
            case ast.Constant(value=str(text)) if text.isidentifier():
                yield text


def test_few_modules_can_reach_a_device() -> None:
    """Those that hold a serial port or a Modbus client, and in the hardware room a socket."""
    wanted = {"pymodbus", "serial", "termios", "socket"}
    found = {
        str(path.relative_to(ROOT)): wanted & set(_imported(path))
        for path in modules()
        if path.parent.name == "hardware" or {"pymodbus", "serial"} & set(_imported(path))
    }

    assert {name: libraries for name, libraries in found.items() if libraries} == {
        "bench/modbus_server.py": {"pymodbus"},  # the simulated devices' side
        "hardware/asking.py": {"serial", "termios", "socket"},
        "hardware/bus.py": {"pymodbus"},
        "hardware/clients.py": {"pymodbus", "socket"},
        "hardware/pins.py": {"socket"},  # listens for made-up edges in the demo
    }


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]


def test_bytes_go_out_in_two_functions_only() -> None:
    """`send` of the two clients, which refuses, and `send` of the tools' lines, which take a `Question`."""
    senders = set()
    for path in sorted((ROOT / "hardware").glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef) and _sends(function):
                senders.add(f"{path.name} {function.name}")

    assert senders == {"clients.py send", "asking.py send", "asking.py ask"}


def _sends(function: ast.FunctionDef) -> bool:
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return bool({"send", "sendall", "sendto", "sendmsg", "write", "writelines"} & {
        call.attr for call in calls if isinstance(call, ast.Attribute)
    })  # fmt: skip


def test_the_library_s_clients_are_only_base_classes() -> None:
    """Nobody in the hardware room makes a bare one, which would send anything."""
    bare = {f"{kind}Modbus{way}Client" for kind in ("", "Async") for way in ("Tcp", "Serial", "Udp", "Tls")}
    made = [
        f"{path.name}:{node.lineno}"
        for path in sorted((ROOT / "hardware").glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and bare & set(_names(node.func))
    ]

    assert not made
