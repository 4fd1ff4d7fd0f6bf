"""Lanes: with more than one, jobs run side by side; of one shot only one at a time, as long as it is not prepared."""

from pathlib import Path

import pytest
from tests.server.conftest import StartServer
from tests.server.harness import ServerProcess, wait_for, workers_of

from i2vedit.v1 import job_pb2, shot_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit_server.config import Executor, ServerConfig
from i2vedit_server.data_folder import DataFolder
from i2vedit_server.setups import worker_setups

State = job_pb2.Job
LONG = 3000
"""Milliseconds a step: it still runs when everything has been looked at."""


def of_seed(spec: job_pb2.JobSpec, seed: int) -> job_pb2.JobSpec:
    """The seed is the length of a step, and makes a shot of its own."""
    other = job_pb2.JobSpec()
    other.CopyFrom(spec)
    other.settings.seed = seed
    return other


def submitted(server: ServerProcess, spec: job_pb2.JobSpec) -> str:
    return str(server.create(spec).job.name)


def edits(server: ServerProcess, name: str) -> bool:
    """Whether the stand-in `edit_on` has this job in hand."""
    return bool(server.job(name).progress.stage == job_pb2.JobProgress.STAGE_EDIT)


@pytest.fixture
def two(start_server: StartServer) -> ServerProcess:
    """A server with two lanes, whose stand-in prepares and delivers."""
    return start_server("shot", "--workers", "2")


def test_two_lanes_run_two_jobs_side_by_side(two: ServerProcess, spec: job_pb2.JobSpec) -> None:
    first, second, third = (submitted(two, of_seed(spec, LONG + number)) for number in range(3))
    wait_for(lambda: two.trains(first) and two.trains(second))
    info = two.call("GetServerInfo", pb.GetServerInfoRequest())
    assert (info.running_count, info.queued_count, info.running_job) == (2, 1, second)
    assert len(workers_of(two.process.pid)) == 2
    two.call("CancelJob", pb.CancelJobRequest(name=first))
    wait_for(lambda: two.trains(third))
    assert two.job(second).state == State.STATE_RUNNING and two.job(second).attempt == 1, "what ran beside was left alone"


def test_one_lane_runs_one_job(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("shot")
    first, second = (submitted(server, of_seed(spec, LONG + number)) for number in range(2))
    wait_for(lambda: server.trains(first))
    info = server.call("GetServerInfo", pb.GetServerInfoRequest())
    assert (info.running_count, info.queued_count) == (1, 1) and server.job(second).state == State.STATE_QUEUED


def test_a_shot_is_made_by_one_lane_and_another_job_takes_the_other(two: ServerProcess, spec: job_pb2.JobSpec) -> None:
    first, same = submitted(two, of_seed(spec, LONG)), submitted(two, of_seed(spec, LONG))
    other = submitted(two, of_seed(spec, LONG + 1))
    wait_for(lambda: two.trains(first) and two.trains(other))
    assert two.job(same).state == State.STATE_QUEUED
    two.call("CancelJob", pb.CancelJobRequest(name=first))
    wait_for(lambda: two.trains(same))


def test_two_edits_of_a_prepared_shot_run_side_by_side(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("edit_on", "--workers", "2")
    shot = server.prepare(spec)
    wait_for(lambda: server.shot(shot.name).state == shot_pb2.Shot.STATE_PREPARED)
    names = [submitted(server, spec) for _ in range(2)]
    wait_for(lambda: all(edits(server, name) for name in names))


def test_a_preparation_goes_on_where_a_lane_is_free_and_gives_way_where_none_is(two: ServerProcess, spec: job_pb2.JobSpec) -> None:
    shot = two.prepare(of_seed(spec, LONG))
    wait_for(lambda: two.trains(shot.job))
    first = submitted(two, of_seed(spec, LONG + 1))
    wait_for(lambda: two.trains(first))
    assert two.job(shot.job).state == State.STATE_RUNNING
    second = submitted(two, of_seed(spec, LONG + 2))
    wait_for(lambda: two.trains(second))
    assert (two.job(shot.job).state, two.job(first).attempt) == (State.STATE_QUEUED, 1)


def test_a_job_goes_on_with_the_preparation_of_its_own_shot(two: ServerProcess, spec: job_pb2.JobSpec) -> None:
    shot = two.prepare(of_seed(spec, LONG))
    wait_for(lambda: two.trains(shot.job))
    name = submitted(two, of_seed(spec, LONG))
    wait_for(lambda: two.trains(name))
    assert two.job(shot.job).state == State.STATE_QUEUED


def test_all_lanes_give_their_memory_back(two: ServerProcess, spec: job_pb2.JobSpec) -> None:
    names = [submitted(two, of_seed(spec, LONG + number)) for number in range(2)]
    wait_for(lambda: all(two.trains(name) for name in names))
    kept = two.call("FreeMemory", pb.FreeMemoryRequest())
    assert not kept.freed and kept.running_job in names
    assert two.call("FreeMemory", pb.FreeMemoryRequest(force=True)).freed
    assert workers_of(two.process.pid) == []
    assert [two.job(name).state for name in names] == [State.STATE_QUEUED] * 2


def test_a_lane_that_loses_its_worker_leaves_the_other_alone(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("edit_on", "--workers", "2")
    names = [submitted(server, of_seed(spec, 10 + number)) for number in range(2)]
    wait_for(lambda: all(edits(server, name) for name in names))
    workers_of(server.process.pid)[0].kill()
    wait_for(lambda: sorted(server.job(name).attempt for name in names) == [1, 2])
    assert sorted(server.job(name).losses for name in names) == [0, 1]


def test_a_server_with_two_lanes_that_is_killed_goes_on_with_both(start_server: StartServer, spec: job_pb2.JobSpec) -> None:
    server = start_server("edit_on", "--workers", "2")
    names = [submitted(server, of_seed(spec, 10 + number)) for number in range(2)]
    wait_for(lambda: all(edits(server, name) for name in names))
    server.kill()
    again = start_server("shot", "--workers", "2")
    assert [(job.state, job.attempt) for job in map(again.ended, names)] == [(State.STATE_SUCCEEDED, 2)] * 2


def test_cards_are_dealt_out_where_there_are_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cards(visible: str, workers: int) -> list[str | None]:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        setups = worker_setups(ServerConfig(tmp_path, workers=workers), DataFolder(tmp_path))
        return [setup.environment.get("CUDA_VISIBLE_DEVICES") for setup in setups]

    assert cards("0,GPU-5", 3) == ["0", "GPU-5", "0"]
    assert cards("3", 2) == [None, None], "one card is everybody's"
    assert cards("0,1", 1) == [None], "one lane is as it always was"


def test_a_lane_logs_into_a_file_of_its_own_and_knows_the_cluster(tmp_path: Path) -> None:
    local, ray = (ServerConfig(tmp_path, executor=each, ray_address="10.0.0.5:6379", workers=2) for each in Executor)
    assert [setup.log_path.name for setup in worker_setups(local, DataFolder(tmp_path))] == ["worker.log", "worker-2.log"]
    assert all(
        setup.environment == {} and setup.runner == "i2vedit_server.runner:run_job" for setup in worker_setups(local, DataFolder(tmp_path))
    )
    setup = worker_setups(ray, DataFolder(tmp_path))[1]
    assert setup.environment == {"RAY_ADDRESS": "10.0.0.5:6379", "RAY_USAGE_STATS_ENABLED": "0"}
    assert setup.runner == "i2vedit_server.farm.runner:run_job"
