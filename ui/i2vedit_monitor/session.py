"""What the window stands on: book, health, and the threads that feed and ask."""

from i2vedit_monitor.link.calls import Calls
from i2vedit_monitor.link.place import Place
from i2vedit_monitor.link.pump import Pump
from i2vedit_monitor.link.watcher import Watcher
from i2vedit_monitor.model.book import JobBook
from i2vedit_monitor.model.health import Health


class Session:
    """One server, seen from one window."""

    def __init__(self, place: Place, *, start_server: bool = True) -> None:
        self.book, self.health = JobBook(), Health()
        self.pump = Pump(self.book, self.health)
        self.calls = Calls(place)
        self.watcher = Watcher(place, self.pump.put, start_server=start_server)

    def start(self) -> None:
        self.watcher.start()

    def close(self) -> None:
        """Ends the threads; jobs go on in the server."""
        self.pump.stop()
        self.watcher.stop()
        self.calls.close()
