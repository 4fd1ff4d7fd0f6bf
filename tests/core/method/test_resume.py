"""A job that is interrupted goes on where it was, bit for bit. Evaluations are counted by a hook on the network."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from i2vedit_core.artifacts import Artifacts
from i2vedit_core.backbone import Backbone
from i2vedit_core.errors import BridgeError
from i2vedit_core.method import kept as kept_module
from i2vedit_core.method import preparation as preparation_module
from i2vedit_core.method.chunks import plan_chunks
from i2vedit_core.method.edm import noise_grid
from i2vedit_core.method.inversion import invert
from i2vedit_core.method.preparation import Workplace
from i2vedit_core.method.propagation import EditedChunk, Propagation
from i2vedit_core.progress import CancelToken, Event, Progress, Reporter, Stage, ignore
from i2vedit_core.settings import LoraSettings, Settings

STEPS, CHECKPOINT_EVERY = 4, 2
SETTINGS = Settings(steps=STEPS, guidance=(1.0, 2.0), lora=LoraSettings(steps=1, rank=2, learning_rate=5e-2))
FRAMES = 7
"""Two chunks."""
EDIT = 3 * STEPS
"""Evaluations of a chunk's denoising: the replayed source, and both halves of the guidance."""


class Killed(BaseException):
    """The process is gone: nothing more is written, and nobody says goodbye."""


Stop = Callable[[Event], None]


def killed_at(stage: Stage, chunk: int, step: int) -> Stop:
    def stop(event: Event) -> None:
        if isinstance(event, Progress) and (event.stage, event.chunk, event.step) == (stage, chunk, step):
            raise Killed

    return stop


def _propagation(backbone: Backbone, settings: Settings, folder: Path, report: Reporter, keeps: bool = True) -> Propagation:
    shot = _shot()
    kept = Artifacts(folder / "chunks") if keeps else None
    workplace = Workplace(Artifacts(folder / "artifacts"), report, kept=kept, fronts=kept)
    return Propagation(
        backbone, settings, plan_chunks(FRAMES, backbone.chunk_frames), lambda chunk: shot[chunk.start : chunk.stop], workplace
    )


