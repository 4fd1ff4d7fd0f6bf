"""A data folder on a share or in a roaming profile is refused before anything is written there."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from i2vedit_core.errors import BridgeError, Reason
from i2vedit_server.place import Machine, check_place


@dataclass
class Mounted:
    mountpoint: str
    fstype: str
    opts: str = "rw"


def machine(*partitions: Mounted, **environment: str) -> Machine:
    return Machine(lambda: partitions, environment)


@pytest.mark.parametrize(
    "fstype", ["nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "fuse.sshfs", "9p", "ceph", "lustre", "fuse.rclone", "CIFS", "webdav"]
)
def test_a_network_file_system_is_refused_with_a_local_alternative(tmp_path: Path, fstype: str) -> None:
    with pytest.raises(BridgeError) as caught:
        check_place(tmp_path / "share" / "data", machine(Mounted("/", "ext4"), Mounted(str(tmp_path / "share"), fstype)))
    assert caught.value.reason is Reason.DATA_FOLDER_NOT_LOCAL
    assert fstype in caught.value.sentence and "--data-dir" in caught.value.sentence and "i2vedit" in caught.value.sentence
    assert not (tmp_path / "share").exists()


@pytest.mark.parametrize("fstype", ["ext4", "xfs", "btrfs", "apfs", "NTFS", "tmpfs", "overlay", "fuseblk", "fuse.ntfs-3g", "zfs", ""])
def test_a_disk_of_this_machine_is_taken(tmp_path: Path, fstype: str) -> None:
    check_place(tmp_path / "data", machine(Mounted("/", "nfs4"), Mounted(str(tmp_path), fstype)))


def test_the_innermost_mount_counts_and_of_two_the_upper_one(tmp_path: Path) -> None:
    check_place(tmp_path / "a" / "b", machine(Mounted(str(tmp_path), "nfs"), Mounted(str(tmp_path / "a"), "ext4")))
    check_place(tmp_path / "ab", machine(Mounted("/", "ext4"), Mounted(str(tmp_path / "a"), "nfs")))
    with pytest.raises(BridgeError):
        check_place(tmp_path, machine(Mounted(str(tmp_path), "autofs"), Mounted(str(tmp_path), "nfs4")))


def test_a_link_to_a_share_is_followed(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "share")
    with pytest.raises(BridgeError):
        check_place(tmp_path / "link" / "data", machine(Mounted("/", "ext4"), Mounted(str(tmp_path / "share"), "cifs")))


def test_a_drive_that_windows_calls_remote_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BridgeError):
        check_place(tmp_path, machine(Mounted(str(tmp_path), "NTFS", "rw,remote")))
    check_place(tmp_path, machine(Mounted(str(tmp_path), "NTFS", "rw,fixed")))


def test_a_roaming_profile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match="profile"):
        check_place(tmp_path / "Roaming" / "i2vedit", machine(Mounted("/", "ext4"), APPDATA=str(tmp_path / "Roaming")))
    check_place(tmp_path / "Local" / "i2vedit", machine(Mounted("/", "ext4"), APPDATA=str(tmp_path / "Roaming")))


def test_this_machine_can_be_asked(tmp_path: Path) -> None:
    assert Machine().partitions()
