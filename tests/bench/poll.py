"""What the three services cost, idle but for polling, beside a bare loop that polls the same at the same time.

python -m tests.bench.poll [WARM_UP_S MEASURE_S]
"""

import http.client
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench.figures import cpu_ms, pss_mib, tell
from tpkit.bench import images
from tpkit.bench.broker import free_port
from tpkit.bench.kit import SimulatedKit
from tpkit.bench.modbus_server import RtuServer, TcpServer
from tpkit.bench.receipts import ReceiptSender
from tpkit.bench.supervisor import SERVICES, Supervisor
from tpkit.bench.volunteer import Volunteer
from tpkit.bench.world import World
from tpkit.config import host_and_port
from tpkit.hardware import profile

CPU_GOAL_MS, PSS_GOAL_MIB = 6.0, 110.0
PANEL_EVERY_S = 2.0
DEVICES = ("victron-system", "victron-battery", "dse-generic")


def main() -> None:
    """Measure and print."""
    warm_up_s, measure_s = (float(text) for text in (sys.argv[1:] or ["60", "120"]))
    sys.stdout.write(f"Starting; warm-up {warm_up_s:.0f} s, then {measure_s:.0f} s ...\n")
    sys.stdout.flush()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tpkit-bench-")))
        memory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/dev/shm", prefix="tpkit-bench-")))
        kit = stack.enter_context(SimulatedKit(folder, free_port(), None, 1.0, memory))
        central = ReceiptSender(*host_and_port(kit.broker))
        stack.callback(central.close)
        supervisor = Supervisor(kit.config, print)
        began_s = time.monotonic()
        for name in SERVICES:
            supervisor.start(name)
        stack.callback(supervisor.stop)
        first_page_s = _until_page(kit.http_port) - began_s
        if not central.wait_for(lambda: central.live, 30):
            raise SystemExit("no MQTT message within 30 s")
        first_message_s = time.monotonic() - began_s
        _open_panel(kit, stack)
        bare = _start_bare_loop(stack, kit)
        kit.world.generator_runs = True
        time.sleep(warm_up_s)
        pids = [supervisor.processes[name].pid for name in SERVICES]
        before, started_s = [cpu_ms(pid) for pid in [*pids, bare]], time.monotonic()
        time.sleep(measure_s)
        elapsed_s = time.monotonic() - started_s
        spent = [(cpu_ms(pid) - at) / elapsed_s for pid, at in zip([*pids, bare], before, strict=True)]
        memory = [pss_mib(pid) for pid in [*pids, bare]]
        _tell(spent, memory, first_page_s, first_message_s)


def _tell(spent: list[float], memory: list[float], page_s: float, message_s: float) -> None:
    points = sum(len(profile.load(name).point) for name in DEVICES)
    tell("poll.points", points, "points")
    for name, cost, size in zip(SERVICES, spent, memory, strict=False):
        tell(f"poll.cpu.{name}", cost, "ms/s")
        tell(f"poll.pss.{name}", size, "MiB")
    tell("poll.cpu", sum(spent[:3]), "ms/s", ("<=", CPU_GOAL_MS))
    tell("poll.pss", sum(memory[:3]), "MiB", ("<=", PSS_GOAL_MIB))
    tell("poll.cpu.bare-loop", spent[3], "ms/s")
    tell("poll.pss.bare-loop", memory[3], "MiB")
    tell("poll.cpu.ratio-to-bare-loop", sum(spent[:3]) / spent[3], "x")
    tell("poll.first-page", page_s, "s")
    tell("poll.first-message", message_s, "s")


def _until_page(port: int) -> float:
    """Wait for the first public page; the moment it came."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/sv/")
            if connection.getresponse().status == http.client.OK:
                return time.monotonic()
        except OSError:
            time.sleep(0.01)
        finally:
            connection.close()


def _open_panel(kit: SimulatedKit, stack: ExitStack) -> None:
    """Log in and ask for the glance every two seconds, as the panel's script does."""
    staff = Volunteer(f"http://127.0.0.1:{kit.http_port}")
    staff.log_in(kit.code)
    staff.confirm_clock()
    stop = threading.Event()
    stack.callback(stop.set)

    def look() -> None:
        while not stop.wait(PANEL_EVERY_S):
            staff.glance()

    threading.Thread(target=look, daemon=True).start()


def _start_bare_loop(stack: ExitStack, kit: SimulatedKit) -> int:
    """Start the floor on simulated devices of its own; its pid."""
    world = World(generator_runs=True)
    gx = TcpServer({
        images.GX_SYSTEM_UNIT: lambda: images.gx_system(world),
        images.GX_BATTERY_UNIT: lambda: images.gx_battery(world),
    })  # fmt: skip
    line = kit.folder / "bare-rs485"
    stack.callback(RtuServer({images.DSE_UNIT: lambda: images.dse(world)}, line).close)
    stack.callback(gx.shutdown)
    ports = [str(gx.port), str(line), str(host_and_port(kit.broker)[1])]
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.bare_loop", *ports])
    stack.callback(lambda: (process.kill(), process.wait()))
    return process.pid


if __name__ == "__main__":
    main()
