"""How each lane's worker process is set up: what it runs, where it logs, and which card it sees."""

import os
import shutil
import subprocess

from i2vedit_server.config import ServerConfig
from i2vedit_server.data_folder import DataFolder
from i2vedit_server.worker import WorkerSetup

VISIBLE = "CUDA_VISIBLE_DEVICES"
LOOK_SECONDS = 20.0


def worker_setups(config: ServerConfig, folder: DataFolder) -> list[WorkerSetup]:
    """One for each lane. Several cards are dealt out in turn; where there is one or none, every lane sees what the server sees."""
    cards = _cards() if config.workers > 1 else []
    return [
        WorkerSetup(config.job_runner, folder.worker_log(lane), _environment(config, cards[lane % len(cards)] if len(cards) > 1 else None))
        for lane in range(config.workers)
    ]


def _environment(config: ServerConfig, card: str | None) -> dict[str, str]:
    of_card = {} if card is None else {VISIBLE: card}
    return {**of_card, **config.ray_environment}


def _cards() -> list[str]:
    """Of NVIDIA, as CUDA_VISIBLE_DEVICES names them; those that the server itself may see, where that is said."""
    said = os.environ.get(VISIBLE)
    if said is not None:
        return [card for card in (part.strip() for part in said.split(",")) if card]
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        told = subprocess.run([tool, "--query-gpu=uuid", "--format=csv,noheader"], capture_output=True, text=True, timeout=LOOK_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return told.stdout.split() if told.returncode == 0 else []
