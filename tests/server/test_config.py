"""The config file: what it sets, what it refuses, and that its page in the docs is true."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
from tests.server.conftest import StartServer
from tests.server.harness import server_command, server_environment

from i2vedit_client.commands.serve import command
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media.limits import Limits
from i2vedit_server.cli import _parser, configured
from i2vedit_server.config import Executor, ServerConfig, TlsFiles
from i2vedit_server.config_file import read_config
from i2vedit_server.config_keys import KEYS, LOG_LEVELS

DOCS = Path(__file__).parents[2] / "docs" / "server.md"


def read(tmp_path: Path, text: str) -> ServerConfig:
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    return read_config(ServerConfig(tmp_path), None)


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(BridgeError) as caught:
        read(tmp_path, text)
    assert caught.value.reason is Reason.CONFIG_INVALID
    assert "\n" not in caught.value.sentence
    assert caught.value.sentence.startswith(str(tmp_path / "config.toml"))
    return caught.value.sentence.removeprefix(f"{tmp_path / 'config.toml'}, ")


def test_without_a_file_everything_is_as_it_was(tmp_path: Path) -> None:
    assert read_config(ServerConfig(tmp_path), None) == ServerConfig(tmp_path)


def test_every_key_sets_its_field(tmp_path: Path) -> None:
    text = """
listen = "[::1]:50051"
idle_exit_seconds = 600
cancel_grace_seconds = 1.5
stop_grace_seconds = 7
free_gpu_after_seconds = 8
worker_silence_seconds = 9
step_seconds = 100
artifact_gigabytes = 0.5
artifacts_folder = "prepared"
executor = "ray"
ray_address = "10.0.0.5:6379"
workers = 3
log_level = "debug"

[tls]
certificate = "server.pem"
key = "/keys/server.key"

[remote]
roots = [
    "/projects",   # a list may take several lines
    "shots",
]
upload_gigabytes = 2
kept_gigabytes = 3
kept_days = 0.5

