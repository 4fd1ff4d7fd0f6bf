"""A small shot and the ticket of its delivery."""

import numpy as np
import pytest
from tests.media import H264, encode, numbered_frame

from i2vedit_core.delivery.ticket import Ticket
from i2vedit_core.shot import Shot


@pytest.fixture(scope="session")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    """Frames 2 to 7 of ten, 96x64, 30000/1001 drop-frame from 00:59:59;28, pixels 16:15, in a clip with an awkward name."""
    options = ("-timecode", "00:59:59;28", "-vf", "setsar=16/15,setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709", *H264)
    path = tmp_path_factory.mktemp("plates") / "shot 01 (50%) #é.mov"
    encode(path, [numbered_frame(number) for number in range(10)], options, rate="30000/1001")
    return Shot.open(path, 2, 7)


@pytest.fixture
def ticket(shot: Shot) -> Ticket:
    return Ticket(
        plate_path=str(shot.clip.path),
        plate_sha256="a" * 64,
        first=shot.first,
        last=shot.last,
        edit_path="/paint/edit é.png",
        edit_sha256="b" * 64,
        edit_frame=shot.first,
        model="/models/secret folder/mini",
        model_sha256="c" * 64,
        settings={"model": "/models/secret folder/mini", "steps": 25, "guidance": [1.0, 2.0]},
        delivery={"alpha": "plate", "lossy": False},
        seed=2**62 + 1,
        device="cpu",
        dtype="float32",
        threads=1,
        versions={"i2vedit-bridge": "0.1.0", "torch": "2.13.0"},
        created="2026-01-02T03:04:05Z",
    )


@pytest.fixture
def matte() -> np.ndarray:
    """Empty on the left, full on the right, soft between: `[64, 96] float32`."""
    return np.broadcast_to(np.clip((np.arange(96, dtype=np.float32) - 40) / 16, 0, 1), (64, 96)).copy()
