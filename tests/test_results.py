"""What is mixed counts as its weakest part."""

import pytest

from sipas_research.results import DataKind, weakest


def test_weakest():
    assert weakest([DataKind.REAL, DataKind.SIMULATED, DataKind.USER]) is DataKind.SIMULATED
    assert weakest([DataKind.REAL, DataKind.PUBLISHED]) is DataKind.PUBLISHED
    assert weakest([DataKind.PUBLISHED, DataKind.USER]) is DataKind.USER
    assert weakest([DataKind.REAL]) is DataKind.REAL


def test_weakest_of_nothing():
    with pytest.raises(ValueError, match="empty"):
        weakest([])
