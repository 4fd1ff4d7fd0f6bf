"""What a loaded model says of itself, and how it makes torch compute."""

from collections.abc import Iterator

import pytest
import torch

from i2vedit_core.backbone import compute_repeatably


@pytest.fixture
def _torch_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    switches = [
        (torch.backends.cuda.matmul, "allow_tf32"),
        (torch.backends.cudnn, "allow_tf32"),
        (torch.backends.cudnn, "benchmark"),
        (torch.utils.deterministic, "fill_uninitialized_memory"),
    ]
    before = [getattr(owner, name) for owner, name in switches]
    for owner, name in switches:
        setattr(owner, name, True)
    yield
    for (owner, name), value in zip(switches, before, strict=True):
        setattr(owner, name, value)  # some of them can be set, and not be taken away as monkeypatch would
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("_torch_as_before")
def test_on_cuda_float32_is_float32_and_the_same_each_time() -> None:
    compute_repeatably()
    assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32 and not torch.backends.cudnn.benchmark
    assert torch.are_deterministic_algorithms_enabled() and torch.is_deterministic_algorithms_warn_only_enabled()
