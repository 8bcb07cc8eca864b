"""Writing files so that nothing is ever half-written, and a file held open by Word or Excel is not an error.

A file is written under a temporary name beside its target and renamed. Where the target is held by
another program (Windows refuses the rename), the new file takes the next free name, ``bao_cao (2).docx``,
and the caller is told.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from sipas_research.errors import OutputError

_TRIES = 20
#: Temporary files carry it, so that those of a run that was killed can be told from everything else.
_PREFIX = ".sipas-"


def write_file(path: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` fill a temporary file, then rename it to ``path`` and return where it landed.

    Parameters
    ----------
    path : Path
        Wanted place; its folder is created.
    write : callable
        Receives the temporary path (same suffix as ``path``) and writes the whole file there.

    Returns
    -------
    Path
        ``path``, or ``"name (2).ext"`` and so on where ``path`` is held open by another program.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=path.suffix, prefix=_PREFIX, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise OutputError("files.folder_not_writable", folder=path.parent.name, reason=str(error.strerror)) from error
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o644)
        return _settle(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _settle(temporary: Path, path: Path) -> Path:
    for attempt in range(1, _TRIES):
        target = path if attempt == 1 else path.with_name(f"{path.stem} ({attempt}){path.suffix}")
        if held_open(target):
            continue
        try:
            temporary.replace(target)
        except PermissionError:
            continue
        return target
    raise OutputError("files.held_open", file=path.name)


def held_open(path: Path) -> bool:
    """Tell whether Word or Excel holds a document open: they leave an owner file ``~$name`` beside it."""
    owner = path.with_name("~$" + path.name)
    shortened = path.with_name("~$" + path.name[2:])
    return path.suffix in {".docx", ".xlsx"} and path.exists() and (owner.exists() or shortened.exists())


def write_text(path: Path, content: str, *, encoding: str = "utf-8") -> Path:
    """Write text with Unix line ends, atomically; return where it landed."""
    return write_file(path, lambda target: target.write_text(content, encoding=encoding, newline="\n"))


def clear_leftovers(folder: Path) -> None:
    """Remove temporary files that a run killed half-way left in a folder of results."""
    for path in folder.rglob(f"{_PREFIX}*"):
        if path.is_file():
            path.unlink(missing_ok=True)
