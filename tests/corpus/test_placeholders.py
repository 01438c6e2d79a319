"""Notices that there is no abstract are no abstracts, and real abstracts that speak of absence are."""

import pytest

from rag_qa.corpus.cleaning import clean_abstract
from rag_qa.corpus.placeholders import repeated_texts
from rag_qa.types import Paper


@pytest.mark.parametrize(
    "text",
    [
        "No abstract was supplied for this pattern.",
        "(Abstract not yet available)",
        "An abstract is not available for this content. Please use the link above to see the full pattern.",
        "This letter does not have an abstract.",
        "Abstract available from the author on request.",
        "Click on the title to read the article.",
        "Please refer to the full text.",
        "View PDF",
        "n.a.",
        "[none]",
        "Lorem ipsum dolor sit amet.",
        "Sin resumen disponible",
        "Aucun résumé n'est disponible.",
        "Keine Zusammenfassung vorhanden",
        "Аннотация отсутствует.",
        "暂无摘要",
        "抄録なし",
        "초록이 없습니다",
        "© 2020 Wool Press. All rights reserved.",
        "Abstract",
    ],
)
def test_a_notice_is_no_abstract(text):
    """Notices that there is no abstract are recognised in many words and languages."""
    assert clean_abstract(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "No abstract domain captures knots; we knit one.",
        "Abstract patterns are available to knitters at seven.",
        "Not available yarns are replaced by our method.",
        "See how knitters see: we watch their eyes.",
        "Summary statistics are not available for most knots.",
        "This article has no easy answers. We knit.",
        "None of the scarves tore.",
        "我们提出自动摘要模型。",
    ],
)
def test_a_short_abstract_is_kept(text):
    """Words of absence inside a sentence about something else skip nothing."""
    assert clean_abstract(text) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("Abstract: We knit.", "We knit."),
        ("AbstractWe knit.", "We knit."),
        ("ABSTRACT\nWool is warm.", "Wool is warm."),
        ("【摘要】我们编织。", "我们编织。"),
        ("Abstract interpretation of knots.", "Abstract interpretation of knots."),
        ("cafe\u0301 \ufb01ne", "café \ufb01ne"),
    ],
)
def test_a_label_goes_and_the_text_stays(written, text):
    """The word "Abstract" before an abstract goes; words stay as they were written, in composed Unicode."""
    assert clean_abstract(written) == text


def test_one_text_under_many_titles_describes_none():
    """A text under three titles without a common author is found; one by the same authors is not."""
    blurb, own = "The journal prints patterns.", "We knit."
    papers = [
        Paper(id=f"b{n}", title=f"Scarf {n}", abstract=blurb, authors=(f"Author {n}",)) for n in range(3)
    ]
    papers += [
        Paper(id=f"o{n}", title=f"Knit {n}", abstract=own, authors=("Wilma Weaver",)) for n in range(3)
    ]
    assert repeated_texts(papers) == {blurb}
