"""A real server with a stand-in for the method, and the `i2vedit` command in processes of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.media import numbered_pictures

HERE = Path(__file__).parent
FRAMES = 6
STAND_IN = "stand_in_runner:run"


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]


@pytest.fixture(scope="session", autouse=True)
def _hear_ctrl_c() -> Iterator[None]:
    """A shell that runs the tests in the background lets them ignore Ctrl-C, and their children inherit that.

    Not in the child (`preexec_fn`): a fork of a process in which gRPC is at work may abort before it becomes the command.
    """
    earlier = signal.getsignal(signal.SIGINT)
    if earlier is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, earlier)


@dataclass(frozen=True)
class Command:
    """`i2vedit` with a data folder of its own."""

    data: Path

    @property
    def environment(self) -> dict[str, str]:
        python_path = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
        # The test of a client must not depend on the width of whoever's terminal.
        return {**os.environ, "I2VEDIT_DATA_DIR": str(self.data), "COLUMNS": "100", "PYTHONPATH": os.pathsep.join(python_path)}

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "i2vedit_client", *map(str, arguments)]
        return subprocess.Popen(
            command,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __call__(self, *arguments: str | Path, seconds: float = 60) -> Outcome:
        with self.start(*arguments) as process:
            try:
                out, err = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Outcome(process.returncode, out, err)


@dataclass
class Server:
    """A running server process that can be killed and started again."""

    data: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes]

    @classmethod
    def launch(cls, data: Path, environment: dict[str, str], runner: str = STAND_IN) -> "Server":
        server = cls(data, environment, _server_process(data, environment, runner))
        server.wait()
        return server

    def wait(self, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not (self.data / "server.json").exists():
            assert self.process.poll() is None, "the server ended at its start"
            assert time.monotonic() < deadline, "the server did not say where it listens"
            time.sleep(0.02)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def _server_process(data: Path, environment: dict[str, str], runner: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "i2vedit_server", "--data-dir", str(data), "--idle-exit", "900", "--runner", runner]
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)


@pytest.fixture
def i2vedit(tmp_path: Path) -> Command:
    """The command with an empty data folder, where no server runs."""
    return Command(tmp_path / "data")


@pytest.fixture
def server(i2vedit: Command) -> Iterator[Server]:
    """A server on the data folder of `i2vedit`, whose jobs run in the stand-in."""
    launched = Server.launch(i2vedit.data, i2vedit.environment)
    yield launched
    launched.end()


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """The command beside a server that all tests share which leave it as it is, with nothing waiting in its queue."""
    command = Command(tmp_path_factory.mktemp("studio") / "data")
    launched = Server.launch(command.data, command.environment)
    yield command
    launched.end()


def _ffmpeg(*arguments: str | Path) -> None:
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="small clips are made with ffmpeg")
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *map(str, arguments)], check=True, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six frames of 96×64."""
    path = tmp_path_factory.mktemp("media") / "shot.mp4"
    _ffmpeg("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=24", "-frames:v", str(FRAMES), "-pix_fmt", "yuv420p", path)
    return path


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six numbered pictures of 96×64, `shot.1001.png` to `shot.1006.png`."""
    return numbered_pictures(tmp_path_factory.mktemp("pictures"), 1001, FRAMES)


@pytest.fixture(scope="session")
def edited(clip: Path) -> Path:
    """Frame 0 of the clip, inverted."""
    path = clip.parent / "edited.png"
    _ffmpeg("-i", clip, "-frames:v", "1", "-vf", "negate", path)
    return path


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that passes for a model as long as nobody loads it."""
    folder = tmp_path_factory.mktemp("models") / "hollow"
    for part, stem in {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "image_encoder": "model"}.items():
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text('{"num_frames": 14}')
        # A safetensors file: the length of its header, the header, and the one number that it names.
        header = b'{"weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
        (folder / part / f"{stem}.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    (folder / "scheduler").mkdir()
    for config in ("model_index.json", "scheduler/scheduler_config.json"):
        (folder / config).write_text("{}")
    return folder


@pytest.fixture
def call(clip: Path, edited: Path, model: Path) -> Callable[..., list[str]]:
    """The words of a `propagate` call that can be run."""

    def words(out: Path, *more: str, source: Path = clip, picture: Path = edited) -> list[str]:
        return ["propagate", str(source), "--edited", str(picture), "--out", str(out), "--model", str(model), *more]

    return words
