"""The `tpkit` command: one module per family of subcommands, each importing its service when run."""

import argparse
import sys

from tpkit import __version__
from tpkit.cli import check, demo, device, pages, services, status
from tpkit.errors import TpkitError

FAMILIES = (demo, services, check, status, pages, device)


def main(arguments: list[str] | None = None) -> int:
    """Run one command. 0 done, 1 input or configuration wrong, 2 usage, 3 something did not answer."""
    parser = argparse.ArgumentParser(
        prog="tpkit", description="Controller of the field kit for a trygghetspunkt."
    )
    parser.add_argument("--version", action="version", version=f"tpkit {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for family in FAMILIES:
        family.register(commands)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except TpkitError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
