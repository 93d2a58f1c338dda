"""A file is there whole or not at all, also where two write it at once."""

from __future__ import annotations

import tempfile
from pathlib import Path


def write_whole(path: Path, data: bytes) -> Path:
    """Write beside and rename; the folder is made. Of two who write at once, the last one's file stands."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as handle:
        written = Path(handle.name)
        try:
            handle.write(data)
            handle.flush()
            written.chmod(0o644)
            return written.replace(path)
        except BaseException:
            written.unlink(missing_ok=True)
            raise
