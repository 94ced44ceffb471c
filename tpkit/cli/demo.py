"""`tpkit demo`: the kit with simulated devices, everything on loopback and under one directory."""

import argparse
import re
from typing import Any

from tpkit.errors import ConfigError


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("demo", help="run the whole kit with simulated devices")
    parser.add_argument("--for", type=float, metavar="S", dest="for_s", help="stop after S seconds")
    parser.add_argument("--http-port", type=int, metavar="P", help="default: the first free from 8080")
    parser.add_argument("--mqtt", metavar="HOST:PORT", help="report to this broker instead of our own")
    parser.add_argument("--scenario", default="storm", metavar="NAME", help="storm (default) or quiet")
    parser.add_argument(
        "--speed", type=float, default=1.0, metavar="X", help="site and clock, X times faster"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the demo."""
    from tpkit.bench import demo, scenarios

    faults = []
    if options.scenario not in scenarios.SCENARIOS:
        known = ", ".join(scenarios.SCENARIOS)
        faults.append(f"--scenario {options.scenario}: no such scenario; known: {known}")
    if not 1 <= options.speed <= 10_000:
        faults.append(f"--speed {options.speed:g}: must be between 1 and 10000")
    if options.mqtt is not None and not re.fullmatch(r"[^:]+:\d{1,5}", options.mqtt):
        faults.append(f"--mqtt {options.mqtt}: must be HOST:PORT")
    if options.http_port is not None and not 1 <= options.http_port <= 65535:
        faults.append(f"--http-port {options.http_port}: must be between 1 and 65535")
    if faults:
        raise ConfigError(faults)
    demo.run(options.http_port, options.mqtt, options.scenario, options.speed, options.for_s)
    return 0
