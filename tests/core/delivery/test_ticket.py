"""The ticket: whole in its file, without a path in the frames."""

import dataclasses
import json
from pathlib import Path

import pytest

from i2vedit_core.delivery.ticket import MAX_ATTRIBUTE_NAME, Ticket


def test_there_and_back(tmp_path: Path, ticket: Ticket) -> None:
    assert Ticket.from_json(ticket.to_json()) == ticket
    ticket.save(tmp_path)
    later = dataclasses.replace(ticket, seed=1)
    later.save(tmp_path)
    assert Ticket.load(tmp_path) == later


def test_attributes_name_and_hash_but_give_no_path(ticket: Ticket) -> None:
    attributes = ticket.attributes()
    assert all(name.startswith("i2vedit/") and len(name) <= MAX_ATTRIBUTE_NAME for name in attributes)
    assert "secret folder" not in json.dumps(attributes) and "paint" not in json.dumps(attributes)
    assert attributes["i2vedit/plate"] == Path(ticket.plate_path).name
    assert attributes["i2vedit/seed"] == str(2**62 + 1)
    assert json.loads(str(attributes["i2vedit/settings"]))["model"] == "mini"


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": 99}', "no json", '{"format": 1, "seed": 3}'])
def test_what_is_no_ticket(text: str) -> None:
    with pytest.raises(ValueError):
        Ticket.from_json(text)
