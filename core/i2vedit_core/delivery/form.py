"""The form of a delivery: everything about its frames' headers and pixels that settings and clip decide, resolved once.

It stands in the ticket, so that a delivered frame can be held against it when the plate is long gone.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import OpenImageIO as oiio

from i2vedit_core.delivery.colour import delivered_space, keeps_primaries
from i2vedit_core.delivery.ticket import ATTRIBUTE_PREFIX
from i2vedit_core.media import tags
from i2vedit_core.media.clip import ClipInfo
from i2vedit_core.media.timecode import Timecode
from i2vedit_core.settings import Alpha, DeliverySettings, Depth, Inside, SideFormat

CHANNELS = ("R", "G", "B", "A", "matte.A")
LOSSY = ("dwaa", "dwab")
MAX_INT = 2**31 - 1


class Window(NamedTuple):
    """A rectangle of pixels as OpenEXR has it: first and last column and row, both inclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of_size(cls, width: int, height: int) -> "Window":
        return cls(0, 0, width - 1, height - 1)

    @property
    def width(self) -> int:
        return self.right - self.left + 1

    @property
    def height(self) -> int:
        return self.bottom - self.top + 1


def windows_of(clip: ClipInfo) -> tuple[Window, Window]:
    """Data and display window of what is delivered: a movie fills its picture, and of an EXR the display window is the picture."""
    if clip.window is None:
        whole = Window.of_size(clip.width, clip.height)
    else:
        x, y = clip.window.x, clip.window.y
        whole = Window(x, y, x + clip.window.width - 1, y + clip.window.height - 1)
    return whole, whole


@dataclass(frozen=True)
class Form:
    """How a sequence is delivered."""

    plate_space: str
    """OCIO name of the plate's own encoding."""
    color_space: str
    """OCIO name of what is delivered."""
    depth: Depth
    compression: str
    alpha: Alpha
    premultiplied: bool
    """Whether the plate's colour holds its alpha already, as in EXR."""
    data_window: Window
    display_window: Window
    pixel_aspect: Fraction
    rate: Fraction
    timecode: str
    """Of source frame 0."""
    inside: Inside = Inside.AUTO
    grain: float = 1.0
    also: tuple[SideFormat, ...] = ()
    """Formats beside the EXR."""

    @classmethod
    def of(cls, clip: ClipInfo, settings: DeliverySettings) -> "Form":
        """Raises SETTING_INVALID for an unknown colour space."""
        space = delivered_space(clip, settings.color_space)
        # Among other primaries saturated codes do not come back from half floats.
        automatic = Depth.HALF if clip.fits_half and keeps_primaries(clip, space) else Depth.FLOAT
        data, display = windows_of(clip)
        return cls(
            plate_space=clip.color_space,
            color_space=space,
            depth=automatic if settings.depth is Depth.AUTO else settings.depth,
            compression=settings.compression,
            alpha=settings.alpha,
            premultiplied=clip.premultiplied,
            data_window=data,
            display_window=display,
            pixel_aspect=clip.pixel_aspect,
            rate=clip.rate.limit_denominator(100_000),
            timecode=str(clip.timecode_of(0)),
            inside=settings.inside,
            grain=settings.grain,
            also=settings.also,
        )

    @property
    def lossy(self) -> bool:
        return self.compression in LOSSY or (self.compression == "pxr24" and self.depth is Depth.FLOAT)

    def to_json(self) -> dict[str, Any]:
        """For the ticket."""
        return {
            "plate_space": self.plate_space,
            "color_space": self.color_space,
            "ocio_config": tags.OCIO_CONFIG,
            "depth": str(self.depth),
            "compression": self.compression,
            "alpha": str(self.alpha),
            "premultiplied": self.premultiplied,
            "lossy": self.lossy,
            "data_window": list(self.data_window),
            "display_window": list(self.display_window),
            "pixel_aspect": str(self.pixel_aspect),
            "rate": str(self.rate),
            "timecode": self.timecode,
            "inside": str(self.inside),
            "grain": self.grain,
            "also": [str(each) for each in self.also],
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Form":
        """Raises ValueError for what a ticket of this format cannot hold."""
        try:
            return cls(
                plate_space=str(found["plate_space"]),
                color_space=str(found["color_space"]),
                depth=Depth(found["depth"]),
                compression=str(found["compression"]),
                alpha=Alpha(found["alpha"]),
                premultiplied=bool(found["premultiplied"]),
                data_window=Window(*map(int, found["data_window"])),
                display_window=Window(*map(int, found["display_window"])),
                pixel_aspect=Fraction(found["pixel_aspect"]),
                rate=Fraction(found["rate"]),
                timecode=str(Timecode.parse(found["timecode"], Fraction(found["rate"]))),
                inside=Inside(found["inside"]),
                grain=float(found["grain"]),
                also=tuple(map(SideFormat, found["also"])),
            )
        except (KeyError, TypeError, ArithmeticError) as error:
            raise ValueError(f"The ticket does not say how the frames were delivered ({error}).") from error

    def header(self, frame: int) -> Any:
        """What DESIGN fixes about a source frame's header, as an ImageSpec; the ticket's own attributes come on top."""
        data, display = self.data_window, self.display_window
        spec = oiio.ImageSpec(data.width, data.height, len(CHANNELS), oiio.HALF if self.depth is Depth.HALF else oiio.FLOAT)
        spec.channelnames = CHANNELS
        spec.alpha_channel = CHANNELS.index("A")
        spec.x, spec.y = data.left, data.top
        spec.full_x, spec.full_y, spec.full_width, spec.full_height = display.left, display.top, display.width, display.height
        spec.attribute("compression", self.compression)
        spec.attribute("PixelAspectRatio", float(self.pixel_aspect))
        # OpenEXR's own spelling, which hosts read; OpenImageIO would store its own one, and finds both.
        spec.attribute("framesPerSecond", oiio.TypeRational, (min(self.rate.numerator, MAX_INT), self.rate.denominator))
        timecode = Timecode.parse(self.timecode, self.rate).plus(frame, self.rate)
        # As integers: OpenImageIO drops a string here without a word.
        spec.attribute("smpte:TimeCode", oiio.TypeTimeCode, timecode.bcd(self.rate))
        spec.attribute(ATTRIBUTE_PREFIX + "timecode", str(timecode))
        spec.attribute(ATTRIBUTE_PREFIX + "frame", frame)
        # `oiio:ColorSpace` would be turned into an interop id and lose most names.
        spec.attribute(ATTRIBUTE_PREFIX + "colorspace", self.color_space)
        spec.attribute(ATTRIBUTE_PREFIX + "ocio_config", tags.OCIO_CONFIG)
        spec.attribute(ATTRIBUTE_PREFIX + "lossy", int(self.lossy))
        return spec
