"""data/README.md names every data file, its kind and its checksum."""

import hashlib
import re

import pytest

from sipas_research import resources

FOLDER = resources.data()
ROW = re.compile(r"^\| `([^`]+)` \| (.+?) \| (.+?) \| (\S+) \| `([0-9a-f]{64})` \|$", flags=re.MULTILINE)
ROWS = {row[0]: row for row in ROW.findall((FOLDER / "README.md").read_text(encoding="utf-8"))}
FILES = sorted(
    path.relative_to(FOLDER).as_posix()
    for path in FOLDER.rglob("*")
    if path.is_file() and path != FOLDER / "README.md" and not path.name.startswith((".", "~$"))
)


def test_every_file_has_a_row_and_every_row_a_file():
    assert sorted(ROWS) == FILES


@pytest.mark.parametrize("name", FILES)
def test_checksum_and_kind(name):
    assert name in ROWS
    _, content, source, kind, checksum = ROWS[name]
    raw = (FOLDER / name).read_bytes()
    # A checkout on Windows may turn line ends; the checksum is taken with LF.
    plain = raw if name.endswith(".sav") else raw.replace(b"\r\n", b"\n")
    assert hashlib.sha256(plain).hexdigest() == checksum, f"data/README.md: new sha256 of {name}"
    assert kind in {"real", "published", "simulated", "–"}
    assert content
    assert source
    assert (kind == "simulated") == name.startswith("twin/")