def _shot() -> torch.Tensor:
    small = torch.rand(FRAMES, 3, 4, 4, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return torch.nn.functional.interpolate(small, (16, 16), mode="bilinear")


def _run(
    backbone: Backbone, settings: Settings, folder: Path, on_event: Stop = ignore, token: CancelToken | None = None
) -> list[EditedChunk]:
    painted = _shot()[:1].clone()
    painted[..., 4:10, 4:10] = 0.8
    return list(_propagation(backbone, settings, folder, Reporter(on_event, token or CancelToken())).run(painted))


@contextmanager
def _counted(backbone: Backbone) -> Iterator[Callable[[], int]]:
    """Evaluations of the network inside the block."""
    count = 0

    def add(*_: object) -> None:
        nonlocal count
        count += 1

    handle = backbone.unet.register_forward_hook(add)
    try:
        yield lambda: count
    finally:
        handle.remove()


def _resumed(backbone: Backbone, settings: Settings, folder: Path) -> tuple[list[EditedChunk], int, list[Progress]]:
    seen: list[Progress] = []
    with _counted(backbone) as evaluations:
        chunks = _run(backbone, settings, folder, lambda event: seen.append(event) if isinstance(event, Progress) else None)
    return chunks, evaluations(), seen


def _same(ones: list[EditedChunk], others: list[EditedChunk]) -> bool:
    return all(
        torch.equal(one.pixels, other.pixels) and torch.equal(one.source, other.source) and torch.equal(one.edit_map, other.edit_map)
        for one, other in zip(ones, others, strict=True)
    )


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints that suit a short inversion."""
    monkeypatch.setattr(preparation_module, "INVERSION_CHECKPOINT_EVERY", CHECKPOINT_EVERY)


@pytest.fixture(scope="module")
def whole(tiny_backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> list[EditedChunk]:
    """Undisturbed."""
    return _run(tiny_backbone, SETTINGS, tmp_path_factory.mktemp("whole"))


def _edited_chunks(seen: list[Progress]) -> set[int]:
    return {event.chunk for event in seen if event.stage is Stage.EDIT}


def test_a_killed_job_goes_on_with_the_first_unfinished_chunk(tiny_backbone: Backbone, whole: list[EditedChunk], tmp_path: Path) -> None:
    with pytest.raises(Killed):
        _run(tiny_backbone, SETTINGS, tmp_path, killed_at(Stage.EDIT, 1, 1))
    chunks, evaluations, seen = _resumed(tiny_backbone, SETTINGS, tmp_path)
    assert _same(chunks, whole)
    assert _edited_chunks(seen) == {1}
    assert evaluations == STEPS + EDIT, "chunk 1 looks back at the source of chunk 0, and is denoised"


def test_a_job_killed_at_its_very_end_denoises_nothing_again(tiny_backbone: Backbone, whole: list[EditedChunk], tmp_path: Path) -> None:
    _run(tiny_backbone, SETTINGS, tmp_path)
    chunks, evaluations, _ = _resumed(tiny_backbone, SETTINGS, tmp_path)
    assert _same(chunks, whole) and evaluations == 0
    other = replace(SETTINGS, guidance=(1.0, 1.5))
    assert not _same(_run(tiny_backbone, other, tmp_path), whole), "a chunk of other settings is not taken for this one's"


@pytest.mark.parametrize("lost", ["too large", "damaged"])
def test_without_what_chunk_0_left_it_is_denoised_once_more(
    lost: str, tiny_backbone: Backbone, whole: list[EditedChunk], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lost == "too large":
        monkeypatch.setattr(kept_module, "LARGEST_FRONT_BYTES", 0)
    with pytest.raises(Killed):
        _run(tiny_backbone, SETTINGS, tmp_path, killed_at(Stage.EDIT, 1, 1))
    fronts = list(tmp_path.glob("chunks/*/front.safetensors"))
    assert len(fronts) == (0 if lost == "too large" else 1)
    for front in fronts:
        front.write_bytes(front.read_bytes()[:-1])
    chunks, _, seen = _resumed(tiny_backbone, SETTINGS, tmp_path)
    assert _same(chunks, whole)
    assert _edited_chunks(seen) == {0, 1}


def test_what_the_lock_has_learned_from_chunk_0_is_kept_with_it(tiny_backbone: Backbone, tmp_path: Path) -> None:
    locked = replace(SETTINGS, lock=True)
    undisturbed = _run(tiny_backbone, locked, tmp_path / "whole")
    with pytest.raises(Killed):
        _run(tiny_backbone, locked, tmp_path / "parts", killed_at(Stage.EDIT, 1, 0))
    chunks, _, seen = _resumed(tiny_backbone, locked, tmp_path / "parts")
    assert _same(chunks, undisturbed) and _edited_chunks(seen) == {1}


def _inversion_steps(seen: list[Progress], chunk: int) -> list[int]:
    return [event.step for event in seen if event.stage is Stage.INVERT and event.chunk == chunk and event.step < STEPS]


def test_an_inversion_that_is_killed_loses_no_more_than_its_last_levels(
    tiny_backbone: Backbone, whole: list[EditedChunk], tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        _run(tiny_backbone, SETTINGS, tmp_path, killed_at(Stage.INVERT, 1, CHECKPOINT_EVERY))
    chunks, _, seen = _resumed(tiny_backbone, SETTINGS, tmp_path)
    assert _same(chunks, whole)
    assert _inversion_steps(seen, 1) == list(range(CHECKPOINT_EVERY, STEPS))
    assert not list(tmp_path.glob("artifacts/*/begun.safetensors"))


@pytest.mark.parametrize("step", [0, STEPS - 1])
def test_an_inversion_that_gives_way_loses_nothing(step: int, tiny_backbone: Backbone, whole: list[EditedChunk], tmp_path: Path) -> None:
    token = CancelToken()

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and (event.stage, event.chunk, event.step) == (Stage.INVERT, 0, step):
            token.cancel()

    with pytest.raises(BridgeError):
        _run(tiny_backbone, SETTINGS, tmp_path, stop, token)
    chunks, _, seen = _resumed(tiny_backbone, SETTINGS, tmp_path)
    assert _same(chunks, whole)
    assert _inversion_steps(seen, 0) == list(range(step + 2, STEPS)), "the step in which the wish to stop was heard is kept, too"


def test_an_inversion_goes_on_above_what_was_climbed(tiny_backbone: Backbone) -> None:
    """On its own, also from latents that lie in memory in another order."""
    sigmas = noise_grid(tiny_backbone, STEPS)
    z = torch.randn(1, 4, 8, 8, 4, generator=torch.Generator().manual_seed(3)).permute(0, 1, 4, 2, 3)

    def predict(z: torch.Tensor, sigma: torch.Tensor, level: int) -> torch.Tensor:
        return torch.sin(z) * sigma / (1 + sigma)

    climbed: list[torch.Tensor] = []
    undisturbed = invert(z, sigmas, predict, lambda step: None, climbed)
    taken = [entry.clone() for entry in climbed[:3]]
    steps: list[int] = []
    assert torch.equal(invert(z, sigmas, predict, steps.append, taken), undisturbed)
    assert steps == list(range(2, STEPS)) and undisturbed.is_contiguous()
