"""What each host gets, and how it plays it. Once here, so that no host file decides about colour."""

from dataclasses import dataclass

from i2vedit_client.errors import BadInput


@dataclass(frozen=True)
class Host:
    """How one host takes a sequence."""

    unmanaged: str
    """Delivered colour where the host takes values as they are."""
    managed: str
    """Delivered colour where it converts them."""
    plays_at_media_rate: bool
    """A sequence has a rate of its own there."""
    begins_anywhere: bool = False
    """A clip may begin within a media frame."""
    needs_color_tag: bool = False
    """The plate's curve is the one that the host decodes its own strip with."""
    sets_color_space: bool = False
    """The host's item takes the plate's own colour space, read back after it is set."""


HOSTS = {
    "resolve": Host(unmanaged="match", managed="match", plays_at_media_rate=True, sets_color_space=True),
    "after_effects": Host(unmanaged="match", managed="linear", plays_at_media_rate=True, begins_anywhere=True),
    "blender": Host(unmanaged="linear", managed="linear", plays_at_media_rate=False, needs_color_tag=True),
    "other": Host(unmanaged="match", managed="linear", plays_at_media_rate=True),
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
