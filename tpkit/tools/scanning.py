"""Finding out who is on a line or behind a host, one unit at a time, without changing anything."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from msgspec import Struct

from tpkit.errors import ConfigError
from tpkit.hardware import profile as profiles
from tpkit.hardware.asking import (
    Answer,
    Line,
    Question,
    answer_frames,
    ask,
    identification,
    objects,
    printable,
    read,
    server_id,
)
from tpkit.hardware.decoding import decode
from tpkit.hardware.planning import Block
from tpkit.hardware.profile_form import Profile, ProfilePoint, Recognise

SERIAL_TIMEOUT_S = 0.4  # slower ones show by their late answer and are asked again with patience
NETWORK_TIMEOUT_S = 1.0
PATIENT_S = 1.5
TRIES = 3  # before an answer counts as garbled
SETTLE_STEPS = 20
AWAY = 10  # exception: gateway path unavailable
NO_TARGET = 11  # exception: the device behind the gateway did not answer

GX_UNIT, GX_SERIAL = 100, (800, 6)  # devices.md 1: com.victronenergy.system, the serial number as text
GX_SERVICES = {
    259: "battery", 3: "vebus", 3000: "tank", 3200: "genset", 3500: "generator", 3300: "temperature",
    771: "solarcharger", 2600: "grid",
}  # fmt: skip
"""A register that only this service of a Victron GX has (dbus_modbustcp attributes.csv)."""


class Speed(Struct, frozen=True):
    """How a serial line runs."""

    baud: int = 9600
    parity: str = "N"
    stop_bits: int = 1

    def __str__(self) -> str:
        """As in the leaflets: 9600 8N1."""
        return f"{self.baud} 8{self.parity}{self.stop_bits}"


COMMON_SPEEDS = (
    Speed(9600), Speed(19200), Speed(19200, "E"), Speed(9600, "E"), Speed(115200), Speed(38400), Speed(4800),
    Speed(2400), Speed(57600), Speed(1200), Speed(9600, "O"), Speed(19200, "O"),
)  # fmt: skip


class Found(Struct, frozen=True):
    """Somebody at a unit id: the profiles that fit, best first, and the texts it says about itself.

    Not `certain`: numbers are where and as large as the profile would have them, which others can be too.
    """

    unit: int
    profiles: tuple[str, ...] = ()
    certain: bool = False
    says: tuple[str, ...] = ()
    service: str = ""


class Conversation:
    """Questions on one line; remembers our own coming back, units out of turn, closed doors."""

    def __init__(self, line: Line, timeout_s: float) -> None:
        self.echo = False
        self.late: set[int] = set()
        self.closed = 0
        self.timeout_s = timeout_s
        self._line = line
        self._turn = 0

    def ask(self, question: Question) -> Answer:
        """One question; a damaged answer gives it another try."""
        for _ in range(TRIES):
            self._turn += 1
            answer = ask(self._line, question, self.timeout_s, self._turn)
            self.echo = self.echo or answer.echo
            self.closed += answer.kind == "closed"
            if answer.kind == "other":
                self.late.add(answer.unit)
            if answer.kind != "noise":
                break
        return answer

    def settle(self, quiet_s: float) -> None:
        """Throw away what comes too late, until nothing has come for `quiet_s`."""
        for _ in range(SETTLE_STEPS):
            if not self._line.receive(quiet_s):
                return


@cache
def catalogue() -> Mapping[str, Profile]:
    """Every profile that comes with tpkit; one with faults is left out (`tpkit check` names them)."""
    loaded = {}
    for name in profiles.names():
        try:
            loaded[name] = profiles.load(name)
        except ConfigError:
            continue
    return loaded


def likely_units(known: Iterable[Profile]) -> tuple[int, ...]:
    """The addresses that devices have when they leave the factory, 1 first."""
    return tuple(dict.fromkeys((1, *sorted({profile.defaults.device_id for profile in known}))))


def likely_speeds(known: Iterable[Profile]) -> tuple[Speed, ...]:
    """The speeds of factory settings and other common ones, the most usual first."""
    usual = [Speed(each.defaults.baud, each.defaults.parity, each.defaults.stop_bits) for each in known]
    ordered = sorted(dict.fromkeys(usual), key=lambda speed: -usual.count(speed))
    return tuple(dict.fromkeys((*ordered, *COMMON_SPEEDS)))


def presence_questions(unit: int, speed: Speed | None, known: Iterable[Profile]) -> tuple[Question, ...]:
    """What to ask to learn whether somebody is there; any answer or refusal says yes.

    A device should refuse a register that it does not have. Some are silent instead, so where a profile
    expects its device, one of its own registers is asked for first. Register 0 is left alone: some
    devices hang when it is read (bikeshedder/sunspec#4).
    """
    own = []
    for profile in known:
        usual = profile.defaults
        if unit == usual.device_id and speed in (None, Speed(usual.baud, usual.parity, usual.stop_bits)):
            places = [_as_point(sign) for sign in profile.recognise] or list(profile.point)
            own += [_question(unit, profile, place) for place in places[:1]]
    return tuple(dict.fromkeys((read(unit, 3, 1), read(unit, 4, 1), *own)))


def presence(talk: Conversation, questions: Iterable[Question]) -> str:
    """`there`, `nobody`, `garbled`, or `web` for a web server."""
    garbled = False
    for question in questions:
        answer = talk.ask(question)
        if answer.kind == "web" or answer.refused == AWAY:
            return "web" if answer.kind == "web" else "nobody"
        if answer.kind in ("answer", "refusal") and answer.refused != NO_TARGET:
            return "there"
        if answer.kind == "other" and answer.unit == question.unit:
            return "there"
        garbled = garbled or answer.kind == "noise"
    return "garbled" if garbled else "nobody"


def identify(talk: Conversation, unit: int, known: Mapping[str, Profile]) -> Found:
    """Who is at `unit`: by functions 17 and 43, and by the registers that profiles name."""
    named, described = talk.ask(server_id(unit)), talk.ask(identification(unit))
    says = [*objects(described), printable(named.body[1:]) if named.kind == "answer" else ""]
    fitting = []
    for name, profile in known.items():
        sign = _fits(talk, unit, profile) if not name.startswith("victron-") else None
        if sign is not None:
            fitting.append(name)
            says += _sunspec_texts(talk, unit, sign.address) if profile.discovery == "sunspec" else []
    fitting.sort(key=lambda name: _strength(known[name]), reverse=True)
    certain = bool(fitting) and _strength(known[fitting[0]])[0] > 0
    return Found(unit, tuple(fitting), certain, tuple(dict.fromkeys(text for text in says if text)))


def _strength(profile: Profile) -> tuple[int, int]:
    """How many signs no other device shows by chance, and how many signs there are."""
    strong = [sign for sign in profile.recognise if sign.equals or sign.type in ("f32", "text")]
    return len(strong), len(profile.recognise)


def is_victron_gx(talk: Conversation) -> bool:
    """Whether a host is a Victron GX: a serial number at the system's unit, where no battery is."""
    serial = talk.ask(read(GX_UNIT, 3, *GX_SERIAL))
    if serial.kind != "answer" or len(printable(serial.body[1:])) < 6:
        return False
    return talk.ask(read(GX_UNIT, 3, 259)).kind == "refusal"


def victron_services(talk: Conversation, unit: int, known: Mapping[str, Profile]) -> Iterator[Found]:
    """What a GX serves at `unit`."""
    services = {800: "system"} if unit == GX_UNIT else GX_SERVICES
    for address, service in services.items():
        if talk.ask(read(unit, 3, address)).kind == "answer":
            name = f"victron-{service}"
            yield Found(
                unit, (name,) if name in known else (), name in known, (f"Victron GX, {service}",), service
            )


def speaks_rtu(talk: Conversation, units: Iterable[int]) -> bool:
    """Whether one of `units` answers on a connection that carries RTU frames."""
    return any(talk.ask(read(unit, 3, 1)).kind in ("answer", "refusal", "other") for unit in units)


def has_rtu_answer(answer: Answer) -> bool:
    """Whether what came over TCP is an RTU frame with its checksum."""
    return answer.kind == "noise" and any(True for _ in answer_frames(answer.raw))


def _question(unit: int, profile: Profile, item: ProfilePoint) -> Question:
    return read(unit, item.function or profile.function, item.address, item.words)


def _as_point(sign: Recognise) -> ProfilePoint:
    return ProfilePoint(
        name="sign", address=sign.address, type=sign.type, function=sign.function, length=sign.length
    )


def _fits(talk: Conversation, unit: int, profile: Profile) -> Recognise | None:
    """The sign by which the profile is recognised: all must be there; of SunSpec's places one."""
    seen = None
    for sign in profile.recognise:
        if profile.discovery == "sunspec" and sign.address == 0:
            continue
        if _shows(talk, unit, profile, sign):
            seen = sign
            if profile.discovery == "sunspec":
                return sign
        elif profile.discovery == "none":
            return None
    return seen


def _shows(talk: Conversation, unit: int, profile: Profile, sign: Recognise) -> bool:
    item = _as_point(sign)
    answer = talk.ask(_question(unit, profile, item))
    if answer.kind != "answer":
        return False
    block = Block(item.function or profile.function, item.address, item.words, points=(item,))
    value = decode(profile, block, answer.words)[0].value
    if sign.between is not None and isinstance(value, float):
        return sign.between[0] <= value <= sign.between[1]
    return value in sign.equals


def _sunspec_texts(talk: Conversation, unit: int, base: int) -> list[str]:
    """Maker and model of SunSpec's common model: 16 registers each, at 2 and 18 from its start."""
    answer = talk.ask(read(unit, 3, base + 4, 32))
    return [printable(answer.body[1:33]), printable(answer.body[33:65])] if answer.kind == "answer" else []
