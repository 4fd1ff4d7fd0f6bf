"""METHOD section 4 on a real UNet of random weights."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from i2vedit_core.backbone import Backbone, checkpointed_gradients
from i2vedit_core.errors import BridgeError, Reason
from i2vedit_core.method.attention.reference import empty_reference
from i2vedit_core.method.motion_lora import MotionLora, Training, is_trained, train_motion_lora, velocity_loss
from i2vedit_core.method.source import Source, complete_reference, invert_source, training_pass
from i2vedit_core.progress import CancelToken
from i2vedit_core.settings import LoraSettings

SETTINGS = LoraSettings(rank=4, checkpoint_every=3, learning_rate=5e-3)


def _train(backbone: Backbone, source: Source, folder: Path, steps: int, stop_after: int | None = None) -> tuple[MotionLora, list[float]]:
    lora, losses, token = MotionLora(backbone.unet, SETTINGS), [], CancelToken()

    def after(step: int, loss: float) -> None:
        losses.append(loss)
        if step + 1 == stop_after:
            token.cancel()
        token.check()

    folder.mkdir(exist_ok=True)
    training = Training(SETTINGS, steps, 5, 0, (0.002, 700.0), folder)
    train_motion_lora(lora, source.z_0, training, partial(training_pass, backbone, source), after)
    return lora, losses


def _answer(backbone: Backbone, source: Source, z: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    with training_pass(backbone, source, sigma) as network:
        return network(z)


def _loss(backbone: Backbone, source: Source) -> float:
    """The same noise levels and draws each time, without dropout."""
    generator = torch.Generator().manual_seed(11)
    losses = []
    with torch.no_grad():
        for sigma in torch.tensor([0.05, 0.3, 1.0, 3.0, 20.0]):
            epsilon = torch.randn(source.z_0.shape, generator=generator)
            answer = _answer(backbone, source, source.z_0 + sigma * epsilon, sigma)
            losses.append(velocity_loss(answer, source.z_0, epsilon, sigma))
    return float(torch.stack(losses).mean())


def test_it_learns_and_touches_nothing_but_temporal_attention(tiny_backbone: Backbone, source: Source, tmp_path: Path) -> None:
    base = {name: value.clone() for name, value in tiny_backbone.unet.state_dict().items() if "lora" not in name}
    untrained = _loss(tiny_backbone, source)
    lora, _ = _train(tiny_backbone, source, tmp_path / "a", 60)
    with lora.on():
        assert _loss(tiny_backbone, source) < 0.95 * untrained
    assert all(".temporal_transformer_blocks." in name for name in lora.weights)
    assert not any(".attn2.to_q" in name or ".attn2.to_k" in name or ".ff" in name for name in lora.weights)
    after = {name: value for name, value in tiny_backbone.unet.state_dict().items() if "lora" not in name}
    assert all(torch.equal(value, base[name]) for name, value in after.items() if name in base)


def test_off_it_is_the_base_model_and_on_it_is_not(tiny_backbone: Backbone, source: Source, tmp_path: Path) -> None:
    answer, sigma = partial(_answer, tiny_backbone, source), torch.tensor(2.0)
    with torch.no_grad():
        MotionLora(tiny_backbone.unet, SETTINGS)
        before = answer(source.z_0, sigma)
        lora, _ = _train(tiny_backbone, source, tmp_path / "b", 4)
        assert torch.equal(answer(source.z_0, sigma), before)
        with lora.on():
            assert not torch.equal(answer(source.z_0, sigma), before)
        lora.reset(0)
        with lora.on():
            assert torch.equal(answer(source.z_0, sigma), before)


def test_an_interrupted_training_ends_bit_equal(tiny_backbone: Backbone, source: Source, tmp_path: Path) -> None:
    _, whole = _train(tiny_backbone, source, tmp_path / "whole", 8)
    expected = load_file(tmp_path / "whole" / "lora_000008.safetensors")
    with pytest.raises(BridgeError) as stopped:
        _train(tiny_backbone, source, tmp_path / "parts", 8, stop_after=5)
    assert stopped.value.reason is Reason.CANCELLED
    assert [file.name for file in (tmp_path / "parts").iterdir()] == ["lora_000005.safetensors"], "the step that was done is kept"
    _, rest = _train(tiny_backbone, source, tmp_path / "parts", 8)
    assert rest == whole[5:]
    found = load_file(tmp_path / "parts" / "lora_000008.safetensors")
    assert found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in found)


@pytest.mark.parametrize("harm", [lambda data: data[:-100], lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:], lambda data: b""])
def test_a_damaged_checkpoint_is_noticed_and_made_again(
    harm: Callable[[bytes], bytes], tiny_backbone: Backbone, source: Source, tmp_path: Path
) -> None:
    _train(tiny_backbone, source, tmp_path / "a", 2)
    file = tmp_path / "a" / "lora_000002.safetensors"
    whole = {name: tensor.clone() for name, tensor in load_file(file).items()}  # the file itself is about to change under it
    file.write_bytes(harm(file.read_bytes()))
    assert not is_trained(tmp_path / "a", 2)
    _, losses = _train(tiny_backbone, source, tmp_path / "a", 2)
    assert len(losses) == 2
    found = load_file(file)
    assert all(torch.equal(found[name], whole[name]) for name in whole)


def test_gradients_that_are_no_numbers_are_never_learnt_from(tiny_backbone: Backbone, source: Source, tmp_path: Path) -> None:
    """The loss of that step is finite: only its gradient is not, as half precision can have it."""

    @contextmanager
    def overflowing(sigma: torch.Tensor) -> Iterator[Callable[[torch.Tensor], torch.Tensor]]:
        with training_pass(tiny_backbone, source, sigma) as network:

            def ask(z: torch.Tensor) -> torch.Tensor:
                answer = network(z)
                answer.register_hook(lambda gradient: torch.full_like(gradient, torch.inf))
                return answer

            yield ask

    training = Training(SETTINGS, 1, 5, 0, (0.002, 700.0), tmp_path)
    with pytest.raises(BridgeError) as raised:
        train_motion_lora(MotionLora(tiny_backbone.unet, SETTINGS), source.z_0, training, overflowing, lambda step, loss: None)
    assert raised.value.reason is Reason.NOT_FINITE and not list(tmp_path.iterdir())


def test_another_rank_afterwards_stands_beside_it(tiny_backbone: Backbone, source: Source, tmp_path: Path) -> None:
    _train(tiny_backbone, source, tmp_path / "c", 2)
    other = MotionLora(tiny_backbone.unet, LoraSettings(rank=2))
    other.reset(1)
    assert {weight.shape[0] for name, weight in other.weights.items() if name.endswith("lora_A.weight")} == {2}
    with torch.no_grad(), other.on():
        assert bool(_answer(tiny_backbone, source, source.z_0, torch.tensor(1.0)).isfinite().all())


def test_gradient_checkpointing_changes_nothing(tiny_backbone: Backbone, source: Source, tmp_path: Path) -> None:
    """Forwards are run again in the backward pass, with the attention of section 5 in place and the same dropout."""
    leaving = replace(source, leaves=empty_reference(range(len(source.sigmas)), (0, 1, 3)))
    complete_reference(tiny_backbone, leaving, invert_source(tiny_backbone, leaving, source.z_0, lambda step: None), range(1))
    later = replace(source, front=leaving.leaves)
    _, without = _train(tiny_backbone, source, tmp_path / "without", 3)
    _, plain = _train(tiny_backbone, later, tmp_path / "plain", 3)
    assert plain != without
    with checkpointed_gradients(tiny_backbone.unet):
        _, checkpointed = _train(tiny_backbone, later, tmp_path / "checkpointed", 3)
    assert checkpointed == plain
    assert not tiny_backbone.unet.is_gradient_checkpointing
    _, again = _train(tiny_backbone, later, tmp_path / "again", 3)
    assert again == plain


def test_no_gradient_reaches_what_lies_below_the_first_lora_layer(tiny_backbone: Backbone, source: Source) -> None:
    """Nothing of what the first convolutions computed is kept for a backward pass."""
    seen: dict[str, bool] = {}
    unet, lora = tiny_backbone.unet, MotionLora(tiny_backbone.unet, SETTINGS)
    watched = {"conv_in": unet.conv_in, "first resnet": unet.down_blocks[0].resnets[0], "end": unet.conv_out}
    handles = [
        module.register_forward_hook(lambda _module, _given, out, name=name: seen.update({name: out.requires_grad}))
        for name, module in watched.items()
    ]
    try:
        with torch.enable_grad(), lora.on(training=True), training_pass(tiny_backbone, source, torch.tensor(1.0)) as network:
            network(source.z_0)
    finally:
        for handle in handles:
            handle.remove()
    assert seen == {"conv_in": False, "first resnet": False, "end": True}
