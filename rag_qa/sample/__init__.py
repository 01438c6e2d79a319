"""The sample corpus: synopses of well-known papers, written for this project in its own words.

Title, authors, year and arXiv id are the papers' own; the text is not their abstract, hence `kind: synopsis`.
"""

from pathlib import Path


def sample_papers_path() -> Path:
    """Return the path of the JSON Lines file with the sample papers, one paper a line."""
    return Path(__file__).with_name("papers.jsonl")
