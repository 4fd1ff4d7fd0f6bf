"""A clip, a painted frame, a job of both, and servers that end with their test."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tests.server.certificates import Pair, certificate
from tests.server.elsewhere import own_address
from tests.server.harness import ServerProcess

from i2vedit.v1 import clip_pb2, job_pb2
from i2vedit_core.media.ffmpeg import find_ffmpeg
from i2vedit_core.models import WEIGHTS
from i2vedit_server.store import JobStore

FRAMES = 8


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """An empty job database."""
    opened = JobStore(tmp_path / "jobs.sqlite3")
    opened._rows.connection.execute("PRAGMA synchronous = OFF")  # what these tests ask does not depend on the disk
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames of 96x64; its name is one that people give their clips."""
    path = tmp_path_factory.mktemp("media") / "shot 01 (50 %) é.mp4"
    source = f"testsrc2=size=96x64:rate=24:duration={FRAMES / 24}"
    encoder = ["-c:v", "libx264", "-pix_fmt", "yuv420p"]
    subprocess.run([find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", source, *encoder, f"file:{path}"], check=True)
    return path


@pytest.fixture(scope="session")
def edited(clip: Path) -> Path:
    """The clip's first frame as an artist might have saved it."""
    path = clip.with_name("painted.png")
    take_first = ["-frames:v", "1", "-update", "1"]
    subprocess.run([find_ffmpeg(), "-v", "error", "-i", f"file:{clip}", *take_first, f"file:{path}"], check=True)
    return path


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that passes for a model as long as nobody loads it."""
    folder = tmp_path_factory.mktemp("models") / "hollow"
    for part, stem in WEIGHTS.items():
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text('{"num_frames": 14}')
        save_file({"weight": np.zeros(1, np.float32)}, folder / part / f"{stem}.safetensors")
    (folder / "scheduler").mkdir()
    for config in ("model_index.json", "scheduler/scheduler_config.json"):
        (folder / config).write_text("{}")
    return folder


@pytest.fixture
def spec(clip: Path, edited: Path, model_folder: Path, tmp_path: Path) -> job_pb2.JobSpec:
    """A job on the whole clip with steps of ten milliseconds."""
    return job_pb2.JobSpec(
        clip=clip_pb2.ClipRef(path=str(clip)),
        edits=[job_pb2.EditedFrame(path=str(edited))],
        settings=job_pb2.PropagationSettings(model=str(model_folder), seed=10),
        delivery=job_pb2.DeliverySettings(directory=str(tmp_path / "out")),
    )


StartServer = Callable[..., ServerProcess]


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts a server with the named stand-in runner; `folder` is the data folder, further options go to its command line."""
    servers: list[ServerProcess] = []

    def start(runner: str = "deliver", *options: str, folder: Path | None = None) -> ServerProcess:
        server = ServerProcess(folder or tmp_path / "data", "--runner", f"standin:{runner}", *options)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def server(start_server: StartServer) -> ServerProcess:
    """A server with the stand-in that delivers."""
    return start_server()


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all the tests that leave no job behind."""
    server = ServerProcess(tmp_path_factory.mktemp("shared") / "data", "--runner", "standin:deliver")
    yield server
    server.close()


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A certificate for the address by which this machine is reached from elsewhere."""
    return certificate(tmp_path_factory.mktemp("keys"), own_address())


@pytest.fixture(scope="session")
def open_server(tmp_path_factory: pytest.TempPathFactory, pair: Pair) -> Iterator[ServerProcess]:
    """One server that listens on every address of this machine, for all the tests that call from elsewhere. Takes uploads of 20 MB."""
    folder = tmp_path_factory.mktemp("open") / "data"
    folder.mkdir()
    (folder / "config.toml").write_text("[remote]\nupload_gigabytes = 0.02\n")
    options = ["--listen", "0.0.0.0:0", "--tls-certificate", str(pair.certificate), "--tls-key", str(pair.key)]
    server = ServerProcess(folder, "--runner", "standin:deliver", *options)
    yield server
    server.close()
