"""Versions of everything whose version decides the result, read from their metadata without importing any of it."""

from collections.abc import Iterable
from importlib import metadata

DISTRIBUTION = "i2vedit-bridge"
DECIDING = ("torch", "diffusers", "transformers", "peft", "numpy", "scipy", "OpenImageIO", "av", "opencv-python-headless", "imageio-ffmpeg")
"""Distributions whose version can change pixels."""


def product_version() -> str:
    """Version of the installed distribution; `0+uninstalled` when it runs from a bare checkout."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "0+uninstalled"


def deciding_versions() -> dict[str, str]:
    """Of this product and of every library in DECIDING, by name."""
    return {DISTRIBUTION: product_version(), **versions_of(DECIDING)}


def versions_of(names: Iterable[str]) -> dict[str, str]:
    """By name; a distribution that is not installed is left out."""
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
