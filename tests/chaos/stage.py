"""What the jobs are made of: a model of random weights, a clip, a painted frame; small enough that a job takes seconds."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.media import encode

from i2vedit.v1 import clip_pb2, job_pb2

TINY_MODEL = Path(__file__).resolve().parents[1] / "tiny_model.py"
CHUNK_FRAMES = 2
FRAMES = 3
"""Two chunks."""
WIDTH, HEIGHT = 48, 32
LORA_STEPS = 52
"""More than lie between two checkpoints: there is one in the middle and one at the end."""


@dataclass(frozen=True)
class Stage:
    """Files that every job reads."""

    model: Path
    clip: Path
    edited: Path

    def spec(self, seed: int, directory: Path) -> job_pb2.JobSpec:
        """A job of this seed: two chunks for even ones, one for odd ones. No two seeds share a prepared shot."""
        return job_pb2.JobSpec(
            clip=clip_pb2.ClipRef(path=str(self.clip), frame_count=CHUNK_FRAMES if seed % 2 else FRAMES),
            edits=[job_pb2.EditedFrame(path=str(self.edited))],
            settings=job_pb2.PropagationSettings(model=str(self.model), seed=seed, lora_steps=LORA_STEPS),
            delivery=job_pb2.DeliverySettings(directory=str(directory)),
        )


def make_stage(folder: Path) -> Stage:
    """The model is made in a process of its own, so that torch stays out of this one."""
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / "model"
    subprocess.run([sys.executable, str(TINY_MODEL), str(model), str(CHUNK_FRAMES)], check=True, capture_output=True)
    frames = [_picture(number) for number in range(FRAMES)]
    clip = encode(folder / "shot.mov", frames, ("-c:v", "ffv1"))
    painted = frames[0].copy()
    painted[8:24, 12:28] = (255, 32, 32)
    edited = encode(folder / "edited.png", [painted], ("-frames:v", "1", "-update", "1"))
    return Stage(model, clip, edited)


def _picture(number: int) -> np.ndarray:
    """Noise, and a grey square that moves."""
    picture = np.random.default_rng(0).integers(60, 120, (HEIGHT, WIDTH, 3), np.uint8)
    picture[10:22, 14 + 2 * number : 26 + 2 * number] = 200
    return picture
