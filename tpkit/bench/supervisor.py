"""Runs the three services as processes, starts one again when it dies, and says so."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SERVICES = ("controller", "web", "uplink")
STOP_S = 8.0
RESTART_PAUSE_S = 1.0


class Supervisor:
    """The three services of one kit."""

    def __init__(self, config: Path, say: Callable[[str], None]) -> None:
        self._config = config
        self._say = say
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._died_s: dict[str, float] = {}

    def start(self, name: str) -> None:
        """Start one service in a process group of its own, so that Ctrl-C reaches only us."""
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", "tpkit", name, "--config", str(self._config)],
            start_new_session=True,
        )

    def watch(self) -> None:
        """Start again what has died, a moment after it died."""
        now_s = time.monotonic()
        for name, process in list(self.processes.items()):
            code = process.poll()
            if code is None:
                continue
            if name not in self._died_s:
                self._died_s[name] = now_s
                how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
                self._say(f"{name} ended {how}; it is started again")
            elif now_s - self._died_s[name] >= RESTART_PAUSE_S:
                del self._died_s[name]
                self.start(name)

    def stop(self) -> None:
        """End all services, in order and then by force."""
        for process in self.processes.values():
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for name, process in self.processes.items():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"{name} did not end in time and was killed")
                process.kill()
                process.wait()
