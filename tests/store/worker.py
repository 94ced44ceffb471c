"""One service at work on the record: writes without pause and prints each thing once it is acknowledged.

python -m tests.store.worker ROLE STATE_DIR
"""

import os
import sys
import time
from pathlib import Path

from tpkit.domain.occupancy import Passage
from tpkit.domain.status import TimeTrust
from tpkit.store import delivery, history, journal, outbox, people
from tpkit.store.clock import Clock, system_reference
from tpkit.store.record import Record, Transaction, open_record
from tpkit.store.rights import Role

PAUSE_S = 0.002  # SQLite's busy wait is not fair: writers that never pause starve one another


def controller(tx: Transaction) -> str:
    """A passage, and every time a history row."""
    people.add_passages(tx, [Passage("main", 1, 0.97, tx.stamp.mono)])
    row = tx.connection.execute("SELECT max(id) FROM passage").fetchone()[0]
    history.add(tx, history.MINUTE, {"soc": 81.0}, tx.stamp)
    return f"passage {row}"


def web(tx: Transaction) -> str:
    """A journal entry and the event that belongs to it."""
    journal.add(tx, "lead-1", "word", n=1)
    return f"outbox {outbox.put(tx, outbox.EventBody('word'))}"


def uplink(tx: Transaction) -> str:
    """A receipt for what there is, so that events are pruned behind the others' backs."""
    newest = delivery.newest_number(tx.connection)
    delivery.confirm(tx, [(max(1, newest - 3), newest)])
    return f"stored {newest}"


WORK = {Role.CONTROLLER: controller, Role.WEB: web, Role.UPLINK: uplink}


def work(role: Role, state_dir: Path) -> None:
    """Work until killed."""
    os.umask(0o022)  # the usual one: the store must not depend on a kind umask
    record: Record = open_record(state_dir, role, Clock(system_reference(TimeTrust.NTP)))
    while True:
        done = record.write(WORK[role])
        os.write(1, f"{done}\n".encode())
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    work(Role(sys.argv[1]), Path(sys.argv[2]))
