"""What is read of tables and timelines, before any server is asked."""

from pathlib import Path

import opentimelineio as otio
import pytest

from i2vedit_client.batch.rows import COLUMNS, read_row, unknown_columns
from i2vedit_client.batch.shots import read_batch
from i2vedit_client.batch.table import Line, read_table
from i2vedit_client.errors import BadInput
from i2vedit_client.painted import Painted

ROWS: tuple[list[str], ...] = (["clip", "edited", "at", "out"], ["a, b.mov", 'ed"it;.png', "7", "o"], [], ["ü.mov", "e.png", "", "o"])


def written(path, delimiter, encoding, end="\r\n", before=""):
    def cell(text):
        return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',;"\t') else text

    path.write_bytes((before + end.join(delimiter.join(map(cell, row)) for row in ROWS) + end).encode(encoding))
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_tables_of_any_spreadsheet_are_read(tmp_path, delimiter, encoding, end):
    table = read_table(written(tmp_path / "shots.csv", delimiter, encoding, end))
    assert table.delimiter == delimiter and not table.problems
    assert table.lines == [
        Line(2, {"clip": "a, b.mov", "edited": 'ed"it;.png', "at": "7", "out": "o"}),
        Line(4, {"clip": "ü.mov", "edited": "e.png", "out": "o"}),
    ]


def test_the_delimiter_that_excel_writes_down_counts(tmp_path):
    table = read_table(written(tmp_path / "shots.csv", ";", "utf-8", before="sep=;\r\n"))
    assert [line.number for line in table.lines] == [3, 5]


def test_columns_are_the_options_of_propagate_however_they_are_written(tmp_path):
    path = tmp_path / "shots.csv"
    path.write_text("Clip,--edited,Lora_Steps,clip color,\na,b,3,ACEScg,\n")
    table = read_table(path)
    assert table.columns == ["clip", "edited", "lora-steps", "clip-color", ""] and not unknown_columns(table.columns)
    assert {"clip", "edited", "at", "region", "range", "out", "handles", "model", "preset", "deinterlace"} < set(COLUMNS)


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b'clip,edited\n"a,b\n', "no table"),
        (b"\xff\xfe\x00", "no text"),
        (b"clip,edit_ed,clip\n", "Is 'edited' meant.*'clip' is there twice"),
        (b"clip,zzzz\n", "are known: clip, edited"),
    ],
)
def test_what_is_no_table_is_said(tmp_path, content, hint):
    path = tmp_path / "shots.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=hint):
        read_batch(path, None, {})


def test_a_value_too_many_is_told_with_its_row(tmp_path):
    path = tmp_path / "shots.csv"
    path.write_text("clip,edited\na.mov,b.png,\na.mov,b.png,c\n")
    table = read_table(path)
    assert [line.number for line in table.lines] == [2]
    assert [(problem.row, problem.sentence[:12]) for problem in table.problems] == [(3, "It has 3 val")]


def test_a_row_is_read_as_if_it_were_typed(tmp_path):
    (tmp_path / "mine").mkdir()
    values = {"clip": "a.mov", "edited": "x.png | /y.png", "at": "3|9", "region": "m.png", "range": "2-20", "handles": "4"}
    values |= {"pinned-from": "a_v001", "pin": "2-4|6-8"}
    line = Line(5, {**values, "model": "mine", "also": "png|mp4", "deinterlace": "Yes"})
    row, problems = read_row(line, tmp_path, {"out": "/o", "preset": "preview", "seed": 4, "lora_steps": None})
    assert row is not None and not problems
    options = row.options
    region = str(tmp_path / "m.png")
    assert options.edits == (Painted(str(tmp_path / "x.png"), 3, region), Painted("/y.png", 9, region))
    assert (options.clip, options.frames, options.directory, row.handles) == (str(tmp_path / "a.mov"), (2, 20), "/o", 4)
    assert (options.model, options.preset, options.seed, options.also) == (str(tmp_path / "mine"), "preview", 4, ("png", "mp4"))
    assert options.reading.deinterlace
    assert (options.pinned_from, options.pins) == (str(tmp_path / "a_v001"), ((2, 4), (6, 8)))


