"""How soon server and command answer; how the server bears callers, watchers and a long store; and what a prepared shot spares.

    python benchmarks/server.py            prints the table and writes docs/performance/server.md

A real server process; its job is real work of torch on a tiny model of random weights. Callers and watchers are processes beside it on the
same machine and take their share of it, so that the times are an upper bound. Nothing here is asserted by a test.
"""

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles

import grpc
import psutil

from i2vedit.v1 import clip_pb2, job_pb2, shot_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit.v1.propagation_service_pb2_grpc import PropagationServiceStub
from i2vedit_core.media.ffmpeg import find_ffmpeg
from i2vedit_core.versions import deciding_versions
from prepared_shot import Waited, measure_waits
from prepared_shot import table as wait_table
from report import markdown
from server_load import CALL_SECONDS, FINAL, WATCH_SECONDS, Answers, Door, Seen, call_all, fill_store, list_all, watch_all

ROOT = Path(__file__).resolve().parents[1]
TINY_MODEL = ROOT / "tests" / "tiny_model.py"
CHUNK_FRAMES = 4
TINY_LORA_STEPS = 20
"""Where the model is only to be run at all."""
PAGE = 1000
WAIT_SECONDS = 900.0
GOAL_MS = 100.0
GOAL_BYTES = 200e6
GOAL_START_SECONDS, GOAL_HELP_SECONDS = 3.0, 0.5
HELP_CALLS = 5


@dataclass(frozen=True)
class Crowd:
    """How much is asked of the server."""

    jobs: int
    clients: int
    calls: int
    """Of each client."""
    rest_seconds: float
    """Between an answer and the next call, on average."""
    watchers: int
    stalled: int
    """Of the watchers; they do not read."""
    frames: int
    """Of the job that is watched."""
    lora_steps: int
    """A chunk."""


@dataclass
class Measured:
    """What was found."""

    answered_seconds: float
    """From the start of the server process to its first answer."""
    help_seconds: float
    """Processor time of `i2vedit --help`, the best of five: it is what a host's menu waits for."""
    idle: Answers
    busy: Answers
    listed: tuple[int, int]
    """Jobs and pages."""
    list_seconds: float
    seen: list[Seen]
    late: list[Seen]
    """Of the stalled watchers, when they read at last."""
    start_bytes: int
    """Resident memory of the server process before anybody came."""
    peak_bytes: int
    end_bytes: int


@dataclass
class Server:
    """A server process with its data folder."""

    folder: Path
    process: subprocess.Popen[bytes] = field(init=False)
    door: Door = field(init=False)
    answered_seconds: float = field(init=False)
    """From the start of its process to its first answer."""

    def __enter__(self) -> "Server":
        command = [sys.executable, "-m", "i2vedit_server", "--data-dir", str(self.folder)]
        began = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        address = self.folder / "server.json"
        try:
            _wait(lambda: address.exists() or self.process.poll() is not None)
            if not address.exists():
                raise SystemExit(f"The server did not start; {self.folder / 'server.log'} says why.")
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        self.door = Door(json.loads(address.read_text())["address"], (self.folder / "token").read_text())
        self._channel = grpc.insecure_channel(self.door.address, options=[("grpc.enable_http_proxy", 0)])
        self._stub = PropagationServiceStub(self._channel)
        self._stub.GetServerInfo(pb.GetServerInfoRequest(), metadata=self.door.metadata, timeout=CALL_SECONDS)
        self.answered_seconds = time.monotonic() - began
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        self.process.terminate()
        self.process.wait()

    def submit(self, spec: job_pb2.JobSpec) -> str:
        request = pb.CreateJobRequest(request_id=spec.delivery.directory[-64:], spec=spec)
        return self._stub.CreateJob(request, metadata=self.door.metadata, timeout=CALL_SECONDS).job.name

    def prepare(self, spec: job_pb2.JobSpec) -> str:
        request = pb.PrepareShotRequest(spec=shot_pb2.ShotSpec(clip=spec.clip, settings=spec.settings))
        return self._stub.PrepareShot(request, metadata=self.door.metadata, timeout=CALL_SECONDS).shot.name

    def shot(self, name: str) -> shot_pb2.Shot:
        return self._stub.GetShot(pb.GetShotRequest(name=name), metadata=self.door.metadata, timeout=CALL_SECONDS).shot

    def watch(self, name: str) -> Iterator[pb.WatchJobResponse]:
        return self._stub.WatchJob(pb.WatchJobRequest(name=name), metadata=self.door.metadata, timeout=WATCH_SECONDS)

    def job(self, name: str) -> job_pb2.Job:
        return self._stub.GetJob(pb.GetJobRequest(name=name), metadata=self.door.metadata, timeout=CALL_SECONDS).job

    @property
    def resident_bytes(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)


