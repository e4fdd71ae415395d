"""Where things are: the folders that travel with the package, the user's cache, the environment."""

from __future__ import annotations

import os
from pathlib import Path

ENV_DISPUTE = "KG_DISPUTE"
ENV_CACHE = "KG_CACHE"
DEFAULT_DISPUTE = "llama-mmap"


def shipped(name: str) -> Path:
    """Return the folder ``ontology``, ``queries`` or ``data`` of this installation.

    In a checkout it lies beside the package, in an installed wheel inside it.
    """
    package = Path(__file__).resolve().parent
    inside = package / "shipped" / name
    return inside if inside.is_dir() else package.parent / name


def cache_folder() -> Path:
    """Return the folder for what may be deleted at any time (``KG_CACHE`` overrides it)."""
    override = os.environ.get(ENV_CACHE)
    if override:
        return Path(override)
    import platformdirs  # imported here: most commands never need it

    return Path(platformdirs.user_cache_dir("counterclaim"))


def has_temporary_folder() -> bool:
    """Say whether there is a folder for files that nobody keeps (``TMPDIR`` names one)."""
    import tempfile

    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        return False
    return True