@pytest.mark.parametrize(
    ("values", "sentences"),
    [
        ({"seed": "-1", "preset": "q"}, ["'seed'", "'preset'", "'clip' is missing", "'edited' is missing", "'out' is missing"]),
        ({"clip": "a", "edited": "a|b", "out": "o"}, ["2 pictures and 0 frames"]),
        ({"clip": "a", "edited": "a", "out": "o", "range": "9-1"}, ["1-9"]),
        ({"clip": "a", "edited": "a", "out": "o", "deinterlace": "maybe"}, ["neither yes nor no"]),
    ],
)
def test_all_that_is_wrong_with_a_row_is_told(values, sentences):
    row, problems = read_row(Line(7, values), Path("/base"), {"out": None})
    assert row is None and {problem.row for problem in problems} == {7}
    assert len(problems) == len(sentences)
    for hint in sentences:
        assert any(hint in problem.sentence for problem in problems), problems


def a_timeline(path, *clips):
    """Clips of frames 1 to 4 of a movie: name and metadata."""
    made = otio.schema.Timeline("Cut", global_start_time=otio.opentime.RationalTime(86400, 24))
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    made.tracks.append(track)
    for name, metadata in clips:
        available, shown = (
            otio.opentime.TimeRange(otio.opentime.RationalTime(start, 24), otio.opentime.RationalTime(length, 24))
            for start, length in ((100, 6), (101, 4))
        )
        reference = otio.schema.ExternalReference("plate.mov", available)
        track.append(otio.schema.Clip(name, reference, shown, {"i2vedit": metadata} if metadata else {}))
    otio.adapters.write_to_file(made, str(path))
    return path


def test_clips_are_found_with_their_painted_frames(tmp_path):
    folder = tmp_path / "painted"
    folder.mkdir()
    for name in ("B.0002.png", "B.0004.tif", "C#2.exr", "shot.010.png", "notes.txt"):
        (folder / name).touch()
    clips = [("A", {"edited": "a.png", "at": 3, "model": "svd", "lora_steps": 2}), ("B.mov", None), ("C", None), ("C", None)]
    clips += [("shot.010", None), ("shot.020", None), ("D", {"edited": ["x.png", "y.png"], "at": [1, 4]}), ("E", {"note": "x"})]
    batch = read_batch(a_timeline(tmp_path / "cut.otio", *clips[:-1]), folder, {"out": "/o", "handles": 1})
    assert not batch.problems and [clip.name for clip in batch.unpainted] == ["C#1", "shot.020"]
    assert [batch.names[row.number] for row in batch.rows] == ["A", "B.mov", "C#2", "shot.010", "D"]
    painted = {batch.names[row.number]: [(Path(edit.path).name, edit.frame) for edit in row.options.edits] for row in batch.rows}
    assert painted["A"] == [("a.png", 3)] and painted["B.mov"] == [("B.0002.png", 2), ("B.0004.tif", 4)]
    assert painted["C#2"] == [("C#2.exr", None)] and painted["D"] == [("x.png", 1), ("y.png", 4)]
    assert (batch.rows[0].options.model, batch.rows[0].options.lora_steps, batch.rows[0].handles) == ("svd", 2, 1)
    assert batch.rows[0].options.clip == str(tmp_path / "plate.mov")


def test_metadata_that_cannot_be_used_is_told(tmp_path):
    clips = [("A", {"edited": "a.png", "colour": "x"}), ("B", {"edited": "a.png", "range": "0-4"}), ("C", {"at": 3})]
    batch = read_batch(a_timeline(tmp_path / "cut.otio", *clips), None, {"out": "/o"})
    assert [problem.row for problem in batch.problems] == [1, 2] and len(batch.unpainted) == 1
    assert "metadata 'colour' is not known" in batch.problems[0].sentence and "comes from the timeline" in batch.problems[1].sentence


def test_a_folder_of_painted_frames_belongs_to_a_timeline(tmp_path):
    path = tmp_path / "shots.csv"
    path.write_text("clip,edited\n")
    with pytest.raises(BadInput, match="column 'edited'"):
        read_batch(path, tmp_path, {})
    with pytest.raises(BadInput, match="cannot be read"):
        read_batch(a_timeline(tmp_path / "cut.otio", ("A", None)), tmp_path / "none", {})
