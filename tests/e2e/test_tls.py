"""The uplink over TLS, with a private CA made by openssl and a broker that asks for a certificate."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.ground import Broker, need, until
from tests.e2e.kit import NAME, ORG, Kit

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """A private CA in a folder; `issue` signs a certificate."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self.certificate = folder / f"{name}.crt"
        self._openssl(
            "req", "-x509", *CURVE, "-days", "2", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.crt",
        )  # fmt: skip

    def issue(self, subject: str, names: str) -> tuple[Path, Path]:
        """A certificate for `subject` and its key; `names` is its subjectAltName."""
        (self._folder / "names.cnf").write_text(f"subjectAltName={names}\n")
        self._openssl(
            "req", *CURVE, "-subj", f"/CN={subject}", "-keyout", f"{subject}.key", "-out", f"{subject}.csr"
        )
        self._openssl(
            "x509", "-req", "-in", f"{subject}.csr", "-CA", f"{self._name}.crt", "-CAkey", f"{self._name}.key",
            "-CAcreateserial", "-days", "2", "-extfile", "names.cnf", "-out", f"{subject}.crt",
        )  # fmt: skip
        return self._folder / f"{subject}.crt", self._folder / f"{subject}.key"

    def _openssl(self, *words: str) -> None:
        command = [need("openssl", "openssl"), *words]
        subprocess.run(command, cwd=self._folder, capture_output=True, check=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"), "municipality")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Broker]:
    """Accepts only clients with a certificate of the CA; its own is for `localhost` and no other name."""
    certificate, key = authority.issue("broker", "DNS:localhost")
    tls = (
        f"cafile {authority.certificate}", f"certfile {certificate}", f"keyfile {key}",
        "require_certificate true", "use_identity_as_username true",
    )  # fmt: skip
    with closing(Broker(tmp_path_factory.mktemp("broker"), *tls)) as running:
        yield running


@pytest.fixture
def own(authority: Authority) -> dict[str, Path]:
    """What a kit of this municipality has: the CA, its certificate and its key."""
    certificate, key = authority.issue(NAME, f"DNS:{NAME}")
    return {"ca": authority.certificate, "cert": certificate, "key": key}


def _kit(folder: Path, broker: str, files: dict[str, Path]) -> Kit:
    lines = "".join(f'{name} = "{path}"\n' for name, path in files.items())
    return Kit(folder, broker=broker, uplink=lines)


def test_the_uplink_reports_over_tls_with_its_own_certificate(
    tmp_path: Path, authority: Authority, broker: Broker, own: dict[str, Path]
) -> None:
    with _kit(tmp_path, f"localhost:{broker.port}", own) as kit:
        kit.start("uplink")
        until("it is connected", lambda: kit.live("uplink")["state"] == "connected")
        heard = subprocess.run(
            [need("mosquitto_sub", "mosquitto-clients"), "-V", "5", "-h", "localhost", "-p", str(broker.port),
             "--cafile", str(own["ca"]), "--cert", str(own["cert"]), "--key", str(own["key"]),
             "-t", f"tp/v1/{ORG}/{NAME}/status", "-C", "1", "-W", "5"],
            stdout=subprocess.PIPE, text=True, timeout=10, check=True,
        )  # fmt: skip
        assert heard.stdout.strip() == '{"v":1,"on":true}'


@pytest.mark.parametrize(
    ("host", "fault", "reason"),
    [
        ("localhost", "foreign CA", "certificate verify failed"),
        ("127.0.0.1", "", "IP address mismatch"),
        ("localhost", "no certificate", "closed the connection"),
        ("localhost", "no such file", "missing.crt"),
    ],
    ids=["foreign CA", "other host name", "no certificate of its own", "CA file missing"],
)
def test_a_link_that_cannot_be_trusted_is_not_used_and_the_reason_is_told(
    tmp_path: Path, broker: Broker, own: dict[str, Path], host: str, fault: str, reason: str
) -> None:
    if fault == "foreign CA":
        own["ca"] = Authority(tmp_path, "stranger").certificate
    elif fault == "no certificate":
        own = {"ca": own["ca"]}
    elif fault == "no such file":
        own["ca"] = tmp_path / "missing.crt"
    with _kit(tmp_path, f"{host}:{broker.port}", own) as kit:
        kit.start("uplink")
        until("the reason is told", lambda: reason in kit.live("uplink")["reason"])
        assert kit.live("uplink")["state"] == "trying"
        assert kit.processes["uplink"].poll() is None
        assert kit.stop() == {"uplink": 0}
        assert "Traceback" not in kit.logs(), kit.logs()
