"""`config.toml`: read, checked against every key that there is, and refused with the line at fault."""

import difflib
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.media.limits import Limits
from i2vedit_server.config import ServerConfig, TlsFiles
from i2vedit_server.config_keys import KEYS, Key

CONFIG_FILE = "config.toml"
LARGEST_BYTES = 2**18

Place = tuple[str, ...]
"""Where a value stands in the parsed file: the names that lead to it."""


def read_config(config: ServerConfig, named: Path | None) -> ServerConfig:
    """`config` with what the file says: the one that is named, else `config.toml` of the data folder where there is one.

    Raises BridgeError CONFIG_INVALID with the file, the line, and what to write there.
    """
    path = named or config.data_folder / CONFIG_FILE
    if named is None and not path.exists():
        return config
    text = _text(path)
    values = _values(path, text)
    top, limits, tls = (_of_table(values, table) for table in ("", "limits", "tls"))
    if len(tls) == 1:
        raise _invalid(path, _line(text, ("tls",)), "a certificate and its key belong together; write both, [tls] certificate and key")
    return replace(config, **top, limits=Limits(**limits), tls=TlsFiles(**tls) if tls else None)


def _of_table(values: dict[Key, Any], table: str) -> dict[str, Any]:
    """The values by the fields of ServerConfig, of Limits or of TlsFiles that they set."""
    split = {key: key.field.rpartition(".") for key in values}
    return {split[key][2]: value for key, value in values.items() if split[key][0] == table}


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        if len(content) > LARGEST_BYTES:
            raise _invalid(path, 1, "the file is far too long for a config file; write only settings into it")
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        sentence = f"The config file {path} cannot be read ({error.strerror}); mend it, or name another one with --config."
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.CONFIG_INVALID, sentence) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _invalid(path, line, "this is not UTF-8; save the file in that encoding") from error


def _values(path: Path, text: str) -> dict[Key, object]:
    """The value of each key that the file has."""
    keys = {tuple(key.name.split(".")): key for key in KEYS}
    values = {}
    for place, value in _leaves(_parsed(path, text), {key[:1] for key in keys if len(key) > 1}):
        key = keys.get(place)
        if key is None:
            raise _invalid(path, _line(text, place), _unknown(place, keys))
        try:
            values[key] = key.read(value, path.absolute().parent)
        except ValueError:
            raise _invalid(path, _line(text, place), f"{key.name} is {key.what}; write {place[-1]} = {key.example}") from None
    return values


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", str(error), re.DOTALL)
        what, line = (found[1], found[2]) if found else (str(error), None)
        # tomllib's own words say what it met; an example of a right line says what to do.
        raise _invalid(
            path, int(line or text.count("\n") + 1), f'{what[:1].lower()}{what[1:]}; write a line such as log_level = "info"'
        ) from error


def _leaves(parsed: dict[str, Any], tables: set[Place]) -> list[tuple[Place, object]]:
    """Each value with its place; only tables that exist are looked into, so that any other is one unknown name."""
    leaves: list[tuple[Place, object]] = []
    for name, value in parsed.items():
        if isinstance(value, dict) and (name,) in tables:
            leaves += [((name, inner), each) for inner, each in value.items()]
        else:
            leaves.append(((name,), value))
    return leaves


def _unknown(place: Place, keys: dict[Place, Key]) -> str:
    name = ".".join(place)
    # A key in the wrong table is as near as a misspelt one.
    by_end = {key[-1]: key for key in keys}
    near = difflib.get_close_matches(name, [".".join(key) for key in keys], 1)
    nearest = tuple(near[0].split(".")) if near else by_end.get(next(iter(difflib.get_close_matches(place[-1], by_end, 1)), ""))
    if nearest is None:
        return f"there is no setting '{name}'; take the line out"
    table = f"[{nearest[0]}] " if len(nearest) > 1 else ""
    return f"there is no setting '{name}'; write {table}{nearest[-1]} = {keys[nearest].example}"


def _line(text: str, place: Place) -> int:
    """The line in which a value begins. The parser itself is asked: it is the first line with which the file's beginning has that value."""
    lines = text.split("\n")
    begins = 0
    for count in range(1, len(lines) + 1):
        try:
            found: Any = tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a value of several lines
        for name in place:
            found = found.get(name) if isinstance(found, dict) else None
        if found is not None:
            return begins + 1
        begins = count
    return len(lines)


def _invalid(path: Path, line: int, what: str) -> BridgeError:
    return BridgeError(Code.INVALID_ARGUMENT, Reason.CONFIG_INVALID, f"{path}, line {line}: {what}.")