class Peak:
    """The most resident memory of the server while the block runs."""

    def __init__(self, server: Server) -> None:
        self._server, self._over = server, threading.Event()
        self.bytes = 0
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.2):
            self.bytes = max(self.bytes, self._server.resident_bytes)


def measure(crowd: Crowd, work: Path) -> Measured:
    """The whole benchmark in a scratch folder."""
    spec = _spec(work, crowd)
    fill_store(work / "data" / "jobs.sqlite3", [spec] * crowd.jobs)
    with Server(work / "data") as server, ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        start_bytes = server.resident_bytes
        idle = pool.submit(call_all, server.door, crowd.clients, crowd.calls, crowd.rest_seconds).result()
        with Peak(server) as peak:
            name = _queued_job(server, spec, crowd, work)
            here = work / "all-watch"
            watching = pool.submit(watch_all, server.door, name, crowd.watchers, crowd.stalled, here)
            _wait(lambda: here.exists() or watching.done())
            _wait(lambda: server.job(name).state != job_pb2.Job.STATE_QUEUED)
            busy = pool.submit(call_all, server.door, crowd.clients, crowd.calls, crowd.rest_seconds).result()
            began = time.perf_counter()
            listed = list_all(server.door, PAGE)
            list_seconds = time.perf_counter() - began
            seen, late = watching.result()
        memory = (start_bytes, peak.bytes, server.resident_bytes)
        return Measured(server.answered_seconds, _help_seconds(), idle, busy, listed, list_seconds, seen, late, *memory)


def _help_seconds() -> float:
    """Processor time where the system tells it, else the wall clock's."""

    def spent() -> float:
        times = os.times()
        return times.children_user + times.children_system or time.perf_counter()

    def once() -> float:
        begin = spent()
        _run(sys.executable, "-m", "i2vedit_client", "--help")
        return spent() - begin

    return min(once() for _ in range(HELP_CALLS))


def _queued_job(server: Server, spec: job_pb2.JobSpec, crowd: Crowd, work: Path) -> str:
    """A job that waits behind a shorter one: whoever watches it is there before it begins."""
    before = job_pb2.JobSpec()
    before.CopyFrom(spec)
    before.settings.lora_steps = crowd.lora_steps // 2
    before.delivery.directory = str(work / "before")
    server.submit(before)
    return server.submit(spec)


def _spec(work: Path, crowd: Crowd) -> job_pb2.JobSpec:
    """A clip, a painted frame and a model of random weights, and the job of them."""
    model, clip, edited = work / "model", work / "shot.mov", work / "edited.png"
    _run(sys.executable, str(TINY_MODEL), str(model), str(CHUNK_FRAMES))
    _make_clip(clip, crowd.frames)
    _run(find_ffmpeg(), "-v", "error", "-i", f"file:{clip}", "-vf", "negate", "-frames:v", "1", "-update", "1", f"file:{edited}")
    return job_pb2.JobSpec(
        clip=clip_pb2.ClipRef(path=str(clip)),
        edits=[job_pb2.EditedFrame(path=str(edited))],
        settings=job_pb2.PropagationSettings(model=str(model), lora_steps=crowd.lora_steps),
        delivery=job_pb2.DeliverySettings(directory=str(work / "out")),
    )


def measure_preparation(work: Path, model: str, frames: int) -> tuple[float, list[Waited]]:
    """A shot of its own, on a server that nobody else calls. Model `tiny` is the one of random weights."""
    work.mkdir()
    clip, edits = work / "shot.mov", [work / "first.png", work / "second.png"]
    _make_clip(clip, frames)
    for edit, colour in zip(edits, ("red", "lime"), strict=True):
        box = f"drawbox=x=24:y=16:w=32:h=24:color={colour}:t=fill"
        _run(find_ffmpeg(), "-v", "error", "-i", f"file:{clip}", "-vf", box, "-frames:v", "1", "-update", "1", f"file:{edit}")
    settings = job_pb2.PropagationSettings(model=model)
    if model == "tiny":
        settings.model, settings.lora_steps = str(work / "model"), TINY_LORA_STEPS
        _run(sys.executable, str(TINY_MODEL), settings.model, str(CHUNK_FRAMES))
    spec = job_pb2.JobSpec(clip=clip_pb2.ClipRef(path=str(clip)), edits=[job_pb2.EditedFrame()], settings=settings)
    with Server(work / "data") as server:
        return measure_waits(server, spec, edits, work)


