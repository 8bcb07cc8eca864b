"""For all tests: the long files come first, and a command that is killed at a moment named by what it has done."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import pytest

#: A command is killed no sooner: by then it has begun to load and read.
_AT_LEAST = 1.0
_AT_MOST = 300.0

# Six thousand tests are a heap that is searched for garbage again and again while it grows: search it less often.
gc.set_threshold(20_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first: the others then fill the workers that are done with theirs."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def kill_when() -> Callable[[Sequence[str], Callable[[], bool]], None]:
    """Return a function that starts a command and kills it, still at work, as soon as something has happened."""

    def run(command: Sequence[str], happened: Callable[[], bool]) -> None:
        begin = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while time.monotonic() - begin < _AT_LEAST or not happened():
                assert process.poll() is None, "the command ended before the moment came"
                assert time.monotonic() - begin < _AT_MOST, "the moment never came"
                time.sleep(0.02)
            assert process.poll() is None, "the command ended before it could be killed"
            process.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)

    return run
