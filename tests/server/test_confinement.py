"""Which paths may be named from elsewhere: those below the roots, whatever stands in a request."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from i2vedit.v1 import clip_pb2, job_pb2
from i2vedit.v1 import propagation_service_pb2 as pb
from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_server.confinement import PATH_FIELDS, Confinement, is_local

ELSEWHERE = "ipv4:10.1.2.3:4000"
HERE = "ipv4:127.0.0.1:4000"

NO_PATHS = frozenset(
    {"start_timecode", "track", "color_tag", "clip_name", "color_space", "compression", "name", "request_id", "page_token"}
    | {"resume_after", "before_job", "after_file", "ticket"}
)
"""Strings of requests that name no file of the server's machine."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "shots").mkdir(parents=True)
    (tmp_path / "root" / "shots" / "a.mov").write_bytes(b"clip")
    (tmp_path / "secret").write_bytes(b"secret")
    return tmp_path / "root"


@pytest.fixture
def confinement(root: Path, tmp_path: Path) -> Confinement:
    return Confinement(tmp_path / "data" / "uploads", tmp_path / "data" / "deliveries", (root,))


def refused(confinement: Confinement, path: str, peer: str = ELSEWHERE) -> None:
    request = pb.ProbeClipRequest(path=path)
    with pytest.raises(BridgeError) as caught:
        confinement.admit(request, peer)
    assert (caught.value.code, caught.value.reason) == (Code.PERMISSION_DENIED, Reason.PATH_NOT_ALLOWED)


def test_what_lies_below_a_root_may_be_named(confinement: Confinement, root: Path, tmp_path: Path) -> None:
    for path in (root / "shots" / "a.mov", tmp_path / "data" / "uploads" / "x" / "b.mov", root / "50 % 'é'.mov"):
        request = pb.ProbeClipRequest(path=str(path))
        confinement.admit(request, ELSEWHERE)
        assert request.path == str(path.resolve())


def test_what_leads_out_may_not(confinement: Confinement, root: Path, tmp_path: Path) -> None:
    paths = ["/etc/passwd", str(tmp_path / "secret"), f"{root}/../secret", f"{root}/shots/../shots/a.mov", "a.mov", "./a.mov", "../secret"]
    paths += [
        "\\\\server\\share\\a.mov",
        "//server/share/a.mov",
        "\\\\.\\PhysicalDrive0",
        "\\\\?\\C:\\a.mov",
        "C:\\Windows\\a.mov",
        "C:a.mov",
    ]
    paths += [f"{root}/NUL", f"{root}/con.mov", f"{root}/COM1 .exr", f"{root}/lpt9/a.mov", f"{root}\\..\\secret", f"{root}/a\0.mov"]
    paths += ["/dev/zero", "/proc/self/environ", "file:///etc/passwd", f"{root}evil/a.mov", str(tmp_path / "data" / "token"), "/"]
    for path in paths:
        refused(confinement, path)


def test_links_are_followed_before_they_are_judged(confinement: Confinement, root: Path, tmp_path: Path) -> None:
    (root / "out").symlink_to(tmp_path)
    (root / "in").symlink_to(root / "shots")
    (root / "circle").symlink_to(root / "circle")
    refused(confinement, str(root / "out" / "secret"))
    refused(confinement, str(root / "circle"))
    request = pb.ProbeClipRequest(path=str(root / "in" / "a.mov"))
    confinement.admit(request, ELSEWHERE)
    assert request.path == str((root / "shots" / "a.mov").resolve())


def test_a_link_that_comes_after_admission_is_seen_when_the_job_begins(confinement: Confinement, root: Path, tmp_path: Path) -> None:
    shots = root / "shots"
    request = pb.CreateJobRequest(spec=job_pb2.JobSpec(clip=clip_pb2.ClipRef(path=str(shots / "a.mov"))))
    confinement.admit(request, ELSEWHERE)
    confinement.admit_again(request.spec)
    shots.rename(root / "aside")
    shots.symlink_to(tmp_path)
    with pytest.raises(BridgeError) as caught:
        confinement.admit_again(request.spec)
    assert caught.value.reason is Reason.PATH_NOT_ALLOWED


