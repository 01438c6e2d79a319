"""BibTeX: entry types, keys, titles and names as LaTeX users want them."""

import pytest

from rag_qa.exports import export_papers
from rag_qa.exports.bibtex import escape, escape_title


def test_a_whole_entry(make_paper):
    """A conference paper has a booktitle, its ids, and the abstract."""
    paper = make_paper(
        title="EigenGame: PCA as a Nash equilibrium",
        authors=("Ian Gemp", "The Bread Group"),
        venue="ICLR",
        year=2021,
        doi="10.5555/a_b",
        arxiv_id="2010.00554",
        url="https://example.org/~x",
    )
    assert export_papers([paper], "bib") == (
        "@inproceedings{gemp2021eigengame,\n"
        "  title = {{EigenGame}: {PCA} as a {Nash} equilibrium},\n"
        "  author = {Gemp, Ian and {The Bread Group}},\n"
        "  booktitle = {ICLR},\n"
        "  year = {2021},\n"
        "  doi = {10.5555/a_b},\n"
        "  url = {https://example.org/~x},\n"
        "  eprint = {2010.00554},\n"
        "  archiveprefix = {arXiv},\n"
        "  abstract = {We let forty loaves rise in the dark. Light made no difference.},\n"
        "}\n"
    )


@pytest.mark.parametrize(
    ("fields", "entry"),
    [
        ({"venue": "Nature"}, "@article{"),
        ({"venue": "Proceedings of the National Academy of Sciences"}, "@article{"),
        ({"venue": "Proceedings of the 9th Workshop on Bread"}, "@inproceedings{"),
        ({"venue": "NeurIPS 2020"}, "@inproceedings{"),
        ({"arxiv_id": "2010.00554"}, "@misc{"),
        ({"venue": "bioRxiv", "status": "preprint"}, "@misc{"),
        ({"doi": "10.5555/x"}, "@article{"),
    ],
)
def test_entry_types_follow_the_venue(make_paper, fields, entry):
    """Meetings, journals and preprints are distinguished."""
    assert export_papers([make_paper(**fields)], "bib").startswith(entry)


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("Attention Is All You Need", "Attention Is All You Need"),
        ("BERT: Pre-training of Deep Transformers", "{BERT}: Pre-training of Deep Transformers"),
        ("Learning to play in Monte Carlo", "Learning to play in {Monte} {Carlo}"),
        ("Fast $k$-means with $\\ell_1$ norms", "Fast $k$-means with $\\ell_1$ norms"),
        ("U-Net: Deep Self-Play of Large GPT-4 Models", "{U-Net}: Deep Self-Play of Large {GPT-4} Models"),
        ("Bread for $5 and $6", "Bread for \\$5 and \\$6"),
        (
            "A trap: $\\input{secrets}$",
            "A trap: \\$\\textbackslash{}input\\textbraceleft{}secrets\\textbraceright{}\\$",
        ),
        ("Unbalanced $x}$ and 50% off", "Unbalanced \\$x\\textbraceright{}\\$ and 50\\% off"),
    ],
)
def test_titles(title, written):
    """Names and acronyms keep their capitals, harmless formulas stay formulas, everything else is shown as it is."""
    assert escape_title(title) == written


def test_no_ligature_is_made():
    """Signs that TeX would join, or take for quotation marks, are parted."""
    assert escape("a--b ``c'' <<d>> !`") == "a-{}-b `{}`c'{}' <{}<d>{}> !{}`"


def test_an_address_cannot_end_its_field(make_paper):
    """Braces that have no partner, and backslashes, are written as addresses have them."""
    text = export_papers([make_paper(url="https://example.org/}{\\x")], "bib")
    assert "  url = {https://example.org/%7D%7B%5Cx},\n" in text


def test_keys_are_unique(make_paper):
    """Papers that would have one key get letters, and never the key of a third."""
    titles = ["Bread", "Bread", "Bread", "Breada"]
    papers = [make_paper(title=title, authors=("Ana Ñandú",), year=2020) for title in titles]
    keys = [line[6:-1] for line in export_papers(papers, "bib").splitlines() if line.startswith("@")]
    assert keys == ["nandu2020bread", "nandu2020breada", "nandu2020breadb", "nandu2020breadaa"]


def test_a_paper_without_anything_has_a_key(make_paper):
    """Without an author, a year and a title in Latin letters, a key is still one."""
    assert export_papers([make_paper(title="中文")], "bib").startswith("@misc{paper,")
