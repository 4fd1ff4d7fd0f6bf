"""The demo: a drawn shot of two chunks and its first frame with the ball painted in another colour.

    python -m i2vedit_core.synthetic.demo FOLDER

writes `shot.mp4` and `edited.png`, as a camera and a painter would hand them over.
"""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import ffmpeg
import numpy as np
import OpenImageIO as oiio

from i2vedit_core.files import whole_file
from i2vedit_core.media.decode import decode_frames
from i2vedit_core.media.ffmpeg import file_url, find_ffmpeg
from i2vedit_core.media.picture_file import write_picture
from i2vedit_core.media.probe import probe
from i2vedit_core.synthetic.render import render, render_frames
from i2vedit_core.synthetic.scene import Body, Camera, Scene
from i2vedit_core.synthetic.scene import Path as Motion
from i2vedit_core.synthetic.texture import Pattern, Texture

FRAMES = 27
SIZE = 512
RATE = 24


def demo_scene() -> Scene:
    """A striped ball drifts over a hazy field in front of a slower companion, while the camera drifts."""
    field = Texture(Pattern.CLOUDS, (0.24, 0.38, 0.42), (0.62, 0.68, 0.60), 2.2, 0.4, 11)
    ball = Texture(Pattern.STRIPES, (0.72, 0.20, 0.16), (0.86, 0.42, 0.34), 4.0, 0.6, 5)
    companion = Texture(Pattern.RAMP, (0.20, 0.24, 0.36), (0.46, 0.52, 0.66), 3.0, 1.1, 6)
    still = (0.0, 0.0)
    return Scene(
        background=field,
        bodies=(
            Body(companion, Motion((0.24, 0.14), (-0.04, -0.03), (0.0, 0.02), 0.5, 0.0), 0.15, 1.0, 0.3, 0.4, ((3, 0.12, 0.3),)),
            Body(ball, Motion((-0.20, -0.06), (0.09, 0.03), (0.0, 0.03), 0.5, 0.4), 0.22, 1.0, 0.0, 0.25, ()),
        ),
        camera=Camera(Motion(still, (0.05, 0.01), (0.004, 0.004), 1.0, 0.0), -0.02, 0.02),
        light=(0.05, 0.4),
        grain=0.008,
        seed=2024,
    )


def painted_scene() -> Scene:
    """The same, with the ball in blue."""
    scene = demo_scene()
    ball = scene.bodies[-1]
    texture = replace(ball.texture, first=(0.14, 0.32, 0.66), second=(0.36, 0.62, 0.90))
    return replace(scene, bodies=(*scene.bodies[:-1], replace(ball, texture=texture)))


def write_demo(folder: Path) -> None:
    """Writes `shot.mp4` and `edited.png` into a folder, which is made."""
    write_shot(folder, demo_scene(), painted_scene(), FRAMES)


def write_shot(folder: Path, scene: Scene, painted: Scene, frames: int, size: int = SIZE) -> None:
    """The same for any scene, whose first frame is painted to look as that of `painted`; `size` pixels wide and high."""
    folder.mkdir(parents=True, exist_ok=True)
    clip, picture = folder / "shot.mp4", folder / "edited.png"
    _write_clip(scene, clip, frames, size)
    (plate,) = decode_frames(probe(clip), 0, 0)
    before, after = (render(each, size, size, range(1))[0] for each in (scene, painted))
    # A painter paints on the decoded plate and leaves the rest of it alone.
    touched = np.abs(after - before).max(axis=-1, keepdims=True) > 1 / 255
    pixels = np.where(touched, after, plate)
    spec = oiio.ImageSpec(size, size, 3, oiio.UINT16)
    write_picture(picture, "png", spec, np.rint(np.clip(pixels, 0, 1) * 65535).astype(np.uint16), replace=True)


def _write_clip(scene: Scene, target: Path, frames: int, size: int) -> None:
    with whole_file(target, size * size * frames, replace=True) as temporary:
        options = {"vcodec": "libx264", "pix_fmt": "yuv420p", "crf": 12, "timecode": "01:00:00:00", "f": "mp4"}
        tags = {"color_primaries": "bt709", "color_trc": "bt709", "colorspace": "bt709", "color_range": "tv"}
        command = (
            ffmpeg.input("pipe:0", f="rawvideo", pix_fmt="rgb24", video_size=(size, size), framerate=RATE)
            .filter("scale", flags="lanczos+accurate_rnd", out_color_matrix="bt709", out_range="limited")
            .output(file_url(temporary), **options, **tags)
            .global_args("-hide_banner", "-loglevel", "error")
            .overwrite_output()
            .compile(cmd=find_ffmpeg())
        )
        drawn = (np.rint(frame * 255).astype(np.uint8).tobytes() for frame in render_frames(scene, size, size, range(frames)))
        subprocess.run(command, input=b"".join(drawn), check=True, capture_output=True)


if __name__ == "__main__":
    write_demo(Path(sys.argv[1]))
