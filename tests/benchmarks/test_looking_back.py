"""What is lost by looking back in eight bits can only be measured if the other way loses nothing."""

import torch

from i2vedit_core.method.attention import reference
from i2vedit_core.method.attention.reference import FrontKeys
from looking_back import Way, kept


def test_front_keys_are_kept_whole_inside_the_block_and_in_eight_bits_outside() -> None:
    quantized = reference.Quantized
    k, v = (torch.randn(2, 3, 4, 8, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    errors = {}
    for exact in (True, False):
        with kept(Way(2, exact)):
            front = FrontKeys((0, 3))
            front.keep("layer", k, v)
            found, _ = front.put_in_front("layer", k, v)
        errors[exact] = float((found[:, :, :2] - k[:, :, [0, 3]]).abs().max())
        assert reference.Quantized is quantized
    assert errors[True] == 0 < errors[False] < 0.02
