"""Where a study lies: the names of its files, and the search for its study.toml."""

from __future__ import annotations

from pathlib import Path

from sipas_research import resources
from sipas_research.errors import StudyError
from sipas_research.framework.file_names import ACTIONS_FILE, FILE_NAMES, FRAME_FILE, REGISTER_FILE

STUDY_FILE = "study.toml"
QUESTIONNAIRE_FILE = "cau_hoi.xlsx"
COLUMNS_FILE = "cot_du_lieu.xlsx"
AGENCIES_FILE = "don_vi.xlsx"
#: Workbooks that a study folder may hold in the place of packaged content.
OWN_WORKBOOKS = (
    QUESTIONNAIRE_FILE,
    COLUMNS_FILE,
    AGENCIES_FILE,
    *FILE_NAMES.values(),
    ACTIONS_FILE,
    REGISTER_FILE,
    FRAME_FILE,
)
_PARENTS = 3


def find_study(path: str | Path = "") -> Path:
    """Return the study.toml meant by ``path``.

    An empty path means the current folder, then up to three parents, then the packaged simulated province.

    Raises
    ------
    StudyError
        If ``path`` names nothing, or a folder without study.toml.
    """
    if str(path):
        wanted = Path(path).expanduser()
        if wanted.is_dir():
            if not (wanted / STUDY_FILE).is_file():
                _refuse_lost_file(wanted)
                raise StudyError("study.folder_without_file", folder=wanted.name or str(path))
            return (wanted / STUDY_FILE).resolve()
        if not wanted.is_file():
            raise StudyError("study.not_found", path=str(path))
        return wanted.resolve()
    return find_own_study() or resources.data("twin", STUDY_FILE)


def find_own_study() -> Path | None:
    """Return the study.toml of the current folder or of up to three parents, None where there is none.

    Raises
    ------
    StudyError
        If the current folder has other files of a study but no study.toml.
    """
    here = Path.cwd()
    for folder in (here, *here.parents[:_PARENTS]):
        if (folder / STUDY_FILE).is_file():
            return (folder / STUDY_FILE).resolve()
    _refuse_lost_file(here)
    return None


def _refuse_lost_file(folder: Path) -> None:
    """Stop where study.toml was renamed or deleted: the simulated province must not take the study's place."""
    traces = (f"{STUDY_FILE}.txt", QUESTIONNAIRE_FILE, COLUMNS_FILE, AGENCIES_FILE)
    found = [name for name in traces if (folder / name).is_file()]
    if found:
        raise StudyError("study.file_lost", folder=folder.resolve().name, names=", ".join(found))
