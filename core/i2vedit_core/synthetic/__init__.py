"""Procedural shots whose edited version is known exactly: for training the mini model, for tests, for fidelity figures."""

from i2vedit_core.synthetic.edits import EDITS, KINDS, edit_scene
from i2vedit_core.synthetic.render import render
from i2vedit_core.synthetic.scene import Scene, Split, lingering, random_scene
from i2vedit_core.synthetic.truth import Truth, disoccluded, draw_truth, optical_flow

__all__ = [
    "EDITS",
    "KINDS",
    "Scene",
    "Split",
    "Truth",
    "disoccluded",
    "draw_truth",
    "edit_scene",
    "lingering",
    "optical_flow",
    "random_scene",
    "render",
]