[limits]
clip_frames = 100
clip_hours = 0.25
side_pixels = 4096
clip_megapixels = 16
picture_megapixels = 17
reader_memory_gigabytes = 2
"""
    assert read(tmp_path, text) == ServerConfig(
        tmp_path,
        listen="[::1]:50051",
        idle_exit_seconds=600,
        cancel_grace_seconds=1.5,
        stop_grace_seconds=7,
        worker_idle_seconds=8,
        worker_silence_seconds=9,
        step_seconds=100,
        artifact_bytes=500_000_000,
        artifacts_folder=tmp_path / "prepared",
        executor=Executor.RAY,
        ray_address="10.0.0.5:6379",
        workers=3,
        log_level="debug",
        tls=TlsFiles(tmp_path / "server.pem", Path("/keys/server.key")),
        roots=(Path("/projects"), tmp_path / "shots"),
        upload_bytes=2 * 10**9,
        kept_bytes=3 * 10**9,
        kept_seconds=43200,
        limits=Limits(100, 0.25, 4096, 16, 17, 2 * 2**30),
    )
    assert all(re.search(rf"^{key.name.rpartition('.')[2]} = ", text, re.MULTILINE) for key in KEYS), "a key is missing above"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('\nlisten_on = "127.0.0.1:0"', "line 2: there is no setting 'listen_on'; write listen = "),
        ("[limits]\nclip_frame = 3", "line 2: there is no setting 'limits.clip_frame'; write [limits] clip_frames = "),
        ("clip_frames = 3", "line 1: there is no setting 'clip_frames'; write [limits] clip_frames = "),
        ("[limit]\nclip_frames = 3", "line 1: there is no setting 'limit'; "),
        ("# note\n\nqqqq = 3", "line 3: there is no setting 'qqqq'; take the line out."),
        ('idle_exit_seconds = "600"', "line 1: idle_exit_seconds is a number of seconds above 0; write idle_exit_seconds = 600."),
        ("idle_exit_seconds = 0", "line 1: idle_exit_seconds is a number of seconds above 0"),
        ("idle_exit_seconds = nan", "line 1: idle_exit_seconds is a number of seconds above 0"),
        ("idle_exit_seconds = true", "line 1: idle_exit_seconds is a number"),
        ('executor = "slurm"', "line 1: executor is one of local, ray, in quotes"),
        ("executor = 1", "line 1: executor is one of local, ray, in quotes"),
        ('ray_address = "10.0.0.5"', "line 1: ray_address is auto, or host and port, in quotes"),
        ('ray_address = "ray://10.0.0.5:10001"', "line 1: ray_address is auto, or host and port"),
        ("workers = 0", "line 1: workers is a whole number from 1 to 64; write workers = 2."),
        ('log_level = "loud"', "line 1: log_level is one of debug, info, warning, error, in quotes"),
        ('listen = "here"', "line 1: listen is a numeric address and a port"),
        ('[remote]\nroots = "/projects"', "line 2: remote.roots is a list of folders"),
        ('[remote]\nroots = [\n  "/projects",\n  7,\n]', "line 2: remote.roots is a list of folders"),
        ("[limits]\nclip_frames = 0", "line 2: limits.clip_frames is a whole number of frames, 1 or more"),
        ("[limits]\nclip_frames = 2.5", "line 2: limits.clip_frames is a whole number"),
        ('text = """\na\n"""\nartifact_gigabytes = -1', "line 1: there is no setting 'text'"),
        ('\n[tls]\ncertificate = "a.pem"', "line 2: a certificate and its key belong together"),
        ("listen\n", "line 1: "),
        ('listen = "127.0.0.1:0"\nlisten = "127.0.0.1:1"', "line 2: cannot overwrite a value"),
        ('log_level = "info"\nremote = {', "line 2: "),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_what_to_write(tmp_path: Path, text: str, sentence: str) -> None:
    told = refused(tmp_path, text)
    assert told.startswith(sentence), told
    assert refused(tmp_path, text.replace("\n", "\r\n")).partition(":")[0] == sentence.partition(":")[0]


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b'log_level = "info"\n\xff = 1\n')
    with pytest.raises(BridgeError) as caught:
        read_config(ServerConfig(tmp_path), None)
    assert "line 2" in caught.value.sentence
    with pytest.raises(BridgeError) as caught:
        read_config(ServerConfig(tmp_path), tmp_path / "no such file")
    assert "--config" in caught.value.sentence


def test_options_win_over_the_file_and_the_file_over_a_commands_default(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("idle_exit_seconds = 5\ncancel_grace_seconds = 6\n")
    config = configured(_parser().parse_args(["--data-dir", str(tmp_path), "--idle-exit-default", "600", "--cancel-grace", "7"]))
    assert (config.idle_exit_seconds, config.cancel_grace_seconds) == (5, 7)
    (tmp_path / "config.toml").unlink()
    assert configured(_parser().parse_args(["--data-dir", str(tmp_path), "--idle-exit-default", "600"])).idle_exit_seconds == 600


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(server_command(folder, *options), env=server_environment(), capture_output=True, text=True, timeout=30)


def test_a_server_with_a_wrong_file_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "settings").write_text("\nfree_gpu_after = 3\n")
    done = run(tmp_path / "data", "--config", str(tmp_path / "settings"))
    assert done.returncode == 1
    assert done.stderr == (f"{tmp_path / 'settings'}, line 2: there is no setting 'free_gpu_after'; write free_gpu_after_seconds = 120.\n")


def test_a_check_says_what_would_be_and_starts_nothing(tmp_path: Path) -> None:
    done = run(tmp_path / "data", "--check", "--listen", "[::1]:0")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"listen": "[::1]:0", "tls_certificate_end": None})
    assert not (tmp_path / "data" / "server.json").exists()
    assert run(tmp_path / "data", "--check", "--listen", "0.0.0.0:0").returncode == 1


def test_a_limit_of_the_file_holds_in_the_server_and_in_its_worker(start_server: StartServer, clip: Path, tmp_path: Path) -> None:
    import grpc
    from tests.server.harness import refusal

    from i2vedit.v1 import propagation_service_pb2 as pb

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "config.toml").write_text("[limits]\nclip_frames = 7\n")
    server = start_server()
    with pytest.raises(grpc.RpcError) as caught:
        server.call("ProbeClip", pb.ProbeClipRequest(path=str(clip)))
    _, reason, sentence = refusal(caught.value)
    assert reason == "CLIP_UNSUPPORTED" and "8 frames, 7 are supported" in sentence


def test_the_docs_name_every_key_with_its_default() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| ([^|]+) \| ([^|]+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    told = {name: default.strip().strip("`") for name, _, default in rows}
    assert set(told) == {key.name for key in KEYS}
    config = ServerConfig(Path("/data"))
    for key in KEYS:
        default: Any = config
        for part in key.field.split("."):
            default = getattr(default, part, None)
        if default in (None, ()):
            assert told[key.name] in ("never", "none"), key.name
        else:
            assert key.read(_toml(told[key.name]), Path("/")) == default, key.name


def test_i2vedit_serve_takes_the_options_of_the_server_and_those_that_the_page_names() -> None:
    options = {option for action in _parser()._actions for option in action.option_strings}
    offered = {option: param for param in command.params for option in param.opts}
    assert set(offered) - {"--install", "--uninstall-service"} == options - {"-h", "--help", "--check", "--idle-exit-default", "--runner"}
    levels = offered["--log-level"].type
    assert isinstance(levels, click.Choice) and tuple(levels.choices) == LOG_LEVELS
    named = set(re.findall(r"\| `(--[\w-]+)` \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    assert {"--cancel-grace", "--log-level"} <= named <= set(offered)


def _toml(value: str) -> object:
    import tomllib

    return tomllib.loads(f"value = {value}")["value"]
