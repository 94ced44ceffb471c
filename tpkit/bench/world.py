"""An invented site: a hall's load, a battery with an inverter, a generator with a tank. SI units inside."""

import math
import threading
from dataclasses import dataclass, field

RATED_W = 10_000.0
TANK_LITRES = 40.0
BATTERY_WH = 14_400.0
IDLE_LITRES_PER_HOUR, LITRES_PER_KWH = 0.55, 0.27  # a 10 kVA set, as published tables have it


@dataclass
class World:
    """The site's physics. `advance` moves it on; readers see whole steps only."""

    fuel_litres: float = 0.6803 * TANK_LITRES
    charge_wh: float = 0.82 * BATTERY_WH
    load_w: float = 3_400.0
    generator_runs: bool = False
    engine_seconds: float = 1_284.6 * 3600
    coolant_c: float = 12.0
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def advance(self, seconds: float) -> None:
        """Let `seconds` of the site's time pass."""
        with self.lock:
            self.seconds += seconds
            self.load_w = 3_400 + 900 * math.sin(self.seconds / 47) + 250 * math.sin(self.seconds / 7)
            hours = seconds / 3600
            if self.generator_runs:
                burn = IDLE_LITRES_PER_HOUR + LITRES_PER_KWH * self.generator_w / 1000
                self.fuel_litres = max(0.0, self.fuel_litres - burn * hours)
                self.engine_seconds += seconds
                self.generator_runs = self.fuel_litres > 0
            self.charge_wh = min(max(0.0, self.charge_wh + self.battery_w * hours), BATTERY_WH)
            target_c = 84.0 if self.generator_runs else 12.0
            self.coolant_c += (target_c - self.coolant_c) * min(1.0, seconds / 240)

    @property
    def generator_w(self) -> float:
        """What the generator delivers: the load and some charging."""
        if not self.generator_runs:
            return 0.0
        charging = 2_600.0 if self.charge < 0.97 else 150.0
        return min(RATED_W, self.load_w + charging)

    @property
    def battery_w(self) -> float:
        """Power into the battery, negative when it carries the load."""
        return self.generator_w - self.load_w

    @property
    def charge(self) -> float:
        """State of charge, 0..1."""
        return self.charge_wh / BATTERY_WH

    @property
    def battery_v(self) -> float:
        """A 48 V lithium battery's flat curve."""
        return 50.6 + 2.4 * self.charge + self.battery_w / 4_000
