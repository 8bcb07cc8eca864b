"""A report opened in a real browser: no request leaves the page, nothing is written to the console."""

import shutil
import subprocess
import tempfile

import pytest

from sipas_research.report import Chapter, Column, Document, Finding, Table, write_documents
from sipas_research.results import DataKind

BROWSER = next((b for b in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if b), None)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --enable-logging=stderr --v=0"
).split()

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: the page was not opened in a browser"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    table = Table(
        "tbl-thu",
        "Chỉ số hài lòng",
        (Column("component", "Thành phần"), Column("estimate", "Chỉ số", "percent")),
        (("Tiếp cận dịch vụ", 0.8707),),
        language="vi",
        data_kind=DataKind.SIMULATED,
        n=400,
    )
    finding = Finding("index-main", "Chỉ số hài lòng: 87,07%", "vi", DataKind.SIMULATED, role="main")
    text = "# Chỉ số\n\nTỷ lệ $p = \\frac{a}{b}$, xem @tbl-thu."
    document = Document(
        title="Báo cáo thử",
        subtitle="",
        place="Tỉnh Mô phỏng",
        language="vi",
        data_kind=DataKind.SIMULATED,
        front_markdown="Trang đầu",
        chapters=(Chapter("thu", "vi", (text, table, finding)),),
    )
    folder = tmp_path_factory.mktemp("Khảo sát năm 2025")
    return write_documents(document, folder, "bao_cao", formats=("html",))[0]


def run(page, *flags):
    with tempfile.TemporaryDirectory() as profile:
        command = [BROWSER, *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)


def test_the_page_shows_its_table_and_mark(page):
    shown = run(page, "--dump-dom").stdout
    assert "87,07%" in shown
    assert "DỮ LIỆU MÔ PHỎNG" in shown
    assert 'href="#tbl-thu"' in shown
    assert "<math" in shown


def test_the_console_stays_silent_and_nothing_is_asked_of_the_network(page):
    # every look-up of a name would fail loudly
    done = run(page, "--dump-dom", "--host-resolver-rules=MAP * ~NOTFOUND")
    assert "CONSOLE" not in done.stderr
    assert "ERR_NAME_NOT_RESOLVED" not in done.stderr
