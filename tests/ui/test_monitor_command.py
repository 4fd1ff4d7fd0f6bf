"""`i2vedit monitor` as a person calls it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from i2vedit_client.painted import Painted
from i2vedit_client.spec import PropagateOptions, job_spec


def monitor(data: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "I2VEDIT_DATA_DIR": str(data), "QT_QPA_PLATFORM": "offscreen", **more}
    command = [sys.executable, "-m", "i2vedit_client", "monitor", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)


@pytest.mark.slow
def test_a_picture_of_the_present_state_is_made_at_every_scale(server, data, clip, painted, tmp_path):
    options = PropagateOptions(clip=str(clip), edits=(Painted(str(painted)),), directory=str(tmp_path / "out"), seed=2)
    name = server.create(job_spec(options)).job.name
    server.ended(name)
    picture = tmp_path / "window.png"
    made = monitor(data, "--screenshot", str(picture), QT_SCALE_FACTOR="2")
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip() == str(picture)
    image = QImage(str(picture))
    assert (image.width(), image.height()) >= (2 * 1200, 2 * 700)
    shades = {image.pixel(x, y) for x in range(0, image.width(), 40) for y in range(0, image.height(), 40)}
    assert len(shades) > 20, "an empty window has few colours; this one shows a frame"
    assert [path.name for path in tmp_path.glob(".*png")] == []


def test_a_folder_that_is_not_there_is_told(data, tmp_path):
    answer = monitor(data, "--screenshot", str(tmp_path / "nowhere" / "window.png"))
    assert answer.returncode == 2
    assert "is not there" in answer.stderr and "Traceback" not in answer.stderr
