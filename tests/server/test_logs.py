"""What is written about a server: lines for programs and for people, and never its token."""

import contextlib
import io
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import grpc
import pytest
from tests.server.conftest import StartServer

from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit_server import logs

TOKEN = "t0ken-" + "x" * 37


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logs, "_secrets", set())
    logs.keep_out(TOKEN)
    yield


def written(formatter: logging.Formatter) -> tuple[logging.Logger, io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.Logger("i2vedit_server.test")
    logger.addHandler(handler)
    return logger, stream


@pytest.mark.parametrize("formatter", [logs.HumanFormatter(), logs.JsonFormatter()])
def test_the_token_is_left_out_wherever_it_stands(kept: None, formatter: logging.Formatter) -> None:
    logger, stream = written(formatter)
    logger.info("it is %s", TOKEN)
    logger.info(f"authorization: Bearer {TOKEN}")
    logger.info("%r", {"metadata": (("authorization", f"Bearer {TOKEN}"),)})
    try:
        raise ValueError(f"wrong: {TOKEN}")
    except ValueError:
        logger.exception("it broke")
    text = stream.getvalue()
    assert TOKEN not in text
    assert text.count("[token]") == 4


def test_a_line_of_the_file_is_an_object(kept: None) -> None:
    logger, stream = written(logs.JsonFormatter())
    logger.warning("the worker ended with code %s in job %s", -9, "0123456789ab")
    logger.info("i2vedit server stops\nin two lines")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "warning",
        "logger": "i2vedit_server.test",
        "message": "the worker ended with code -9 in job 0123456789ab",
        "job": "0123456789ab",
    }
    assert second["message"] == "i2vedit server stops\nin two lines" and "job" not in second


def test_a_server_writes_both_kinds_and_no_token(start_server: StartServer, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    token = "s" * 43
    (tmp_path / "data" / "token").write_text(token)
    os.chmod(tmp_path / "data" / "token", 0o600)
    server = start_server("deliver", "--log-level", "debug")
    with pytest.raises(grpc.RpcError):
        server.call("GetJob", pb.GetJobRequest(name=f"jobs/{token}"))
    server.process.terminate()
    said = server.process.communicate(timeout=60)[1]
    lines = [json.loads(line) for line in (server.folder / "server.log").read_text().splitlines()]
    assert {"time", "level", "logger", "message"} <= lines[0].keys()
    assert any("answers on" in line["message"] for line in lines)
    assert "INFO i2vedit_server.app: i2vedit server stops" in said
    assert token not in said + (server.folder / "server.log").read_text()


def test_files_rotate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 2000)
    monkeypatch.setattr(logging, "root", logging.RootLogger(logging.INFO))
    monkeypatch.setattr(logging.Logger, "root", logging.root)
    monkeypatch.setattr(logging.Logger.manager, "root", logging.root)
    logs.log_to_file(tmp_path / "server.log")
    for number in range(400):
        logging.root.info("line %s", number)
    logging.root.handlers[0].close()
    files = list(tmp_path.iterdir())
    assert len(files) == 1 + logs.FILE_COUNT
    assert all(file.stat().st_size <= 2000 for file in files)


@contextmanager
def pipe() -> Iterator[tuple[TextIO, TextIO]]:
    """Its ends, for reading and for writing; what cannot be written at the end is forgotten."""
    reading, writing = os.pipe()
    reader, stream = os.fdopen(reading), os.fdopen(writing, "w")
    try:
        yield reader, stream
    finally:
        reader.close()
        with contextlib.suppress(BrokenPipeError):
            stream.close()


def line(number: int) -> logging.LogRecord:
    return logging.LogRecord("test", logging.INFO, "", 0, f"line {number} {'x' * 100}", (), None)


def test_nobody_waits_for_a_reader_of_stderr_who_has_stopped() -> None:
    with pipe() as (reader, stream):
        handler = logs.PatientHandler(stream)
        for number in range(5_000):  # more than a pipe holds, and more than waits: this would never return
            handler.emit(line(number))
        read = [reader.readline().split()[1] for _ in range(logs.MOST_WAITING_LINES)]
        assert read == [str(number) for number in range(logs.MOST_WAITING_LINES)], "what came first is told first"


def test_a_reader_of_stderr_who_has_gone_ends_nothing() -> None:
    with pipe() as (reader, stream):
        reader.close()
        handler = logs.PatientHandler(stream)
        handler.emit(line(0))
        handler.emit(line(1))
        handler.flush()
        assert not handler._lines.unfinished_tasks