def test_every_path_of_a_job_is_looked_at(confinement: Confinement, root: Path) -> None:
    inside = str(root / "shots" / "a.mov")

    def spec(clip: str = inside, edit: str = inside, directory: str = str(root), model: str = "mini") -> pb.CreateJobRequest:
        job = job_pb2.JobSpec(
            clip=clip_pb2.ClipRef(path=clip),
            edits=[job_pb2.EditedFrame(path=inside), job_pb2.EditedFrame(path=edit)],
            settings=job_pb2.PropagationSettings(model=model),
            delivery=job_pb2.DeliverySettings(directory=directory),
        )
        return pb.CreateJobRequest(spec=job)

    confinement.admit(spec(), ELSEWHERE)
    for wrong in (spec(clip="/etc/passwd"), spec(edit="/etc/passwd"), spec(directory="/tmp"), spec(model="/models/svd")):
        with pytest.raises(BridgeError):
            confinement.admit(wrong, ELSEWHERE)


def test_a_job_without_a_folder_gets_one_that_belongs_to_its_clip(confinement: Confinement, root: Path) -> None:
    def directory(clip: str) -> str:
        request = pb.CreateJobRequest(spec=job_pb2.JobSpec(clip=clip_pb2.ClipRef(path=str(root / clip))))
        confinement.admit(request, ELSEWHERE)
        assert request.spec.clip.confined
        return request.spec.delivery.directory

    assert directory("a.mov") == directory("a.mov") != directory("b.mov")
    assert Path(directory("a.mov")).parent == confinement.deliveries


def test_callers_of_this_machine_name_what_they_like(confinement: Confinement) -> None:
    request = pb.ProbeClipRequest(path="/etc/../etc/passwd")
    confinement.admit(request, HERE)
    assert request.path == "/etc/../etc/passwd"


def test_on_windows_nothing_is_written_to_a_device(confinement: Confinement) -> None:
    windows = Confinement(confinement.uploads, confinement.deliveries, windows=True)
    posix = Confinement(confinement.uploads, confinement.deliveries, windows=False)
    for name in ("C:\\shots\\NUL", "C:\\shots\\aux.exr", "C:\\con\\frame.exr", "com1"):
        with pytest.raises(BridgeError) as caught:
            windows.admit(pb.ExtractFrameRequest(output_path=name), HERE)
        assert "device" in caught.value.sentence
        posix.admit(pb.ExtractFrameRequest(output_path=name), HERE)
        windows.admit(pb.ExtractFrameRequest(path=name), HERE)
    windows.admit(pb.ExtractFrameRequest(output_path="C:\\shots\\null.exr"), HERE)


@pytest.mark.parametrize("peer", [HERE, "ipv6:[::1]:4", "ipv6:%5B::1%5D:4", "ipv4:127.9.9.9:1", "ipv6:%5B::ffff:127.0.0.1%5D:4"])
def test_loopback_peers_are_of_this_machine(peer: str) -> None:
    assert is_local(peer)


@pytest.mark.parametrize(
    "peer", [ELSEWHERE, "ipv6:[fd00::2]:4", "ipv6:%5B::ffff:10.0.0.1%5D:4", "unix:/tmp/s", "", "ipv4:", "ipv4:localhost:1", "127.0.0.1:4"]
)
def test_all_other_peers_are_not(peer: str) -> None:
    assert not is_local(peer)


def strings_of(message: Descriptor | None, seen: set[str]) -> Iterator[str]:
    if message is None or message.full_name in seen:
        return
    seen.add(message.full_name)
    for field in message.fields:
        if field.type == FieldDescriptor.TYPE_STRING:
            yield field.name
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            yield from strings_of(field.message_type, seen)


def test_no_string_of_any_request_is_forgotten() -> None:
    """A field that is added must be put into one of the two sets, or a caller from elsewhere could name any path in it."""
    service = pb.DESCRIPTOR.services_by_name["PropagationService"]
    unary = [method.input_type for method in service.methods if not method.client_streaming]
    found = {name for message in unary for name in strings_of(message, set())}
    assert found - PATH_FIELDS - NO_PATHS == set()
    assert found >= PATH_FIELDS


@pytest.mark.skipif(os.name == "nt", reason="another form of path")
def test_a_root_may_itself_be_a_link(tmp_path: Path, root: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    confinement = Confinement(tmp_path / "u", tmp_path / "d", (tmp_path / "alias",))
    request = pb.ProbeClipRequest(path=str(tmp_path / "alias" / "shots" / "a.mov"))
    confinement.admit(request, ELSEWHERE)
    assert request.path == str((root / "shots" / "a.mov").resolve())


def test_endless_paths_are_refused_before_they_are_taken_apart(tmp_path: Path) -> None:
    request = pb.ProbeClipRequest(path="/a" * 1_000_000)
    with pytest.raises(BridgeError) as caught:
        Confinement(tmp_path, tmp_path).admit(request, "ipv4:127.0.0.1:5001")
    assert caught.value.reason is Reason.PATH_INVALID and len(caught.value.sentence) < 200
