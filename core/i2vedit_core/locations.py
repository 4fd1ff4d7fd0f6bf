"""Where this program keeps a user's data. The environment says so, so that every child process has the same."""

import os
from pathlib import Path

import platformdirs

DATA_FOLDER_VARIABLE = "I2VEDIT_DATA_DIR"
MODELS_VARIABLE = "I2VEDIT_MODELS"


def data_folder() -> Path:
    """What I2VEDIT_DATA_DIR names, else the user's own local (never roaming) data folder. Absolute."""
    named = os.environ.get(DATA_FOLDER_VARIABLE)
    return Path(named).expanduser().absolute() if named else platformdirs.user_data_path("i2vedit", appauthor=False, roaming=False)


def use_data_folder(folder: Path) -> None:
    """For this process and its children."""
    os.environ[DATA_FOLDER_VARIABLE] = str(folder)


def models_folder() -> Path:
    """Where the models lie that are called by a name: what I2VEDIT_MODELS names, else `models` in the data folder. Absolute."""
    named = os.environ.get(MODELS_VARIABLE)
    return Path(named).expanduser().absolute() if named else data_folder() / "models"
