"""Whatever is wrong with what was given: one sentence, a code, a reason, an exit code, and nothing under a final name."""

import os
import subprocess
from pathlib import Path

import pytest

MEDIA = Path(os.environ.get("I2VEDIT_MEDIA") or Path(__file__).parents[3] / "shared" / "media")
CANONICAL = {
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "OUT_OF_RANGE",
    "FAILED_PRECONDITION",
    "PERMISSION_DENIED",
    "UNIMPLEMENTED",
    "DATA_LOSS",
}


def refused(outcome, *reasons: str) -> None:
    assert outcome.code == 2, outcome.err
    assert outcome.last["event"] == "failed"
    assert outcome.last["reason"] in reasons, outcome.last
    assert outcome.last["code"] in CANONICAL
    assert outcome.err.strip() == outcome.last["message"]
    assert len(outcome.err.strip().splitlines()) == 1 and "Traceback" not in outcome.err


@pytest.fixture
def propagate(studio, call, clip, edited, tmp_path):
    """Calls `propagate --json` with some of what it is given exchanged; nothing may be left under a final name."""

    def run(*more: str, source: Path = clip, picture: Path = edited, out: Path = tmp_path / "out"):
        outcome = studio(*call(out, "--json", *more, source=source, picture=picture))
        assert not list(tmp_path.glob("**/*_v0*"))
        return outcome

    return run


def test_clips_that_cannot_be_used(propagate, tmp_path):
    text, empty = tmp_path / "text.mp4", tmp_path / "empty.mp4"
    text.write_text("This is no clip.")
    empty.touch()
    refused(propagate(source=tmp_path / "missing.mp4"), "CLIP_NOT_FOUND")
    refused(propagate(source=text), "CLIP_UNREADABLE", "CLIP_UNSUPPORTED")
    refused(propagate(source=empty), "CLIP_UNREADABLE")
    refused(propagate(source=tmp_path), "CLIP_NOT_FOUND", "CLIP_UNREADABLE", "CLIP_UNSUPPORTED")


def test_pictures_that_cannot_be_used(propagate, edited, tmp_path):
    cut, narrow = tmp_path / "cut.png", tmp_path / "narrow.png"
    cut.write_bytes(edited.read_bytes()[:200])
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    crop = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(edited), "-vf", "crop=32:64", str(narrow)]
    subprocess.run(crop, check=True, stdin=subprocess.DEVNULL)
    refused(propagate(picture=tmp_path / "missing.png"), "EDIT_NOT_FOUND")
    refused(propagate(picture=cut), "EDIT_UNREADABLE")
    refused(propagate(picture=narrow), "EDIT_SIZE_MISMATCH")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (("--range", "0-99"), "RANGE_OUTSIDE_CLIP"),
        (("--range", "6-6"), "RANGE_OUTSIDE_CLIP"),
        (("--range", f"0-{2**63 - 2}"), "RANGE_OUTSIDE_CLIP"),
        (("--at", "99"), "RANGE_OUTSIDE_CLIP"),
        (("--model", "no-such-model"), "MODEL_UNKNOWN"),
        (("--compression", "tar"), "SETTING_INVALID"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_choices_that_cannot_be_made(propagate, more, reason):
    refused(propagate(*more), reason)


def test_an_output_folder_that_cannot_be_written(propagate, tmp_path):
    file = tmp_path / "file"
    file.touch()
    refused(propagate(out=file), "OUTPUT_NOT_WRITABLE")
    refused(propagate(out=file / "below"), "OUTPUT_NOT_WRITABLE")


def test_a_model_folder_with_pickles_is_refused(studio, propagate, tmp_path):
    folder = tmp_path / "model"
    for part in ("unet", "vae", "image_encoder"):
        (folder / part).mkdir(parents=True)
        (folder / part / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04.")
        (folder / part / "config.json").write_text("{}")
    (folder / "model_index.json").write_text('{"_class_name": "StableVideoDiffusionPipeline"}')
    refused(propagate("--model", str(folder)), "MODEL_UNSAFE_WEIGHTS")
    refused(studio("models", "check", folder, "--json"), "MODEL_UNSAFE_WEIGHTS")


def test_frames_that_cannot_be_exported(studio, clip, tmp_path):
    refused(studio("frame", clip, "--at", "99", "--out", tmp_path / "f.png", "--json"), "RANGE_OUTSIDE_CLIP")
    refused(studio("frame", tmp_path / "missing.mp4", "--out", tmp_path / "f.png", "--json"), "CLIP_NOT_FOUND")
    assert not list(tmp_path.glob("*.png"))


@pytest.mark.media
@pytest.mark.skipif(not MEDIA.is_dir(), reason="the shared media folder is not here (I2VEDIT_MEDIA)")
def test_damaged_files_of_the_world(propagate):
    pair = MEDIA / "pairs" / "anyv2v_kitten"
    for name in ("zero_bytes.mp4", "moov_missing.mp4"):
        refused(propagate(source=MEDIA / "corrupt" / name, picture=pair / "edit_dog.png"), "CLIP_UNREADABLE")
    refused(propagate(source=pair / "source.mp4", picture=MEDIA / "corrupt" / "truncated_edit.png"), "EDIT_UNREADABLE")
