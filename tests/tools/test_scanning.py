"""Who is there, worked out from what devices answer: no line, no clock."""

import struct

import pytest

from tests.hardware import faults
from tests.tools.command import settings
from tests.tools.simulated_site import Site
from tpkit.hardware.asking import Question
from tpkit.tools import device_scan, scanning
from tpkit.tools.scanning import Conversation, Found, Speed

AWAY = faults.refuse(10)


def text(words: str, registers: int) -> tuple[int, ...]:
    return struct.unpack(f">{registers}H", words.encode().ljust(2 * registers, b"\0"))


def identified(site: Site, unit: int) -> Found:
    return scanning.identify(Conversation(site, 0.1), unit, scanning.catalogue())


# Who it is


def test_a_dse_is_known_by_its_maker_code() -> None:
    """GenComm page 3 (address = page * 256 + offset): manufacturer code 1 is Deep Sea, then the model."""
    site = Site()
    site.holds(10, 3, 768, 1, 4)
    found = identified(site, 10)
    assert found.profiles[0] == "dse-generic"
    assert found.certain


def test_a_sunspec_device_is_known_by_its_mark_and_says_who_made_it() -> None:
    """sunspec/models model_1.json: "SunS", ID 1, length 66, Mn at 2 and Md at 18 from the model's start."""
    site = Site()
    site.holds(126, 3, 40000, 0x5375, 0x6E53, 1, 66, *text("Fronius", 16), *text("Symo 8.2", 16))
    found = identified(site, 126)
    assert found.profiles[0] == "sunspec"
    assert found.says == ("Fronius", "Symo 8.2")


def test_a_device_that_nobody_knows_says_what_it_says_of_itself() -> None:
    """Function 17: 3 bytes of id and a text. Function 43/14: two objects. Frames by hand from the standard."""
    site = Site()
    site.holds(7, 3, 1, 0)
    site.texts[(7, 17)] = bytes([17, 7]) + b"\x01Gen X1"
    site.texts[(7, 43)] = bytes([43, 14, 1, 1, 0, 0, 2]) + b"\x00\x03Ace\x01\x02G1"
    found = identified(site, 7)
    assert (found.profiles, found.certain) == ((), False)
    assert found.says == ("Ace", "G1", "Gen X1")


def test_numbers_in_a_likely_range_are_no_certainty() -> None:
    """Registers 1 and 2 as an XY-MD02 has them (21.5 °C, 45.0 %), which any device may have."""
    site = Site()
    site.holds(1, 4, 1, 215, 450)
    found = identified(site, 1)
    assert "xy-md02" in found.profiles
    assert not found.certain
    lines = device_scan.kit_toml(["[bus.rs485]", 'port = "/dev/ttyUSB0"'], [found])
    assert settings(lines).device == {}
    assert f'# profile = "{found.profiles[0]}"' in lines


def test_a_victron_gx_is_asked_for_its_services() -> None:
    """devices.md 1: the system at 100, a battery (259) at 225, a tank (3000) at 20; others are 0x0A."""
    site = Site(rtu=False, nobody=10)
    site.holds(100, 3, 800, *text("HQ2132VY7QXB", 6))
    site.holds(225, 3, 259, 5312)
    site.holds(20, 3, 3000, 41312)
    talk, known = Conversation(site, 0.1), scanning.catalogue()
    assert scanning.is_victron_gx(talk)
    found = [each for unit in range(1, 248) for each in scanning.victron_services(talk, unit, known)]
    assert [(each.unit, each.profiles) for each in found] == [
        (20, ("victron-tank",)), (100, ("victron-system",)), (225, ("victron-battery",)),
    ]  # fmt: skip
    parsed = settings(device_scan.kit_toml(["[bus.lan]", 'host = "gx"'], found))
    assert {(each.device_id, each.profile) for each in parsed.device.values()} == {
        (20, "victron-tank"), (100, "victron-system"), (225, "victron-battery"),
    }  # fmt: skip


def test_a_device_that_has_every_register_is_no_victron_gx() -> None:
    site = Site(rtu=False)
    site.holds(100, 3, 0, *[0x4142] * 4000)
    assert not scanning.is_victron_gx(Conversation(site, 0.1))


def test_only_the_four_functions_are_ever_asked() -> None:
    site = Site()
    site.holds(1, 3, 0, *[1] * 50000)
    site.holds(1, 4, 0, *[1] * 50000)
    questions = scanning.presence_questions(1, Speed(), scanning.catalogue().values())
    scanning.presence(Conversation(site, 0.1), questions)
    identified(site, 1)
    assert {function for _, function in site.asked} == {3, 4, 17, 43}


@pytest.mark.parametrize(
    ("code", "state"),
    [(1, "there"), (2, "there"), (3, "there"), (4, "there"), (6, "there"), (10, "nobody"), (11, "nobody")],
)
def test_a_refusal_is_somebody_but_for_a_gateways_own(code: int, state: str) -> None:
    site = Site(nobody=code)
    assert scanning.presence(Conversation(site, 0.1), [Question(5, 3, b"\0\1\0\1")]) == state


def test_a_transmitter_that_knows_function_4_only_is_found() -> None:
    class Deaf(Site):
        def _answer(self, unit: int, pdu: bytes) -> bytes | None:
            return super()._answer(unit, pdu) if pdu[0] == 4 else None

    site = Deaf()
    site.holds(9, 4, 500, 1)
    questions = scanning.presence_questions(9, Speed(), ())
    assert scanning.presence(Conversation(site, 0.1), questions) == "there"
    assert scanning.presence(Conversation(site, 0.1), scanning.presence_questions(8, Speed(), ())) == "nobody"


def test_register_0_is_left_alone_in_devices_that_nobody_expects() -> None:
    asked = scanning.presence_questions(99, Speed(), scanning.catalogue().values())
    assert [struct.unpack(">HH", each.body) for each in asked] == [(1, 1), (1, 1)]


def test_the_likely_is_tried_first() -> None:
    known = scanning.catalogue().values()
    assert scanning.likely_units(known)[0] == 1
    assert 10 in scanning.likely_units(known)  # DSE, devices.md 2
    assert scanning.likely_speeds(known)[0] == Speed(9600, "N", 1)
    assert Speed(19200, "E", 1) in scanning.likely_speeds(known)  # the standard's own, 2.5.1


def test_a_second_service_at_one_address_is_commented_out() -> None:
    found = [Found(5, ("victron-tank",), True), Found(5, ("victron-temperature",), True)]
    lines = device_scan.kit_toml(["[bus.lan]", 'host = "gx"'], found)
    assert [each.profile for each in settings(lines).device.values()] == ["victron-tank"]
    assert '# profile = "victron-temperature"' in lines


def test_names_in_kit_toml_are_allowed_ones_however_long() -> None:
    found = [Found(unit, ("a-very-long-profile-name-of-some-maker-4000",), True) for unit in (1, 2, 247)]
    assert len(settings(device_scan.kit_toml(["[bus.lan]", 'host = "h"'], found)).device) == 3


# The command, in this process
