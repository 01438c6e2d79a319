"""Identifiers in their many spellings."""

import pytest

from rag_qa.corpus.ids import (
    id_rank,
    labelled_pmid,
    normalise_arxiv_id,
    normalise_doi,
    normalise_pmid,
    normalise_text,
    stable_id,
)


@pytest.mark.parametrize(
    ("text", "arxiv_id"),
    [
        ("2101.00001", "2101.00001"),
        ("arXiv:2101.00001v12", "2101.00001"),
        ("https://arxiv.org/pdf/2101.00001v2.pdf", "2101.00001"),
        ("http://arxiv.org/abs/math.GT/0309136v1", "math/0309136"),
        ("cs/0101001", "cs/0101001"),
        ("10.48550/arXiv.2101.00001", None),
        ("2199.00001", None),
        ("1234", None),
        ("", None),
    ],
)
def test_arxiv_ids_lose_prefix_and_version(text, arxiv_id):
    """Every form of an arXiv id is one id."""
    assert normalise_arxiv_id(text) == arxiv_id


@pytest.mark.parametrize(
    "text", ["10.1000/ABC", "doi:10.1000/abc", "https://doi.org/10.1000/abc", " DOI 10.1000/abc. "]
)
def test_dois_are_bare_and_lower_case(text):
    """Every form of a DOI is one DOI."""
    assert normalise_doi(text) == "10.1000/abc"


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("10.1016/s0140-6736(05)", "10.1016/s0140-6736(05)"),
        ("(10.1000/abc).", "10.1000/abc"),
        ("https://doi.org/10.1000%2FABC", "10.1000/abc"),
    ],
)
def test_brackets_and_escapes_of_dois_are_read(text, doi):
    """A bracket that a DOI opens belongs to it, one around it does not, and an escaped slash is one."""
    assert normalise_doi(text) == doi


@pytest.mark.parametrize(
    ("text", "pmid"),
    [
        *((text, "123") for text in ("123", "PMID: 123", "123.0", "https://pubmed.ncbi.nlm.nih.gov/123/")),
        *((text, None) for text in ("", "0123", "PMC123", "10.1000/123", "123456789")),
    ],
)
def test_pubmed_ids_are_bare_numbers(text, pmid):
    """Every form of a PubMed id is one number, and other numbers are none."""
    assert normalise_pmid(text) == pmid


def test_a_pubmed_id_in_a_remark_needs_its_label():
    """A note gives a PubMed id only if it is labelled as one."""
    assert labelled_pmid("PMCID: PMC9; PMID: 123") == "123"
    assert labelled_pmid("123 pages") is None


def test_what_is_no_doi_is_none():
    """A number that only looks like one is not taken."""
    assert normalise_doi("10.5 percent/year") is None


def test_title_variants_are_equal():
    """Titles that differ in case, accents, punctuation or LaTeX only are equal."""
    assert normalise_text("{G}ödel's  Proof: ReST$^{EM}$") == normalise_text("Godel\u2019s proof, ReST^{EM}")


def test_a_stable_id_depends_on_title_and_text_alone():
    """The same input always gives the same id, and other input another."""
    assert stable_id("A", "We knit.") == stable_id("a", "We  KNIT") == "sha-" + stable_id("A", "We knit.")[4:]
    assert stable_id("A", "We knit.") != stable_id("A", "We purl.")


def test_ids_are_ranked_by_kind():
    """A source's own id goes before arXiv's, a DOI and a hash."""
    ids = ["p1", "arXiv:2101.00001", "doi:10.1000/abc", "sha-0123456789ab"]
    assert [id_rank(name) for name in ids] == [0, 1, 2, 3]
