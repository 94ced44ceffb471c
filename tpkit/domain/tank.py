"""From a level in percent to litres, by the shape of the tank."""

import math
from typing import Literal

Shape = Literal["box", "horizontal_cylinder"]


def litres_at(level_percent: float, tank_litres: float, shape: Shape) -> float:
    """Litres in a tank of `tank_litres` whose level stands at `level_percent` of its height.

    Source for the lying cylinder: area of a circular segment, r² acos((r-h)/r) - (r-h)√(2rh-h²).
    """
    height = min(max(level_percent / 100, 0.0), 1.0)
    if shape == "box":
        return height * tank_litres
    above_axis = 1 - 2 * height
    segment = math.acos(above_axis) - above_axis * math.sqrt(1 - above_axis**2)
    return segment / math.pi * tank_litres
