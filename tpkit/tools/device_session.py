"""One device on an open bus: all its points, read once or again and again."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from msgspec import Struct

from tpkit.domain.points import point as vocabulary
from tpkit.domain.samples import Reading
from tpkit.errors import BusError, BusUnavailableError, DeviceRefusedError
from tpkit.hardware.bus import open_bus
from tpkit.hardware.clients import Tap
from tpkit.hardware.decoding import decode, raw_words
from tpkit.hardware.planning import Block
from tpkit.hardware.profile_form import ProfilePoint
from tpkit.hardware.reading import ILLEGAL_ADDRESS, DeviceReader
from tpkit.tools.device_advice import explain
from tpkit.tools.device_common import Target

TRIES = 2  # of a question that gets no answer
BUSY, BUSY_TRIES, BUSY_PAUSE_S = (5, 6), 4, 0.5  # acknowledge, busy: the device wants time
SILENT_BLOCKS = 2  # after so many without any answer the rest is not tried


class PointRead(Struct, frozen=True):
    """What came for one point; `words` are the registers of `block`, empty if there was no answer."""

    item: ProfilePoint
    reading: Reading
    block: Block | None = None
    words: tuple[int, ...] = ()

    @property
    def unit(self) -> str:
        """The unit of the value."""
        known = vocabulary(self.item.name)
        return known.unit if known else ""

    @property
    def quality(self) -> str:
        """Good, or bad if there is no value."""
        return "bad" if self.reading.value is None else "good"

    @property
    def raw(self) -> list[str]:
        """The registers as they came, in hex."""
        if self.block is None:
            return []
        return [f"{word:04X}" for word in raw_words(self.item, self.block, self.words)]


class Session:
    """An open bus and the reader of one device on it. `trace` hears every frame, too."""

    def __init__(self, target: Target, trace: Tap | None = None) -> None:
        self.target = target
        self.reader = DeviceReader(target.profile)
        self._trace = trace
        self._bus = open_bus(target.name or "line", target.bus, trace=self._hear)
        self._counts = self._bus.counts
        self._came = b""
        self._damaged = b""
        self._last: tuple[Block, tuple[int, ...]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bus.close()

    @property
    def answers(self) -> int:
        """How many questions were answered, refusals too."""
        return self._counts.answers + self._counts.refusals

    @property
    def failures(self) -> int:
        """How many were not, or by something else."""
        return self._counts.no_answers + self._counts.wrong_answers

    def read(self) -> list[PointRead]:
        """Every point once, in the order of the profile. Raises BusError, with advice, if no unit answers."""
        failed: list[BusError] = []
        self._damaged = b""
        try:
            self.reader.prepare(self._ask)
            came = self._read_blocks(failed)
        except BusError as error:
            raise self._advised(error) from None
        if not any(one.words for one in came.values()):
            for failure in failed:
                raise self._advised(failure)
        lacking = self.reader.lacking
        return [
            came.get(item.name)
            or PointRead(item, Reading(item.name, None, lacking.get(item.name, f"refused_{ILLEGAL_ADDRESS}")))
            for item in self.reader.profile.point
        ]

    def _read_blocks(self, failed: list[BusError]) -> dict[str, PointRead]:
        """What came, by point; errors go to `failed`. Raises the BusError if nothing answers at all."""
        came: dict[str, PointRead] = {}
        answers: list[tuple[Block, tuple[int, ...]]] = []
        done: list[Block] = []
        before = self.answers
        while block := next((block for block in self.reader.blocks if block not in done), None):
            done.append(block)  # if the device lacks part of it, smaller blocks take its place
            self._last = None
            try:
                self.reader.read(block, self._ask)
            except BusError as error:
                failed.append(error)
                gone = isinstance(error, BusUnavailableError) or len(failed) >= SILENT_BLOCKS
                if gone and self.answers == before:
                    raise
                came |= {
                    one.name: PointRead(one, Reading(one.name, None, error.code)) for one in block.points
                }
            if self._last is not None:
                answers.append(self._last)
            time.sleep(self.target.profile.min_gap_s)
        return came | {one.item.name: one for one in self._decoded(answers)}

    def _decoded(self, answers: list[tuple[Block, tuple[int, ...]]]) -> Iterator[PointRead]:
        """The points in all answers; decoded twice, for one may decide whether another counts."""
        known: dict[str, float | str | None] = {}
        for _ in range(2):
            for block, words in answers:
                known |= {one.point: one.value for one in decode(self.reader.profile, block, words, known)}
        for block, words in answers:
            readings = decode(self.reader.profile, block, words, known)
            for item, reading in zip(block.points, readings, strict=True):
                yield PointRead(item, reading, block, words)

    def _ask(self, block: Block) -> tuple[int, ...]:
        """The registers of a block, asked for again where that may help. Raises BusError."""
        left, busy = TRIES, BUSY_TRIES
        while True:
            try:
                words = self._bus.read(
                    self.target.device_id, block, self.target.timeout_s, self.reader.probes
                )
            except DeviceRefusedError as error:
                busy -= 1
                if error.exception_code not in BUSY or not busy:
                    raise
                time.sleep(BUSY_PAUSE_S)
            except BusError as error:
                self._damaged = self._came or self._damaged
                left -= 1
                if not left or isinstance(error, BusUnavailableError):
                    raise
            else:
                self._last = (block, words)
                return words

    def _hear(self, is_sent: bool, data: bytes) -> None:
        self._came = b"" if is_sent else self._came + data
        if self._trace is not None:
            self._trace(is_sent, data)

    def _advised(self, error: BusError) -> BusError:
        """The error in a technician's words, with what to try."""
        return BusError(explain(error, self.target, self._damaged))
