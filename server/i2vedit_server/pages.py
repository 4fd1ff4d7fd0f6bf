"""Lists that come in pages: how many rows a page has, and the opaque token that leads to the next."""

import base64
import binascii
import json
from collections.abc import Sequence

from i2vedit_core.errors import BridgeError, Code, Reason
from i2vedit_server.store import LARGEST_SEQUENCE

DEFAULT_PAGE = 50
LARGEST_PAGE = 1000


def page_size(wanted: int) -> int:
    """0, and what is below it, is no wish."""
    return min(wanted, LARGEST_PAGE) if wanted > 0 else DEFAULT_PAGE


def page_token(sequence: int, filters: Sequence[str]) -> str:
    """Leads to what comes before this sequence number in a list with the same filters."""
    return base64.urlsafe_b64encode(json.dumps([sequence, *filters]).encode()).decode()


def read_page_token(token: str, filters: Sequence[str]) -> int:
    """The sequence number that a page ends before. Raises BridgeError PAGE_TOKEN_INVALID for a token of another list."""
    if not token:
        return LARGEST_SEQUENCE
    try:
        sequence, *told = json.loads(base64.urlsafe_b64decode(token.encode()))
        if isinstance(sequence, int) and 0 < sequence <= LARGEST_SEQUENCE and told == list(filters):
            return sequence
    except (ValueError, TypeError, binascii.Error):
        pass
    sentence = "The page token is not one that this list gave; begin again without it, and keep the same filters from page to page."
    raise BridgeError(Code.INVALID_ARGUMENT, Reason.PAGE_TOKEN_INVALID, sentence)
