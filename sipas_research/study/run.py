"""Running a plan: two notebooks at a time, each in a process of its own; one failure ends the run."""

from __future__ import annotations

import json
import multiprocessing
import sys
import tempfile
import types
import warnings
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sipas_research import resources
from sipas_research.errors import RunError, SipasError
from sipas_research.study.notebook_check import PersonMarks
from sipas_research.study.plan import RUNS_FOLDER, Plan, Step, validate
from sipas_research.study.resume import files_of, is_current, step_checksum
from sipas_research.study.worker import Job, Outcome, prepare, run_job
from sipas_research.wording import text

if TYPE_CHECKING:
    from sipas_research.survey.responses import Responses

PROCESSES = 2
_LONGEST_MESSAGE = 1500
_SHORTEST_PATH = 4


def execute(
    plan: Plan,
    *,
    marks: PersonMarks | None = None,
    folder: Path | None = None,
    quiet: bool = False,
    inputs: str = "",
    resume: bool = False,
) -> tuple[Path, ...]:
    """Run every step of a valid plan.

    Parameters
    ----------
    plan : Plan
    marks : PersonMarks
        What would give a person away in an output; see :func:`person_marks`.
    folder : Path
        Study folder, whose absolute path is taken out of the executed notebooks.
    quiet : bool
        No progress bar.
    inputs : str
        Checksum of the study's inputs (:func:`sipas_research.study.resume.input_checksum`).
    resume : bool
        Keep executed notebooks that were made from the same inputs and run only the others.

    Returns
    -------
    tuple of Path
        Executed notebooks, in the plan's order.

    Raises
    ------
    RunError
        If the plan is not valid, or a run fails: the message names notebook, cell, error and the partly
        executed notebook.
    """
    validate(plan)
    sums = [step_checksum(step, inputs) if inputs else "" for step in plan.steps]
    kept = {n for n, step in enumerate(plan.steps) if resume and sums[n] and _stands(step, sums[n])}
    open_steps = [n for n in range(len(plan.steps)) if n not in kept]
    remaining = Plan(tuple(plan.steps[n] for n in open_steps))
    with tempfile.TemporaryDirectory(prefix="sipas_") as kernel:
        jobs = [_job(plan.steps[n], Path(kernel), marks or PersonMarks(), folder, sums[n], inputs) for n in open_steps]
        _write_kernel(Path(kernel))
        with _pool(kernel, len(jobs)) as pool:
            outcomes = _drain(pool, remaining, jobs, quiet=quiet)
    landed = {n: _landed(plan.steps[n], outcomes[place]) for place, n in enumerate(open_steps)}
    return tuple(landed.get(n, step.output) for n, step in enumerate(plan.steps))


def _stands(step: Step, checksum: str) -> bool:
    """True where an earlier run left the step's notebook, and the files made from it, as this one would make them."""
    return is_current(step.output, checksum) and (step.finish is None or bool(files_of(step.output)))


def person_marks(*surveys: Responses) -> PersonMarks:
    """Return what would give a person of these surveys away: ids and collectors' codes."""
    values: set[str] = set()
    questions: set[str] = set()
    for responses in surveys:
        questions |= {q.id for q in responses.questionnaire.items()}
        for column in ("respondent_id", "collector"):
            if column in responses.frame:
                values |= {str(v) for v in responses.frame[column].dropna().unique()}
    return PersonMarks(frozenset(values), frozenset(questions))


def _job(step: Step, work: Path, marks: PersonMarks, folder: Path | None, checksum: str, study: str) -> Job:
    replacements = {
        **{v: Path(v).name for _, v in step.parameters if isinstance(v, str) and Path(v).is_absolute()},
        **({f"{folder.parent}{sep}": "" for sep in "/\\"} if folder else {}),
        **{f"{resources.root()}{sep}": "" for sep in "/\\"},
        sys.prefix: "python",
        str(Path.home()): "~",
        tempfile.gettempdir(): "temp",
    }
    pairs = tuple((old, new) for old, new in replacements.items() if len(old) >= _SHORTEST_PATH)
    paths = (step.output, step.failed, work)
    return Job(step.notebook, step.parameters, *paths, pairs, marks, checksum, step.finish, study)


def _write_kernel(folder: Path) -> None:
    """Describe this interpreter as kernel "python3": another one may be installed under that name."""
    from ipykernel.kernelspec import get_kernel_dict

    place = folder / "kernels" / "python3"
    place.mkdir(parents=True)
    # The rest of the description says what this version of ipykernel can do, encryption among others.
    spec = get_kernel_dict()
    spec["argv"][0] = sys.executable
    (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


@contextmanager
def _pool(kernel: str, jobs: int) -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("spawn")
    size = max(1, min(PROCESSES, jobs))
    pool = ProcessPoolExecutor(size, mp_context=context, initializer=prepare, initargs=(kernel,))
    try:
        yield pool
    except KeyboardInterrupt:
        # The user wants an end now, not when the running notebooks are through; kernels end with their parent.
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the main module while workers start: a spawned process would run a script without a guard again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _drain(pool: ProcessPoolExecutor, plan: Plan, jobs: list[Job], *, quiet: bool) -> dict[int, Outcome]:
    from tqdm import tqdm

    with _without_main():
        running: dict[Future[Outcome], int] = {pool.submit(run_job, job): n for n, job in enumerate(jobs)}
    outcomes: dict[int, Outcome] = {}
    unit = text("run.progress.unit", "vi")
    with tqdm(total=len(jobs), disable=quiet, file=sys.stderr, unit=unit, dynamic_ncols=True) as bar:
        bar.set_description_str(plan.steps[0].label if jobs else "")
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                number = running.pop(future)
                outcomes[number] = _result(future, plan.steps[number])
                bar.update()
                bar.set_description_str(plan.steps[number].label)
                for warning in outcomes[number].told:
                    warnings.warn(warning, stacklevel=4)
                if outcomes[number].error:
                    for other in running:
                        other.cancel()
                    raise _run_error(plan.steps[number], outcomes[number])
    return outcomes


def _result(future: Future[Outcome], step: Step) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise RunError("run.process_died", notebook=step.notebook.name, language=step.language) from error


def _run_error(step: Step, outcome: Outcome) -> SipasError:
    if outcome.refused is not None:
        return outcome.refused
    kept = f"{RUNS_FOLDER}/{outcome.kept.name}" if outcome.kept else ""
    place: dict[str, Any] = {"notebook": step.notebook.name, "cell": str(outcome.cell), "kept": kept}
    if outcome.person:
        return RunError("run.person_row", **place)
    if outcome.error == "DeadKernelError":
        return RunError("run.dead_kernel", **place)
    if outcome.error == "SystemExit":
        return RunError("run.system_exit", **place)
    message = " ".join(outcome.message.split("\n"))[:_LONGEST_MESSAGE]
    key = "run.failed_cell" if outcome.cell else "run.not_started"
    return RunError(key, error=f"{outcome.error}: {message}".rstrip(": "), **place)


def _landed(step: Step, outcome: Outcome) -> Path:
    if outcome.output is None:
        raise RunError("run.no_output", notebook=step.notebook.name)
    return outcome.output
