"""The command ``sipas``: options, messages, exit codes. What the commands do lives in ``sipas_research.study``."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sipas_research import __version__
from sipas_research.errors import SipasError, SipasWarning, UsageError
from sipas_research.wording import LANGUAGES, both, text

if TYPE_CHECKING:
    from sipas_research.study.study import Study

EXIT_DONE, EXIT_RUN_FAILED, EXIT_INTERRUPTED = 0, 3, 130
_COMMANDS = ("new", "check", "report", "scorecards", "framework", "publish", "claim", "twin")


class _Parser(argparse.ArgumentParser):
    """Refuses a wrong command line in both languages."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving."""
        raise UsageError("cli.wrong_command", message=message, command=f"{self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0 done, 1 the input was refused, 2 the command line was wrong, 3 a run failed (130: stopped by the user).
    """
    _speak_utf8()
    try:
        options = _parser().parse_args(arguments)
        if options.command is None:
            _say(both("cli.short_help"))
            return EXIT_DONE
        with warnings.catch_warnings():
            _tell_warnings()
            return _timed(options)
    except SipasError as error:
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        _complain(both("cli.stopped"))
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # the reader of our output left, as `| more` does when it is closed; there is nobody to tell
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - held until the process ends
        return EXIT_DONE
    except Exception as error:  # noqa: BLE001 - the last net: a sentence instead of a traceback with data in it
        _complain(both("cli.unexpected", error=type(error).__name__, place=_place(error), version=__version__))
        return EXIT_RUN_FAILED


def _timed(options: argparse.Namespace) -> int:
    start = time.perf_counter()
    code = _RUN[options.command](options)
    if options.timings:
        seconds = int(time.perf_counter() - start + 0.5)
        _complain(both("cli.elapsed", seconds=seconds))
    return code


def _speak_utf8() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")


def _tell_warnings() -> None:
    def show(message: Warning | str, *_: object, **__: object) -> None:
        _complain(str(message))

    # Other libraries' warnings speak to programmers and may hold values.
    warnings.simplefilter("ignore")
    warnings.simplefilter("always", SipasWarning)
    warnings.showwarning = show


def _say(content: str) -> None:
    print(content, flush=True)


def _complain(content: str) -> None:
    print(content, file=sys.stderr, flush=True)


def _place(error: BaseException) -> str:
    """Return module and line of our code where the error arose: never the message, which may hold data."""
    own = [f for f in traceback.extract_tb(error.__traceback__) if "sipas_research" in Path(f.filename).parts]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "?"


def _help(key: str) -> str:
    return " / ".join(text(f"cli.help.{key}", language) for language in LANGUAGES).replace("%", "%%")


def _parser() -> argparse.ArgumentParser:
    from sipas_research.study import claim_command

    common = _common()
    parser = _Parser(
        prog="sipas", description=both("cli.help.sipas"), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"sipas_research {__version__}", help=_help("version"))
    commands = parser.add_subparsers(dest="command", metavar="|".join(_COMMANDS))

    def add(name: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            parents=[common],
            help=_help(name),
            description=both(f"cli.help.{name}"),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    new = add("new")
    new.add_argument("folder", type=Path, help=_help("folder"))
    new.add_argument("--from", dest="source", type=Path, metavar="FILE", help=_help("from"))
    new.add_argument("--sheet", default="", metavar="NAME", help=_help("sheet"))
    new.add_argument("--form", choices=("citizens", "staff"), default="", help=_help("form"))
    check = add("check")
    check.add_argument("file", nargs="?", type=Path, help=_help("file"))
    check.add_argument("--form", default="", help=_help("check_form"))
    check.add_argument("--sheet", default="", metavar="NAME", help=_help("sheet"))
    report = add("report")
    report.add_argument("--plan", action="store_true", help=_help("plan"))
    report.add_argument("--papi", type=Path, metavar="FILE", help=_help("papi"))
    add("scorecards").add_argument("--agency", nargs="+", action="extend", metavar="CODE", help=_help("agency"))
    add("framework").add_argument(
        "--level", nargs="+", action="extend", choices=("department", "district", "commune"), help=_help("level")
    )
    add("publish")
    claim_command.add_options(add("claim"))
    add("twin").add_argument("--seed", type=int, help=_help("seed"))
    return parser


def _common() -> _Parser:
    common = _Parser(add_help=False)
    common.add_argument("--study", default="", metavar="PATH", help=_help("study"))
    common.add_argument("--language", choices=(*LANGUAGES, "both"), help=_help("language"))
    common.add_argument("--out", type=Path, metavar="FOLDER", help=_help("out"))
    common.add_argument("--quiet", action="store_true", help=_help("quiet"))
    common.add_argument("--resume", action="store_true", help=_help("resume"))
    common.add_argument("--timings", action="store_true", help=_help("timings"))
    return common


def _spoken(options: argparse.Namespace) -> tuple[str, ...]:
    """Languages of messages: both, unless one was asked for."""
    return (options.language,) if options.language in LANGUAGES else LANGUAGES


def _tell(options: argparse.Namespace, key: str, **fields: object) -> None:
    if not options.quiet:
        for language in _spoken(options):
            _say(text(key, language, **fields))


def _new(options: argparse.Namespace) -> int:
    from sipas_research.study.new_folder import make_folder

    made = make_folder(options.folder, options.source, form=options.form, sheet=options.sheet)
    for language in _spoken(options):
        _say(text("cli.new.made", language, folder=made.folder.name, n=len(made.files)))
        for key, fields in made.messages:
            _say("- " + text(key, language, **dict(fields)))
        _say(text("cli.new.next", language, folder=made.folder.name))
    return EXIT_DONE


def _check(options: argparse.Namespace) -> int:
    from sipas_research.study.check import run_check

    results = run_check(options.study, options.file, form=options.form, sheet=options.sheet, out=options.out)
    # The list is printed once, in Vietnamese unless another language is asked for; the files hold both.
    language = options.language if options.language in LANGUAGES else LANGUAGES[0]
    for result in results:
        _say(result.summary(language))
        names = ", ".join(f"{path.parent.name}/{path.name}" for path in result.files)
        _tell(options, "cli.check.written", files=names)
    return EXIT_DONE if all(r.accepted for r in results) else 1


def _report(options: argparse.Namespace) -> int:
    from sipas_research.study.report import check_study, languages, make_report, plan_report

    for study, papi in _reported(options):
        _notes(options, study)
        out = options.out or study.output
        if options.plan:
            plan = plan_report(study, check_study(study, out), languages(study, options.language), out, papi=papi)
            for language in _spoken(options):
                _say(plan.summary(language))
        else:
            made = make_report(
                study, language=options.language, out=options.out, papi=papi, quiet=options.quiet, resume=options.resume
            )
            _finish(options, made, out)
    return EXIT_DONE


def _reported(options: argparse.Namespace) -> list[tuple[Study, Path | None]]:
    """Studies that ``sipas report`` is about, each with its PAPI file.

    Outside a study folder these are the packaged ones: the simulated province, and Lạng Sơn's published figures
    in a report of its own, for the two never stand in one document.
    """
    from sipas_research import resources
    from sipas_research.study.place import find_own_study
    from sipas_research.study.study import load_study

    if options.study or find_own_study() is not None or options.out:
        return [(load_study(options.study), options.papi)]
    province = load_study(resources.data("lang_son", "study.toml"))
    return [(load_study(), None), (province, options.papi)]


def _loaded(options: argparse.Namespace) -> Study:
    """Return the study that a command is about, after telling what must be known of it."""
    from sipas_research.study.study import load_study

    study = load_study(options.study)
    _notes(options, study)
    return study


def _scorecards(options: argparse.Namespace) -> int:
    from sipas_research.study.scorecard_run import make_scorecards

    study = _loaded(options)
    made = make_scorecards(study, agencies=options.agency, resume=options.resume, **_chosen(options))
    return _finish(options, made, options.out or study.output)


def _framework(options: argparse.Namespace) -> int:
    from sipas_research.study.framework_document import make_framework_documents

    study = _loaded(options)
    made = make_framework_documents(study, options.level, resume=options.resume, **_chosen(options))
    return _finish(options, made, options.out or study.output)


def _publish(options: argparse.Namespace) -> int:
    from sipas_research.study.public_pack import make_public_pack

    study = _loaded(options)
    made = make_public_pack(study, **_chosen(options))
    return _finish(options, made, options.out or study.output)


def _chosen(options: argparse.Namespace) -> dict[str, Any]:
    """Return what every command that writes documents takes: language, folder, whether to show progress."""
    return {"language": options.language, "out": options.out, "quiet": options.quiet}


def _claim(options: argparse.Namespace) -> int:
    from sipas_research.study.claim_command import run

    _say(run(options))
    return EXIT_DONE


def _twin(options: argparse.Namespace) -> int:
    from sipas_research import resources
    from sipas_research.survey.twin import SEED, write_twin

    checkout = resources.data("twin") if resources.is_checkout() else Path.cwd() / "twin"
    out = options.out or checkout
    _tell(options, "cli.twin.making")
    made = write_twin(out, seed=SEED if options.seed is None else options.seed)
    return _finish(options, made, out)


def _notes(options: argparse.Namespace, study: object) -> None:
    for note in getattr(study, "notes", ()):
        for language in _spoken(options):
            _complain(note.text(language))
    _tell(options, "cli.study", title=study.title, kind=_kind(study))  # type: ignore[attr-defined]


def _kind(study: object) -> object:
    from sipas_research.wording import Bilingual

    kind = study.data_kind.value  # type: ignore[attr-defined]
    return Bilingual(*(text(f"common.kind.{kind}", language) for language in LANGUAGES))


def _finish(options: argparse.Namespace, made: Sequence[Path], out: Path) -> int:
    from sipas_research.study.outputs import list_files

    _say(list_files(made, out, _spoken(options)[0]))
    return EXIT_DONE


_RUN: dict[str, Callable[[argparse.Namespace], int]] = {
    "new": _new,
    "check": _check,
    "report": _report,
    "scorecards": _scorecards,
    "framework": _framework,
    "publish": _publish,
    "claim": _claim,
    "twin": _twin,
}

if __name__ == "__main__":
    sys.exit(main())
