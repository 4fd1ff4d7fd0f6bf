"""Procedural shots whose edited version is known exactly: for training the mini model, for tests, for fidelity figures."""

from i2vedit_core.synthetic.edits import EDITS, edit_scene
from i2vedit_core.synthetic.render import render
from i2vedit_core.synthetic.scene import Scene, Split, random_scene

__all__ = ["EDITS", "Scene", "Split", "edit_scene", "random_scene", "render"]
