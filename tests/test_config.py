"""kit.toml: every fault at once, each with its place and its remedy."""

from pathlib import Path

import pytest

from tpkit.config import Config, host_and_port, load, parse
from tpkit.errors import ConfigError

GOOD = """
[site]
name = "Ekbyskolan"
kit = "kit-0001"
org = "se0180"
municipality = "Ekby kommun"
"""


def faults(text: str) -> list[str]:
    return parse(text)[1]


def good(text: str = "") -> Config:
    config, found = parse(GOOD + text)
    assert found == []
    assert config is not None
    return config


def test_the_least_there_can_be() -> None:
    config = good()

    assert config.paths.state == "/var/lib/tpkit"
    assert config.web.listen == "127.0.0.1:8080"
    assert config.web.languages == ["sv", "en", "ar"]
    assert (config.uplink, config.device, config.clock.speed) == (None, {}, 1.0)


def test_the_commented_example_is_right() -> None:
    example = Path(__file__).parents[1] / "docs" / "kit.example.toml"

    config = load(example)
    assert set(config.device) == {"gx", "battery", "genset", "probe"}
    assert not config.site.demo


def test_all_faults_come_at_once_with_place_value_and_what_is_allowed() -> None:
    found = faults(
        GOOD.replace('kit = "kit-0001"', 'kit = "Kit 1"')
        + """
colour = "red"
[web]
listen = 8080
port = 1
[bus.rs485]
port = "/dev/ttyUSB0"
baud = 9601
[device.genset]
bus = "rs485"
device_id = 300
"""
    )

    assert len(found) == 7
    assert any(fault.startswith("site.kit = 'Kit 1': expected `str` matching regex") for fault in found)
    assert any(fault.startswith("site.colour: unknown key; allowed here: name, kit") for fault in found)
    assert "web.listen = 8080: expected `str`, got `int`" in found
    assert "web.port: unknown key; allowed here: listen, languages" in found
    assert any("bus.rs485.baud = 9601" in fault and "allowed: 1200, 2400" in fault for fault in found)
    assert any("device.genset.device_id = 300: expected `int` <= 255" in fault for fault in found)
    assert "device.genset.profile: is missing" in found


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[device.a]\nbus = "x"\ndevice_id = 1\nprofile = "p"', 'device.a.bus = "x": no such bus; defined: none'),
        ('[bus.b]\nhost = "h"\nport = "/dev/x"', "bus.b: give either host (Modbus TCP) or port (RS-485), not both"),
        ("[bus.b]", "bus.b: give either host (Modbus TCP) or port (RS-485), not both"),
        (
            '[bus.b]\nport = "/dev/x"\nframing = "rtu"',
            'bus.b.framing = "rtu": is for a host; a serial port always carries RTU frames',
        ),
        ('[bus.b]\nhost = "h"\necho = true', "bus.b.echo = true: is for a serial port; no host hears itself"),
        (
            '[bus.b]\nhost = "h"\n[device.a]\nbus = "b"\ndevice_id = 7\nprofile = "p"\n'
            '[device.c]\nbus = "b"\ndevice_id = 7\nprofile = "p"',
            'device.c.device_id = 7: device.a on bus "b" has that address already',
        ),
        (
            '[bus.b]\nport = "/dev/x"\n[device.a]\nbus = "b"\ndevice_id = 0\nprofile = "p"',
            "device.a.device_id = 0: on RS-485 an address is 1 to 247",
        ),
        (
            '[bus.b]\nport = "/dev/x"\n[bus.c]\nport = "/dev/x"',
            "bus: two lines use the serial port /dev/x; devices on one line share one [bus]",
        ),
        ("[door.a]\nouter = 4\ninner = 4", "door.a.inner = 4: door.a.outer uses that pin already"),
        ('[pins]\nfactory = "fed"', 'pins.factory = "fed": invented edges are allowed only with [site] demo = true'),
        ("[clock]\nspeed = 60", "clock.speed = 60: allowed only with [site] demo = true"),
        ("[tank]\nlitres = 10\nreserve_litres = 10", "tank.reserve_litres: must be less than tank.litres"),
        (
            "[generator]\nrated_kw = 8\nlitres_per_hour = { 50 = 1.3 }",
            "generator.litres_per_hour: give the burn at two loads at least, of 25, 50, 75 and 100",
        ),
        ('[uplink]\nbroker = "broker.example:8883"', 'uplink.broker = "broker.example:8883": needs uplink.ca; a plain link is for loopback only'),
        ('[uplink]\nbroker = "127.0.0.1:1883"\ncert = "c"', "uplink: cert and key belong together; give both or neither"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together(text: str, fault: str) -> None:
    assert faults(GOOD + text) == [fault]


def test_demo_allows_what_only_a_demo_may() -> None:
    demo = GOOD + 'demo = true\n[pins]\nfactory = "fed"\n[clock]\nspeed = 60'

    assert faults(demo) == []


def test_a_bad_name_of_a_table_is_a_fault() -> None:
    assert any(
        "door.Main hall (the name)" in fault
        for fault in faults(GOOD + '[door."Main hall"]\nouter = 4\ninner = 5')
    )


@pytest.mark.parametrize(("value", "where"), [("7", "bus = 7"), ("{ a = 7 }", "bus.a = 7")])
def test_a_value_where_a_table_belongs(value: str, where: str) -> None:
    assert any(fault.startswith(where) for fault in faults(f"bus = {value}\n" + GOOD))


def test_no_site_at_all() -> None:
    assert faults("") == ["site: is missing"]


def test_a_missing_file_says_where_to_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"kit.toml: there is no such file: give its place with --config"):
        load(tmp_path / "kit.toml")


@pytest.mark.parametrize(("content", "says"), [(b"[site", "is not TOML"), (b"\xff\xfe", "cannot be read")])
def test_a_file_that_cannot_be_read(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "kit.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=says):
        load(path)


@pytest.mark.parametrize(
    ("text", "pair"), [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:80", ("::1", 80)), ("a.b:9", ("a.b", 9))]
)
def test_hosts_and_ports(text: str, pair: tuple[str, int]) -> None:
    assert host_and_port(text) == pair
