"""The executor `ray` on a real cluster of this machine: the same frames as the local executor's, whatever becomes of a worker."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from tests.chaos.files import Digest, sequence_digest
from tests.server.harness import ServerProcess, server_command, server_environment, wait_for

from i2vedit.v1 import job_pb2, shot_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.media.ffmpeg import find_ffmpeg
from i2vedit_server.config import Executor, ServerConfig
from i2vedit_server.farm import at_start
from i2vedit_server.farm.cluster import INSTALL_FARM, connected, require_ray
from i2vedit_server.farm.terms import accept, offered, require_answer

pytest.importorskip("ray", reason="Ray is not installed: python3 dev.py setup")
from tests.server.ray_cluster import OPEN, RayCluster, a_token, can_unshare

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
TINY_MODEL = Path(__file__).resolve().parent.parent / "tiny_model.py"
JOB_SECONDS = 400.0
KEY = 4
"""Painted of eight frames: one chunk forward, two back. The second of these looks back at the first."""
CHUNKS = 3


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[None]:
    """One thread for the local executor, too: one and two give different last bits."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"OMP_NUM_THREADS": "1", **OPEN}.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    started = RayCluster()
    yield started
    started.close()


@pytest.fixture(scope="module")
def farm(cluster: RayCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose shots are prepared on the cluster."""
    server = on(cluster, tmp_path_factory.mktemp("farm"))
    yield server
    server.close()


def on(cluster: RayCluster, folder: Path) -> ServerProcess:
    options = ["--executor", "ray", "--ray-address", cluster.address, "--artifacts-dir", str(folder / "shared")]
    return ServerProcess(folder / "data", *options)


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "model"
    subprocess.run([sys.executable, str(TINY_MODEL), str(folder)], check=True, capture_output=True, timeout=600)
    return folder


@pytest.fixture
def real_spec(spec: job_pb2.JobSpec, tiny_model: Path, clip: Path, tmp_path: Path) -> job_pb2.JobSpec:
    """A bright square on a frame in the middle; few steps."""
    path = tmp_path / "square.png"
    take = ["-vf", f"select=eq(n\\,{KEY})", "-frames:v", "1", "-update", "1"]
    subprocess.run([find_ffmpeg(), "-v", "error", "-i", f"file:{clip}", *take, f"file:{path}"], check=True)
    pixels = np.array(oiio.ImageBuf(str(path)).get_pixels(oiio.UINT8))
    pixels[16:48, 24:56] = (255, 32, 32)
    assert oiio.ImageBuf(pixels).write(str(path))
    spec.edits[0].path, spec.edits[0].frame = str(path), KEY
    spec.settings.model = str(tiny_model)
    spec.settings.lora_steps = 30
    return spec


def frames_of(server: ServerProcess, name: str) -> Digest:
    job = server.ended(name, JOB_SECONDS)
    assert (job.state, job.attempt, job.losses) == (job_pb2.Job.STATE_SUCCEEDED, 1, 0), job.failure
    return sequence_digest(Path(job.delivered_directory))


def test_frames_are_those_of_the_local_executor_also_where_a_worker_is_killed(
    farm: ServerProcess, cluster: RayCluster, real_spec: job_pb2.JobSpec, tmp_path: Path
) -> None:
    name = farm.create(real_spec).job.name
    task = wait_for(lambda: farm.trains(name) and next(iter(cluster.tasks()), None), JOB_SECONDS)
    task.kill()
    assert task.wait(30) != 0
    far = frames_of(farm, name)
    assert len(list((farm.folder.parent / "shared").glob("inversion-*/trajectory.safetensors"))) == CHUNKS
    local = ServerProcess(tmp_path / "local")
    try:
        assert far == frames_of(local, local.create(real_spec).job.name)
    finally:
        local.close()


def test_a_shot_is_prepared_on_the_cluster_and_its_jobs_train_nothing(farm: ServerProcess, real_spec: job_pb2.JobSpec) -> None:
    real_spec.settings.seed += 1
    wanted = shot_pb2.ShotSpec(clip=real_spec.clip, settings=real_spec.settings, key_frames=[KEY])
    shot = farm.call("PrepareShot", pb.PrepareShotRequest(spec=wanted)).shot
    wait_for(lambda: farm.shot(shot.name).state == shot_pb2.Shot.STATE_PREPARED, JOB_SECONDS)
    assert "Ray cluster" in farm.call("GetServerInfo", pb.GetServerInfoRequest()).device
    name = farm.create(real_spec).job.name
    stages = {event.progress.stage for event in farm.watch(name, timeout=JOB_SECONDS) if event.WhichOneof("event") == "progress"}
    assert job_pb2.JobProgress.STAGE_TRAIN not in stages and job_pb2.JobProgress.STAGE_EDIT in stages
    frames_of(farm, name)


def test_a_cancelled_job_keeps_what_its_tasks_have_done(farm: ServerProcess, cluster: RayCluster, real_spec: job_pb2.JobSpec) -> None:
    real_spec.settings.seed += 2
    real_spec.settings.lora_steps = 5000
    before = set((farm.folder.parent / "shared").glob("lora-*/lora_*.safetensors"))
    name = farm.create(real_spec).job.name
    wait_for(lambda: farm.trains(name), JOB_SECONDS)
    farm.call("CancelJob", pb.CancelJobRequest(name=name))
    job = farm.ended(name, JOB_SECONDS)
    assert (job.state, job.losses) == (job_pb2.Job.STATE_CANCELLED, 0)
    assert set((farm.folder.parent / "shared").glob("lora-*/lora_*.safetensors")) - before
    wait_for(lambda: not cluster.tasks(), 30)


def test_a_cluster_that_has_gone_fails_the_job_with_the_reason_and_it_can_be_tried_again(
    real_spec: job_pb2.JobSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that asked for its token."""
    for name, value in a_token().items():
        monkeypatch.setenv(name, value)
    cluster = RayCluster()
    try:
        server = on(cluster, tmp_path)
        for name, value in a_token().items():
            monkeypatch.setenv(name, value)
        refused = started(tmp_path / "other", cluster.address)
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"What answers at {cluster.address} is no Ray that lets this machine in")
    finally:
        cluster.close()
    try:
        name = server.create(real_spec).job.name
        job = server.ended(name, JOB_SECONDS)
        assert (job.failure.reason, job.failure.code) == ("RAY_UNREACHABLE", "UNAVAILABLE") and cluster.address in job.failure.message
        assert server.call("RetryJob", pb.RetryJobRequest(name=name)).job.state == job_pb2.Job.STATE_QUEUED
    finally:
        server.close()


