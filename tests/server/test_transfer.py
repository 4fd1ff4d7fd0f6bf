"""Files on their way to a server on another machine, and frames on their way back: broken off, taken up, damaged, too many."""

import asyncio
import hashlib
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.certificates import Pair
from tests.server.elsewhere import remote_client
from tests.server.harness import ServerProcess

from i2vedit.v1 import job_pb2, transfer_pb2
from i2vedit_client.client import Client
from i2vedit_client.errors import ClientError, ServerError
from i2vedit_client.transfer import MARK, download_frames, upload_media
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_server.uploads import CHUNK_BYTES, Uploads, safe_name

CONTENT = bytes(range(256)) * 10_000  # 2.5 chunks


def header(content: bytes = CONTENT, name: str = "shot.mov", offset: int = 0, **other: Any) -> transfer_pb2.UploadMediaRequest:
    values = {"file_name": name, "byte_count": len(content), "sha256": hashlib.sha256(content).hexdigest(), "offset": offset, **other}
    return transfer_pb2.UploadMediaRequest(header=transfer_pb2.UploadHeader(**values))


def chunks(content: bytes) -> list[transfer_pb2.UploadMediaRequest]:
    return [transfer_pb2.UploadMediaRequest(chunk=content[begin : begin + CHUNK_BYTES]) for begin in range(0, len(content), CHUNK_BYTES)]


async def stream(requests: list[transfer_pb2.UploadMediaRequest]) -> AsyncIterator[transfer_pb2.UploadMediaRequest]:
    for request in requests:
        yield request


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "uploads", 10 * len(CONTENT))


async def send(uploads: Uploads, *requests: transfer_pb2.UploadMediaRequest) -> transfer_pb2.UploadMediaResponse:
    return await uploads.receive(stream(list(requests)))


async def refused(uploads: Uploads, *requests: transfer_pb2.UploadMediaRequest) -> BridgeError:
    with pytest.raises(BridgeError) as caught:
        await send(uploads, *requests)
    return caught.value


async def test_a_file_arrives_whole_and_is_kept_once(uploads: Uploads, tmp_path: Path) -> None:
    answer = await send(uploads, header(), *chunks(CONTENT))
    path = Path(answer.path)
    assert path == tmp_path / "uploads" / hashlib.sha256(CONTENT).hexdigest() / "shot.mov"
    assert path.read_bytes() == CONTENT
    assert (await send(uploads, header())).path == answer.path, "known content is not asked for again"
    other = Path((await send(uploads, header(name="other.mov"))).path)
    assert other.name == "other.mov" and other.samefile(path)
    assert sorted(each.name for each in path.parent.iterdir()) == ["other.mov", "shot.mov"]


async def test_what_was_broken_off_goes_on(uploads: Uploads, tmp_path: Path) -> None:
    assert (await send(uploads, header())).received_bytes == 0
    first = await send(uploads, header(), *chunks(CONTENT)[:1])
    assert (first.received_bytes, first.path) == (CHUNK_BYTES, "")
    assert (await send(uploads, header(), *chunks(CONTENT))).received_bytes == CHUNK_BYTES, "a wrong place is answered with the right one"
    answer = await send(uploads, header(offset=CHUNK_BYTES), *chunks(CONTENT)[1:])
    assert Path(answer.path).read_bytes() == CONTENT
    assert not list((tmp_path / "uploads").glob("*.part"))


async def test_what_differs_from_its_checksum_is_thrown_away(uploads: Uploads, tmp_path: Path) -> None:
    wrong = bytes(len(CONTENT))
    assert (await refused(uploads, header(), *chunks(wrong))).reason is Reason.UPLOAD_DAMAGED
    assert (await send(uploads, header())).received_bytes == 0
    assert Path((await send(uploads, header(), *chunks(CONTENT))).path).read_bytes() == CONTENT


