"""What the panel of one job shows of how it came out."""

from i2vedit_monitor.job.details import Details
from i2vedit_monitor.model.book import JobBook
from i2vedit_monitor.model.facts import JobFacts, State


def test_what_would_make_it_better_is_shown_where_there_is_something(qtbot):
    details = Details(JobBook())
    qtbot.addWidget(details)
    done = JobFacts("jobs/1", State.SUCCEEDED, False, "/shots/a.mov", 0, 24)
    details.show_job(done, None)
    assert details.sections["quality"].isHidden()
    details.show_job(JobFacts("jobs/1", State.SUCCEEDED, False, "/shots/a.mov", 0, 24, advice=("Paint frame 88 too.", "A seam.")), None)
    assert not details.sections["quality"].isHidden() and details.quality.text() == "Paint frame 88 too.\nA seam."
