"""What happens at the demo's site, in seconds from its start."""

from collections.abc import Callable

from tpkit.bench.kit import SimulatedKit
from tpkit.bench.receipts import ReceiptSender
from tpkit.bench.volunteer import Volunteer, now_text

Step = tuple[float, str, Callable[[], object]]


def storm(kit: SimulatedKit, staff: Volunteer, central: ReceiptSender | None) -> list[Step]:
    """Power fails, people come, the generator runs, a storm is announced, the way out drops and returns."""
    link = kit.link
    steps: list[Step] = [
        (0, "The staff open the place", lambda: _open(staff)),
        (4, "The municipality says: no electricity", lambda: staff.post(
            "message", phrase="power.outage", place="Ekby", source="natbolag")),
        (7, "The generator starts", lambda: setattr(kit.world, "generator_runs", True)),
        (10, "A storm message is posted", lambda: staff.post(
            "message", phrase="storm.indoors", source="smhi", time_said=now_text())),
        (14, "The room fills: the staff say *nearly full*", lambda: staff.post(
            "word", subject="room", word="nearly_full")),
    ]  # fmt: skip
    if link is not None:
        steps += [
            (18, "The way out is cut", link.cut),
            (26, "The way out is back", link.mend),
        ]
    if central is not None:
        steps.append((44, "Central has so far: ", lambda: _tally(central)))
    return steps


def quiet(kit: SimulatedKit, staff: Volunteer, central: ReceiptSender | None) -> list[Step]:
    """An open place where nothing happens."""
    return [(0, "The staff open the place", lambda: _open(staff))]


SCENARIOS = {"storm": storm, "quiet": quiet}


def _open(staff: Volunteer) -> None:
    staff.confirm_clock()
    staff.post("stage", stage="open", level="2", hours="08–22")
    staff.post("word", subject="power", word="works")
    staff.post("word", subject="room", word="room")
    for code, where in (
        ("warmth", "Matsalen"), ("information", "Entrén"), ("water", "Köket"), ("food", "Matsalen"),
        ("charging", "Biblioteket"), ("toilets", "Korridoren"), ("children", "Gymnastiksalen"),
    ):  # fmt: skip
        staff.post("service", code=code, state="open", place=where)


def _tally(central: ReceiptSender) -> str:
    doubles = sum(count - 1 for count in central.times_seen.values())
    return f"{len(central.events)} events, {len(central.rows)} history rows, {doubles} doubles"
