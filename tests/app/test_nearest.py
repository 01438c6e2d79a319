"""Names that may have been meant."""

import pytest

from rag_qa.app.nearest import did_you_mean, nearest

STYLES = ["auto", "quote", "synthesis"]


@pytest.mark.parametrize(("typed", "hint"), [("quotes", " (did you mean quote?)"), ("zebra", ""), ("", "")])
def test_the_most_similar_name_is_suggested(typed, hint):
    """A text like a known name suggests it; any other text suggests nothing."""
    assert did_you_mean(typed, STYLES) == hint


def test_case_does_not_matter():
    """Names are compared without case, and are returned as they are written."""
    assert nearest("EIGENGAM", ["EigenGame", "dropout"]) == ["EigenGame"]


def test_no_more_names_than_wanted():
    """At most `count` names are returned, best first."""
    assert nearest("crumbs-2020", ["crumbs-2018", "crumbs-2019", "crumbs-202"], count=2)[0] == "crumbs-202"
    assert len(nearest("crumbs-2020", ["crumbs-2018", "crumbs-2019", "crumbs-202"], count=2)) == 2
