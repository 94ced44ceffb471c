"""`tpkit status`: the picture that the controller shows right now."""

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

from tpkit import config
from tpkit.domain.status import SILENT_AFTER_S, SiteStatus
from tpkit.errors import ServiceSilentError
from tpkit.store import live
from tpkit.store.clock import boot_ms


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("status", help="show the present state of the site")
    parser.add_argument("--config", type=Path, default=Path("/etc/tpkit/kit.toml"), metavar="FILE")
    parser.add_argument("--json", action="store_true", help="the whole SiteStatus, for programs")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the status, or fail with exit code 3 when the controller is silent."""
    settings = config.load(options.config)
    shown = live.controller_file(Path(settings.paths.run)).read()
    if shown is None:
        raise ServiceSilentError(
            f"The controller has written nothing in {settings.paths.run}: is it running?"
        )
    age_s = (boot_ms() - shown.status.mono_ms) / 1000
    if age_s > SILENT_AFTER_S:
        raise ServiceSilentError(f"The controller has been silent for {age_s:.0f} s: is it running?")
    if options.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(shown.status), indent=2).decode() + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(shown.status))
    return 0


def _lines(status: SiteStatus) -> list[str]:
    """The picture for a technician's terminal."""
    lines = [f"{status.verdict.upper()} {status.verdict_code} {status.verdict_subject}".rstrip()]
    for bus in status.buses:
        lines.append(
            f"bus {bus.name}: {bus.answers} answers, {bus.no_answers} without answer, "
            f"{bus.refusals} refusals, {bus.wrong_answers} wrong, {bus.late} late, "
            f"opened {bus.reopened} times"
        )
    for device in status.devices:
        checked = "" if device.is_checked else ", not checked here"
        lines.append(
            f"device {device.name} ({device.profile} on {device.bus}): {device.state}{checked}, "
            f"{device.answers} answers, {device.failures} failures. {device.detail}".rstrip()
        )
    for sample in status.samples:
        shown = "-" if sample.value is None else sample.value
        age_s = sample.age_s(status.mono_ms)
        age = "never" if age_s is None else f"{age_s:.0f} s"
        lines.append(
            f"{sample.device:12} {sample.point:32} {shown!s:>12} {sample.unit:4} "
            f"{sample.quality:9} {age:>8} {sample.reason}"
        )
    people = status.people
    lines.append(f"people inside {people.inside}, between {people.low} and {people.high}")
    return lines
