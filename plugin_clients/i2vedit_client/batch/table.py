"""A table of shots, as spreadsheets of any country write it."""

import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

from i2vedit_client.counting import counted
from i2vedit_client.errors import BadInput

DELIMITERS = ",;\t"
SEVERAL = "|"
"""Between the values of one cell."""


@dataclass(frozen=True)
class Line:
    """A shot as its file has it."""

    number: int
    """Of the row as a spreadsheet counts it, or of the clip in its timeline."""
    values: dict[str, str]
    """By option, without dashes. An empty one is left out."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row, and what to do."""

    row: int
    sentence: str


@dataclass
class Table:
    """The rows of a file; what is wrong with them is gathered."""

    columns: list[str]
    delimiter: str
    lines: list[Line] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_table(path: Path) -> Table:
    """Raises BadInput for what is no table at all."""
    text = _text(path)
    told = re.match(r"sep=(.)\r?\n", text)  # so Excel writes down its delimiter
    body = text[told.end() :] if told else text
    first_line = body.lstrip("\r\n").partition("\n")[0]
    delimiter = told[1] if told else max(DELIMITERS, key=first_line.count)
    try:
        rows = list(csv.reader(body.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise BadInput(f"{path.name} is no table that can be read ({error}). Save it as CSV again.") from error
    before = 1 if told else 0
    numbered = [(number + before, row) for number, row in enumerate(rows, start=1) if any(cell.strip() for cell in row)]
    if not numbered:
        raise BadInput(f"{path.name} is empty. Its first row names the columns: clip, edited, out, ...")
    table = Table([_column(name) for name in numbered[0][1]], delimiter)
    for number, row in numbered[1:]:
        _take(table, number, row)
    return table


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}). Name the table of shots.") from error
    encodings = ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadInput(f"{path.name} is no text. Save it as CSV, best in UTF-8.")


def _column(name: str) -> str:
    """`--Lora_Steps ` and `lora steps` mean `lora-steps`."""
    return re.sub(r"[\s_]+", "-", name.strip().lower().lstrip("-"))


def _take(table: Table, number: int, row: list[str]) -> None:
    if any(cell.strip() for cell in row[len(table.columns) :]):
        values = f"{counted(len(row), 'value')} for {counted(len(table.columns), 'column')}"
        sentence = f"It has {values}. Put a value that holds the delimiter in quotes."
        table.problems.append(Problem(number, sentence))
        return
    cells = zip(table.columns, row, strict=False)
    table.lines.append(Line(number, {name: cell.strip() for name, cell in cells if name and cell.strip()}))
