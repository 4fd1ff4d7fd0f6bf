"""What can be chosen: validated once, here, and frozen from then on. Defaults are the paper's (METHOD sections in brackets)."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from i2vedit_core.errors import BridgeError, Code, Reason


class Preset(StrEnum):
    """How much time to spend."""

    FULL = "full"
    BALANCED = "balanced"
    PREVIEW = "preview"


class EditKind(StrEnum):
    """What kind of change was painted; it sets how long the source's temporal attention is kept (section 6)."""

    LOCAL = "local"
    STYLE = "style"
    SHAPE = "shape"


class Part(StrEnum):
    """A part of the method that can be left out, to measure what it is worth (METHOD section 7)."""

    SARP = "sarp"
    INVERSION = "inversion"
    LORA = "lora"
    SKIP_INTERVAL = "skip-interval"
    SPATIAL = "spatial"
    TEMPORAL = "temporal"


TEMPORAL_STAGES: dict[EditKind, tuple[float, float]] = {
    EditKind.LOCAL: (0.5, 0.8),
    EditKind.STYLE: (0.8, 0.9),
    EditKind.SHAPE: (0.4, 0.5),
}
"""(beta_1, beta_2) of section 6: fractions of the denoising steps."""


class MapStore(StrEnum):
    """How the edit comes by the source's attention maps (section 6, *Store or replay*)."""

    REPLAY = "replay"
    """The source is run once more at each step."""
    RAM = "ram"
    """Every Q0 and K0 of a chunk waits in host memory."""
    DISK = "disk"
    """Every Q0 and K0 of a chunk waits in a file."""


class Cuts(StrEnum):
    """What is done about cuts inside the range."""

    FIND = "find"
    """No painted frame is carried across one."""
    IGNORE = "ignore"
    """The range is taken for one shot."""


class Depth(StrEnum):
    AUTO = "auto"
    HALF = "half"
    FLOAT = "float"


class Alpha(StrEnum):
    PLATE = "plate"
    MATTE = "matte"


class SideFormat(StrEnum):
    """What can be delivered beside the EXR, for whoever cannot read that."""

    PRORES = "prores"
    """ProRes 4444 with alpha, `.mov`."""
    PNG = "png"
    """16 bits, one file a frame."""
    MP4 = "mp4"
    """H.264 at the plate's size, which plays everywhere."""


class Inside(StrEnum):
    """What lies inside the matte (docs/decisions/0020)."""

    AUTO = "auto"
    """Each painted region as suits it."""
    REPLACE = "replace"
    """New pixels."""
    DELTA = "delta"
    """What the edit changed, added to the plate, whose detail and grain live on."""


COMPRESSIONS = ("zip", "zips", "piz", "pxr24", "rle", "none", "dwaa", "dwab")


LARGEST_STRIDE = 16

LORA_SHARES: dict[Preset, float] = {Preset.FULL: 1.0, Preset.BALANCED: 0.4, Preset.PREVIEW: 0.0}
"""How much of the LoRA's steps a preset takes."""


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise BridgeError(Code.INVALID_ARGUMENT, Reason.SETTING_INVALID, sentence)


@dataclass(frozen=True)
class LoraSettings:
    """The motion LoRA (section 4)."""

    steps: int | None = None
    """None: what the model itself recommends (250 for SVD, fewer for the bundled mini model). 0: no LoRA."""
    rank: int = 32
    learning_rate: float = 5e-4
    weight_decay: float = 1e-2
    dropout: float = 0.1
    checkpoint_every: int = 50

    def __post_init__(self) -> None:
        _require(self.steps is None or 0 <= self.steps <= 10_000, "LoRA steps must lie between 0 and 10000.")
        _require(1 <= self.rank <= 1024, f"The rank of the LoRA must lie between 1 and 1024; {self.rank} was given.")
        _require(0 < self.learning_rate < 1 and 0 <= self.weight_decay < 1, "Learning rate and weight decay must lie between 0 and 1.")
        _require(0 <= self.dropout < 1, "The dropout of the LoRA must lie between 0 and 1, and not be 1.")
        _require(self.checkpoint_every >= 1, "There must be at least one step between checkpoints.")