async def test_what_is_no_upload_is_refused(uploads: Uploads) -> None:
    cases = [
        [],
        chunks(CONTENT),
        [header(sha256="../../etc/passwd")],
        [header(sha256="A" * 64)],
        [header(byte_count=0)],
        [header(byte_count=-5)],
        [header(offset=-1)],
        [header(offset=len(CONTENT) + 1)],
        [header(), header()],
        [header(), transfer_pb2.UploadMediaRequest(chunk=b"")],
        [header(), transfer_pb2.UploadMediaRequest(chunk=bytes(CHUNK_BYTES + 1))],
        [header(b"abc"), transfer_pb2.UploadMediaRequest(chunk=b"abcd")],
    ]
    for requests in cases:
        assert (await refused(uploads, *requests)).reason is Reason.UPLOAD_INVALID
    assert (await refused(uploads, header(byte_count=2**50))).reason is Reason.UPLOAD_TOO_LARGE


async def test_a_full_disk_is_told_before_anything_is_sent(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    error = await refused(uploads, header())
    assert (error.code, error.reason) == ("RESOURCE_EXHAUSTED", Reason.DISK_FULL)
    assert "2.4 MB are needed for 'shot.mov', 0.0 MB are free" in error.sentence


async def test_two_who_send_the_same_make_one_file(uploads: Uploads) -> None:
    answers = await asyncio.gather(*(send(uploads, header(), *chunks(CONTENT)) for _ in range(4)))
    assert len({answer.path for answer in answers}) == 1
    assert Path(answers[0].path).read_bytes() == CONTENT


async def test_who_falls_asleep_holds_nobody_up(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("i2vedit_server.uploads.CHUNK_SECONDS", 0.05)

    async def asleep() -> AsyncIterator[transfer_pb2.UploadMediaRequest]:
        yield header()
        await asyncio.sleep(60)

    sleeping = asyncio.create_task(uploads.receive(asleep()))
    await asyncio.sleep(0)
    answer = await send(uploads, header(), *chunks(CONTENT))
    assert answer.path
    with pytest.raises(BridgeError):
        await sleeping


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("shot 01 (50 %) é.mov", "shot 01 (50 %) é.mov"),
        ("../../etc/passwd", "passwd"),
        ("C:\\shots\\a.mov", "a.mov"),
        ("\\\\server\\share\\a.mov", "a.mov"),
        ("a:b*c?.mov", "a_b_c_.mov"),
        ("NUL", "_NUL"),
        ("con.mov", "_con.mov"),
        (".bashrc", "bashrc"),
        ("a\0b\n.mov", "a_b_.mov"),
        ("..", "upload"),
        ("", "upload"),
        ("a.mov. . ", "a.mov"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_long_names_keep_their_ending() -> None:
    name = safe_name("é" * 300 + ".mov")
    assert name.endswith("é.mov") and len(name.encode()) <= 200


# From here on over TLS, from an address that is not loopback.


@pytest.fixture(scope="module")
def client(open_server: ServerProcess, pair: Pair) -> Iterator[Client]:
    with remote_client(open_server, pair) as connected:
        yield connected


def test_a_file_goes_to_the_server_and_the_second_time_at_once(client: Client, open_server: ServerProcess, tmp_path: Path) -> None:
    file = tmp_path / "a clip.mov"
    file.write_bytes(CONTENT)
    there = upload_media(client, file)
    assert Path(there).read_bytes() == CONTENT and Path(there).is_relative_to(open_server.folder / "uploads")
    assert upload_media(client, file) == there


def test_an_upload_that_breaks_off_goes_on_from_there(client: Client, open_server: ServerProcess, tmp_path: Path) -> None:
    content = CONTENT[::-1]
    (tmp_path / "b.mov").write_bytes(content)
    sent: list[int] = []
    upload = client.upload

    def breaks_off(requests: Iterator[transfer_pb2.UploadMediaRequest]) -> transfer_pb2.UploadMediaResponse:
        parts = list(requests)
        sent.append(sum(len(part.chunk) for part in parts))
        if len(sent) == 2:  # the first call only asks
            upload(iter(parts[:2]))
            raise ServerError("UNAVAILABLE", "UNAVAILABLE", "The line is cut.")
        return upload(iter(parts))

    client.upload = breaks_off  # type: ignore[method-assign]
    try:
        there = upload_media(client, tmp_path / "b.mov")
    finally:
        del client.upload
    assert Path(there).read_bytes() == content
    assert sent == [0, len(content), 0, len(content) - CHUNK_BYTES]


def test_what_is_too_large_is_told_at_once(client: Client, tmp_path: Path) -> None:
    with (tmp_path / "long.mov").open("wb") as file:
        file.truncate(20_000_001)
    with pytest.raises(ServerError) as caught:
        upload_media(client, tmp_path / "long.mov")
    assert caught.value.failure.reason == "UPLOAD_TOO_LARGE"
    with pytest.raises(ClientError, match="cannot be read"):
        upload_media(client, tmp_path / "nothing.mov")


@pytest.fixture(scope="module")
def done(client: Client, clip: Path, edited: Path, model_folder: Path, open_server: ServerProcess) -> job_pb2.Job:
    """A job that was made from elsewhere and has ended; its model is one that this test put into the server's own folder."""
    model = shutil.copytree(model_folder, open_server.folder / "deliveries" / "model")
    spec = job_pb2.JobSpec(settings=job_pb2.PropagationSettings(model=str(model)))
    spec.clip.path = upload_media(client, clip)
    spec.edits.add(path=upload_media(client, edited))
    job = client.create_job(spec).job
    ended = open_server.ended(job.name)
    assert ended.state == job_pb2.Job.STATE_SUCCEEDED, ended.failure
    return ended


def same_files(folder: Path, other: Path) -> bool:
    return {path.name: path.read_bytes() for path in folder.iterdir()} == {path.name: path.read_bytes() for path in other.iterdir()}


def test_a_delivered_folder_comes_back_whole_under_its_names(client: Client, done: job_pb2.Job, tmp_path: Path) -> None:
    delivered = Path(done.delivered_directory)
    folder = download_frames(client, done.name, tmp_path / "out")
    assert folder == tmp_path / "out" / delivered.name
    assert same_files(folder, delivered) and len(list(folder.iterdir())) == 8
    with pytest.raises(ClientError, match="not overwritten"):
        download_frames(client, done.name, tmp_path / "out")


def test_a_download_that_breaks_off_goes_on(client: Client, done: job_pb2.Job, tmp_path: Path) -> None:
    delivered = Path(done.delivered_directory)
    names = sorted(path.name for path in delivered.iterdir())
    folder = tmp_path / "out" / delivered.name
    folder.mkdir(parents=True)
    (folder / MARK).write_text(done.name)
    shutil.copy(delivered / names[0], folder / names[0])
    (folder / f".{names[1]}.part").write_bytes((delivered / names[1]).read_bytes()[:2])
    asked: list[transfer_pb2.DownloadFramesRequest] = []
    download = client.download
    client.download = lambda request: asked.append(request) or download(request)  # type: ignore[method-assign, func-returns-value]
    try:
        download_frames(client, done.name, tmp_path / "out")
    finally:
        del client.download
    assert (asked[0].after_file, asked[0].offset) == (names[0], 2)
    assert same_files(folder, delivered)


def test_a_damaged_beginning_is_found_by_the_checksum(client: Client, done: job_pb2.Job, tmp_path: Path) -> None:
    delivered = Path(done.delivered_directory)
    first = min(path.name for path in delivered.iterdir())
    folder = tmp_path / "out" / delivered.name
    folder.mkdir(parents=True)
    (folder / MARK).write_text(done.name)
    (folder / f".{first}.part").write_bytes(b"??")
    with pytest.raises(ClientError, match=f"{re.escape(first)}' arrived damaged.*jobs fetch"):
        download_frames(client, done.name, tmp_path / "out")
    assert not (folder / first).exists()
    download_frames(client, done.name, tmp_path / "out")
    assert same_files(folder, delivered)


def test_a_name_that_leads_out_of_the_folder_is_not_written(client: Client, done: job_pb2.Job, tmp_path: Path) -> None:
    evil = transfer_pb2.DownloadFramesResponse(file=transfer_pb2.DeliveredFile(name="../evil", byte_count=1))
    client.download = lambda request: iter([evil])  # type: ignore[method-assign]
    try:
        with pytest.raises(ServerError, match="no plain file name"):
            download_frames(client, done.name, tmp_path / "out")
    finally:
        del client.download
    assert not (tmp_path / "out" / "evil").exists()


def test_frames_of_a_job_that_has_none(client: Client, done: job_pb2.Job) -> None:
    with pytest.raises(ServerError) as caught:
        list(client.download(transfer_pb2.DownloadFramesRequest(name="jobs/none")))
    assert caught.value.failure.reason == "JOB_NOT_FOUND"
