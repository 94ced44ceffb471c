"""The death and return of a machine, told by a kit of its own in the background: it takes half a minute."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.ground import Broker, Line
from tests.e2e.kit import ORG, SERVICES, Kit, Staff
from tests.e2e.machines import DSE, DSE_BAUD, FUEL, TANK, buses, dse_server, gx_server

NAME = "e2e-0002"


class Look(NamedTuple):
    """What the panel showed at one moment."""

    verdict: str
    fuel_state: str
    fuel: str
    load_state: str


class Silence(threading.Thread):
    """Kills the generator controller of a calm kit, looks at the panel until its value is gone, and
    brings it back with 52 % in the tank. `fault` says what did not come in time."""

    def __init__(self, folder: Path, modbus_program: Path) -> None:
        super().__init__(name="silence", daemon=True)
        self.looks: list[Look] = []
        self.live_without_fuel: dict[str, Any] = {}
        self.fault = ""
        self._program = modbus_program
        self._stopping = threading.Event()
        with ExitStack() as stack:
            self._line = stack.enter_context(closing(Line(DSE_BAUD)))
            self._genset = stack.enter_context(closing(dse_server(modbus_program, self._line)))
            gx = stack.enter_context(closing(gx_server(modbus_program)))
            self._broker = stack.enter_context(closing(Broker(folder)))
            parts = (TANK, buses(gx, self._line))
            self._kit = stack.enter_context(Kit(folder, *parts, broker=self._broker.address, name=NAME))
            self._kit.start(*SERVICES)
            self._stack = stack.pop_all()

    def run(self) -> None:
        """The story."""
        self._staff = Staff(self._kit)
        self._staff.log_in(self._kit.code)
        self._staff.confirm_clock()
        self._look_until("all is well", lambda look: look.verdict == "ok", 15)
        self.looks.clear()
        self._genset.kill()
        self._look_until("the value is gone", lambda look: look.fuel_state == "bad", 45)
        self._look_until("live has no fuel", lambda _: self._lost_in_live(), 15)
        with closing(dse_server(self._program, self._line, {**DSE, FUEL: 52})):
            self._look_until("the machine is back", lambda look: "52 %" in look.fuel, 25)

    def close(self) -> None:
        """End everything, wherever the story stands."""
        self._stopping.set()
        self.join()
        self._stack.close()

    def _look_until(self, what: str, condition: Callable[[Look], bool], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not self.fault:
            page = self._staff.get().text
            fuel, load = self._staff.tile("fuel", page), self._staff.tile("load", page)
            self.looks.append(Look(self._staff.verdict(page), *fuel, load[0]))
            if condition(self.looks[-1]):
                return
            if self._stopping.wait(0.5):
                self.fault = f"stopped while waiting: {what}"
            elif time.monotonic() > deadline:
                self.fault = f"not within {timeout_s:g} s: {what}"

    def _lost_in_live(self) -> bool:
        text = self._broker.retained(f"tp/v1/{ORG}/{NAME}/live")
        self.live_without_fuel = json.loads(text)["power"] if text else {}
        return self.live_without_fuel.get("fuel_pct", 0) is None
