"""Where moments of many rows come from: text files, Parquet, databases, blocks that a user yields."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
import pandas as pd

from sipas_research.errors import AnalysisError, DataFileError, OptionError
from sipas_research.results import DataKind
from sipas_research.survey.raw_table import SIMULATED_COLUMN

if TYPE_CHECKING:
    from sipas_research.sem.moment_streams import Blocks, Reading
    from sipas_research.sem.moments import Moments

#: Rows of one block: with a hundred columns 80 MB.
ROWS = 100_000
#: Signs between columns: a lone name in a heading that holds one was not taken apart.
_SIGNS = ",;\t|"


class MomentSources:
    """The sources of :class:`.moments.Moments` beside a matrix; each makes one pass, block by block.

    All take ``names`` (the variables; by default every column of numbers), ``group`` (column of the group; then a
    dictionary of moments by label is returned), ``missing`` (codes that stand for no answer) and ``data_kind``. Rows
    with a missing value in a variable are left out with a warning. Robust errors go over the source again.
    """

    __slots__ = ()

    @classmethod
    def from_csv(
        cls, path: str | Path, names: Sequence[str] | None = None, *, group: str | None = None,
        missing: Sequence[float] = (), separator: str = ",", decimal: str = ".", encoding: str = "utf-8-sig",
        data_kind: DataKind = DataKind.USER,
    ) -> Moments | dict[str, Moments]:  # fmt: skip
        """Return the moments of a delimited text file that need not fit into memory.

        Raises
        ------
        DataFileError
            If the file is not there or cannot be read as such.
        AnalysisError, OptionError
            As :func:`.moment_streams.moments_of_blocks`.
        """
        from sipas_research.sem.moment_streams import moments_of_blocks, reading_of

        reading = reading_of(names, group, missing, data_kind)
        blocks = csv_blocks(path, reading, separator=separator, decimal=decimal, encoding=encoding)
        return moments_of_blocks(blocks, reading, again=True)

    @classmethod
    def from_parquet(
        cls, path: str | Path, names: Sequence[str] | None = None, *, group: str | None = None,
        missing: Sequence[float] = (), data_kind: DataKind = DataKind.USER,
    ) -> Moments | dict[str, Moments]:  # fmt: skip
        """Return the moments of a Parquet file that need not fit into memory; errors as :meth:`from_csv`."""
        from sipas_research.sem.moment_streams import moments_of_blocks, reading_of

        reading = reading_of(names, group, missing, data_kind)
        return moments_of_blocks(parquet_blocks(path, reading), reading, again=True)

    @classmethod
    def from_query(
        cls, connection: Any, query: str, names: Sequence[str] | None = None, *, group: str | None = None,
        missing: Sequence[float] = (), data_kind: DataKind = DataKind.USER,
    ) -> Moments | dict[str, Moments]:  # fmt: skip
        """Return the moments of a query's answer: DuckDB, or any connection of Python's database interface.

        The connection must stay open, and the query give the same rows, for as long as robust errors are asked for.
        """
        from sipas_research.sem.moment_streams import moments_of_blocks, reading_of

        reading = reading_of(names, group, missing, data_kind)
        return moments_of_blocks(query_blocks(connection, query), reading, again=True)

    @classmethod
    def from_blocks(
        cls, blocks: Callable[[], Iterable[Any]] | Iterable[Any], names: Sequence[str] | None = None, *,
        group: str | None = None, missing: Sequence[float] = (), data_kind: DataKind = DataKind.USER,
    ) -> Moments | dict[str, Moments]:  # fmt: skip
        """Return the moments of blocks of rows: data frames, or arrays with columns in the order of ``names``.

        A function that yields the blocks, a list or a tuple can be gone over again for robust errors; an iterator
        cannot, and serves ML, GLS and ULS.
        """
        from sipas_research.sem.moment_streams import moments_of_blocks, reading_of

        reading = reading_of(names, group, missing, data_kind)
        found, again = given_blocks(blocks, reading.names)
        return moments_of_blocks(found, reading, again=again)


def csv_blocks(path: str | Path, reading: Reading, *, separator: str, decimal: str, encoding: str) -> Blocks:
    """Return the pass over a delimited text file.

    Raises
    ------
    OptionError
        If the separator is not one character.
    DataFileError
        If the file is not there, cannot be read as such, or a line holds more cells than the heading.
    """
    from sipas_research.sem.moment_streams import own_name

    place = _file(path)
    if not isinstance(separator, str) or len(separator) != 1:
        raise OptionError("moment_streams.error.separator", received=repr(separator))

    def blocks() -> Iterator[pd.DataFrame]:
        try:
            with place.open(encoding=encoding, newline="") as handle:
                head = _heading(handle, separator, place)
                wanted = _wanted(head, reading) or [name for name in head if name.strip()]
                beyond = str(len(head))  # pandas would move or drop what a line holds beyond the heading
                numbers = [str(head.index(name)) for name in wanted]
                types = {str(head.index(name)): "category" for name in head if name == SIMULATED_COLUMN}
                if reading.group is not None:  # as text: a block of digits alone would read 01 as another group, 1
                    types[str(head.index(own_name(head, reading.group)))] = "str"
                heading = separator.join(map(str, range(len(head) + 1))) + "\n"
                for block in pd.read_csv(
                    _Headed(handle, [heading]), sep=separator, decimal=decimal, chunksize=ROWS, index_col=False,
                    usecols=[*numbers, beyond], dtype=types,
                ):  # fmt: skip
                    if block.pop(beyond).notna().any():
                        raise DataFileError("moment_streams.error.long_lines", file=place.name)
                    yield block.set_axis([head[int(number)] for number in block.columns], axis=1)
        except (csv.Error, ValueError, LookupError, OSError) as error:
            raise DataFileError("moment_streams.error.not_read", file=place.name) from error

    return blocks


@dataclass(frozen=True, slots=True)
class _Headed:
    """An open file whose heading has been read, under another heading."""

    handle: TextIO
    heading: list[str]

    def read(self, size: int = -1) -> str:
        return self.heading.pop() if self.heading else self.handle.read(size)

    def __iter__(self) -> Iterator[str]:
        return iter(self.handle)


def _heading(handle: TextIO, separator: str, place: Path) -> list[str]:
    """Return the names in the first line that is not empty."""
    names = next((line for line in csv.reader(handle, delimiter=separator) if any(line)), None)
    if names is None:
        raise DataFileError("moment_streams.error.no_heading", file=place.name)
    if len(names) == 1 and any(sign in names[0] for sign in _SIGNS):
        raise DataFileError("moment_streams.error.one_column", file=place.name, received=repr(separator))
    doubled = [name for name in dict.fromkeys(names) if name.strip() and names.count(name) > 1]
    if doubled:
        raise AnalysisError("sem.error.duplicate_columns", names=", ".join(doubled))
    return names


def _wanted(head: Sequence[str], reading: Reading) -> list[str] | None:
    """Return the columns to read: those asked for and the mark of simulated data; None: all."""
    from sipas_research.sem.moment_streams import own_name

    if not reading.names:
        return None
    found = [own_name(head, name) for name in (*reading.names, *([reading.group] if reading.group else []))]
    return [*dict.fromkeys(found), *([SIMULATED_COLUMN] if SIMULATED_COLUMN in head else [])]


def parquet_blocks(path: str | Path, reading: Reading) -> Blocks:
    """Return the pass over a Parquet file.

    Raises
    ------
    DataFileError
        If the file is not there or cannot be read as such.
    """
    place = _file(path)

    def blocks() -> Iterator[pd.DataFrame]:
        import polars as pl

        try:
            table = pl.scan_parquet(place)
            head = table.collect_schema().names()
            wanted = _wanted(head, reading)
            table = table if wanted is None else table.select(wanted)
            size = int(table.select(pl.len()).collect().item())
            for start in range(0, size, ROWS):
                part = table.slice(start, ROWS).collect()
                yield pd.DataFrame({name: part[name].to_numpy() for name in part.columns}, copy=False)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataFileError("moment_streams.error.not_read", file=place.name) from error

    return blocks


def _file(path: str | Path) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise OptionError("moment_streams.error.path", received=type(path).__name__)
    place = Path(path)
    if not place.is_file():
        raise DataFileError("moment_streams.error.no_file", file=place.name)
    return place


def query_blocks(connection: Any, query: str) -> Blocks:
    """Return the pass over the answer to a query of a database.

    Parameters
    ----------
    connection
        An open connection with ``execute``: DuckDB, or one of Python's database interface (PEP 249) such as sqlite3.
    query : str
        SQL; the same query must give the same rows each time.

    Raises
    ------
    OptionError
        If ``connection`` cannot execute a query.
    """
    if not callable(getattr(connection, "execute", None)) or not isinstance(query, str):
        raise OptionError("moment_streams.error.connection", received=type(connection).__name__)

    def blocks() -> Iterator[pd.DataFrame]:
        try:
            answer = connection.execute(query)
        except Exception as error:  # every driver has errors of its own
            raise AnalysisError("moment_streams.error.query", reason=str(error).strip()) from error
        if callable(getattr(answer, "fetch_df_chunk", None)):  # DuckDB hands over columns: 2,048 rows a vector
            while len(block := answer.fetch_df_chunk(max(ROWS // 2048, 1))):
                yield block
            return
        names = [column[0] for column in answer.description or ()]
        while rows := answer.fetchmany(max(ROWS // 10, 1)):
            yield pd.DataFrame.from_records(rows, columns=names)

    return blocks


def given_blocks(source: Callable[[], Iterable[Any]] | Iterable[Any], names: Sequence[str]) -> tuple[Blocks, bool]:
    """Return the pass over blocks that a user yields, and whether it can be made again.

    Parameters
    ----------
    source : callable or iterable
        Data frames, or (k, p) arrays with columns in the order of ``names``. A callable, a list or a tuple can be
        gone over again; an iterator cannot.
    names : sequence of str
        Names of the columns of arrays.

    Raises
    ------
    OptionError
        If ``source`` is neither, or a block has another shape.
    """
    again = callable(source) or isinstance(source, list | tuple)
    if not callable(source) and (not isinstance(source, Iterable) or isinstance(source, str | pd.DataFrame | Mapping)):
        raise OptionError("moment_streams.error.blocks", received=type(source).__name__)

    def blocks() -> Iterator[pd.DataFrame]:
        found = source() if callable(source) else source
        if not isinstance(found, Iterable):
            raise OptionError("moment_streams.error.blocks", received=type(found).__name__)
        for block in found:
            if isinstance(block, pd.DataFrame):
                yield block
                continue
            values = np.asarray(block)
            if values.ndim != 2 or values.shape[1] != len(names):
                raise OptionError("sem.error.rows_block", shape=str(values.shape), variables=len(names))
            yield pd.DataFrame(values, columns=list(names), copy=False)

    return blocks, again
