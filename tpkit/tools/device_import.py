"""`tpkit device import`: a ComAp controller's own list of registers, made into a profile."""

import argparse
from pathlib import Path
from typing import Any

from tpkit.errors import ConfigError
from tpkit.hardware.comap import profile_from_export
from tpkit.tools.device_common import say


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "import", help="make a profile from the register list that a ComAp configuration exports"
    )
    parser.add_argument("export", type=Path, metavar="FILE", help="cfgmodbus.txt, as InteliConfig exports it")
    parser.add_argument("--title", required=True, metavar="TEXT", help="what the profile is called")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the profile, to be kept in a file that kit.toml names by its path."""
    try:
        text = options.export.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{options.export}: cannot be read ({error})."]) from None
    say(profile_from_export(text, options.title).rstrip("\n"))
    return 0
