"""How figures are printed, and what a process costs, read from /proc."""

import sys
from pathlib import Path


def tell(name: str, value: float, unit: str, goal: tuple[str, float] | None = None) -> None:
    """One line: `bench NAME VALUE UNIT goal <=|>= GOAL ok|short`."""
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    if goal is None:
        verdict = "goal - - ok"
    else:
        met = value <= goal[1] if goal[0] == "<=" else value >= goal[1]
        verdict = f"goal {goal[0]} {goal[1]:g} {'ok' if met else 'short'}"
    sys.stdout.write(f"bench {name} {shown} {unit} {verdict}\n")
    sys.stdout.flush()


def cpu_ms(pid: int) -> float:
    """Processor time that all threads of a process have used, in ms, to the nanosecond."""
    spent = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        spent += int((task / "schedstat").read_text().split()[0])
    return spent / 1e6


def pss_mib(pid: int) -> float:
    """Memory of a process with shared pages shared out, in MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no Pss for {pid}")
