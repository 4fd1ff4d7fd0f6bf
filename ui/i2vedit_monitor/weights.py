"""Whether there are weights for footage here, beside the mini model that comes along."""

from pathlib import Path

from i2vedit_client.errors import ClientError
from i2vedit_client.finding import Finding
from i2vedit_monitor import texts
from i2vedit_monitor.link.place import find_own
from i2vedit_monitor.texts import tr

NAMES = ("svd-xt", "svd")


def weights(_: Path) -> Finding:
    """Asks the server, which knows where models lie; none is started for this."""
    try:
        client = find_own()
    except ClientError:
        client = None
    if client is None:
        return Finding("weights", True, tr(texts.WEIGHTS_UNKNOWN))
    with client:
        for name in NAMES:
            try:
                model = client.check_model(name)
            except ClientError:
                continue
            return Finding("weights", True, tr(texts.WEIGHTS_THERE, name=model.name, path=model.path))
    return Finding("weights", False, tr(texts.WEIGHTS_MISSING), tr(texts.WEIGHTS_MEND))
