"""Real servers in processes of their own, and callers on real channels."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import psutil
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from i2vedit.v1 import job_pb2, shot_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit.v1.propagation_service_pb2_grpc import PropagationServiceStub

HERE = Path(__file__).resolve().parent
START_SECONDS = 60.0
FINAL = (job_pb2.Job.STATE_SUCCEEDED, job_pb2.Job.STATE_FAILED, job_pb2.Job.STATE_CANCELLED)


def wait_for(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """What the condition gives as soon as it is true. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise TimeoutError(f"{condition} did not become true within {seconds} s")


def server_command(folder: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "i2vedit_server", "--data-dir", str(folder), *options]


def server_environment() -> dict[str, str]:
    """With the folder of the stand-in runners on the path, also of the worker process."""
    paths = [str(HERE), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


class ServerProcess:
    """One server and a stub that talks to it."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(server_command(folder, *options), env=server_environment(), stderr=subprocess.PIPE, text=True)
        try:
            self.address = wait_for(self._address, START_SECONDS)
        except BaseException:
            self._leave_nothing()  # nobody else knows of it yet
            raise
        self.channel = grpc.insecure_channel(self.address, options=[("grpc.enable_http_proxy", 0)])
        self.stub = PropagationServiceStub(self.channel)

    def _address(self) -> str | None:
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended: {self.process.communicate()[1]}")
        try:
            told = json.loads((self.folder / "server.json").read_text())
        except FileNotFoundError:
            return None
        return str(told["address"]) if told["pid"] == self.process.pid else None

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {(self.folder / 'token').read_text()}"),)

    def call(self, method: str, request: Any, timeout: float = 30.0) -> Any:
        """One unary call with the token."""
        return getattr(self.stub, method)(request, metadata=self.metadata, timeout=timeout)

    def create(self, spec: job_pb2.JobSpec, request_id: str | None = None, attach: bool = False) -> pb.CreateJobResponse:
        request_id = str(uuid.uuid4()) if request_id is None else request_id
        response: pb.CreateJobResponse = self.call("CreateJob", pb.CreateJobRequest(request_id=request_id, spec=spec, attach=attach))
        return response

    def job(self, name: str) -> job_pb2.Job:
        job: job_pb2.Job = self.call("GetJob", pb.GetJobRequest(name=name)).job
        return job

    def trains(self, name: str) -> bool:
        """Whether the runner of this job has begun to work."""
        return self.job(name).progress.stage == job_pb2.JobProgress.STAGE_TRAIN

    def watch(self, name: str, timeout: float = 60.0, after: str = "", previews: bool = False) -> Iterator[pb.WatchJobResponse]:
        request = pb.WatchJobRequest(name=name, resume_after=after, previews=previews)
        answers: Iterator[pb.WatchJobResponse] = self.stub.WatchJob(request, metadata=self.metadata, timeout=timeout)
        return answers

    def prepare(self, spec: job_pb2.JobSpec) -> shot_pb2.Shot:
        """Starts the preparation of a job's shot."""
        wanted = shot_pb2.ShotSpec(clip=spec.clip, settings=spec.settings)
        shot: shot_pb2.Shot = self.call("PrepareShot", pb.PrepareShotRequest(spec=wanted)).shot
        return shot

    def shot(self, name: str) -> shot_pb2.Shot:
        shot: shot_pb2.Shot = self.call("GetShot", pb.GetShotRequest(name=name)).shot
        return shot

    def watch_all(
        self, *kinds: job_pb2.Job.Kind.ValueType, after: str = "", timeout: float = 60.0, previews: bool = False
    ) -> Iterator[pb.WatchJobsResponse]:
        request = pb.WatchJobsRequest(kinds=kinds, resume_after=after, previews=previews)
        answers: Iterator[pb.WatchJobsResponse] = self.stub.WatchJobs(request, metadata=self.metadata, timeout=timeout)
        return answers

    def ended(self, name: str, seconds: float = 30.0) -> job_pb2.Job:
        """The job once it has ended."""
        wait_for(lambda: self.job(name).state in FINAL, seconds)
        return self.job(name)

    def worker(self) -> psutil.Process:
        """The worker process, once there is one."""
        process: psutil.Process = wait_for(lambda: next(iter(workers_of(self.process.pid)), None))
        return process

    def stop(self) -> int:
        """Asks the server to end and gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=20)
        return int(self.process.returncode)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=20)

    def close(self) -> None:
        """Whatever state it is in: ends it, and closes the channel."""
        self.channel.close()
        self._leave_nothing()

    def _leave_nothing(self) -> None:
        if self.process.poll() is None:
            self.kill()
        if self.process.stderr is not None:
            self.process.stderr.close()


def workers_of(pid: int) -> list[psutil.Process]:
    """Spawned worker processes of a server; the resource tracker is none."""
    return [child for child in psutil.Process(pid).children() if _is_worker(child)]


def _is_worker(process: psutil.Process) -> bool:
    try:
        return any("spawn_main" in part for part in process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False  # it has just ended


def refusal(error: Any) -> tuple[grpc.StatusCode, str, str]:
    """Code, reason and sentence of an error as a client reads them; the domain must be ours."""
    status = rpc_status.from_call(error)
    assert status is not None, f"no details in {error!r}"
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.domain == "i2vedit"
    assert "Traceback" not in status.message
    assert error.code().value[0] == status.code
    return error.code(), info.reason, status.message
