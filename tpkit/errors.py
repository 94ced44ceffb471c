"""Every error tpkit raises on purpose. Each message says who, what, why and what to do."""


class TpkitError(Exception):
    """Anything tpkit refuses or reports on purpose; the command line prints it without a traceback."""

    exit_code = 1


class ConfigError(TpkitError, ValueError):
    """The configuration, or a device profile, has faults; all of them are in `faults`."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class ListenError(TpkitError, OSError):
    """A port or socket that the configuration names cannot be opened."""


class ServiceSilentError(TpkitError):
    """A service that should be running has not written its live file lately."""

    exit_code = 3


class BusError(TpkitError):
    """A read on a bus brought no words that can be believed; `code` names why on the panel."""

    exit_code = 3
    code = "bus_error"


class BusUnavailableError(BusError, ConnectionError):
    """The serial port or the network connection is not there."""

    code = "bus_unavailable"


class NoResponseError(BusError, TimeoutError):
    """The device said nothing in time, or what it said was damaged."""

    code = "no_response"


class DeviceRefusedError(BusError):
    """The device answered with a Modbus exception."""

    def __init__(self, message: str, exception_code: int) -> None:
        super().__init__(message)
        self.exception_code = exception_code
        self.code = f"refused_{exception_code}"


class WrongAnswerError(BusError, ValueError):
    """An answer came, but not to the question: wrong length, device or function."""

    code = "wrong_answer"


class StoreError(TpkitError):
    """The record cannot be used as asked."""


class StoreUnavailableError(StoreError, OSError):
    """The database file cannot be opened or written."""


class SchemaTooNewError(StoreError):
    """A newer major version of tpkit wrote this database."""


class NotTheirTableError(StoreError, PermissionError):
    """A service tried to write what is not its to write: a programming slip, stopped by the store."""


class MessageRefusedError(TpkitError, ValueError):
    """A message cannot be posted as it is; `field` names what to change."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class StepRefusedError(TpkitError, ValueError):
    """The point's lifecycle does not allow this step from where it stands."""


class EntryRefusedError(TpkitError, ValueError):
    """A value typed by staff is out of its range; `reason` is a translation key."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class AssetsMissingError(TpkitError, FileNotFoundError):
    """Templates, style sheet or translations are not where the package keeps them."""


class UplinkRefusedError(TpkitError):
    """The broker refused the connection or a message for a reason that waiting does not mend."""
