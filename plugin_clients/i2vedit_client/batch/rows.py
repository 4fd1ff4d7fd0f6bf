"""From what a row says to the options of `i2vedit propagate`: each column is one of them, and is read as that reads it."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from i2vedit_client.batch.table import SEVERAL, Line, Problem
from i2vedit_client.commands.options import shot_options
from i2vedit_client.errors import BadInput
from i2vedit_client.spec import MODEL_NAMES, PropagateOptions

FILES = ("clip", "edited", "region", "out", "pinned-from")
YES, NO = ("yes", "true", "1", "x", "on"), ("no", "false", "0", "off")


@click.command("row")
@click.option("--clip", required=True)
@shot_options
def _propagate(clip: str, options: PropagateOptions, handles: int) -> tuple[PropagateOptions, int]:
    """A row as if it were typed."""
    return replace(options, clip=clip), handles


_OPTIONS: dict[str, click.Option] = {
    param.opts[0].removeprefix("--"): param for param in _propagate.params if isinstance(param, click.Option) and not param.is_eager
}
COLUMNS = tuple(_OPTIONS)


@dataclass(frozen=True)
class Row:
    """A shot that is to be propagated."""

    number: int
    options: PropagateOptions
    handles: int


def unknown_columns(columns: Iterable[str]) -> list[str]:
    """A sentence for each column that no option has, or that is there twice."""
    named = [column for column in columns if column]
    twice = [f"The column '{name}' is there twice. Keep one." for name in dict.fromkeys(named) if named.count(name) > 1]
    return [_unknown(name) for name in named if name not in COLUMNS] + twice


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, COLUMNS, 1)
    hint = f"Is '{near[0]}' meant?" if near else f"These are known: {', '.join(COLUMNS)}."
    return f"The column '{name}' is not known. {hint}"


def read_row(line: Line, folder: Path, defaults: Mapping[str, Any]) -> tuple[Row | None, list[Problem]]:
    """The row, or all that is wrong with it. Relative paths count from `folder`; `defaults` are by the names of parameters."""
    values, sentences, row = dict(line.values), [], None
    given = {name: value for name, value in defaults.items() if value is not None}
    while row is None:
        try:
            words = [word for name, value in values.items() for word in _words(name, value, folder)]
            options, handles = _propagate.main(words, prog_name="row", standalone_mode=False, default_map=given)
            row = Row(line.number, options, handles)
        except click.BadParameter as error:
            name = _name_of(error)
            sentences.append(f"'{name}' is missing. Fill its column." if isinstance(error, click.MissingParameter) else _said(name, error))
            # The others are looked at all the same.
            values.pop(name, None)
            if isinstance(error, click.MissingParameter):
                values[name] = "-"
        except (click.UsageError, BadInput) as error:
            if not sentences:
                sentences.append(_sentence(error))
            break
    problems = [Problem(line.number, sentence) for sentence in sentences]
    return (None if problems else row), problems


def _name_of(error: click.BadParameter) -> str:
    assert error.param is not None  # every value of a row belongs to an option
    return error.param.opts[0].removeprefix("--")


def _said(name: str, error: click.BadParameter) -> str:
    return f"'{name}': {error.message}"


def _sentence(error: click.UsageError | BadInput) -> str:
    return error.format_message() if isinstance(error, click.UsageError) else str(error)


def _words(name: str, value: str, folder: Path) -> list[str]:
    """A cell as it would be typed."""
    option = _OPTIONS[name]
    if option.is_flag:
        return [f"--{name}"] if _is_yes(name, value) else []
    parts = [part.strip() for part in value.split(SEVERAL)] if option.multiple else [value]
    return [f"--{name}={_located(name, part, folder)}" for part in parts if part]


def _is_yes(name: str, value: str) -> bool:
    if value.lower() not in (*YES, *NO):
        raise BadInput(f"'{name}': '{value}' is neither yes nor no.")
    return value.lower() in YES


def _located(name: str, value: str, folder: Path) -> str:
    """A path from where the file lies; a model is one unless it is a name."""
    path = folder / Path(value).expanduser()
    is_path = name in FILES or (name == "model" and value not in MODEL_NAMES and (path.is_dir() or any(mark in value for mark in "/\\")))
    return str(path) if is_path else value
