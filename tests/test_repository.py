"""What holds for the repository as a whole."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2

from i2vedit.v1 import propagation_service_pb2

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "i2vedit_core": ROOT / "core/i2vedit_core",
    "i2vedit_server": ROOT / "server/i2vedit_server",
    "i2vedit": ROOT / "protos/i2vedit",
    "i2vedit_client": ROOT / "plugin_clients/i2vedit_client",
    "i2vedit_monitor": ROOT / "ui/i2vedit_monitor",
}
IMPORTED_AS = {
    "google": "protobuf",
    "grpc": "grpcio",
    "grpc_health": "grpcio-health-checking",
    "grpc_reflection": "grpcio-reflection",
    "grpc_status": "grpcio-status",
    "ffmpeg": "ffmpeg-python",
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "skimage": "scikit-image",
    "PySide6": "PySide6-Essentials",
}
"""Distributions whose import name is another one."""


def project() -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return content


NEVER_ASSUMED = {"triton"}
"""Comes along with torch where torch has a use for it; without it there is another way."""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*extras: str) -> set[str]:
    lists = [project()["dependencies"], *(project()["optional-dependencies"][extra] for extra in extras)]
    return {normal(re.split(r"[^\w.-]", requirement)[0]) for requirements in lists for requirement in requirements}


def third_parties(package: Path) -> set[str]:
    """Distributions that a package imports, wherever in its code."""
    found = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            found |= {name.split(".")[0] for name in names}
    return {normal(IMPORTED_AS.get(name, name)) for name in found - set(sys.stdlib_module_names) - set(PACKAGES)}


@pytest.mark.parametrize(
    ("package", "extras"),
    [
        ("i2vedit_client", ()),
        ("i2vedit", ()),
        ("i2vedit_server", ("server", "farm")),
        ("i2vedit_core", ("server",)),
        ("i2vedit_monitor", ("monitor",)),
    ],
)
def test_everything_imported_is_declared(package, extras):
    assert third_parties(PACKAGES[package]) - NEVER_ASSUMED <= declared(*extras)


def test_everything_declared_has_its_reason():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    requirements = re.findall(r'^  "[A-Za-z].*?",.*$', text.partition("[project.scripts]")[0], re.MULTILINE)
    dependencies = [line for line in requirements if re.search(r"[<>=]=", line)]
    assert len(dependencies) >= len(declared("server", "dev", "monitor", "farm"))
    assert not [line for line in dependencies if "  # " not in line]


def test_constraints_pin_everything_that_dev_py_installs():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert pins["torch"] == "2.13.0"
    assert declared("server", "monitor", "farm", "dev") <= {normal(name) for name in pins}
    assert all(re.fullmatch(r"[\w.]+", version) for version in pins.values()), "no paths, no hosts, no local builds"


def test_every_package_is_in_the_wheel_and_on_the_path_of_a_checkout():
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert {ROOT / path for path in hatch["targets"]["wheel"]["packages"]} == set(PACKAGES.values())
    assert {ROOT / path for path in hatch["dev-mode-dirs"]} == {path.parent for path in PACKAGES.values()}
    assert [name for name, path in PACKAGES.items() if not (path / "py.typed").exists()] == []


@pytest.mark.slow
def test_the_wheel_holds_what_is_not_python_too(tmp_path):
    pytest.importorskip("hatchling", reason="the build backend is only here in a development environment")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=ROOT, check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for package, root in PACKAGES.items():
        expected = {f"{package}/{path.relative_to(root).as_posix()}" for path in root.rglob("*") if _travels(path)}
        assert expected <= names
    assert any(name.endswith("propagation_service.proto") for name in names)


def _travels(path: Path) -> bool:
    return path.is_file() and path.suffix != ".pyc"


def test_dev_py_needs_no_more_than_the_standard_library():
    tree = ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= set(sys.stdlib_module_names)


def dev(*arguments: str, **more) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(ROOT / "dev.py"), *arguments], capture_output=True, text=True, **more)


def test_dev_py_says_what_it_can_do():
    assert dev("--help").returncode == 0
    assert dev().returncode == 0
    assert dev("nonsense").returncode == 2
    assert all(f"\n  {name} " in dev().stdout for name in ("setup", "demo", "test", "check", "protos"))


def test_the_protos_of_the_last_release_are_kept_and_can_be_read():
    kept = descriptor_pb2.FileDescriptorSet.FromString((ROOT / "protos/released.binpb").read_bytes())
    (service,) = (service for file in kept.file for service in file.service)
    released = {method.name for method in service.method}
    now = {method.name for method in propagation_service_pb2.DESCRIPTOR.services_by_name[service.name].methods}
    assert released and released <= now


@pytest.mark.slow
def test_buf_finds_a_field_that_is_gone(tmp_path):
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("npm is not on this machine")
    folder = shutil.copytree(ROOT / "protos", tmp_path / "protos")
    buf = [npx, "--yes", "@bufbuild/buf@1.75.0"]
    if subprocess.run([*buf, "--version"], cwd=folder, capture_output=True).returncode != 0:
        pytest.skip("npm cannot fetch buf here")
    job = folder / "i2vedit/v1/job.proto"
    job.write_text(job.read_text().replace("  int64 frame_count = 8;\n", ""))
    answer = subprocess.run([*buf, "breaking", "--against", "released.binpb"], cwd=folder, capture_output=True, text=True)
    assert answer.returncode != 0 and "frame_count" in answer.stdout


@pytest.fixture
def checkout(tmp_path):
    """A copy of what dev.py reads, in a folder with a space."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("dev.py", "pyproject.toml", "constraints.txt"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def test_an_old_python_is_told_so(checkout):
    code = "import sys, runpy; sys.version_info = (3, 9, 1); sys.argv = ['dev.py', 'setup']; runpy.run_path('dev.py', run_name='__main__')"
    answer = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True)
    assert answer.returncode == 1
    assert "Python 3.11 or newer is needed" in answer.stderr and "Traceback" not in answer.stderr


def test_a_failing_pip_is_one_sentence_and_the_end_of_its_log(checkout):
    (checkout / "pyproject.toml").write_text('[build-system]\nrequires = ["there-is-no-such-backend"]\nbuild-backend = "nothing"\n')
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(checkout), "PIP_RETRIES": "0"}
    answer = subprocess.run([sys.executable, "dev.py", "setup"], cwd=checkout, env=offline, capture_output=True, text=True)
    assert answer.returncode == 1
    assert "Installing failed. The last lines of" in answer.stderr and "there-is-no-such-backend" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (checkout / ".venv" / "i2vedit-setup.stamp").exists()
