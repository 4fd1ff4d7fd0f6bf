"""I2VEdit Bridge's core: the method and the picture work, without a server.

    from i2vedit_core import DeliverySettings, Edit, Settings, Shot, load_backbone, propagate

    shot = Shot.open("clip.mp4", first=0, last=41)
    edit = Edit.open("painted.png", shot)
    propagate(shot, edit, Settings(), load_backbone("mini"), DeliverySettings("out"))

What needs torch is imported when it is first asked for, so that the server can use the rest without it.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from i2vedit_core.settings import DeliverySettings, Settings
from i2vedit_core.shot import Edit, Shot

if TYPE_CHECKING:
    from i2vedit_core.backbone import load_backbone
    from i2vedit_core.prepare import prepare
    from i2vedit_core.propagate import propagate

__all__ = ["DeliverySettings", "Edit", "Settings", "Shot", "load_backbone", "prepare", "propagate"]


class _Core(ModuleType):
    """The package offers functions named as their modules; importing such a module would otherwise put it in the function's place."""

    @property
    def load_backbone(self) -> Any:
        return import_module("i2vedit_core.backbone").load_backbone

    @property
    def prepare(self) -> Any:
        return import_module("i2vedit_core.prepare").prepare

    @prepare.setter
    def prepare(self, module: ModuleType) -> None:
        """The import system tries to set this."""

    @property
    def propagate(self) -> Any:
        return import_module("i2vedit_core.propagate").propagate

    @propagate.setter
    def propagate(self, module: ModuleType) -> None:
        """The import system tries to set this."""


sys.modules[__name__].__class__ = _Core
