"""A SunSpec device laid out by hand from the model texts (sunspec/models json/model_*.json).

Each model below is its registers in the order of its text, number and length first; nothing here knows
tpkit's tables. Negative scale factors are written as signed numbers.
"""

from collections.abc import Sequence

from tpkit.domain.samples import Reading
from tpkit.errors import BusError, DeviceRefusedError
from tpkit.hardware import profile
from tpkit.hardware.decoding import decode
from tpkit.hardware.planning import Block, plan
from tpkit.hardware.profile_form import Profile
from tpkit.hardware.profile_rules import faults_of
from tpkit.hardware.sunspec import discover

SUNSPEC = profile.load("sunspec")
PV, ESS, EV = 0, 1, 2  # PrtTyp of model 714

SUNS = [0x5375, 0x6E53]
END = [0xFFFF, 0]


def text(words: str, length: int) -> list[int]:
    padded = words.encode("ascii").ljust(2 * length, b"\0")
    return [padded[at] << 8 | padded[at + 1] for at in range(0, 2 * length, 2)]


def raw(words: Sequence[int]) -> list[int]:
    return [word & 0xFFFF for word in words]


def common(length: int = 66, maker: str = "Example Maker") -> list[int]:
    strings = (
        text(maker, 16) + text("Example Model 7", 16) + text("", 8) + text("1.2.3", 8) + text("SN-007", 16)
    )
    return [1, length, *strings, 1, 0x8000][: 2 + length]


# fmt: off
def three_phase(number: int = 103) -> list[int]:
    """230.1, 229.8 and 231.0 V; 4.5, 4.6 and 4.4 A; 3090 W at 50.02 Hz; 12 345.678 kWh; 380 V DC; 41 °C."""
    return raw([
        number, 50,
        1350, 450, 460, 440, -2,                             # A, AphA, AphB, AphC, A_SF
        3985, 3990, 3988, 2301, 2298, 2310, -1,              # PPVphAB..CA, PhVphA..C, V_SF
        3090, 0, 5002, -2, 3110, 0, -250, 0, 993, -1,        # W, Hz, VA, VAr, PF, each with its factor
        188, 24910, 0,                                       # WH = 188 * 65536 + 24910 = 12 345 678, WH_SF
        84, -1, 3800, -1, 3192, 0,                           # DCA, DCV, DCW, each with its factor
        410, -0x8000, -0x8000, -0x8000, -1,                  # TmpCab, TmpSnk, TmpTrns, TmpOt, Tmp_SF
        4, 0xFFFF,                                           # St = MPPT, StVnd
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                  # Evt1, Evt2, EvtVnd1..4
    ])


def float_three_phase(number: int = 113) -> list[int]:
    """230.5 V = 0x43668000, 2.5 A = 0x40200000, -1500 W = 0xC4BB8000, 50 Hz = 0x42480000; the rest NaN."""
    nan = [0x7FC0, 0]
    return [
        number, 60,
        *nan, 0x4020, 0, *nan, *nan,                         # A, AphA, AphB, AphC
        *nan, *nan, *nan, 0x4366, 0x8000, *nan, *nan,        # PPVphAB..CA, PhVphA..C
        0xC4BB, 0x8000, 0x4248, 0, *nan, *nan,               # W, Hz, VA, VAr
        0x42C6, 0, 0x4640, 0xE400,                           # PF = 99 %, WH = 12345
        *nan, *nan, *nan, *nan, *nan, *nan, *nan,            # DCA, DCV, DCW, TmpCab, TmpSnk, TmpTrns, TmpOt
        8, 0xFFFF,                                           # St = STANDBY, StVnd
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                  # Evt1, Evt2, EvtVnd1..4
    ]


def storage_control() -> list[int]:
    """Model 124: 55.5 %, 48.2 V, discharging."""
    return raw([
        124, 24,
        5000, 100, 100, 0, 0xFFFF, 200,                      # WChaMax, WChaGra, WDisChaGra, StorCtl_Mod, VAChaMax, MinRsvPct
        555, 0xFFFF, 482, 3,                                 # ChaState, StorAval, InBatV, ChaSt
        0, 0, 0xFFFF, 0xFFFF, 0xFFFF, 1,                     # OutWRte, InWRte, ..WinTms, ..RvrtTms, ..RmpTms, ChaGriSet
        0, 0, -0x8000, -1, -1, -0x8000, -1, 0,               # WChaMax_SF .. ChaState_SF, StorAval_SF, InBatV_SF, InOutWRte_SF
    ])


