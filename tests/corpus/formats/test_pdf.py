"""PDFs: title and abstract by their layout, marked as such, or a reason with the way out."""

import pytest

Written = tuple[int, int, str]
PAPER: list[Written] = [
    (18, 740, "Knitting Graphs in Cold"),
    (18, 718, "Winters"),
    (11, 690, "Wilma Weaver, Lou van der Mug"),
    (12, 650, "Abstract"),
    (10, 630, "We knit a scarf of graphs in a cold winter, and mea-"),
    (10, 618, "sure how warm it keeps the forty nodes that wear it on their"),
    (10, 606, "way to the shop nearby."),
    (12, 570, "1 Introduction"),
    (10, 550, "Wool is old."),
]


def pdf(lines: list[Written]) -> bytes:
    """A PDF of one page with lines of writing: size, height, text."""
    content = "".join(f"BT /F {size} Tf 90 {height} Td ({text}) Tj ET\n" for size, height, text in lines)
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        f"<</Length {len(content)}>>stream\n{content}endstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body, offsets = "%PDF-1.4\n", []
    for number, value in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{value}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    tail = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer<</Size {len(objects) + 1}/Root 1 0 R>>"
    return f"{body}{tail}\nstartxref\n{len(body)}\n%%EOF\n".encode()


def test_title_and_abstract_are_found_by_layout(read):
    """The largest writing is the title, and the abstract ends at the introduction; the paper is marked as a PDF's."""
    (paper,) = read(pdf(PAPER)).papers
    assert (paper.kind, paper.title) == ("pdf", "Knitting Graphs in Cold Winters")
    assert paper.abstract == (
        "We knit a scarf of graphs in a cold winter, and measure how warm it keeps the forty nodes that wear it on"
        " their way to the shop nearby."
    )


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (pdf([]), "a PDF without text, such as a scan"),
        (pdf(PAPER[:3]), "a PDF in which no abstract was found"),
        (pdf([(12, 700, "Abstract Syntax Notation of knitting, in words that are no abstract at all, and more of it")]),
         "a PDF in which no abstract was found"),
        (pdf(PAPER)[:300], "a PDF that can't be read"),
        (b"%PDF-1.7 nothing", "a PDF that can't be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_with_the_way_out(read, raw, reason):
    """Scans, PDFs without an abstract and damaged ones are skipped, and the reason says what to do instead."""
    (skip,) = read(raw).skipped
    assert skip.reason.startswith(reason)
    assert "BibTeX or RIS" in skip.reason
