"""A broker for the demo: iotcore from the `demo` extra, or mosquitto if the machine has it. Loopback only."""

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tpkit.errors import ListenError

START_S = 10.0

RUMQTTD = """
id = 0
[router]
id = 0
max_connections = 64
max_outgoing_packet_count = 200
max_segment_size = 4194304
max_segment_count = 10
[v5.1]
name = "v5-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 10000
max_payload_size = 262144
max_inflight_count = 100
dynamic_filters = true
"""


def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(port: int) -> Iterator[str]:
    """Run a broker on 127.0.0.1:`port`; yields its name. Raises ListenError if there is none."""
    mosquitto = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if importlib.util.find_spec("iotcore"):
        with _iotcore(port):
            yield "iotcore"
    elif mosquitto:
        with _mosquitto(mosquitto, port):
            yield "mosquitto"
    else:
        raise ListenError(
            "The demo needs a broker: install the extra `demo` (iotcore), or mosquitto, "
            "or name one with --mqtt HOST:PORT."
        )


@contextlib.contextmanager
def _iotcore(port: int) -> Iterator[None]:
    from iotcore import Broker

    with tempfile.NamedTemporaryFile("w", suffix=".toml") as settings:
        settings.write(RUMQTTD.format(port=port))
        settings.flush()
        with Broker(config_path=settings.name):
            yield


@contextlib.contextmanager
def _mosquitto(program: str, port: int) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="tpkit-broker-") as folder:
        settings = Path(folder) / "mosquitto.conf"
        settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100000\n")
        settings.chmod(0o644)
        Path(folder).chmod(0o755)
        process = subprocess.Popen(
            [program, "-c", str(settings)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _wait_for(port, process)
            yield
        finally:
            process.terminate()
            process.wait(timeout=5)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.02)
    raise ListenError(f"The broker did not start on port {port}.")
