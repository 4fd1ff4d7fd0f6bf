"""METHOD sections 5 and 6 on a real UNet of random weights."""

from dataclasses import replace

import pytest
import torch

from i2vedit_core.backbone import Backbone
from i2vedit_core.method.attention import Kind, attention_layers, processors
from i2vedit_core.method.attention.edit_map import EditMap
from i2vedit_core.method.attention.layers import cross_attention_paths
from i2vedit_core.method.attention.passes import AttentionPass, Matching, attend_to_one_token
from i2vedit_core.method.attention.reference import FrontKeys, Quantized, Reference, empty_reference, reference_frames
from i2vedit_core.method.edm import predict
from i2vedit_core.method.source import Source, complete_reference, invert_source, replay

SIGMA = torch.tensor(1.5)
THRESHOLD = torch.full((4,), 0.35)


def _predict(backbone: Backbone, source: Source, attention_pass: AttentionPass | None) -> torch.Tensor:
    with torch.no_grad():
        if attention_pass is None:
            return predict(backbone, source.z_0, SIGMA, source.condition)
        with attention_pass.installed(backbone.unet):
            return predict(backbone, source.z_0, SIGMA, source.condition)


def test_a_pass_with_nothing_set_is_the_plain_model(tiny_backbone: Backbone, source: Source) -> None:
    """But for the order in which the sums of cross-attention are taken."""
    torch.testing.assert_close(_predict(tiny_backbone, source, AttentionPass()), _predict(tiny_backbone, source, None), atol=1e-5, rtol=0)


def test_an_empty_reference_is_the_plain_model(tiny_backbone: Backbone, source: Source) -> None:
    nothing = FrontKeys(())
    _predict(tiny_backbone, source, AttentionPass(keep_front=nothing))
    assert torch.equal(_predict(tiny_backbone, source, AttentionPass(front=nothing)), _predict(tiny_backbone, source, AttentionPass()))


def test_a_reference_changes_the_answer_and_a_missing_layer_is_an_error(tiny_backbone: Backbone, source: Source) -> None:
    kept = FrontKeys((0, 1, 3))
    _predict(tiny_backbone, source, AttentionPass(keep_front=kept))
    assert not torch.allclose(_predict(tiny_backbone, source, AttentionPass(front=kept)), _predict(tiny_backbone, source, None), atol=1e-6)
    with pytest.raises(KeyError):
        _predict(tiny_backbone, source, AttentionPass(front=FrontKeys((0,))))


def test_keys_in_front_are_attended_to_as_section_5_says() -> None:
    generator = torch.Generator().manual_seed(1)
    k_0, v_0, q, k, v = (torch.randn(3, 2, 4, 8, generator=generator) for _ in range(5))
    front = FrontKeys((0, 1, 2, 3))
    front.keep("layer", k_0, v_0)
    all_k, all_v = front.put_in_front("layer", k, v)
    assert all_k.shape == (3, 2, 8, 8)
    weights = torch.softmax(q.double() @ torch.cat([k_0, k], 2).double().transpose(-1, -2) / 8**0.5, -1)
    expected = weights @ torch.cat([v_0, v], 2).double()
    out = torch.nn.functional.scaled_dot_product_attention(q, all_k, all_v)
    torch.testing.assert_close(out.double(), expected, atol=0.02, rtol=0)  # eight bits


def test_eight_bits_are_true_to_half_a_step() -> None:
    tensor = torch.randn(2, 3, 4, 16, generator=torch.Generator().manual_seed(2)) * 5
    error = (Quantized.of(tensor).restore(tensor) - tensor).abs()
    assert bool((error <= tensor.abs().amax(-1, keepdim=True) / 254 + 1e-6).all())


def test_the_reference_frames_are_first_middle_and_last() -> None:
    assert reference_frames(3, 14) == (0, 6, 13)
    assert reference_frames(14, 14) == tuple(range(14))
    assert reference_frames(0, 14) == ()


def test_an_edit_that_is_the_source_is_not_changed_by_matching(tiny_backbone: Backbone, source: Source) -> None:
    maps: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    plain = _predict(tiny_backbone, source, AttentionPass(record=maps))
    edit_map = EditMap(4, *source.z_0.shape[-2:])
    matched = _predict(tiny_backbone, source, AttentionPass(matching=Matching(maps, THRESHOLD, 0.0, (0.5, 0.8), edit_map)))
    torch.testing.assert_close(matched, plain, atol=1e-5, rtol=0)
    assert edit_map.mean().max() < 1e-6


