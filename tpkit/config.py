"""kit.toml as frozen structs. Every fault is reported at once, with its section, key, value and remedy."""

import re
import tomllib
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from tpkit.errors import ConfigError

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,31}$", description="a-z, 0-9 and - only")]
Positive = Annotated[float, Meta(gt=0)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Listen = Annotated[str, Meta(pattern=r"^(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]|[\w.-]+):\d{1,5}$")]
GpioNumber = Annotated[int, Meta(ge=0, le=27)]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of kit.toml."""


class SiteSection(Section, frozen=True):
    """[site]: what the place is called and where it is."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    kit: Annotated[str, Meta(pattern=r"^[a-z0-9-]{4,32}$")]
    org: Annotated[str, Meta(pattern=r"^[a-z0-9-]{2,16}$")]
    municipality: Annotated[str, Meta(min_length=1, max_length=60)]
    word: Annotated[str, Meta(min_length=1, max_length=40)] = "trygghetspunkt"
    p4_mhz: Annotated[float, Meta(ge=87, le=108)] | None = None
    capacity: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    priority: Annotated[int, Meta(ge=1, le=9)] = 5
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None
    demo: bool = False


class PathsSection(Section, frozen=True):
    """[paths]: directories of the record, of the live files, and of the published pages."""

    state: str = "/var/lib/tpkit"
    run: str = "/run/tpkit"
    pages: str = "/run/tpkit-pages"


class WebSection(Section, frozen=True):
    """[web]: where web listens, and the public languages in the order of the list."""

    listen: Listen = "127.0.0.1:8080"
    languages: Annotated[list[str], Meta(min_length=1)] = msgspec.field(
        default_factory=lambda: ["sv", "en", "ar"]
    )


class UplinkSection(Section, frozen=True):
    """[uplink]: the broker. `ca`, `cert` and `key` are PEM files; without `ca` the link is plain."""

    broker: Listen
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    live_s: Annotated[int, Meta(ge=5, le=3600)] = 60


class PinsSection(Section, frozen=True):
    """[pins]: `lgpio` on the Pi; `fed` takes edges from a socket, for the demo and tests only."""

    factory: Literal["lgpio", "fed"] = "lgpio"


class ClockSection(Section, frozen=True):
    """[clock]: `speed` above 1 makes tpkit's time run faster, for the demo and tests only."""

    speed: Annotated[float, Meta(ge=1, le=10_000)] = 1.0


class BusSection(Section, frozen=True):
    """[bus.NAME]: a connection (`host`) or an RS-485 line (`port`).

    `framing` is what the host speaks: Modbus TCP, or RTU frames as serial device servers pass them on.
    `echo` is for two-wire adapters that hear what they send.
    """

    host: str | None = None
    tcp_port: Annotated[int, Meta(ge=1, le=65535)] = 502
    framing: Literal["tcp", "rtu"] = "tcp"
    echo: bool = False
    port: str | None = None
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1


class InputSection(Section, frozen=True):
    """[[device.NAME.input]]: a point of the site out of one of the device, by a straight line."""

    source: str
    point: str
    at: tuple[float, float]
    means: tuple[float, float]


class DeviceSection(Section, frozen=True):
    """[device.NAME]: one Modbus unit. `timeout_s` overrides the profile's."""

    bus: str
    device_id: Annotated[int, Meta(ge=0, le=255)]
    profile: str
    timeout_s: Annotated[float, Meta(ge=0.05, le=10)] | None = None
    input: tuple[InputSection, ...] = ()


class DoorSection(Section, frozen=True):
    """[door.NAME]: two beams, `outer` and `inner`, as BCM pin numbers. `broken` is the pin's level then."""

    outer: GpioNumber
    inner: GpioNumber
    broken: Literal["low", "high"] = "low"


class TankSection(Section, frozen=True):
    """[tank]: the generator's fuel tank."""

    litres: Positive
    reserve_litres: Annotated[float, Meta(ge=0)] = 0.0
    shape: Literal["box", "horizontal_cylinder"] = "box"


class GeneratorSection(Section, frozen=True):
    """[generator]: nameplate. `litres_per_hour` gives the burn at percent of rated power."""

    rated_kw: Positive
    litres_per_hour: dict[Literal["25", "50", "75", "100"], Positive]


class BatterySection(Section, frozen=True):
    """[battery]: usable energy when full, and the state of charge that must not be passed."""

    capacity_kwh: Positive
    floor_percent: Percent = 20.0


class Config(Section, frozen=True):
    """The whole of kit.toml."""

    site: SiteSection
    paths: PathsSection = PathsSection()
    web: WebSection = msgspec.field(default_factory=WebSection)
    uplink: UplinkSection | None = None
    pins: PinsSection = PinsSection()
    clock: ClockSection = ClockSection()
    bus: dict[Name, BusSection] = {}
    device: dict[Name, DeviceSection] = {}
    door: dict[Name, DoorSection] = {}
    tank: TankSection | None = None
    generator: GeneratorSection | None = None
    battery: BatterySection | None = None


def load(path: Path) -> Config:
    """Read and check kit.toml. Raises ConfigError with every fault, each naming the file."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        hint = "give its place with --config, or start from docs/kit.example.toml"
        raise ConfigError([f"{path}: there is no such file: {hint}."]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read ({error})."]) from None
    try:
        config, faults = parse(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: is not TOML: {error}."]) from None
    if config is None or faults:
        raise ConfigError([f"{path}: {fault}" for fault in faults])
    return config


def parse(text: str) -> tuple[Config | None, list[str]]:
    """The configuration in `text` and all its faults; without a configuration there is at least one."""
    faults: list[str] = []
    config = decode(Config, tomllib.loads(text), "", faults)
    if config is not None:
        faults += _cross_faults(config)
    return config, faults


def decode(kind: Any, value: Any, where: str, faults: list[str]) -> Any:
    """Convert plain data to `kind`, noting every fault with its place instead of stopping at the first.

    Returns None when there was a fault inside. Serves kit.toml and the device profiles alike.
    """
    kind = _plain(kind)
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _decode_struct(kind, value, where, faults)
    if get_origin(kind) in (dict, tuple, list):
        inner = _plain([arg for arg in get_args(kind) if arg is not Ellipsis][-1])
        if isinstance(inner, type) and issubclass(inner, Struct):
            return _decode_many(kind, inner, value, where, faults)
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        reason = str(error).split(" - at ")[0]
        faults.append(f"{where} = {value!r}: {reason[0].lower()}{reason[1:]}{_hint(kind)}")
        return None


def _plain(kind: Any) -> Any:
    """`X | None` of a struct means the struct: an absent table is not decoded at all."""
    structs = [part for part in get_args(kind) if isinstance(part, type) and issubclass(part, Struct)]
    return structs[0] if structs and type(None) in get_args(kind) else kind


def _hint(kind: Any) -> str:
    choices = [arg for arg in get_args(kind) if not isinstance(arg, Meta | type)]
    return f"; allowed: {', '.join(map(str, choices))}" if get_origin(kind) is Literal else ""


def _decode_struct(kind: type[Struct], value: Any, where: str, faults: list[str]) -> Any:
    if not isinstance(value, dict):
        faults.append(f"{where} = {value!r}: expected a table [{where}]")
        return None
    before, given = len(faults), {}
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    prefix = f"{where}." if where else ""
    for key, item in value.items():
        if key not in fields:
            faults.append(f"{prefix}{key}: unknown key; allowed here: {', '.join(fields)}")
        else:
            given[fields[key].name] = decode(fields[key].type, item, f"{prefix}{key}", faults)
    for key, field in fields.items():
        if field.required and key not in value:
            faults.append(f"{prefix}{key}: is missing")
    return kind(**given) if len(faults) == before else None


def _decode_many(kind: Any, inner: type[Struct], value: Any, where: str, faults: list[str]) -> Any:
    before = len(faults)
    if get_origin(kind) is dict and isinstance(value, dict):
        made: Any = {}
        for key, item in value.items():
            place = f"{where}.{key}" if where else key
            decode(get_args(kind)[0], key, f"{place} (the name)", faults)
            made[key] = decode(inner, item, place, faults)
    elif get_origin(kind) is not dict and isinstance(value, list):
        made = tuple(
            decode(inner, item, f"{where}[{number}]", faults) for number, item in enumerate(value, start=1)
        )
    else:
        faults.append(f"{where} = {value!r}: expected {'tables' if kind is dict else 'a list of tables'}")
    return made if len(faults) == before else None


def _cross_faults(config: Config) -> Iterator[str]:
    yield from _bus_faults(config)
    yield from _device_faults(config)
    yield from _pin_faults(config)
    yield from _demo_faults(config)
    yield from _uplink_faults(config)
    if config.tank and config.tank.reserve_litres >= config.tank.litres:
        yield "tank.reserve_litres: must be less than tank.litres"
    if config.generator and len(config.generator.litres_per_hour) < 2:
        yield "generator.litres_per_hour: give the burn at two loads at least, of 25, 50, 75 and 100"


def _bus_faults(config: Config) -> Iterator[str]:
    for name, bus in config.bus.items():
        if (bus.host is None) == (bus.port is None):
            yield f"bus.{name}: give either host (Modbus TCP) or port (RS-485), not both"
        elif bus.port and bus.framing == "rtu":
            yield f'bus.{name}.framing = "rtu": is for a host; a serial port always carries RTU frames'
        elif bus.host and bus.echo:
            yield f"bus.{name}.echo = true: is for a serial port; no host hears itself"
    ports = [bus.port for bus in config.bus.values() if bus.port]
    for port in sorted({port for port in ports if ports.count(port) > 1}):
        yield f"bus: two lines use the serial port {port}; devices on one line share one [bus]"


def _device_faults(config: Config) -> Iterator[str]:
    seen: dict[tuple[str, int], str] = {}
    for name, device in config.device.items():
        bus = config.bus.get(device.bus)
        if bus is None:
            known = ", ".join(config.bus) or "none"
            yield f'device.{name}.bus = "{device.bus}": no such bus; defined: {known}'
        elif bus.port and not 1 <= device.device_id <= 247:
            yield f"device.{name}.device_id = {device.device_id}: on RS-485 an address is 1 to 247"
        other = seen.setdefault((device.bus, device.device_id), name)
        if other != name:
            yield (
                f"device.{name}.device_id = {device.device_id}: device.{other} on bus "
                f'"{device.bus}" has that address already'
            )


def _pin_faults(config: Config) -> Iterator[str]:
    used: dict[int, str] = {}
    for name, door in config.door.items():
        for beam, pin in (("outer", door.outer), ("inner", door.inner)):
            owner = used.setdefault(pin, f"door.{name}.{beam}")
            if owner != f"door.{name}.{beam}":
                yield f"door.{name}.{beam} = {pin}: {owner} uses that pin already"


def _demo_faults(config: Config) -> Iterator[str]:
    if config.site.demo:
        return
    if config.pins.factory == "fed":
        yield 'pins.factory = "fed": invented edges are allowed only with [site] demo = true'
    if config.clock.speed != 1:
        yield f"clock.speed = {config.clock.speed:g}: allowed only with [site] demo = true"


def _uplink_faults(config: Config) -> Iterator[str]:
    uplink = config.uplink
    if uplink is None:
        return
    if bool(uplink.cert) != bool(uplink.key):
        yield "uplink: cert and key belong together; give both or neither"
    if uplink.ca is None and not _is_loopback(host_and_port(uplink.broker)[0]):
        yield f'uplink.broker = "{uplink.broker}": needs uplink.ca; a plain link is for loopback only'


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_and_port(listen: str) -> tuple[str, int]:
    """Split `host:port`; brackets around an IPv6 address are taken off."""
    host, _, port = listen.rpartition(":")
    return re.sub(r"[\[\]]", "", host), int(port)
