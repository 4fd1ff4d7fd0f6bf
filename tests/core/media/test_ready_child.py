"""Readers that are started before there is a picture."""

import threading
from pathlib import Path

import numpy as np
import pytest
from tests.media import encode, numbered_clip, numbered_frame

from i2vedit_core.media import child, still
from i2vedit_core.media import probe as probe_module
from i2vedit_core.media.child import ChildFailedError, ReadyChild
from i2vedit_core.media.probe import expect_probes, probe
from i2vedit_core.media.still import expect_stills, open_still

ECHO = """
import json, os, sys
words = sys.argv[1:] or json.loads(sys.stdin.readline() or "null")
if words == ["die"]:
    os.abort()
print(os.getpid(), *(words or ()))
"""


@pytest.fixture
def echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReadyChild:
    (tmp_path / "echo.py").write_text(ECHO)
    monkeypatch.setattr(child, "CHILDREN", tmp_path)
    return ReadyChild("echo.py")


def waiting(reader: ReadyChild) -> int:
    """Its process id."""
    assert reader._ready is not None and reader._ready.poll() is None
    return reader._ready.pid


def test_each_answer_comes_from_a_process_of_its_own_the_one_that_waits_first(echo: ReadyChild) -> None:
    assert echo.run(20.0, "a b", "ü").decode().split()[1:] == ["a", "b", "ü"] and echo._ready is None, "nobody expects another one"
    echo.keep_ready()
    first = waiting(echo)
    echo.keep_ready()
    assert waiting(echo) == first
    assert echo.run(20.0, "a b", "ü").decode().split() == [str(first), "a", "b", "ü"]
    second = waiting(echo)
    assert second != first and echo.run(20.0, "c").decode().split() == [str(second), "c"]


def test_one_that_was_killed_while_it_waited_is_missed_by_nobody(echo: ReadyChild) -> None:
    echo.keep_ready()
    assert echo._ready is not None
    echo._ready.kill()
    echo._ready.wait()
    assert echo.run(20.0, "a").decode().split()[1:] == ["a"]


def test_one_that_dies_of_its_picture_says_so_and_the_next_one_is_well(echo: ReadyChild) -> None:
    echo.keep_ready()
    with pytest.raises(ChildFailedError):
        echo.run(20.0, "die")
    assert echo.run(20.0, "a").decode().split()[1:] == ["a"]


def test_many_at_once_get_their_own_answers(echo: ReadyChild) -> None:
    echo.keep_ready()
    answers: dict[str, str] = {}

    def ask(word: str) -> None:
        answers[word] = echo.run(20.0, word).decode().split()[1]

    threads = [threading.Thread(target=ask, args=(str(number),)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(word == said for word, said in answers.items()) and len(answers) == 6


def test_it_ends_with_whoever_keeps_it(echo: ReadyChild) -> None:
    echo.keep_ready()
    assert echo._ready is not None and echo._ready.stdin is not None
    echo._ready.stdin.close()
    assert echo._ready.wait(20) == 0


def test_a_picture_is_read_the_same_by_a_reader_that_waited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(still, "_READER", ReadyChild("read_picture.py"))
    path = encode(tmp_path / "a.tif", [numbered_frame(3)], ("-frames:v", "1", "-pix_fmt", "rgb48le"))
    before = open_still(path)
    expect_stills()
    after = open_still(path)
    assert np.array_equal(before.pixels, after.pixels) and (before.depth, before.clipped) == (after.depth, after.clipped)


def test_a_clip_is_probed_the_same_by_a_scanner_that_waited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_module, "_SCANNER", ReadyChild("scan_clip.py"))
    path = numbered_clip(tmp_path / "a.mp4", 3)
    before = probe(path)
    expect_probes()
    assert probe(path) == before


@pytest.mark.parametrize("program", ["read_picture.py", "scan_clip.py"])
def test_a_reader_ends_when_nobody_will_ask_any_more(program: str) -> None:
    reader = ReadyChild(program)
    reader.keep_ready()
    assert reader._ready is not None and reader._ready.stdin is not None
    reader._ready.stdin.close()
    assert reader._ready.wait(20) == 0
