"""Copyright lines and the labels of sections are not what an abstract says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.text.body import body_sentences, body_span

TEXT = "We knit a scarf. It is warm."


@pytest.mark.parametrize(
    "rights",
    [
        "© 2020 Wool Press B.V. All rights reserved.",
        "Copyright © 2019 John Weaver & Sons, Ltd.",
        "(c) 2010 Weaver-Knit, Inc.",
        "© The Author(s) 2019. Published by Wool University Press. For permissions, please e-mail: a@b.org",
        "This article is protected by copyright. All rights reserved.",
        "(PsycINFO Database Record (c) 2016 APA, all rights reserved).",
        "This is an open access article under the CC BY license (https://a.b/by/4.0/).",
        "© 2015 by the authors; licensee Wool, Basel, Switzerland.",
    ],
)
def test_copyright_lines_at_the_end_are_not_the_body(rights):
    """Publishers' lines after an abstract are left out; a text of only such lines is empty."""
    start, end = body_span(f"{TEXT} {rights}")
    assert f"{TEXT} {rights}"[start:end] == TEXT
    assert body_span(rights) == (0, 0)


@pytest.mark.parametrize(
    "text",
    [
        f"{TEXT} We discuss copyright law and its license.",
        "Copyright law protects patterns. We study it.",
        f"{TEXT} Code is available at https://a.b under the MIT license.",
        f"{TEXT} We release the yarn under a Creative Commons license.",
    ],
)
def test_a_text_about_rights_is_the_body(text):
    """Sentences that speak of copyright, licences or access are kept."""
    assert body_span(text) == (0, len(text))


def test_labels_of_sections_are_not_quoted():
    """A sentence begins after the label of its section."""
    text = "BACKGROUND: We knit. Materials and methods: In 2020 we purled. Results: warm. © 2020 Wool Inc."
    assert [text[a:b] for a, b in body_sentences(text)] == ["We knit.", "In 2020 we purled.", "warm."]


@given(st.text(alphabet=st.sampled_from("ab. ©():A0Results"), max_size=80) | st.text(max_size=80))
def test_sentences_are_in_order_and_not_empty(text):
    """Spans are trimmed, ordered and do not overlap; a text that is not blank has at least one."""
    spans = body_sentences(text)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(text[a:b].strip() for a, b in spans)
    assert bool(spans) == bool(text.strip())
