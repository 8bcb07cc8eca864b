"""Runs one notebook in a process of its own. Nothing raises across the border: an :class:`Outcome` comes back."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sipas_research.errors import SipasError, SipasWarning
from sipas_research.files import write_text
from sipas_research.study.notebook_check import (
    PersonMarks,
    code_cells,
    forget_outputs,
    last_started_cell,
    normalise,
    person_rows,
    replace_all,
    unfinished_cell,
)
from sipas_research.study.plan import Finish
from sipas_research.study.resume import stamp

#: How often a notebook's kernel is started before the run is given up, and what the client says when one did not start.
_STARTS = 3
_NO_START = "Kernel died before replying"


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker needs for one run. Paths are absolute.

    ``work`` is a folder that the caller removes; ``replacements`` take machine paths out of the result;
    ``checksum`` is that of the step's inputs, ``study`` that of the whole study's; both are written into the executed
    notebook. ``finish`` makes further files of it.
    """

    notebook: Path
    parameters: tuple[tuple[str, Any], ...]
    output: Path
    failed: Path
    work: Path
    replacements: tuple[tuple[str, str], ...] = ()
    marks: PersonMarks = field(default_factory=PersonMarks)
    checksum: str = ""
    finish: Finish | None = None
    study: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended. ``error`` is "" when all went well, else the error's class; ``cell`` counts from 1.

    ``refused`` is what stopped the making of further files, ``told`` are the warnings of their making.
    """

    output: Path | None
    error: str = ""
    message: str = ""
    cell: int = 0
    kept: Path | None = None
    person: bool = False
    refused: SipasError | None = None
    told: tuple[SipasWarning, ...] = ()


def prepare(kernel_folder: str) -> None:
    """Set up a worker process: this interpreter's kernel, UTF-8, one thread for linear algebra."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # papermill's reader of notebooks loads all that jsonschema can check; the grammar of international addresses, built
    # anew in each process, takes twice as long as the rest together, and no notebook has one. None: "not installed".
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    # The parent process hears Ctrl-C too and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    before = os.environ.get("JUPYTER_PATH", "")
    os.environ.update(
        JUPYTER_PATH=os.pathsep.join(p for p in (kernel_folder, before) if p),
        JUPYTER_RUNTIME_DIR=str(Path(kernel_folder) / "runtime"),
        # A user's IPython start-up files must not change a report.
        IPYTHONDIR=str(Path(kernel_folder) / "ipython"),
        PYTHONUTF8="1",
        PYTHONHASHSEED="0",
        OPENBLAS_NUM_THREADS="1",
        OMP_NUM_THREADS="1",
        PYDEVD_DISABLE_FILE_VALIDATION="1",
        MPLBACKEND="module://matplotlib_inline.backend_inline",
    )


def _end_with_parent() -> None:
    """Leave when the parent is gone, killed without a word perhaps: a worker must not go on writing for nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def run_job(job: Job) -> Outcome:
    """Run one notebook and settle its file: the executed notebook, or the partly executed one under ``failed``."""
    with tempfile.TemporaryDirectory(dir=job.work) as folder:
        target = Path(folder) / "executed.ipynb"
        error = _execute(job, target)
        for _ in range(_STARTS - 1):
            if not _never_started(error):
                break
            error = _execute(job, target)
        if error is not None and error[0] == "DeadKernelError":
            # nothing was saved: a second run either succeeds or leaves what was done up to the death
            error = _execute(job, target, every_cell=True)
        if not target.is_file():
            name, message = error if error else ("RuntimeError", "")
            return Outcome(None, name, message)
        return _settle(job, target, error)


def _execute(job: Job, target: Path, *, every_cell: bool = False) -> tuple[str, str] | None:
    """Run the notebook; ``every_cell`` saves it after each one, which takes longer than most cells run."""
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    try:
        papermill.execute_notebook(
            _literal(job.notebook),
            _literal(target),
            dict(job.parameters),
            kernel_name="python3",
            language="python",
            progress_bar=False,
            cwd=str(job.notebook.parent),
            # Without it ipykernel warns on every run that its local sockets are not encrypted.
            config=Config({"KernelManager": {"transport_encryption": "auto"}}),
            request_save_on_cell_execute=every_cell,
            autosave_cell_every=0,
            # Waiting for a polite end costs seconds and brings nothing: the outputs are here.
            shutdown_kernel="immediate",
        )
    except PapermillExecutionError as error:
        return error.ename, error.evalue
    except DeadKernelError:
        return "DeadKernelError", ""
    except Exception as error:  # noqa: BLE001 - told to the caller, who stops the run
        return type(error).__name__, str(error)
    return None


def _never_started(error: tuple[str, str] | None) -> bool:
    """Return whether the kernel ended before it could run anything, as when another program took its port first."""
    return error is not None and error[0] == "RuntimeError" and error[1].startswith(_NO_START)


def _literal(path: Path) -> str:
    """Papermill fills ``{name}`` in paths; a folder's braces are meant as they stand."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _settle(job: Job, target: Path, error: tuple[str, str] | None) -> Outcome:
    import nbformat

    notebook = nbformat.read(target, as_version=4)
    died = error is not None and error[0] == "DeadKernelError"
    unfinished = last_started_cell(notebook) if died else unfinished_cell(notebook)
    if error is None and unfinished is not None:
        error = _silent_error(notebook, unfinished)
    normalise(notebook, job.replacements)
    persons = person_rows(notebook, job.marks)
    if error is None and not persons:
        return _land(job, notebook, target.with_name(job.output.name))
    if persons:
        forget_outputs(notebook)
    kept = write_text(job.failed, nbformat.writes(notebook) + "\n")
    if error is None:
        return Outcome(None, "PersonRow", persons[0].reason, persons[0].cell, kept, person=True)
    message = "" if persons else replace_all(error[1], job.replacements)
    return Outcome(None, error[0], message, unfinished or 0, kept)


def _land(job: Job, notebook: Any, work: Path) -> Outcome:
    """Make what follows from the executed notebook, then put the notebook in place: it vouches for the other files."""
    import nbformat

    made: tuple[Path, ...] = ()
    told: tuple[SipasWarning, ...] = ()
    if job.finish is not None:
        work.write_text(nbformat.writes(notebook), encoding="utf-8")
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", SipasWarning)
                made = job.finish(work)
        except SipasError as error:
            return Outcome(None, type(error).__name__, refused=error)
        told = tuple(w.message for w in caught if isinstance(w.message, SipasWarning))
    if job.checksum:
        stamp(notebook, job.checksum, made, root=job.output.parents[1], study=job.study)
    written = write_text(job.output, nbformat.writes(notebook) + "\n")
    job.failed.unlink(missing_ok=True)
    return Outcome(written, told=told)


def _silent_error(notebook: Any, ordinal: int) -> tuple[str, str]:
    for output in code_cells(notebook)[ordinal - 1].get("outputs", ()):
        if output.output_type == "error":
            return output.ename, output.evalue
    return "RuntimeError", ""
