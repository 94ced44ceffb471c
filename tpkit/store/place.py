"""What persons have said about the place: its stage, its services, and the words on power and room."""

from msgspec import Struct

from tpkit.domain.lifecycle import Stage, check_step
from tpkit.domain.services import INTERNAL_SERVICES, ServiceState
from tpkit.store import journal, outbox
from tpkit.store.database import Connection
from tpkit.store.record import Transaction


class Said(Struct, frozen=True):
    """Something a person said, and when: UTC ms (None while unknown), boot and boot time."""

    word: str
    at: int | None
    boot: int
    mono: int


class StageRow(Struct, frozen=True):
    """The newest step of the lifecycle. `level` 1-3 is the kind of point, 0 while not said."""

    said: Said
    level: int
    hours: str

    @property
    def stage(self) -> Stage:
        """Where the point stands."""
        return Stage(self.said.word)


class Service(Struct, frozen=True):
    """One service as staff set it."""

    code: str
    state: ServiceState
    place: str
    internal: bool
    at: int | None


def set_stage(tx: Transaction, to: Stage, *, level: int, hours: str, by: str) -> None:
    """Take the point one step further. Raises StepRefusedError if it cannot go there from here."""
    now = stage(tx.connection)
    check_step(now.stage, to)
    tx.insert("stage", by=by, stage=to, level=level, hours=hours)
    journal.add(tx, by, "stage", stage=to, level=level)
    outbox.put(tx, outbox.EventBody("stage", subject=to, by=by, data={"level": level}))


def stage(connection: Connection) -> StageRow:
    """Where the point stands; `unknown` until a person has said so."""
    row = connection.execute(
        "SELECT stage, at, boot, mono, level, hours FROM stage ORDER BY id DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return StageRow(Said(Stage.UNKNOWN, None, 0, 0), 0, "")
    return StageRow(Said(*row[:4]), row[4], row[5])


def set_word(tx: Transaction, subject: str, word: str, by: str) -> None:
    """Confirm what residents read about `power` or `room`."""
    tx.put("public_word", "subject", subject=subject, by=by, word=word)
    journal.add(tx, by, "public_word", subject=subject, word=word)
    outbox.put(tx, outbox.EventBody("public_word", subject=subject, by=by, data={"word": word}))


def words(connection: Connection) -> dict[str, Said]:
    """The confirmed words by subject; a subject nobody has spoken of is missing."""
    rows = connection.execute("SELECT subject, word, at, boot, mono FROM public_word")
    return {row[0]: Said(*row[1:]) for row in rows}


def set_service(tx: Transaction, code: str, state: ServiceState, place: str, by: str) -> None:
    """Set one service; it is on the public page at once unless it is internal."""
    internal = code in INTERNAL_SERVICES
    tx.put(
        "service", "code", code=code, by=by, state=state, place=place, internal=int(internal)
    )  # fmt: skip
    journal.add(tx, by, "service", code=code, state=state)
    outbox.put(tx, outbox.EventBody("service", subject=code, by=by, data={"state": state}))


def services(connection: Connection) -> list[Service]:
    """Every service that staff have set."""
    rows = connection.execute("SELECT code, state, place, internal, at FROM service")
    return [Service(row[0], ServiceState(row[1]), row[2], bool(row[3]), row[4]) for row in rows]