def _make_clip(path: Path, frames: int) -> None:
    source = f"testsrc2=size=96x64:rate=24:duration={frames / 24}"
    _run(find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", source, "-c:v", "ffv1", f"file:{path}")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)


def _wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("The server did not come so far in time.")
        time.sleep(0.05)


def table(crowd: Crowd, found: Measured) -> str:
    """What was measured beside what is promised."""
    busy = [seconds for seconds, working in zip(found.busy.seconds, found.busy.in_work, strict=True) if working]
    complete = sum(_is_complete(each, crowd) for each in found.seen)
    ended = sum(each.state in FINAL for each in found.late)
    rows = [
        ["from the start of the server to its first answer, s", f"{found.answered_seconds:.1f}", f"< {GOAL_START_SECONDS:g}"],
        ["`i2vedit --help`, s of processor time", f"{found.help_seconds:.2f}", f"< {GOAL_HELP_SECONDS:g}"],
        [f"GetServerInfo, {crowd.clients} clients, nothing else: p50, p99 ms", _percentiles(found.idle.seconds), ""],
        [
            f"GetServerInfo, {crowd.clients} clients, {crowd.watchers} watchers, while a worker trains: p50, p99 ms",
            _percentiles(busy),
            f"p99 < {GOAL_MS:.0f}",
        ],
        ["calls answered while a job was running", f"{len(busy)} of {len(found.busy.seconds)}", ""],
        [
            f"watchers that were told all {crowd.frames} frames once and in order, and the end",
            f"{complete} of {len(found.seen)}",
            "all",
        ],
        ["stalled watchers that were told the end when they read at last", f"{ended} of {len(found.late)}", "all"],
        ["jobs listed, pages, s", f"{found.listed[0]}, {found.listed[1]}, {found.list_seconds:.2f}", f"{crowd.jobs + 2} jobs"],
        [
            "memory of the server process, MB: at start, at most, at the end",
            ", ".join(f"{size / 1e6:.0f}" for size in (found.start_bytes, found.peak_bytes, found.end_bytes)),
            f"< {GOAL_BYTES / 1e6:.0f}",
        ],
    ]
    return markdown(["", "measured", "goal"], rows)


def _is_complete(seen: Seen, crowd: Crowd) -> bool:
    whole = seen.frames == tuple(range(crowd.frames))
    return seen.waited and whole and seen.in_order and seen.state == job_pb2.Job.STATE_SUCCEEDED


def _percentiles(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "–"
    cuts = quantiles(seconds, n=100, method="inclusive")
    return f"{cuts[49] * 1000:.1f}, {cuts[98] * 1000:.1f}"


def page(command: str, crowd: Crowd, found: Measured, prepared: str) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in deciding_versions().items())
    sections = [
        "# The server under load",
        f"Made by `{command}`.",
        f"Machine: {platform.machine()} CPU, {psutil.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}. "
        f"{versions}, grpcio {grpc.__version__}.",
        f"{crowd.jobs} ended jobs lie in the store. Each client calls, waits for the answer, rests {crowd.rest_seconds:g} s on average and "
        f"calls again, {crowd.calls} times. {crowd.stalled} of the {crowd.watchers} watchers read nothing until the job has ended. "
        "Clients and watchers run on the same machine as server and worker.",
        table(crowd, found).strip(),
        "## Train while you paint",
        "Nothing else runs, and the worker has loaded the model before. The three jobs are of one run.",
        prepared.strip(),
    ]
    return "\n\n".join(sections) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=10_000, help="in the store")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--calls", type=int, default=60, help="of each client")
    parser.add_argument("--rest", type=float, default=0.25, help="seconds between an answer and the next call, on average")
    parser.add_argument("--watchers", type=int, default=100)
    parser.add_argument("--stalled", type=int, default=10, help="watchers that do not read")
    parser.add_argument("--frames", type=int, default=2 * CHUNK_FRAMES - 1, help="of the job that is watched")
    parser.add_argument("--lora-steps", type=int, default=250, help="of that job, a chunk")
    parser.add_argument("--prepared-model", default="mini", help="of the shot that is prepared; `tiny` for one of random weights")
    parser.add_argument("--prepared-frames", type=int, default=14, help="of that shot")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "performance", help="where the page goes")
    options = parser.parse_args(arguments)
    crowd = Crowd(
        options.jobs, options.clients, options.calls, options.rest, options.watchers, options.stalled, options.frames, options.lora_steps
    )
    command = shlex.join(["python", "benchmarks/server.py", *(sys.argv[1:] if arguments is None else arguments)])
    with tempfile.TemporaryDirectory() as work:
        waits = wait_table(*measure_preparation(Path(work) / "prepared", options.prepared_model, options.prepared_frames))
        made = page(command, crowd, measure(crowd, Path(work)), waits)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "server.md").write_text(made, encoding="utf-8")
    print(made)


if __name__ == "__main__":
    main()
