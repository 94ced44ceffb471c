"""Passages and recounts, and the occupancy they add up to."""

from tpkit.domain.occupancy import Occupancy, Passage, Recount
from tpkit.store.database import Connection
from tpkit.store.record import Transaction


def add_passages(tx: Transaction, passages: list[Passage]) -> None:
    """Store completed passages; only after this may they be counted anywhere."""
    for passage in passages:
        tx.insert(
            "passage", mono=passage.mono_ms, door=passage.door,
            direction=passage.direction, confidence=passage.confidence,
        )  # fmt: skip


def add_recount(tx: Transaction, inside: int) -> None:
    """Store that a person counted `inside` people after all passages so far."""
    newest = tx.connection.execute("SELECT coalesce(max(id), 0) FROM passage").fetchone()[0]
    tx.insert("recount", after_passage=newest, inside=inside)


def occupancy(connection: Connection) -> Occupancy:
    """Fold everything stored, in the order it happened."""
    state = Occupancy()
    recounts = connection.execute("SELECT after_passage, inside FROM recount ORDER BY id").fetchall()
    passages = connection.execute("SELECT id, door, direction, confidence, mono FROM passage ORDER BY id")
    at = 0
    for row_id, *rest in passages:
        while at < len(recounts) and recounts[at][0] < row_id:
            state = state.after(Recount(recounts[at][1]))
            at += 1
        state = state.after(Passage(*rest))
    for _, inside in recounts[at:]:
        state = state.after(Recount(inside))
    return state
