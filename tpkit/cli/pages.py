"""`tpkit pages`: every public page as finished files, from the present state or a full sample."""

import argparse
import sys
from pathlib import Path
from typing import Any

from tpkit import config


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("pages", help="write the public pages to a directory")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--sample", action="store_true", help="an invented full state, every language")
    parser.add_argument("--config", type=Path, default=Path("/etc/tpkit/kit.toml"), metavar="FILE")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the pages and say how many."""
    from tpkit.web import pages, sample
    from tpkit.web.facts import read_facts

    if options.sample:
        facts, languages = sample.facts(), sample.languages()
    else:
        settings = config.load(options.config)
        facts, languages = read_facts(settings), tuple(settings.web.languages)
    rendered = pages.render_front(facts, languages)
    for name, content in rendered.items():
        path = options.out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    sys.stdout.write(f"{options.out}: {len(rendered)} pages\n")
    return 0
