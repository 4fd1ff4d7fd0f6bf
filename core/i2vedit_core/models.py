"""Finding a model folder and deciding whether it may be loaded. Torch-free, so that the server can answer without a GPU library."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_core.locations import models_folder

BUNDLED = Path(__file__).parent / "assets"

HUB_FOLDERS = {"svd": "stable-video-diffusion-img2vid", "svd-xt": "stable-video-diffusion-img2vid-xt"}
"""Folder names below the models folder, as on the hub that SVD is published on."""

WEIGHTS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "image_encoder": "model"}
"""Parts of the pipeline that have weights, and the stem of their file (diffusers' layout)."""

SUFFIXES = (".fp16.safetensors", ".safetensors")
"""Of weights. Half precision comes first: it is what is loaded in any case."""

CONFIGS = ("model_index.json", "scheduler/scheduler_config.json", *(f"{part}/config.json" for part in WEIGHTS))
FURTHER_CONFIGS = ("feature_extractor/preprocessor_config.json", "i2vedit.json")
"""Read where they are there."""

PICKLES = {".bin", ".ckpt", ".pt", ".pth", ".pkl"}

PAPER_LORA_STEPS = 250
PAPER_GUIDANCE = (1.0, 2.0)


@dataclass(frozen=True)
class ModelFolder:
    """A model folder that is complete and holds only safe weights."""

    name: str
    path: Path
    frame_count: int
    """Frames of one chunk."""
    weights: dict[str, Path]
    """The safetensors file of each part in WEIGHTS."""

    @property
    def byte_count(self) -> int:
        return sum(file.stat().st_size for file in self.weights.values())

    @cached_property
    def sha256(self) -> str:
        """Hash over configuration and weights, in the order of their names: two folders that would compute the same have the same."""
        digest = hashlib.sha256()
        for file in self._files:
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()

    @property
    def stamp(self) -> list[list[int]]:
        """Size and time of what `sha256` reads: tells two states of one folder apart without reading them."""
        return [[status.st_size, status.st_mtime_ns] for status in map(Path.stat, self._files)]

    @property
    def _files(self) -> list[Path]:
        configs = [self.path / part / "config.json" for part in WEIGHTS] + [self.path / "scheduler" / "scheduler_config.json"]
        return sorted([*configs, *self.weights.values()])

    @property
    def lora_steps(self) -> int:
        """Steps of motion LoRA training this model recommends: its own `i2vedit.json`, else the paper's."""
        return int(self._own_advice.get("lora_steps", PAPER_LORA_STEPS))

    @property
    def guidance(self) -> tuple[float, float]:
        """Guidance of the first and the last frame of a chunk that this model recommends: its own `i2vedit.json`, else the paper's."""
        first, last = self._own_advice.get("guidance", PAPER_GUIDANCE)
        return float(first), float(last)

    @cached_property
    def _own_advice(self) -> dict[str, Any]:
        own = self.path / "i2vedit.json"
        return _read_json(own) if own.exists() else {}


def find_model(name: str) -> ModelFolder:
    """The folder behind `mini`, `svd`, `svd-xt` or a path, checked.

    Raises BridgeError MODEL_UNKNOWN, MODEL_INCOMPLETE or MODEL_UNSAFE_WEIGHTS.
    """
    path = _locate(name)
    weights = {part: _find_weights(path, part, stem) for part, stem in WEIGHTS.items()}
    for config in CONFIGS:
        if not (path / config).is_file():
            raise _incomplete(path, f"'{config}' is missing")
    frame_count = _read_json(path / "unet" / "config.json").get("num_frames")
    if not isinstance(frame_count, int) or frame_count < 2:
        raise _incomplete(path, "'unet/config.json' does not say how many frames ('num_frames') a chunk has")
    return ModelFolder(name, path, frame_count, weights)


def files_to_fetch(names: Collection[str]) -> list[str]:
    """Those files of a repository in diffusers layout that a model folder needs, as far as they are there."""
    weights = ([f"{part}/{stem}{suffix}" for suffix in SUFFIXES] for part, stem in WEIGHTS.items())
    chosen = (next((file for file in files if file in names), "") for files in weights)
    return [file for file in (*CONFIGS, *FURTHER_CONFIGS, *chosen) if file in names]


def _locate(name: str) -> Path:
    if name == "mini":
        return BUNDLED / "mini"
    if name in HUB_FOLDERS:
        path = models_folder() / HUB_FOLDERS[name]
        if not path.is_dir():
            sentence = (
                f"The model '{name}' is not on this machine. Get it with `i2vedit models pull {name}`, put its diffusers folder at "
                f"'{path}', or give the folder's path with --model."
            )
            raise BridgeError(Code.NOT_FOUND, Reason.MODEL_UNKNOWN, sentence)
        return path
    found = _folder(name)
    if found is None:
        sentence = f"There is no model '{name}'. Use mini, svd, svd-xt, or the path of a folder in diffusers layout."
        raise BridgeError(Code.NOT_FOUND, Reason.MODEL_UNKNOWN, sentence)
    return found


def _folder(name: str) -> Path | None:
    """None where there is none, and for names that nothing can have: too long, or in the folder of a user who does not exist."""
    try:
        path = Path(name).expanduser()
        return path.resolve() if path.is_dir() else None
    except (OSError, RuntimeError):
        return None


def _find_weights(path: Path, part: str, stem: str) -> Path:
    """The one safetensors file of a part."""
    for suffix in SUFFIXES:
        file = path / part / f"{stem}{suffix}"
        if file.is_file():
            _check_header(path, file)
            return file
    looked_at = [path, *(path / each for each in WEIGHTS)]
    pickles = sorted(file.relative_to(path).as_posix() for folder in looked_at for file in folder.glob("*") if file.suffix in PICKLES)
    if pickles:
        sentence = (
            f"The model folder '{path}' holds '{pickles[0]}', a pickle, which can run any program when it is opened. "
            "Use the model's safetensors version."
        )
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.MODEL_UNSAFE_WEIGHTS, sentence)
    raise _incomplete(path, f"'{part}/{stem}.safetensors' is missing")


def _check_header(path: Path, file: Path) -> None:
    """Reads the header with the safetensors library: a pickle under another name, or a header that lies, stops here."""
    try:
        with safe_open(file, framework="numpy") as opened:
            if not list(opened.keys()):
                raise _incomplete(path, f"'{file.relative_to(path).as_posix()}' holds no weights")
    except (SafetensorError, OSError) as error:
        sentence = f"'{file}' is not a safetensors file ({error}). Download the model again, in its safetensors version."
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.MODEL_UNSAFE_WEIGHTS, sentence) from error


def _incomplete(path: Path, what: str) -> BridgeError:
    sentence = f"The model folder '{path}' is not complete: {what}. Download the model again, in diffusers layout."
    return BridgeError(Code.FAILED_PRECONDITION, Reason.MODEL_INCOMPLETE, sentence)


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sentence = f"'{file}' cannot be read as JSON ({error}). Download the model again."
        raise BridgeError(Code.FAILED_PRECONDITION, Reason.MODEL_INCOMPLETE, sentence) from error
    if not isinstance(content, dict):
        raise BridgeError(
            Code.FAILED_PRECONDITION, Reason.MODEL_INCOMPLETE, f"'{file}' does not hold a JSON object. Download the model again."
        )
    return content
