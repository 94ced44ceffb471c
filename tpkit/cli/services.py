"""`tpkit controller | web | uplink`: one service in the foreground, until SIGTERM or Ctrl-C."""

import argparse
import importlib
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from tpkit import config

SERVICES = {
    "controller": "measures, judges and records",
    "web": "publishes the public pages and serves the staff panel",
    "uplink": "reports to the broker whenever there is a way out",
}


def register(commands: Any) -> None:
    """Add the commands."""
    for name, does in SERVICES.items():
        parser = commands.add_parser(name, help=f"run the service that {does}")
        parser.add_argument("--config", type=Path, default=Path("/etc/tpkit/kit.toml"), metavar="FILE")
        parser.set_defaults(run=run, service=name)


def run(options: argparse.Namespace) -> int:
    """Run the service until it is told to stop."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO,
        format=f"{options.service} %(levelname)s %(message)s",
    )  # fmt: skip
    settings = config.load(options.config)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    service = importlib.import_module(f"tpkit.{options.service}.service")
    service.run(settings, stop, lambda: notify("READY=1"))
    notify("STOPPING=1")
    return 0


def notify(state: str) -> None:
    """Tell systemd, if it started us, how we are (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect(address.replace("@", "\0", 1))
        channel.send(state.encode("ascii"))
