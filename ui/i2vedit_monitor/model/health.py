"""How the window stands with its server, and what the server says about itself."""

from i2vedit_monitor.model.changes import Change, ContactChanged, ServerTold
from i2vedit_monitor.model.facts import Contact, ServerFacts
from i2vedit_monitor.model.observable import Observable


class Health:
    """Tells whenever one of the two changes."""

    def __init__(self) -> None:
        self.changed: Observable[Health] = Observable()
        self.contact = Contact.SEEKING
        self.sentence = ""
        self.server: ServerFacts | None = None

    def take(self, changes: list[Change]) -> None:
        """Applies what of these changes is about the server."""
        before = (self.contact, self.sentence, self.server)
        for change in changes:
            match change:
                case ContactChanged(contact, sentence):
                    self.contact, self.sentence = contact, sentence
                case ServerTold(server):
                    self.server = server
        if before != (self.contact, self.sentence, self.server):
            self.changed.tell(self)
