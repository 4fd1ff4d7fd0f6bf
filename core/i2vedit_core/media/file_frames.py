"""The pictures of a sequence as frames, read one after the other in a process of its own."""

import json
import threading
from collections.abc import Iterator
from subprocess import DEVNULL, PIPE, Popen
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from i2vedit_core.media.child import command_of
from i2vedit_core.media.clip import ClipInfo
from i2vedit_core.media.frame_pipe import read_exactly, read_line
from i2vedit_core.media.limits import MEGAPIXEL, limits
from i2vedit_core.media.pixels import Picture, turned
from i2vedit_core.media.sequence_clip import READER, failed_picture

DTYPES: dict[str, Any] = {"half": np.float16, "float": np.float32, "uint8": np.uint8, "uint16": np.uint16, "uint": np.uint32}


def read_pictures(clip: ClipInfo, first: int, last: int) -> Iterator[Picture]:
    """Source frames `first` to `last` of a sequence, each `[H, W, 3] float32` (4 with alpha) in display orientation.

    Whole numbers become 0..1; floats stay as they are to the bit, with NaN, infinities and what lies beyond 0..1. Raises BridgeError
    CLIP_UNREADABLE. The reader ends with the generator.
    """
    assert clip.files is not None
    paths = [clip.files.path(frame) for frame in range(first, last + 1)]
    request = {"task": "pixels", "paths": [str(path) for path in paths], "max_pixels": limits().clip_megapixels * MEGAPIXEL}
    # Its time is limited frame by frame.
    command = command_of(READER)
    with Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL) as process:
        try:
            assert process.stdin is not None and process.stdout is not None
            threading.Thread(target=_ask, args=(process.stdin, json.dumps(request).encode()), daemon=True).start()
            for path in paths:
                yield _next_picture(process, process.stdout, clip, path)
        finally:
            process.kill()


def _ask(stdin: IO[bytes], request: bytes) -> None:
    """A reader that dies early closes the pipe; what it has answered says more."""
    try:
        with stdin:
            stdin.write(request)
    except BrokenPipeError:
        return


def _next_picture(process: Popen[bytes], pipe: IO[bytes], clip: ClipInfo, path: Any) -> Picture:
    line = read_line(process, pipe)
    if not line.endswith(b"\n"):
        raise failed_picture(path.name, "crashed", "", path)
    answer = json.loads(line)
    if "failure" in answer:
        raise failed_picture(path.name, answer["failure"], answer["detail"], path)
    height, width, channels = answer["shape"]
    dtype = np.dtype(DTYPES[answer["type"]])
    wanted = (*reversed(clip.stored_size), 4 if clip.has_alpha else 3)
    if (height, width, channels) != wanted:
        raise failed_picture(path.name, "changed", "", path)
    raw = read_exactly(process, pipe, height * width * channels * dtype.itemsize)
    if len(raw) != height * width * channels * dtype.itemsize:
        raise failed_picture(path.name, "crashed", "", path)
    return turned(to_float(np.frombuffer(raw, dtype).reshape(height, width, channels), clip.bit_depth), clip.orientation)


def to_float(samples: NDArray[Any], depth: int) -> Picture:
    """Samples as they are stored, as float32. `depth`: bits of a whole number; it is stored widened to 8 or 16."""
    if samples.dtype.kind == "f" or samples.dtype.itemsize == 4:
        # 32-bit whole numbers count something and have no white: they stay what they are.
        return samples.astype(np.float32)
    stored = samples.dtype.itemsize * 8
    codes = samples >> (stored - depth) if depth < stored else samples
    return codes.astype(np.float32) / np.float32((1 << min(depth, stored)) - 1)
