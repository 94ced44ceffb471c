"""What a point can offer. Internal services are never shown to residents."""

from enum import StrEnum


class ServiceState(StrEnum):
    """How a service stands; `not_here` hides it from the public page."""

    OPEN = "open"
    LIMITED = "limited"
    CLOSED = "closed"
    NOT_HERE = "not_here"


PUBLIC_SERVICES = (
    "warmth",
    "information",
    "water",
    "food",
    "charging",
    "toilets",
    "first_aid",
    "medical_power",
    "infants",
    "children",
    "beds",
    "quiet_room",
    "support_talk",
    "relatives",
    "info_wifi",
)
INTERNAL_SERVICES = ("fuel", "rakel", "security", "staff_meals")
SERVICES = PUBLIC_SERVICES + INTERNAL_SERVICES
