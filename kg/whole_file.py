"""Write a file whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path


def write_whole(pieces: Iterable[bytes], path: Path) -> None:
    """Write to a temporary name beside ``path``, then rename.

    What is no file, such as ``/dev/stdout`` or a named pipe, is written to and not replaced; a
    link goes on pointing to what it points to. Raises ``OSError`` if the folder or the disk does
    not allow it; the file is then as it was.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            stream.writelines(pieces)
        return
    path = path.resolve()
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".kg-", delete=False) as file:
            temporary = Path(file.name)
            file.writelines(pieces)
        # A temporary file is private; what is written here is for everyone who may read.
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
