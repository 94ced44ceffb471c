"""Where templates, style sheets and translations are: the only place that knows."""

from importlib.resources import files
from pathlib import Path

import tpkit
from tpkit.errors import AssetsMissingError


def assets_dir() -> Path:
    """`tpkit/_web` of an installed wheel, or `web` of a checkout. Raises AssetsMissingError."""
    package = Path(str(files(tpkit)))
    places = (package / "_web", package.parent / "web")
    for place in places:
        if (place / "templates").is_dir():
            return place
    raise AssetsMissingError(
        f"The web assets are neither in {places[0]} nor in {places[1]}: reinstall tpkit."
    )