def battery(events: tuple[int, int] = (0, 0), charge: int = 637) -> list[int]:
    """Model 802: 63.7 %, 51.84 V, cells 3.231 to 3.254 V, 280 Ah, 14.3 kWh, 412 cycles, charging."""
    return raw([
        802, 62,
        280, 143, 5000, 5000, 0xFFFF,                        # AHRtg, WHRtg, WChaRteMax, WDisChaRteMax, DisChaRte
        1000, 100, 0xFFFF, 0xFFFF, charge, 0xFFFF, 98,       # SoCMax, SoCMin, SocRsvMax, SoCRsvMin, SoC, DoD, SoH
        0, 412, 4,                                           # NCyc, ChaSt
        0, 17, 0xFFFF, 0, 4, 3, 0xFFFF,                      # LocRemCtl, Hb, CtrlHb, AlmRst, Typ, State, StateVnd
        0xFFFF, 0xFFFF,                                      # WarrDt
        *events, 0, 0, 0, 0, 0, 0,                           # Evt1, Evt2, EvtVnd1, EvtVnd2
        5184, 0xFFFF, 0xFFFF,                                # V, VMax, VMin
        3254, 1, 2, 3231, 1, 7, 3240,                        # CellVMax, ..Str, ..Mod, CellVMin, ..Str, ..Mod, CellVAvg
        -125, 1000, 1200, -648,                              # A, AChaMax, ADisChaMax, W
        0, 0, 1, 1,                                          # ReqInvState, ReqW, SetOp, SetInvState
        0, 2, 0, -0x8000, -1, -0x8000, 0,                    # AHRtg_SF, WHRtg_SF, WChaDisChaMax_SF, DisChaRte_SF, SoC_SF, DoD_SF, SoH_SF
        -2, -3, -1, -1, 0,                                   # V_SF, CellV_SF, A_SF, AMax_SF, W_SF
    ])


def storage_capacity(rating: int = 1430, available: int = 900) -> list[int]:
    """Model 713: 14.3 kWh, 9 kWh available, 64 %, health 97 %, ok."""
    return raw([713, 7, rating, available, 64, 97, 0, 1, 0])  # WHRtg, WHAvail, SoC, SoH, Sta, WH_SF, Pct_SF


def ports(*kinds: int) -> list[int]:
    """Model 714: all ports 7.5 A, 2500 W and 654.321 kWh; port n is 400.n V, n A and 100 * n W."""
    words = [
        714, 18 + 25 * len(kinds),
        0, 0, len(kinds), 75, 2500,                          # PrtAlrms, NPrt, DCA, DCW
        0, 0, 9, 64497, 0, 0, 0, 0,                          # DCWhInj = 9 * 65536 + 64497 = 654 321, DCWhAbs
        -1, -1, 0, 0, 0,                                     # DCA_SF, DCV_SF, DCW_SF, DCWH_SF, Tmp_SF
    ]
    for number, kind in enumerate(kinds, 1):
        words += [
            kind, number, *text(f"Port {number}", 8),        # PrtTyp, ID, IDStr
            10 * number, 4000 + number, 100 * number,        # DCA, DCV, DCW
            0, 0, 0, number, 0, 0, 0, 0,                     # DCWhInj, DCWhAbs
            30, 1, 0, 0,                                     # Tmp, DCSta, DCAlrm
        ]
    return raw(words)


def vendors(number: int = 64100, length: int = 12) -> list[int]:
    """A maker's own model, full of numbers that mean nothing here."""
    return [number, length, *([0x1234] * length)]
# fmt: on


class Device:
    """Registers from `base` on. Everything else is refused with exception 2, as is function 4.

    `faults` are raised in place of the answer to a read that begins at their address.
    """

    def __init__(self, *models: list[int], base: int = 40000, end: list[int] = END) -> None:
        words = [*SUNS, *(word for model in models for word in model), *end]
        self.registers = dict(enumerate(words, base))
        self.starts = [base + 2 + sum(map(len, models[:at])) for at in range(len(models))]
        self.faults: dict[int, BusError] = {}
        self.asked: list[tuple[int, int]] = []

    def ask(self, block: Block) -> tuple[int, ...]:
        self.asked.append((block.address, block.count))
        if block.address in self.faults:
            raise self.faults[block.address]
        wanted = range(block.address, block.address + block.count)
        if block.function != 3 or any(address not in self.registers for address in wanted):
            raise DeviceRefusedError("The device refused.", 2)
        return tuple(self.registers[address] for address in wanted)


def read(device: Device, known: Profile | None = None) -> dict[str, Reading]:
    """Everything a device says, discovered first unless its profile is given."""
    known = known or discover(SUNSPEC, device.ask)
    assert faults_of(known) == []
    found: dict[str, Reading] = {}
    for block in plan(known) * 2:  # what decides over others may come in a later block
        values = {name: reading.value for name, reading in found.items()}
        found |= {reading.point: reading for reading in decode(known, block, device.ask(block), values)}
    return found


def values(device: Device) -> dict[str, float | str | None]:
    return {name: reading.value for name, reading in read(device).items()}
