import pytest
from tests.tiny_model import save_tiny_model

from i2vedit_core.backbone import Backbone, load_backbone


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    """Random tiny weights, chunks of four frames; one for each file of tests, since LoRAs are put into it."""
    folder = tmp_path_factory.mktemp("model") / "tiny"
    save_tiny_model(folder)
    return load_backbone(str(folder), device="cpu")
