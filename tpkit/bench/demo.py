"""`tpkit demo`: the whole kit on this machine, with invented values on real protocols."""

import http.client
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tpkit.bench.kit import SimulatedKit
from tpkit.bench.receipts import ReceiptSender
from tpkit.bench.scenarios import SCENARIOS, Step
from tpkit.bench.supervisor import SERVICES, Supervisor
from tpkit.bench.volunteer import Volunteer
from tpkit.config import host_and_port
from tpkit.errors import ListenError, ServiceSilentError, TpkitError

PAGE_WITHIN_S = 30.0
PORTS = range(8080, 8090)


def run(port: int | None, broker: str | None, scenario: str, speed: float, for_s: float | None) -> None:
    """Run the demo until Ctrl-C, SIGTERM, or `for_s` seconds after the page is up."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    began_s = time.monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"[{time.monotonic() - began_s:5.1f} s] {text}\n")
        sys.stdout.flush()

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tpkit-demo-")))
        say("Starting simulated devices, broker and the three services ...")
        kit = stack.enter_context(SimulatedKit(folder, _choose_port(port), broker, speed))
        central = None
        if kit.link is not None:
            central = ReceiptSender(*host_and_port(kit.broker))
            stack.callback(central.close)
        supervisor = Supervisor(kit.config, say)
        stack.callback(supervisor.stop)
        stack.callback(stop.set)
        for name in SERVICES:
            supervisor.start(name)
        base = f"http://127.0.0.1:{kit.http_port}"
        _wait_for_page(kit.http_port, supervisor, stop)
        if stop.is_set():
            return
        _introduce(kit, base)
        staff = Volunteer(base)
        staff.log_in(kit.code)
        steps = SCENARIOS[scenario](kit, staff, central)
        play = threading.Thread(target=_play, args=(steps, say, stop), name="scenario", daemon=True)
        play.start()
        if scenario != "quiet":
            threading.Thread(target=kit.visitors.wander, args=(stop,), daemon=True).start()
        _watch(supervisor, stop, for_s)
        say("Stopping ...")


def _watch(supervisor: Supervisor, stop: threading.Event, for_s: float | None) -> None:
    end_s = float("inf") if for_s is None else time.monotonic() + for_s
    while time.monotonic() < end_s and not stop.wait(min(0.5, max(0.0, end_s - time.monotonic()))):
        supervisor.watch()


def _choose_port(asked: int | None) -> int:
    """The port that was asked for, or the first free one of a few."""
    import socket

    for port in (asked,) if asked else PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    wanted = f"Port {asked} is" if asked else f"Ports {PORTS[0]} to {PORTS[-1]} are"
    raise ListenError(f"{wanted} in use on this machine: choose another with --http-port.")


def _wait_for_page(port: int, supervisor: Supervisor, stop: threading.Event) -> None:
    deadline = time.monotonic() + PAGE_WITHIN_S
    while not stop.wait(0.05):
        for name, process in supervisor.processes.items():
            if process.poll() is not None:
                raise ServiceSilentError(f"The {name} service ended at once; its reason is above.")
        if _page_is_up(port):
            return
        if time.monotonic() > deadline:
            raise ServiceSilentError(f"The public page did not come up within {PAGE_WITHIN_S:.0f} s.")


def _page_is_up(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/sv/")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _introduce(kit: SimulatedKit, base: str) -> None:
    host, port = host_and_port(kit.broker)
    sys.stdout.write(
        f"\n  Residents' page   {base}/sv/   {base}/en/   {base}/ar/\n"
        f"  Staff panel       {base}/staff/   code {kit.code}\n"
        f"  Broker            {kit.broker} ({kit.broker_name})"
        f"   mosquitto_sub -V 5 -h {host} -p {port} -v -t 'tp/#'\n"
        f"  Invented values, real protocols. Ctrl-C stops everything.\n\n"
    )
    sys.stdout.flush()


def _play(steps: list[Step], say: Callable[[str], None], stop: threading.Event) -> None:
    began_s = time.monotonic()
    for at_s, text, act in steps:
        if stop.wait(max(0.0, began_s + at_s - time.monotonic())):
            return
        try:
            outcome = act()
        except TpkitError as error:
            outcome = f" (did not work: {error})"
        say(text + (outcome if isinstance(outcome, str) and len(outcome) < 200 else ""))
