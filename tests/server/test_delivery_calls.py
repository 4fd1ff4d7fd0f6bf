"""The looks at what was delivered, over real channels: frame by frame, ended with their caller, beside a server that stays quick."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import grpc
import psutil
import pytest
from tests.core.delivery.delivered import whole_delivery
from tests.server.harness import ServerProcess, refusal, wait_for

from i2vedit.v1 import delivery_pb2 as pb
from i2vedit.v1 import propagation_service_pb2 as service_pb
from i2vedit_core.delivery.ticket import TICKET_FILE, Ticket
from i2vedit_core.models import find_model
from i2vedit_core.shot import Shot
from i2vedit_server.confinement import Confinement

FIRST, LAST = 1, 4


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, clip: Path, model_folder: Path) -> Path:
    """A whole delivery of four frames; tests copy it before they damage it."""
    shot = Shot.open(clip, FIRST, LAST)
    ticket = Ticket(
        plate_path=str(clip),
        plate_sha256="",
        first=FIRST,
        last=LAST,
        edit_path="",
        edit_sha256="",
        edit_frame=FIRST,
        model=str(model_folder),
        model_sha256=find_model(str(model_folder)).sha256,
        settings={"model": str(model_folder), "preset": "full", "edit": "local", "seed": 10, "lora": {"steps": 3}, "guidance": [1, 2]},
        delivery={},
        seed=10,
        device="cpu",
        dtype="float32",
        threads=1,
        versions={},
        created="2026-01-02T03:04:05Z",
    )
    return whole_delivery(tmp_path_factory.mktemp("made"), shot, ticket)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / made.name))


def verify(server: ServerProcess, folder: Path, **paths: str) -> Iterator[pb.VerifyDeliveryResponse]:
    request = pb.VerifyDeliveryRequest(directory=str(folder), **paths)
    answers: Iterator[pb.VerifyDeliveryResponse] = server.stub.VerifyDelivery(request, metadata=server.metadata, timeout=120)
    return answers


def test_a_whole_delivery_is_looked_at_frame_by_frame(shared_server: ServerProcess, made: Path) -> None:
    answers = list(verify(shared_server, made))
    assert [answer.progress.looked_count for answer in answers[:-1]] == [1, 2, 3, 4]
    verdict = answers[-1].verdict
    assert (verdict.first_frame, verdict.last_frame, verdict.fault_count, verdict.unchecked_count) == (FIRST, LAST, 0, 0)


def test_a_fault_names_its_frame(shared_server: ServerProcess, folder: Path) -> None:
    (folder / f"{folder.name}.0003.exr").unlink()
    *_, last = answers = list(verify(shared_server, folder))
    (finding,) = [answer.finding for answer in answers if answer.HasField("finding")]
    assert (finding.kind, finding.check, finding.frame) == (pb.Finding.KIND_FAULT, "frames", 3)
    assert last.verdict.fault_count == 1


def test_plate_and_picture_may_have_moved(shared_server: ServerProcess, folder: Path, clip: Path, made: Path) -> None:
    replace(Ticket.load(folder), plate_path=f"/moved/{clip.name}", edit_path="/moved/painted.tif").save(folder)
    assert list(verify(shared_server, folder))[-1].verdict.unchecked_count == 2
    picture = made.parents[1] / "painted.tif"
    assert list(verify(shared_server, folder, plate_path=str(clip), edit_path=str(picture)))[-1].verdict.unchecked_count == 0


def test_the_server_answers_meanwhile_and_a_caller_that_goes_ends_the_look(shared_server: ServerProcess, made: Path) -> None:
    def looks() -> list[psutil.Process]:
        children = psutil.Process(shared_server.process.pid).children()
        return [child for child in children if "look_at_delivery.py" in " ".join(child.cmdline())]

    answers = verify(shared_server, made)
    wait_for(looks, 60)
    shared_server.call("GetServerInfo", service_pb.GetServerInfoRequest())
    assert looks(), "it was answered while the look went on"
    answers.cancel()  # type: ignore[attr-defined]
    wait_for(lambda: not looks(), 30)


def test_two_deliveries_are_compared(shared_server: ServerProcess, made: Path, folder: Path) -> None:
    def compared() -> list[pb.CompareDeliveriesResponse]:
        request = pb.CompareDeliveriesRequest(directory=str(made), other_directory=str(folder))
        return list(shared_server.stub.CompareDeliveries(request, metadata=shared_server.metadata, timeout=120))

    same = compared()[-1].comparison
    assert (same.frame_count, same.differing_frame_count) == (4, 0)
    shutil.copyfile(folder / f"{folder.name}.0002.exr", folder / f"{folder.name}.0003.exr")
    replace(Ticket.load(folder), threads=8).save(folder)
    *events, last = compared()
    assert (last.comparison.differing_frame_count, last.comparison.differing_pixel_count > 0) == (1, True)
    told = [event.finding for event in events if event.HasField("finding")]
    assert told[0].frame == 3 and "threads was 1, and is 8 now" in told[-1].message


def test_what_is_no_delivery(shared_server: ServerProcess, tmp_path: Path) -> None:
    for name in (tmp_path / "nowhere", Path("relative")):
        with pytest.raises(grpc.RpcError) as caught:
            list(verify(shared_server, name))
        assert refusal(caught.value)[1] in ("DELIVERY_NOT_FOUND", "PATH_INVALID")
    assert list(verify(shared_server, tmp_path))[-1].verdict.fault_count == 1


def test_a_repetition_is_a_job_and_a_second_call_takes_it_up(shared_server: ServerProcess, made: Path, tmp_path: Path) -> None:
    request = pb.RepeatDeliveryRequest(directory=str(made), output_path=str(tmp_path / "again"), request_id="one")
    first = shared_server.call("RepeatDelivery", request)
    request.request_id = "one"
    assert shared_server.call("RepeatDelivery", request).job == first.job
    job = shared_server.job(first.job)
    assert (job.spec.clip.source_in, job.spec.clip.frame_count, job.spec.settings.seed) == (FIRST, 4, 10)
    assert job.spec.delivery.repeats.directory == str(made)


def test_with_other_material_nothing_is_repeated(shared_server: ServerProcess, folder: Path, clip: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes() + b"\0")
    request = pb.RepeatDeliveryRequest(directory=str(folder), output_path=str(tmp_path / "again"), plate_path=str(other))
    for path, reason in ((str(other), "MATERIAL_CHANGED"), (str(tmp_path / "gone.mp4"), "CLIP_NOT_FOUND")):
        request.plate_path = path
        with pytest.raises(grpc.RpcError) as caught:
            shared_server.call("RepeatDelivery", request)
        assert refusal(caught.value)[1] == reason
    (folder / TICKET_FILE).write_text("{}")
    with pytest.raises(grpc.RpcError) as caught:
        shared_server.call("RepeatDelivery", request)
    assert refusal(caught.value)[1] == "TICKET_UNUSABLE"


def test_from_elsewhere_a_ticket_leads_to_no_other_file(tmp_path: Path) -> None:
    confinement = Confinement(tmp_path / "uploads", tmp_path / "deliveries")
    assert not confinement.allows(Path("/etc/passwd"), "ipv4:10.1.2.3:4000")
    assert confinement.allows(tmp_path / "uploads" / "a" / "clip.mov", "ipv4:10.1.2.3:4000")
    assert confinement.allows(Path("/etc/passwd"), "ipv4:127.0.0.1:4000")
