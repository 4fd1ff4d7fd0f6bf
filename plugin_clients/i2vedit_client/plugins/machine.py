"""Where things lie on a machine: this one, or one that a test makes."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from i2vedit_client.discovery import data_folder


@dataclass(frozen=True)
class Machine:
    """A system, its root and its user."""

    platform: str = sys.platform
    root: Path = Path("/")
    """Of the system's own folders on macOS and Linux; on Windows the environment names them."""
    home: Path = field(default_factory=Path.home)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    data: Path = field(default_factory=data_folder)

    @property
    def is_windows(self) -> bool:
        return self.platform == "win32"

    @property
    def is_mac(self) -> bool:
        return self.platform == "darwin"

    @property
    def plugins(self) -> Path:
        """Where the launcher and what plugins share are kept."""
        return self.data / "plugins"

    def named(self, variable: str) -> Path | None:
        """The folder that an environment variable names."""
        value = self.environment.get(variable)
        return Path(value) if value else None

    def config(self) -> Path:
        """Where this user's programs keep what they are told."""
        if self.is_windows:
            return self.named("APPDATA") or self.home / "AppData" / "Roaming"
        if self.is_mac:
            return self.home / "Library" / "Application Support"
        return self.named("XDG_CONFIG_HOME") or self.home / ".config"

    def programs(self) -> list[Path]:
        """Where programs are installed."""
        if self.is_windows:
            names = ("ProgramW6432", "ProgramFiles", "ProgramFiles(x86)")
            return list(dict.fromkeys(folder for name in names if (folder := self.named(name))))
        return [self.root / "Applications"] if self.is_mac else [self.root / "opt"]