def started(folder: Path, address: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = server_command(folder, "--executor", "ray", "--ray-address", address, *options)
    return subprocess.run(command, env=server_environment(), capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("options", [(), ("--check",)])
def test_a_server_without_its_cluster_does_not_start(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = started(tmp_path / "data", "127.0.0.1:1", *options)
    assert done.returncode == 1 and done.stdout == ""
    assert "There is no Ray at 127.0.0.1:1. Start it (ray start --head" in done.stderr


def test_what_answers_and_is_no_ray_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_start, "LONGEST_SECONDS", 20.0)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        config = ServerConfig(tmp_path, executor=Executor.RAY, ray_address=address)
        with pytest.raises(BridgeError) as caught:
            at_start.require_cluster(config, tmp_path / "artifacts")
    assert caught.value.reason is Reason.RAY_UNREACHABLE
    assert caught.value.sentence.startswith(f"What answers at {address} is no Ray that lets this machine in")


@pytest.mark.skipif(not can_unshare(), reason="no process may have a file system of its own here")
def test_a_folder_that_is_not_shared_is_refused_at_the_start(tmp_path: Path) -> None:
    """The node has another folder under the same name."""
    shared = tmp_path / "shared"
    shared.mkdir()
    cluster = RayCluster(["unshare", "--mount", "sh", "-c", f'mount -t tmpfs tmpfs "{shared}" && exec "$@"', "sh"])
    try:
        done = started(tmp_path / "data", cluster.address, "--artifacts-dir", str(shared))
    finally:
        cluster.close()
    assert done.returncode == 1
    assert f"do not share the folder {shared}. Mount the same folder under the same path" in done.stderr
    assert not list(shared.iterdir()), "no marker is left behind"


def test_nodes_that_compute_otherwise_or_look_elsewhere_are_refused(cluster: RayCluster, tmp_path: Path) -> None:
    with connected(cluster.address, tmp_path) as found:
        assert found.require_nodes("CPU") == 1
        other = {**found.terms.versions, "torch": "2.0.0"}
        for terms, reason in (
            (replace(found.terms, versions=other), Reason.VERSION_MISMATCH),
            (replace(found.terms, token="another"), Reason.STORAGE_NOT_SHARED),
        ):
            with pytest.raises(BridgeError) as caught:
                replace(found, terms=terms).require_nodes("CPU")
            assert caught.value.reason is reason
        with pytest.raises(BridgeError) as caught:
            found.require_nodes("GPU")
        assert caught.value.reason is Reason.RAY_UNSUITABLE
    assert not list(tmp_path.iterdir())


def test_what_a_node_writes_must_be_seen_here(tmp_path: Path) -> None:
    with offered(tmp_path) as terms:
        answer = accept(terms)
        require_answer("render-2", terms, answer)
        (tmp_path / answer).write_text("another")
        with pytest.raises(BridgeError) as caught:
            require_answer("render-2", terms, answer)
        assert caught.value.reason is Reason.STORAGE_NOT_SHARED and "render-2" in caught.value.sentence


def test_where_ray_is_not_installed_it_is_said_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BridgeError) as caught:
        require_ray()
    assert caught.value.reason is Reason.LIBRARY_MISSING and INSTALL_FARM in caught.value.sentence
