"""Artifacts are found again by what they were made of, and the oldest go first."""

import json
import os
import time
from pathlib import Path

import torch

from i2vedit_core.artifacts import KEY_FILE, Artifacts, tensor_sha256


def _filled(artifacts: Artifacts, number: int, used: float) -> Path:
    folder = artifacts.folder("inversion", {"number": number})
    (folder / "trajectory.safetensors").write_bytes(bytes(1000))
    os.utime(folder, (used, used))
    return folder


def test_the_same_key_is_the_same_folder_and_says_what_it_is(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path)
    folder = artifacts.folder("lora", {"chunk": 1, "seed": 0})
    assert artifacts.folder("lora", {"seed": 0, "chunk": 1}) == folder
    assert artifacts.folder("lora", {"seed": 1, "chunk": 1}) != folder
    assert artifacts.folder("inversion", {"seed": 0, "chunk": 1}) != folder
    assert json.loads((folder / KEY_FILE).read_text()) == {"kind": "lora", "chunk": 1, "seed": 0}


def test_what_was_used_longest_ago_goes_first_and_using_it_counts(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path)
    oldest, middle, youngest = (_filled(artifacts, number, 1000.0 + number) for number in range(3))
    artifacts.folder("inversion", {"number": 0})
    artifacts.trim(2500)
    assert oldest.exists() and youngest.exists() and not middle.exists()
    artifacts.trim(0)
    assert not list(tmp_path.iterdir())


def test_what_is_not_ours_is_never_removed(tmp_path: Path) -> None:
    for name in ("shot-010", "lora-notes", "0123456789abcdef0123456789abcdef"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "frame.exr").write_bytes(bytes(1000))
    ours = _filled(Artifacts(tmp_path), 0, 1000.0)
    Artifacts(tmp_path).trim(0)
    assert not ours.exists() and len(list(tmp_path.iterdir())) == 3


def test_what_is_needed_stays_however_large_it_is(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path)
    oldest, middle, youngest = (_filled(artifacts, number, 1000.0 + number) for number in range(3))
    artifacts.trim(0, needed={oldest.name, youngest.name})
    assert oldest.exists() and youngest.exists() and not middle.exists()
    assert artifacts.byte_count([oldest.name]) == sum(file.stat().st_size for file in oldest.iterdir())
    assert artifacts.byte_count([oldest.name, middle.name]) is None
    artifacts.remove([oldest.name, middle.name])
    assert not oldest.exists() and youngest.exists()


def test_what_a_job_beside_has_just_taken_up_stays(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path)
    old, fresh = _filled(artifacts, 0, 1000.0), _filled(artifacts, 1, time.time())
    artifacts.trim(0, youngest_seconds=60)
    assert fresh.exists() and not old.exists()


def test_tensors_that_differ_in_a_value_a_type_or_a_shape_have_other_hashes() -> None:
    tensor = torch.arange(6.0)
    other = tensor.clone()
    other[5] = 7
    hashes = {tensor_sha256(each) for each in (tensor, other, tensor.double(), tensor.reshape(2, 3))}
    assert len(hashes) == 4
    assert tensor_sha256(tensor.reshape(2, 3).T.contiguous().T) == tensor_sha256(tensor.reshape(2, 3))
