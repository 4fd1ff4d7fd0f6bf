"""Models that are listed, and pulled from a hub on this machine."""

import json

import pytest
from tests.client.small_hub import TOKEN, SmallHub
from tests.small_disk import small_disks

from i2vedit_client.commands.models import REPOSITORIES
from i2vedit_core.models import HUB_FOLDERS

FOLDER = HUB_FOLDERS["svd"]
LARGE = 3_000_000
HALF = "unet/diffusion_pytorch_model.fp16.safetensors"


def weights(byte_count: int) -> bytes:
    header = json.dumps({"weight": {"dtype": "U8", "shape": [byte_count], "data_offsets": [0, byte_count]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(range(256)) * (byte_count // 256) + bytes(byte_count % 256)


@pytest.fixture
def hub(model, monkeypatch, tmp_path):
    """A repository like that of SVD: with all that is not needed, and half precision of one part."""
    files = {path.relative_to(model).as_posix(): path.read_bytes() for path in model.rglob("*") if path.is_file()}
    files |= {HALF: weights(LARGE), "svd.safetensors": bytes(10), "README.md": b"#", "unet/diffusion_pytorch_model.bin": b"pickle"}
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "I2VEDIT_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with SmallHub(REPOSITORIES["svd"], files) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        yield hub


@pytest.fixture
def pull(i2vedit):
    return lambda *more: i2vedit("models", "pull", "svd", "--accept-license", "--json", *more)


def test_what_can_be_pulled_lies_on_the_hub_as_the_core_calls_its_folder():
    assert {name: repository.removeprefix("stabilityai/") for name, repository in REPOSITORIES.items()} == HUB_FOLDERS


def test_a_model_is_pulled_listed_and_checked(hub, pull, i2vedit, server):
    before = i2vedit("models", "list", "--json").last["models"]
    assert [(each["name"], each["state"]) for each in before] == [("mini", "bundled"), ("svd", "absent"), ("svd-xt", "absent")]
    assert "models pull svd" in i2vedit("models", "list").out

    pulled = pull()
    assert pulled.code == 0, pulled.err
    license, *downloading, last = pulled.events
    assert license["event"] == "license" and license["url"].endswith(REPOSITORIES["svd"])
    assert downloading[-1]["bytes"] == downloading[-1]["total"] > LARGE
    folder = i2vedit.data / "models" / FOLDER
    assert last["path"] == str(folder) and list(folder.parent.iterdir()) == [folder]
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {name for name, _ in hub.sent} and HALF in there
    assert all(path.endswith((".json", ".safetensors")) for path in there)
    assert not {"svd.safetensors", "unet/diffusion_pytorch_model.safetensors"} & there
    assert all((folder / name).read_bytes() == hub.files[name] for name in there)

    after = {each["name"]: each for each in i2vedit("models", "list", "--json").last["models"]}
    assert (after["svd"]["state"], after["svd"]["path"]) == ("installed", str(folder))
    assert i2vedit("models", "check", "svd").code == 0
    hub.sent.clear()
    assert pull().last["path"] == str(folder) and hub.sent == [], "what is there is not fetched again"

    (folder / "model_index.json").unlink()
    broken = i2vedit("models", "list", "--json").last["models"][1]
    assert (broken["state"], broken["reason"]) == ("unusable", "MODEL_INCOMPLETE")
    assert "Move the folder away" in pull().last["message"]


def test_a_broken_download_goes_on_where_it_was(hub, pull, i2vedit):
    hub.breaks_after = 1_000_000
    broken = pull()
    assert (broken.code, broken.last["reason"]) == (1, "HUB_UNREACHABLE")
    assert not (i2vedit.data / "models" / FOLDER).exists()
    hub.breaks_after = None
    hub.sent.clear()
    whole = i2vedit("models", "pull", "svd", "--accept-license")
    assert whole.code == 0 and whole.err.startswith("Downloading")
    assert whole.out.splitlines()[-1] == f"svd is in {i2vedit.data / 'models' / FOLDER}. Use it with --model svd"
    assert hub.sent[0] == (HALF, 1_000_000) and all(start == 0 for _, start in hub.sent[1:])
    assert (i2vedit.data / "models" / FOLDER / HALF).read_bytes() == hub.files[HALF]


def test_a_damaged_file_is_thrown_away(hub, pull, i2vedit):
    hub.damages = True
    damaged = pull()
    assert (damaged.code, damaged.last["reason"]) == (1, "DOWNLOAD_DAMAGED")
    assert not (i2vedit.data / "models" / FOLDER).exists()
    hub.damages = False
    assert pull().code == 0


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(hub, pull, i2vedit, monkeypatch, tmp_path):
    with small_disks() as make:
        monkeypatch.setenv("I2VEDIT_MODELS", str(make(tmp_path / "small", LARGE // 2)))
        full = pull()
    assert (full.code, full.last["reason"]) == (1, "DISK_FULL") and "MB are needed" in full.last["message"]
    assert hub.sent == []


def test_a_licence_that_the_hub_does_not_know_to_be_accepted(hub, pull, monkeypatch):
    hub.is_gated = True
    for token in (None, "hf_of_somebody_else"):
        if token:
            monkeypatch.setenv("HF_TOKEN", token)
        refused = pull()
        assert (refused.code, refused.last["reason"]) == (1, "LICENSE_NOT_ACCEPTED")
        assert "HF_TOKEN" in refused.last["message"] and "Traceback" not in refused.err
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert pull().code == 0


def test_a_hub_that_is_not_there(hub, pull, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    gone = pull()
    assert (gone.code, gone.last["reason"]) == (1, "HUB_UNREACHABLE") and "network" in gone.last["message"]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE" in pull().last["message"]


def test_what_is_refused_before_anything_is_asked(hub, i2vedit, monkeypatch):
    unknown = i2vedit("models", "pull", "sdxl")
    assert unknown.code == 2 and "svd-xt" in unknown.err
    declined = i2vedit("models", "pull", "svd")
    assert declined.code == 130 and REPOSITORIES["svd"] in declined.out and "stable-video-diffusion-community" in declined.out
    monkeypatch.setenv("I2VEDIT_SERVER", "render.example:50051")
    monkeypatch.setenv("I2VEDIT_TOKEN_FILE", __file__)
    elsewhere = i2vedit("models", "pull", "svd", "--accept-license")
    assert elsewhere.code == 2 and "server's machine" in elsewhere.err
    assert hub.sent == []
