"""`tpkit device`: what a technician needs to connect a device and to know that it is read right."""

import argparse
from typing import Any


def register(commands: Any) -> None:
    """Add the command. What follows the word is parsed by `run`, so no other command loads a bus library."""
    parser = commands.add_parser(
        "device",
        help="connect and check devices: profiles, plan, scan, read, watch, selftest, learn, import, log",
        add_help=False,
        prefix_chars="\0",  # even -h is for the parser in run
    )
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run one of the technicians' commands."""
    from tpkit.tools import (
        device_import,
        device_learn,
        device_log,
        device_plan,
        device_read,
        device_scan,
        device_selftest,
    )

    parser = argparse.ArgumentParser(
        prog="tpkit device", description="Connect a device, and know that it is read right."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    tools = (
        device_plan, device_scan, device_read, device_selftest, device_learn, device_import, device_log,
    )  # fmt: skip
    for tool in tools:
        tool.register(commands)
    chosen = parser.parse_args(options.arguments)
    return int(chosen.run(chosen) or 0)
