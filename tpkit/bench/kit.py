"""A simulated kit in one directory: devices, door, way out, and the kit.toml that joins them."""

import json
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from tpkit import config
from tpkit.bench import images
from tpkit.bench.broker import free_port, running
from tpkit.bench.link import Link
from tpkit.bench.modbus_server import RtuServer, TcpServer
from tpkit.bench.visitors import INNER_PIN, OUTER_PIN, Visitors
from tpkit.bench.world import TANK_LITRES, World
from tpkit.hardware.pins import SOCKET_NAME
from tpkit.store import checks

STEP_S = 0.25

KIT_TOML = """\
[site]
name = "Ellenbergaskolan"
kit = "demo-0001"
org = "se0000"
municipality = "Demokommun"
p4_mhz = 96.2
capacity = 120
priority = 2
lat = 60.0
lon = 15.0
demo = true

[paths]
state = {state}
run = {run}
pages = {pages}

[web]
listen = "127.0.0.1:{http_port}"

[uplink]
broker = "{broker}"
live_s = 10

[pins]
factory = "fed"

[clock]
speed = {speed}

[bus.gx]
host = "127.0.0.1"
tcp_port = {gx_port}

[bus.rs485]
port = {rs485}
baud = 19200

[device.gx]
bus = "gx"
device_id = 100
profile = "victron-system"

[device.battery]
bus = "gx"
device_id = 225
profile = "victron-battery"

[device.genset]
bus = "rs485"
device_id = 10
profile = "dse-generic"

[door.main]
outer = {outer}
inner = {inner}

[tank]
litres = {tank}
reserve_litres = 2

[generator]
rated_kw = 10
litres_per_hour = {{ 25 = 0.9, 50 = 1.6, 75 = 2.2, 100 = 2.9 }}

[battery]
capacity_kwh = 14.4
"""


class SimulatedKit:
    """Everything around the three services. Use as a context manager; it all ends with it.

    `memory` is a directory in memory for live files and pages, as /run is on a kit.
    """

    def __init__(
        self, folder: Path, http_port: int, broker: str | None, speed: float, memory: Path | None = None
    ) -> None:
        self.folder = folder
        self._places = {"state": folder / "state"}
        self._places |= {name: (memory or folder) / name for name in ("run", "pages")}
        self.http_port = http_port
        self.config = folder / "kit.toml"
        self.world = World()
        self.visitors = Visitors(self._places["run"] / SOCKET_NAME)
        self.link: Link | None = None
        self.broker = broker or ""
        self.broker_name = "given"
        self._speed = speed
        self._given_broker = broker
        self._stack = ExitStack()
        self._stopping = threading.Event()

    def __enter__(self) -> "SimulatedKit":
        """Start devices and broker, and write kit.toml."""
        with ExitStack() as stack:
            for place in self._places.values():
                place.mkdir(mode=0o700)
            gx = TcpServer({
                images.GX_SYSTEM_UNIT: lambda: images.gx_system(self.world),
                images.GX_BATTERY_UNIT: lambda: images.gx_battery(self.world),
            })  # fmt: skip
            stack.callback(gx.shutdown)
            line = self.folder / "rs485"
            stack.callback(RtuServer({images.DSE_UNIT: lambda: images.dse(self.world)}, line).close)
            way_out = self._open_way_out(stack)
            self.config.write_text(self._settings(gx.port, line, way_out), encoding="utf-8")
            for name, device in config.load(self.config).device.items():
                checks.record(self._places["state"], name, device.profile, "demo")
            threading.Thread(target=self._run_world, name="world", daemon=True).start()
            stack.callback(self._stopping.set)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything that `__enter__` started."""
        self._stack.close()

    @property
    def code(self) -> str:
        """The first code of the panel, as the label in the lid would have it."""
        return (self.folder / "state" / "first-code.txt").read_text("ascii").strip()

    def _open_way_out(self, stack: ExitStack) -> str:
        """A broker behind a wire that can be cut, or the one that was named."""
        if self._given_broker:
            return self._given_broker
        port = free_port()
        self.broker_name = stack.enter_context(running(port))
        self.broker = f"127.0.0.1:{port}"
        self.link = Link(("127.0.0.1", port))
        stack.callback(self.link.close)
        return f"127.0.0.1:{self.link.port}"

    def _settings(self, gx_port: int, line: Path, way_out: str) -> str:
        folders = {name: json.dumps(str(place)) for name, place in self._places.items()}
        return KIT_TOML.format(
            **folders, http_port=self.http_port, broker=way_out, speed=self._speed,
            gx_port=gx_port, rs485=json.dumps(str(line)), outer=OUTER_PIN, inner=INNER_PIN,
            tank=TANK_LITRES,
        )  # fmt: skip

    def _run_world(self) -> None:
        last_s = time.monotonic()
        while not self._stopping.wait(STEP_S):
            now_s = time.monotonic()
            self.world.advance((now_s - last_s) * self._speed)
            last_s = now_s
