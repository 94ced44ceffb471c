"""The wheel: built from the sdist, installed alone, it has every asset and shows a page."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return next(out.glob("*.whl"))


def test_every_asset_profile_and_schema_is_in_the_wheel(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "static", "translations"):
        for path in (ROOT / "web" / folder).rglob("*"):
            if path.is_file():
                assert f"tpkit/_web/{path.relative_to(ROOT / 'web')}" in held
    for path in [
        *(ROOT / "tpkit").rglob("*.toml"),
        *(ROOT / "tpkit").rglob("*.sql"),
        *(ROOT / "tpkit").rglob("*.py"),
    ]:
        assert str(path.relative_to(ROOT)) in held


def test_it_works_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "import tpkit; assert '/site/' in tpkit.__file__\n"
        "from tpkit.cli import main; sys.exit(main(['pages', '--sample', '--out', 'out']))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)

    assert run.returncode == 0, run.stderr
    assert "Ellenbergaskolan" in (tmp_path / "out" / "ar" / "index.html").read_text("utf-8")
