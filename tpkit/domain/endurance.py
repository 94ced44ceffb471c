"""How long fuel and battery last at the present load, or an honest "don't know" and why."""

from msgspec import Struct

LEVEL_ERROR_PERCENT = 2.0  # a whole-percent sender in a tank that is not level
BURN_ERROR = 0.25  # published tables for one size differ 8-26 % (reference: genset data sheets)


class Endurance(Struct, frozen=True):
    """Hours left with a careful and a hopeful bound; no number means `because` says why."""

    hours: float | None
    at_least: float | None = None
    at_most: float | None = None
    because: str = ""


class BurnCurve(Struct, frozen=True):
    """Litres per hour of a generator: straight lines between the nameplate's points.

    `points` are (share of rated power 0..1, litres per hour), rising, at least two.
    """

    rated_w: float
    points: tuple[tuple[float, float], ...]

    def litres_per_hour(self, power_w: float) -> float:
        """Burn at `power_w`; below the first point and above the last its line is continued."""
        share = max(power_w, 0.0) / self.rated_w
        for low, high in zip(self.points, self.points[1:], strict=False):
            if share <= high[0]:
                return _on_line(low, high, share)
        return _on_line(self.points[-2], self.points[-1], share)


def _on_line(low: tuple[float, float], high: tuple[float, float], share: float) -> float:
    slope = (high[1] - low[1]) / (high[0] - low[0])
    return max(low[1] + slope * (share - low[0]), 0.0)


def fuel_endurance(
    litres: float | None, reserve_litres: float, tank_litres: float,
    load_w: float | None, curve: BurnCurve | None,
) -> Endurance:  # fmt: skip
    """Hours until `reserve_litres` if the generator carries `load_w` from now on."""
    if curve is None:
        return Endurance(None, because="no_generator")
    if litres is None:
        return Endurance(None, because="no_fuel_level")
    if load_w is None:
        return Endurance(None, because="no_load")
    burn = curve.litres_per_hour(load_w)
    if burn <= 0:
        return Endurance(None, because="no_burn")
    usable = max(litres - reserve_litres, 0.0)
    error_litres = LEVEL_ERROR_PERCENT / 100 * tank_litres
    return Endurance(
        usable / burn,
        at_least=max(usable - error_litres, 0.0) / (burn * (1 + BURN_ERROR)),
        at_most=(usable + error_litres) / (burn * (1 - BURN_ERROR)),
    )


def battery_endurance(
    state_of_charge: float | None, capacity_wh: float, floor_percent: float, power_w: float | None
) -> Endurance:
    """Hours until `floor_percent`; `power_w` is the battery's own power, positive while charging."""
    if state_of_charge is None:
        return Endurance(None, because="no_state_of_charge")
    if power_w is None:
        return Endurance(None, because="no_battery_power")
    if power_w >= 0:
        return Endurance(None, because="charging")
    usable_wh = max(state_of_charge - floor_percent, 0.0) / 100 * capacity_wh
    hours = usable_wh / -power_w
    return Endurance(hours, at_least=hours * 0.8, at_most=hours * 1.2)