def test_temporal_layers_keep_the_source_in_three_stages(tiny_backbone: Backbone) -> None:
    layers = [layer for layer in attention_layers(tiny_backbone.unet) if layer.kind is Kind.TEMPORAL]
    deep, shallow = [layer for layer in layers if layer.deepest], [layer for layer in layers if not layer.deepest]
    assert any("mid_block" in layer.path for layer in deep)

    def kept(progress: float) -> tuple[bool, bool]:
        matching = Matching({}, THRESHOLD, progress, (0.5, 0.8), EditMap(1, 1, 1))
        return all(map(matching.keeps_source, deep)), any(map(matching.keeps_source, shallow))

    assert kept(0.0) == kept(0.49) == (True, bool(shallow))
    assert kept(0.5)[0] and kept(0.79)[0] and not kept(0.5)[1]
    matching = Matching({}, THRESHOLD, 0.8, (0.5, 0.8), EditMap(1, 1, 1))
    assert not any(map(matching.keeps_source, layers))


def test_the_temporal_replacement_is_the_sources_map_on_the_edits_values(tiny_backbone: Backbone) -> None:
    layer = next(layer for layer in attention_layers(tiny_backbone.unet) if layer.kind is Kind.TEMPORAL)
    q, k, v, q0, k0 = (torch.randn(5, 2, 4, 8, generator=torch.Generator().manual_seed(i)) for i in range(5))
    expected = torch.softmax(q0.double() @ k0.double().transpose(-1, -2) / 8**0.5, -1) @ v.double()
    out = Matching({layer.path: (q0, k0)}, THRESHOLD, 0.0, (0.5, 0.8), EditMap(1, 1, 1)).attend(layer, q, k, v)
    torch.testing.assert_close(out.double(), expected, atol=1e-5, rtol=0)


def test_originals_come_back_whatever_happens(tiny_backbone: Backbone) -> None:
    before = {path: id(module) for path, module in tiny_backbone.unet.attn_processors.items()}
    with pytest.raises(ZeroDivisionError), AttentionPass().installed(tiny_backbone.unet):
        raise ZeroDivisionError
    assert {path: id(module) for path, module in tiny_backbone.unet.attn_processors.items()} == before
    with pytest.raises(KeyError), processors(tiny_backbone.unet, {"no.such.layer": lambda *a, **k: None}):  # type: ignore[dict-item]
        pass


def _left_by(backbone: Backbone, source: Source, levels: range) -> Reference:
    """What the source leaves for later chunks, by passes of their own."""
    trajectory = invert_source(backbone, source, source.z_0, lambda step: None)
    leaving = replace(source, leaves=empty_reference(levels, (0, 1, 3)))
    complete_reference(backbone, leaving, trajectory, levels)
    assert leaving.leaves is not None
    return leaving.leaves


def test_the_maps_of_a_later_chunk_have_chunk_0_in_front(tiny_backbone: Backbone, source: Source) -> None:
    trajectory = invert_source(tiny_backbone, source, source.z_0, lambda step: None)
    reference = _left_by(tiny_backbone, source, range(len(source.sigmas)))
    maps = replay(tiny_backbone, replace(source, front=reference), trajectory, 0)
    for layer in attention_layers(tiny_backbone.unet):
        q0, k0 = maps[layer.path]
        assert k0.shape[2] == (q0.shape[2] + 3 if layer.kind is Kind.TEMPORAL else q0.shape[2])


def test_what_inversion_leaves_on_its_way_is_what_a_pass_of_its_own_leaves(tiny_backbone: Backbone, source: Source) -> None:
    levels = range(len(source.sigmas))
    on_its_way = replace(source, leaves=empty_reference(levels, (0, 1, 3)))
    invert_source(tiny_backbone, on_its_way, source.z_0, lambda step: None)
    alone = _left_by(tiny_backbone, source, levels)
    assert on_its_way.leaves is not None
    assert [on_its_way.leaves[level].filled for level in levels] == [False, *[True] * (len(levels) - 1)]
    path = next(layer.path for layer in attention_layers(tiny_backbone.unet) if layer.kind is Kind.TEMPORAL)
    nothing = torch.zeros(256, 2, 0, 16)
    for level in levels[1:]:
        found, expected = (each[level].put_in_front(path, nothing, nothing) for each in (on_its_way.leaves, alone))
        assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_cross_attention_to_one_token_is_what_the_model_computes_whatever_is_asked(tiny_backbone: Backbone) -> None:
    (path, *_) = cross_attention_paths(tiny_backbone.unet)
    attention = tiny_backbone.unet.get_submodule(path)
    token = torch.randn(1, 1, 32, generator=torch.Generator().manual_seed(1)).expand(6, -1, -1)
    asked = torch.randn(6, 9, attention.query_dim, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        torch.testing.assert_close(attend_to_one_token(attention, asked, token), attention(asked, token), atol=1e-6, rtol=0)
