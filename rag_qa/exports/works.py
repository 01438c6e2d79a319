"""The kind (article, conference paper, preprint), citation key and note of a paper in a reference manager."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

from rag_qa.corpus.names import UNACCENTED
from rag_qa.exports.one_line import one_line
from rag_qa.exports.people import read_person
from rag_qa.types import Paper, PaperKind, PaperStatus

WorkKind = Literal["article", "conference", "preprint", "other"]

_CONFERENCES = frozenset(
    """
    aaai aamas aistats acl acml alt asru asplos bmvc cav ccs chi cikm coling collas colm colt conll corl cscw cvpr
    ecai ecir ecml eacl eccv emnlp esann focs gecco icalp icann icassp iccv icdar icdm icde icdt icip iclr icml
    icmi icpr icra icse icsme ijcai ijcnn ijcnlp infocom interspeech iros isit isca ismir issta isca kdd l4dc lrec
    miccai mlsys mm mobicom naacl ndss neurips nips nsdi oopsla osdi pldi pods popl recsys rss sc sdm sigcomm siggraph
    sigir sigmod siggrapha soda sosp spaa stacs stoc tacas uai uist usenix vldb wacv wmt wsdm www
    """.split()
)
_MEETING = re.compile(
    r"\b(?:proceedings|proc|conference|conf|symposium|workshops?|congress|meeting|advances in neural information"
    r" processing)\b",
    re.IGNORECASE,
)
# Journals whose names contain "proceedings".
_NO_MEETING = re.compile(
    r"\bproc(?:eedings|\.)?\s+(?:of\s+the\s+)?(?:ieee$|natl\b|national academy|royal society|r\.? soc|acm\b|london"
    r"|american mathematical|vldb endowment|amer)",
    re.IGNORECASE,
)
# Acronyms such as "NeurIPS 2020" count only in short venues; in a longer name they may be any word.
SHORT_VENUE = 4
_SMALL_WORDS = frozenset(
    "a an the on of for in to and or is are do does can how what why with from at by as".split()
)
# In words that readers of references (ours too) recognise as a status.
NOTES: dict[PaperStatus, str] = {
    "retracted": "Retracted",
    "expression of concern": "Expression of concern",
    "corrected": "Corrected: there is a published erratum",
    "preprint": "Preprint",
}
# Notes on a text that is not the authors' abstract from a database.
TEXTS: dict[PaperKind, str] = {
    "synopsis": "The abstract is a synopsis by others",
    "pdf": "Title and abstract were found in a PDF",
}


def kind_of(paper: Paper) -> WorkKind:
    """Return the kind of a paper, by its status, venue and ids."""
    if paper.status == "preprint":
        return "preprint"
    if paper.venue is not None:
        return "conference" if _is_meeting(paper.venue) else "article"
    if paper.doi:
        return "article"
    return "preprint" if paper.arxiv_id else "other"


def _is_meeting(venue: str) -> bool:
    words = re.findall(r"[a-z0-9]+", venue.casefold())
    if len(words) <= SHORT_VENUE and any(word in _CONFERENCES for word in words):
        return True
    return bool(_MEETING.search(venue) and not _NO_MEETING.search(venue))


def note_of(paper: Paper) -> str:
    """Return the note that a reference needs, such as "Retracted", or ""."""
    status = NOTES[paper.status] if paper.status and paper.status != "preprint" else ""
    return ". ".join(part for part in (status, TEXTS.get(paper.kind, "")) if part)


def keys_of(papers: Sequence[Paper]) -> list[str]:
    """Return a unique citation key for each paper: gemp2021eigengame, then gemp2021eigengamea."""
    keys: list[str] = []
    taken: set[str] = set()
    for paper in papers:
        wanted = _key(paper)
        key, number = wanted, 0
        while key in taken:
            key, number = wanted + _letters(number), number + 1
        keys.append(key)
        taken.add(key)
    return keys


def _key(paper: Paper) -> str:
    family = _ascii(read_person(paper.authors[0]).key) if paper.authors else ""
    words = (_ascii(word) for word in one_line(paper.title).split())
    word = next((word for word in words if word and word not in _SMALL_WORDS), "")
    return f"{family}{paper.year or ''}{word}" or "paper"


def _ascii(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.casefold().translate(UNACCENTED))
    return "".join(c for c in folded if c.isascii() and c.isalnum())


def _letters(number: int) -> str:
    """Return a, b, … z, aa, ab, … for 0, 1, …"""
    letters = ""
    number += 1
    while number:
        number, last = divmod(number - 1, 26)
        letters = chr(ord("a") + last) + letters
    return letters
