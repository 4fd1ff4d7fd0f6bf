"""Files are whole or not there, on full disks and in folders that cannot be written too."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.files import WriteFailedError, check_folder, remove_leftovers, whole_file

ON_A_SMALL_DISK = """
set -e
mount -t tmpfs -o size=200k tmpfs "$1"
shift
exec "$@"
"""

FILL = """
import json, os, sys
from pathlib import Path
import numpy as np, OpenImageIO as oiio
from i2vedit_core.errors import BridgeError
from i2vedit_core.files import whole_file
from i2vedit_core.media.picture_file import write_picture
folder = Path(sys.argv[1])
said = []
def attempt(act):
    try:
        act()
    except BridgeError as error:
        said.append([error.reason, error.sentence])
def picture():
    noise = np.random.default_rng(0).random((400, 400, 3), np.float32)
    spec = oiio.ImageSpec(400, 400, 3, oiio.FLOAT)
    write_picture(folder / "a.exr", "openexr", spec, noise)
def plain():
    with whole_file(folder / "a.bin", 1 << 20) as temporary:
        temporary.write_bytes(bytes(1 << 20))
attempt(picture)
attempt(plain)
print(json.dumps([said, os.listdir(folder)]))
"""


def test_success_leaves_the_file_alone(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.txt", 10) as temporary:
        assert temporary.parent == tmp_path and temporary.name.startswith(".") and temporary.suffix == ".part"
        temporary.write_text("whole")
        assert not (tmp_path / "a.txt").exists()
    assert os.listdir(tmp_path) == ["a.txt"]


def test_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), whole_file(tmp_path / "a.txt", 10) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    with pytest.raises(BridgeError) as caught, whole_file(tmp_path / "a.txt", 10) as temporary:
        raise WriteFailedError("the library said no")
    assert caught.value.reason is Reason.OUTPUT_NOT_WRITABLE
    assert os.listdir(tmp_path) == []


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from i2vedit_core.files import whole_file
with whole_file(Path({str(tmp_path)!r}) / "a.txt", 10) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False)
    (tmp_path / "mine.part").touch()
    assert len(os.listdir(tmp_path)) == 2
    remove_leftovers(tmp_path, older_than_seconds=3600)
    assert len(os.listdir(tmp_path)) == 2, "somebody may be writing it still"
    remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == ["mine.part"]


def test_an_existing_file_stays(tmp_path: Path) -> None:
    final = tmp_path / "a.txt"
    final.write_text("mine")
    with pytest.raises(BridgeError), whole_file(final, 10) as temporary:
        temporary.write_text("other")
    assert final.read_text() == "mine" and os.listdir(tmp_path) == ["a.txt"]
    with whole_file(final, 10, replace=True) as temporary:
        temporary.write_text("newer")
    assert final.read_text() == "newer"


def test_a_vanished_folder(tmp_path: Path) -> None:
    with pytest.raises(BridgeError) as caught, whole_file(tmp_path / "gone" / "a.txt", 10) as temporary:
        temporary.write_text("x")
    assert caught.value.reason is Reason.OUTPUT_NOT_WRITABLE
    with pytest.raises(BridgeError):
        check_folder(tmp_path / "gone")


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small disk in a namespace of its own, which Linux alone has")
def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", ON_A_SMALL_DISK, "sh", str(disk)]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting in a user namespace is not allowed here")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([*namespace, sys.executable, "-c", FILL, str(disk)], capture_output=True, check=True, env=environment)
    said, left = json.loads(done.stdout)
    assert [reason for reason, _ in said] == [Reason.DISK_FULL, Reason.DISK_FULL]
    assert all("MB are needed" in sentence and "MB are free" in sentence for _, sentence in said)
    assert left == []
