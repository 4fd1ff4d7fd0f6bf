"""Which model folders are taken, and what is said of those that are not."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tests.tiny_model import save_tiny_model

from i2vedit_core.backbone import load_backbone
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.models import find_model


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny model"
    save_tiny_model(folder)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "a copy")


def _refused(folder: Path, reason: Reason) -> str:
    with pytest.raises(BridgeError) as refused:
        find_model(str(folder))
    assert refused.value.reason is reason
    assert "Traceback" not in refused.value.sentence
    return refused.value.sentence


def test_the_layout_of_svd_loads(folder: Path) -> None:
    backbone = load_backbone(str(folder), device="cpu")
    assert (backbone.chunk_frames, backbone.latent_factor) == (4, 2)
    assert (backbone.architecture.size_multiple, backbone.architecture.pixel_budget) == (4, 32 * 32)
    assert backbone.folder.lora_steps == 250
    assert not any(weight.requires_grad for weight in backbone.unet.parameters())
    assert backbone.dtype == torch.float32


def test_names_that_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("I2VEDIT_MODELS", str(tmp_path))
    for name in ("no-such-model", "m" * 100_000, "~no-such-user/model"):
        assert "mini, svd, svd-xt" in _refused(Path(name), Reason.MODEL_UNKNOWN)
    assert "stable-video-diffusion-img2vid-xt" in _refused(Path("svd-xt"), Reason.MODEL_UNKNOWN)


def test_models_lie_in_the_data_folder_unless_the_environment_names_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("I2VEDIT_MODELS", raising=False)
    monkeypatch.setenv("I2VEDIT_DATA_DIR", str(tmp_path / "data"))
    assert str(tmp_path / "data" / "models" / "stable-video-diffusion-img2vid") in _refused(Path("svd"), Reason.MODEL_UNKNOWN)
    monkeypatch.setenv("I2VEDIT_MODELS", str(tmp_path / "models"))
    assert str(tmp_path / "models" / "stable-video-diffusion-img2vid") in _refused(Path("svd"), Reason.MODEL_UNKNOWN)


@pytest.mark.parametrize("missing", ["model_index.json", "scheduler/scheduler_config.json", "vae/config.json"])
def test_a_missing_file_is_named(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    assert missing in _refused(folder, Reason.MODEL_INCOMPLETE)


def test_a_pickle_is_never_opened(folder: Path) -> None:
    weights = find_model(str(folder)).weights["unet"]
    weights.rename(weights.with_name("diffusion_pytorch_model.bin"))
    assert "diffusion_pytorch_model.bin" in _refused(folder, Reason.MODEL_UNSAFE_WEIGHTS)


def test_a_pickle_under_the_name_of_safetensors_is_never_opened(folder: Path, tmp_path: Path) -> None:
    weights = find_model(str(folder)).weights["unet"]
    trap = tmp_path / "sprung"
    weights.write_bytes(b"cos\nsystem\n(S'touch " + str(trap).encode() + b"'\ntR.")
    _refused(folder, Reason.MODEL_UNSAFE_WEIGHTS)
    assert not trap.exists()


@pytest.mark.parametrize("header", [b"\xff" * 64, (2**62).to_bytes(8, "little") + b"{}", (2).to_bytes(8, "little") + b"{}", b""])
def test_headers_that_lie(folder: Path, header: bytes) -> None:
    find_model(str(folder)).weights["vae"].write_bytes(header)
    _refused(folder, Reason.MODEL_UNSAFE_WEIGHTS if header[:1] != b"\x02" else Reason.MODEL_INCOMPLETE)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"num_frames": "many"}'])
def test_a_configuration_that_is_none(folder: Path, content: str) -> None:
    (folder / "unet" / "config.json").write_text(content)
    _refused(folder, Reason.MODEL_INCOMPLETE)


def test_the_hash_follows_weights_and_configuration(original: Path, folder: Path) -> None:
    before = find_model(str(original)).sha256
    assert find_model(str(folder)).sha256 == before
    config = folder / "unet" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "num_frames": 5}))
    assert find_model(str(folder)).sha256 != before


def test_asking_for_a_model_needs_no_torch() -> None:
    program = "import sys, i2vedit_core.models, i2vedit_core.shot, i2vedit_core.delivery.sequence; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
