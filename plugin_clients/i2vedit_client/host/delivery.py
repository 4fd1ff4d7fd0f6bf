"""What each host gets, and how it plays it. Once here, so that no host file decides about colour."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from i2vedit_client.errors import BadInput


@dataclass(frozen=True)
class Host:
    """How one host takes a sequence."""

    unmanaged: str
    """Delivered colour where the host takes values as they are."""
    managed: str
    """Delivered colour where it converts them."""
    begins_anywhere: bool = False
    """A clip may begin within a media frame."""
    color_names: Mapping[str, str] = field(default_factory=dict)
    """OCIO names by the host's own: the plate is taken for what the host decodes its own clip as."""


BLENDER_NAMES = {
    "sRGB": "sRGB Encoded Rec.709 (sRGB)",
    "Rec.1886": "Gamma 2.4 Encoded Rec.709",
    "Linear Rec.709": "Linear Rec.709 (sRGB)",
    "ACEScg": "ACEScg",
}
HOSTS = {
    "resolve": Host(unmanaged="match", managed="match"),
    "after_effects": Host(unmanaged="match", managed="linear", begins_anywhere=True),
    "blender": Host(unmanaged="linear", managed="linear", color_names=BLENDER_NAMES),
    "other": Host(unmanaged="match", managed="linear"),
}
"""Why, for each: docs/hosts.md, *Colour*."""


def host_named(name: str) -> Host:
    """Raises BadInput."""
    if name not in HOSTS:
        raise BadInput(f"There is no host '{name}'. Hosts are: {', '.join(HOSTS)}.")
    return HOSTS[name]


def delivered_color(host: Host, managed: bool) -> str:
    """`match` or `linear`, as `--deliver` takes it."""
    return host.managed if managed else host.unmanaged
