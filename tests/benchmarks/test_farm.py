"""The benchmark of the farm in small: it runs, and what two workers make is what the local executor makes. Times are never asserted."""

from pathlib import Path

import pytest
import torch
from tests.tiny_model import save_tiny_model

pytest.importorskip("ray", reason="Ray is not installed: python3 dev.py setup")
import farm
from i2vedit_core.tensor_files import save_tensors


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_runs_and_the_bits_are_the_same(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*farm.ENVIRONMENT, "PYTHONPATH"):
        monkeypatch.setenv(name, "")  # so that it is as it was afterwards
    save_tiny_model(tmp_path / "model")
    threads = torch.get_num_threads()
    try:
        farm.main(["--smoke", "--model", str(tmp_path / "model")])
    finally:
        torch.set_num_threads(threads)
    told = capfd.readouterr().out
    assert "| Ray, 2 workers |" in told and "equal to the local executor's, bit by bit" in told


def test_one_bit_is_seen(tmp_path: Path) -> None:
    tensor = torch.arange(4.0)
    for name, weight in {"one": tensor, "same": tensor, "other": tensor.nextafter(tensor + 1)}.items():
        (tmp_path / name / "lora-1").mkdir(parents=True)
        save_tensors(tmp_path / name / "lora-1" / "lora.safetensors", {"weight": weight})
    assert farm.are_equal(tmp_path / "one", tmp_path / "same")
    assert not farm.are_equal(tmp_path / "one", tmp_path / "other")
    assert not farm.are_equal(tmp_path / "one", tmp_path)
