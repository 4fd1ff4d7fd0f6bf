"""The ways to look at a frame."""

from enum import StrEnum

from i2vedit_monitor.viewer.layers import Layer


class Mode(StrEnum):
    """In the order of their keys, 1 to 7."""

    RESULT = "result"
    PLATE = "plate"
    WIPE = "wipe"
    SIDE = "side"
    DIFFERENCE = "difference"
    MATTE = "matte"
    EDITED = "edited"

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What has to be read, the main picture first."""
        return LAYERS[self]

    @property
    def needs_below(self) -> bool:
        """Whether the plate, or another version, is needed."""
        return bool({Layer.BELOW, Layer.DIFFERENCE} & set(self.layers))


LAYERS = {
    Mode.RESULT: (Layer.RESULT,),
    Mode.PLATE: (Layer.BELOW,),
    Mode.WIPE: (Layer.RESULT, Layer.BELOW),
    Mode.SIDE: (Layer.RESULT, Layer.BELOW),
    Mode.DIFFERENCE: (Layer.DIFFERENCE,),
    Mode.MATTE: (Layer.MATTE,),
    Mode.EDITED: (Layer.EDITED,),
}
