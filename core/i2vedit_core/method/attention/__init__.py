"""Attention of the video UNet: finding it, exchanging its processors, and the matching of sections 5 and 6."""

from i2vedit_core.method.attention.layers import Kind, Layer, attention_layers, processors
from i2vedit_core.method.attention.matched import matched_attention

__all__ = ["Kind", "Layer", "attention_layers", "matched_attention", "processors"]