@dataclass(frozen=True)
class Settings:
    """How the method runs. Everything that changes pixels is here, and all of it goes into the ticket."""

    model: str = "mini"
    """`mini`, `svd`, `svd-xt`, or the path of a diffusers folder."""
    preset: Preset = Preset.FULL
    edit: EditKind = EditKind.LOCAL
    seed: int = 0
    steps: int = 25
    """Sampler steps N of the noise grid (section 3)."""
    lora: LoraSettings = field(default_factory=LoraSettings)
    sarp_alpha: float = 0.005
    attention_threshold: tuple[float, float] = (0.35, 0.35)
    """Of the first and of the last frame of a chunk, linear between (section 6)."""
    guidance: tuple[float, float] | None = None
    """Guidance of the first and of the last frame of a chunk, linear between (section 6). None: what the model itself recommends (the
    paper's 1 to 2 for SVD, none for the bundled mini model)."""
    reference_frames: int = 3
    """Frames of chunk 0 that later chunks attend to (section 5)."""
    decode_frames: int = 14
    """Frames the VAE decodes at once, or fewer where memory is short (section 0)."""
    maps: MapStore | None = None
    """How the source's attention maps are had; None leaves it to what memory is free. All ways give the same maps."""

    picture_area: int | None = None
    """Width x height in pixels that the model's picture may have at most; None, or more than the model was made for: the model's own."""
    stride: int | None = 1
    """The model sees every so manieth frame; the frames between get its change along the plate's motion (docs/decisions/0040). None: chosen
    by the shot's motion; the ticket has the number."""
    lock: bool = False
    """Hold the edit to the source wherever nothing is edited, against drift over many chunks (section 1)."""
    anchored: bool = True
    """Let each later chunk begin with what is delivered of its first frame, where that is known without the model, against drift
    (docs/decisions/0039)."""
    cuts: Cuts = Cuts.FIND
    """What is done about cuts inside the range (docs/decisions/0038)."""
    without: tuple[Part, ...] = ()
    """Parts of the method left out. For measurements."""

    def __post_init__(self) -> None:
        _require(3 <= self.steps <= 200, f"The number of sampler steps must lie between 3 and 200; {self.steps} was given.")
        _require(0 <= self.seed < 2**63, f"The seed must be a whole number from 0 to 2^63 - 1; {self.seed} was given.")
        _require(0 <= self.sarp_alpha <= 1, "The strength of SARP must lie between 0 and 1.")
        _require(all(0 <= each <= 1 for each in self.attention_threshold), "The attention thresholds must lie between 0 and 1.")
        _require(all(0 <= each <= 30 for each in self.guidance or ()), "Guidance must lie between 0 and 30.")
        _require(self.reference_frames >= 1 and self.decode_frames >= 1, "Frames to look back at, or to decode at once, are at least 1.")
        words = f"The stride must lie between 1, every frame, and {LARGEST_STRIDE}; {self.stride} was given."
        _require(self.stride is None or 1 <= self.stride <= LARGEST_STRIDE, words)
        _require(self.picture_area is None or self.picture_area > 0, "The model's picture must have some pixels.")

    @property
    def temporal_stages(self) -> tuple[float, float]:
        return TEMPORAL_STAGES[self.edit]

    def lora_steps(self, recommended: int) -> int:
        """LoRA steps for a model that recommends so many: all in `full`, two fifths in `balanced`, none in `preview`."""
        if Part.LORA in self.without:
            return 0
        steps = recommended if self.lora.steps is None else self.lora.steps
        return round(steps * LORA_SHARES[self.preset])

    @property
    def level_stride(self) -> int:
        """A preview visits every second level of the same grid, so that the trajectory has its points (section 8)."""
        return 2 if self.preset is Preset.PREVIEW else 1


@dataclass(frozen=True)
class DeliverySettings:
    """What is written, and where. `directory` receives `NAME_v001/NAME_v001.%04d.exr`."""

    directory: Path
    color_space: str = "match"
    """`match`: the plate's own encoded values. `linear`, `ACEScg` or any OCIO name: converted."""
    depth: Depth = Depth.AUTO
    compression: str = "zip"
    alpha: Alpha = Alpha.PLATE
    also: tuple[SideFormat, ...] = ()
    """What is written beside the EXR, in the plate's own encoding."""
    inside: Inside = Inside.AUTO
    grain: float = 1.0
    """How much of the plate's grain is put back where pixels are new: 0 none, 1 as much as the plate has."""

    def __post_init__(self) -> None:
        _require(0 <= self.grain <= 1, f"The grain that is put back must lie between 0 and 1; {self.grain} was given.")
        names = ", ".join(COMPRESSIONS)
        _require(self.compression in COMPRESSIONS, f"Compression '{self.compression}' is not one of {names}.")
