"""Publishing: the pages as a tree of finished files, swapped in whole by one symbolic link."""

import gzip
import hashlib
import itertools
import logging
import os
import shutil
from pathlib import Path

from tpkit.errors import StoreUnavailableError
from tpkit.web.pages import Pages

log = logging.getLogger(__name__)


class PageSet:
    """One set of pages under `link`: a reader sees the old set or the new one, never a mixture."""

    def __init__(self, link: Path) -> None:
        self._link = link
        self._hashes: dict[str, str] = {}
        self._tree: Path | None = link.resolve() if link.is_symlink() else None
        self._numbers = itertools.count()

    def publish(self, pages: Pages) -> int:
        """Replace the set; return how many files are new. Raises StoreUnavailableError."""
        hashes = {name: hashlib.sha256(content).hexdigest() for name, content in pages.items()}
        tree = self._free_name()
        try:
            for name, content in pages.items():
                self._place(tree, name, content, unchanged=self._hashes.get(name) == hashes[name])
            self._swap(tree)
        except OSError as error:
            shutil.rmtree(tree, ignore_errors=True)
            raise StoreUnavailableError(
                f"Pages cannot be published in {self._link.parent} ({error}): check [paths] pages."
            ) from error
        changed = sum(self._hashes.get(name) != hashes[name] for name in hashes)
        self._hashes, self._tree = hashes, tree
        return changed

    def _free_name(self) -> Path:
        names = (self._link.with_name(f"{self._link.name}-{number}") for number in self._numbers)
        return next(name for name in names if not name.exists())

    def _place(self, tree: Path, name: str, content: bytes, *, unchanged: bool) -> None:
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for target, make in ((path, None), (path.with_name(f"{path.name}.gz"), gzip.compress)):
            if unchanged and self._tree is not None:
                os.link(self._tree / target.relative_to(tree), target)
            else:
                target.write_bytes(make(content, 9, mtime=0) if make else content)

    def _swap(self, tree: Path) -> None:
        draft = self._link.with_name(f".{self._link.name}.new")
        draft.unlink(missing_ok=True)
        draft.symlink_to(tree.name)
        draft.replace(self._link)
        keep = {tree, self._tree}
        for other in self._link.parent.glob(f"{self._link.name}-*"):
            if other not in keep:
                shutil.rmtree(other, ignore_errors=True)
