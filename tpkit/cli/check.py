"""`tpkit check`: whether kit.toml is right, and the profiles and languages that it names."""

import argparse
import sys
from pathlib import Path
from typing import Any

from tpkit import config
from tpkit.errors import ConfigError


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("check", help="check kit.toml and the profiles it names")
    parser.add_argument("--config", type=Path, default=Path("/etc/tpkit/kit.toml"), metavar="FILE")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check, and say so in one line when all is well."""
    settings = config.load(options.config)
    faults = [f"{options.config}: {fault}" for fault in _named_faults(settings)]
    if faults:
        raise ConfigError(faults)
    sys.stdout.write(
        f"{options.config}: all right. {len(settings.bus)} buses, {len(settings.device)} devices, "
        f"{len(settings.door)} doors, languages {' '.join(settings.web.languages)}.\n"
    )
    return 0


def _named_faults(settings: config.Config) -> list[str]:
    """Faults in what the file only names: profiles and languages."""
    from tpkit.hardware.inputs import faults_of
    from tpkit.web import translations

    faults = faults_of(settings.device)
    known = translations.languages()
    for language in settings.web.languages:
        if language not in known:
            faults.append(f'web.languages: "{language}" has no translation; known: {", ".join(known)}')
    return faults
