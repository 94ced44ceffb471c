"""Opens one new record from three processes at the same instant, again and again.

python -m tests.store.opening FOLDER ROUNDS
"""

import os
import sys
from pathlib import Path

from tpkit.domain.status import TimeTrust
from tpkit.store.clock import Clock, system_reference
from tpkit.store.record import open_record
from tpkit.store.rights import Role


def main() -> int:
    """How many openings failed."""
    return sum(_round(Path(sys.argv[1]) / str(number)) for number in range(int(sys.argv[2])))


def _round(folder: Path) -> int:
    folder.mkdir()
    starting_gun, fire = os.pipe()
    children = [_child(folder, role, starting_gun) for role in list(Role)[:3]]
    os.write(fire, b"go!")
    failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
    os.close(starting_gun)
    os.close(fire)
    return failed


def _child(folder: Path, role: Role, starting_gun: int) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            os.read(starting_gun, 1)
            open_record(folder, role, Clock(system_reference(TimeTrust.NTP))).close()
        except Exception as error:  # noqa: BLE001  # told to the parent
            os.write(2, f"{role}: {error!r}\n".encode())
            os._exit(1)
        os._exit(0)
    return pid


if __name__ == "__main__":
    raise SystemExit(main())
