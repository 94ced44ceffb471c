"""Why a device does not answer, as far as what came instead can tell, and what to try."""

import os
from pathlib import Path

from tpkit.errors import BusError, BusUnavailableError, DeviceRefusedError, WrongAnswerError
from tpkit.hardware.asking import WEB_SIGNS, answer_frames, crc, mbap_frames
from tpkit.tools.device_common import Target

AWAY = (10, 11)  # the gateway answers for a device that does not
ADAPTERS = Path("/dev/serial/by-id")
SHOWN_BYTES = 24
REFUSED = 0x80  # in the function code of an exception
NOTHING = "It answers, but gives nothing of this profile: is --profile right?"
OTHERS = "Two devices may have one address, or another master asks on the same line."


def explain(error: BusError, target: Target, came: bytes) -> str:
    """What happened and what to try. `came` are the bytes that made no good answer."""
    if isinstance(error, BusUnavailableError) and not came:
        return _unavailable(target)
    if isinstance(error, DeviceRefusedError):
        return f"{error} {_about_refusal(error)}"
    frames = list(answer_frames(came)) if _is_rtu(target) else []
    if frames and all(frame[1] & REFUSED for frame in frames):
        return f"{error} {NOTHING}"
    if frames or isinstance(error, WrongAnswerError):
        return f"{error} {OTHERS}" if came else str(error)
    silent = f"Device {target.device_id} at {target.place} ({target.line}) does not answer."
    return f"{silent} {_about_bytes(target, came) if came else _about_silence(target)}"


def _is_rtu(target: Target) -> bool:
    return target.bus.host is None or target.bus.framing == "rtu"


def _unavailable(target: Target) -> str:
    if target.bus.host is not None:
        return (
            f"{target.place} does not accept a connection, or closes it: is it switched on and on this "
            f"network, is the address right, and is Modbus TCP enabled in its menu?"
        )
    port = Path(target.bus.port or "")
    if not port.exists():
        found = ", ".join(sorted(map(str, ADAPTERS.glob("*")))) or "none"
        return f"There is no serial port {port}: is the adapter plugged in? Adapters plugged in: {found}."
    if not port.is_char_device():
        return f"{port} is not a serial port."
    if not os.access(port, os.R_OK | os.W_OK):
        return f"You may not open {port}: run the command with sudo."
    return (
        f"{port} cannot be opened: another program has it, or it cannot do {target.line}. The controller "
        f"keeps its ports while it runs: stop the controller first (systemctl stop tpkit-controller), and "
        f"start it again when you are done."
    )


def _about_bytes(target: Target, came: bytes) -> str:
    return _about_text(came) or _about_framing(target, came) or _about_noise(target, came)


def _about_refusal(error: DeviceRefusedError) -> str:
    if error.exception_code in AWAY:
        return (
            "The gateway answers, but not the device behind it: is --device-id right, and is it switched on?"
        )
    return NOTHING


def _about_silence(target: Target) -> str:
    if target.bus.host is None:
        return (
            "Nothing came back. Try in turn: is it switched on, with Modbus RTU enabled in its menu; "
            "--device-id, --baud and --parity as set there; A and B the other way round; the ground wire."
        )
    other = "--tcp" if target.bus.framing == "rtu" else "--rtu-over-tcp"
    return (
        f"The connection stands, but nothing came back: is --device-id right? If this is a gateway for a "
        f"serial line, try {other}."
    )


def _about_text(came: bytes) -> str:
    if any(sign in came for sign in WEB_SIGNS):
        return "A web server answers there, not Modbus: is the port right? Modbus TCP usually has port 502."
    if len(came) >= 8 and all(32 <= byte < 127 or byte in b"\r\n\t" for byte in came):
        return "What answers there sends text, not Modbus: is the port right?"
    return ""


def _about_framing(target: Target, came: bytes) -> str:
    if _is_rtu(target):
        if any(mbap_frames(came)):
            return "The answer is Modbus TCP: use --tcp instead of --rtu-over-tcp."
        if crc(came[:6]) == came[6:8]:
            return "Only the question itself came back: the adapter hears what it sends. Try --echo."
    elif any(answer_frames(came)):
        return (
            "The answer has an RTU checksum: this is a gateway that passes the serial line on as it is. "
            "Use --rtu-over-tcp instead of --tcp."
        )
    return ""


def _about_noise(target: Target, came: bytes) -> str:
    sample = came[:SHOWN_BYTES].hex(" ")
    if not _is_rtu(target):
        return f"Bytes came that are not Modbus TCP ({sample}): is the port right?"
    if came[0] == target.device_id and len(came) > 1 and came[1] & 0x7F in (3, 4):
        return (
            f"An answer began but was garbled ({sample}): two devices may have one address (disconnect all "
            f"but one), or the line is bad (120 ohm at both ends, ground wire)."
        )
    return (
        f"Bytes came that are no answer ({sample}). This looks like noise: a wrong --baud or --parity, A and "
        f"B swapped, or two devices with one address."
    )
