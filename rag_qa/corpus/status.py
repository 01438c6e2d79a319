"""The status of a paper: retracted, expression of concern, corrected, or preprint.

Read from marks in the title, from types, keywords and flags, and from the fields of PubMed, Crossref, OpenAlex, Scopus
and Web of Science. Also reads which paper a notice of retraction or correction is about. A paper *about* retractions
has none of these marks.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from rag_qa.corpus.fields import plain_name
from rag_qa.corpus.preprints import is_preprint
from rag_qa.types import PaperStatus

GRAVEST_FIRST: tuple[PaperStatus, ...] = ("retracted", "expression of concern", "corrected", "preprint")
MAX_LEAVES = 200
MAX_DEPTH = 5
MARKED_TITLE = 400
LONGEST_WORD = 60
OPENING = 300


def _table(words: Mapping[PaperStatus, str]) -> dict[str, PaperStatus]:
    return {word: status for status, row in words.items() for word in row.split()}


# Words of a type or of a link to another record, in plain names, and the status of each.
TERMS = _table(
    {
        "retracted": """retracted retractedpublication retractedarticle retractedpaper retraction
            retractionofpublication retractionnotice retractionnote retractionin retractionof retractedin
            partialretraction withdrawn withdrawal withdrawnpublication withdrawnarticle withdrawnpaper removal""",
        "expression of concern": """expressionofconcern editorialexpressionofconcern expressionofconcernin
            expressionofconcernfor publicationwithexpressionofconcern expressionofconcernnotice""",
        "corrected": """corrected correction corrigendum corrigenda erratum errata addendum publishederratum
            erratumin erratumfor correctionin correctionto authorcorrection publishercorrection
            correctedandrepublishedarticle correctedandrepublishedin correctedandrepublishedfrom""",
        "preprint": "preprint preprints postedcontent unpublished unpb ppr",
    }
)
# Of keywords only those that are not the subject of papers, as "retraction" and "preprint" are.
KEYWORDS = _table(
    {
        "retracted": "retracted retractedpublication retractedarticle retractedpaper",
        "corrected": "publishederratum",
    }
)
TYPES = """type types typ ty doctype documenttype dt pt publicationtype publicationtypes publicationtypelist pubtype
    pubtypes pubtypelist itemtype entrytype typeofreference typeofwork genre subtype subtypedescription m3 articletype
    resourcetypegeneral posttype status publicationstatus retractionnature typecrossref"""
LINKS = """updateto updatedby updates commentcorrectionlist commentscorrections commentscorrectionslist
    commentcorrection commentsandcorrections corrections"""
SUBJECTS = """keywords keyword kw de mesh meshterms meshheadings meshheadinglist mh ot tags tag manualtags automatictags
    authorkeywords indexkeywords keywordlist subjects"""
NOTES = "n1 note notes extra comment comments annote annotation usernotes publicationstatusnote researchnotes"
# Flags: fields whose presence gives the status, unless their value is false. PubMed's tags are among them.
FLAGS = _table(
    {
        "retracted": """isretracted retracted isretraction iswithdrawn withdrawn hasretraction retractionflag
            retractionstatus retractiondate retractiondoi retractionnotice retractionreason retractionpubmedid
            retractionin retractedin retractionof rin rof""",
        "expression of concern": """hasexpressionofconcern expressionofconcern expressionofconcernin
            expressionofconcernfor eci ecf""",
        "corrected": """iscorrected hascorrection haserratum hascorrigendum erratumin erratumfor
            correctedandrepublishedin correctedandrepublishedfrom ein efr cri crf""",
        "preprint": "ispreprint",
    }
)
FALSE = frozenset(
    ("", "0", "0.0", "false", "f", "no", "n", "none", "null", "nan", "na", "unknown", "notretracted")
)
# The words looked for in a field, by the field's plain name.
WORDS: dict[str, Mapping[str, PaperStatus]] = {
    **dict.fromkeys(TYPES.split(), TERMS),
    **dict.fromkeys(LINKS.split(), TERMS),
    **dict.fromkeys(SUBJECTS.split(), KEYWORDS),
    "source": {"ppr": "preprint"},  # Europe PMC's name for preprints
}
NOTE_FIELDS = frozenset(NOTES.split())
# PubMed's XML has its fields inside these.
INSIDE = frozenset("medlinecitation article bookdocument commentscorrectionslist".split())
PUBMED_LINK = "commentscorrections"
STATUS_FIELDS = frozenset((*FLAGS, *WORDS, *NOTE_FIELDS, *INSIDE))
# Every text that gives a status contains one of these stems; looking for them first is cheap.
STEMS = "retract withdr remov concern correct corrig errat addend (vol preprint posted unpub unpb ppr".split()
OPENING_STEMS = ("retract", "withdr", "removed", "corrects")
_PARTS = re.compile(r"[;,|/\n]")

_PAPER = r"(?:article|paper|chapter|publication|manuscript|preprint|study)"
_END = (
    r"(?:\s*[:\])}|*>]+\s*[:\-–—]?|\s+[-–—]|\s*—)\s*(?=\S)"  # what separates a mark from the title after it
)
_QUOTE = "[\"“”'‘’«]"
_WHO = r"(?:(?:an?|the|editorial|(?:editor|author|publisher)s?['’]?s?['’]?|article|journal)\s+)*"


class _Mark(NamedTuple):
    """A mark in a title; a notice is a separate publication, whose title names the paper that it is about."""

    pattern: re.Pattern[str]
    status: PaperStatus
    notice: bool = False


def _mark(pattern: str, status: PaperStatus, *, notice: bool = False, any_case: bool = True) -> _Mark:
    return _Mark(re.compile(pattern, re.IGNORECASE if any_case else 0), status, notice)


_MARKS = (
    _mark(rf"^\W*(?:retracted|withdrawn|removed|temporary removal)(?:\s+{_PAPER})?{_END}", "retracted"),
    _mark(rf"^\W*(?:RETRACTED|WITHDRAWN)(?:\s+{_PAPER.upper()})?\s+(?=.*[a-z])", "retracted", any_case=False),
    _mark(
        rf"\s*[\[({{]\s*(?:(?:this|the)\s+)?(?:{_PAPER}\s+)?"
        r"(?:(?:was|has been|is)\s+)?(?:retracted|withdrawn)"
        rf"(?=\W*$|\s+(?:{_PAPER}|by|in|on|due|see|\d)|\s*[.,:;\-–—)\]])[^\])}}]{{0,200}}[\])}}]?\W*$",
        "retracted",
    ),
    _mark(rf"\s*[-–—:.|]\s*(?:retracted|withdrawn)(?:\s+{_PAPER})?\W*$", "retracted"),
    _mark(rf"\s+(?:RETRACTED|WITHDRAWN)(?:\s+{_PAPER.upper()})?\W*$", "retracted", any_case=False),
    _mark(
        rf"^\W*{_WHO}(?:(?:notice|statement|note|letter)\s+of\s+(?:retraction|withdrawal)"
        r"|(?:retraction|withdrawal)\s+(?:notice|note|statement|letter))\b"
        rf"(?:{_END}|\s+(?:to|of|for|on|regarding)\b[\s:]*|\W*$)",
        "retracted",
        notice=True,
    ),
    _mark(
        r"^\W*(?:NOTICE OF (?:RETRACTION|WITHDRAWAL)|(?:RETRACTION|WITHDRAWAL) NOTICE)\s+(?=.*[a-z])",
        "retracted",
        notice=True,
        any_case=False,
    ),
    _mark(
        rf"^\W*{_WHO}(?:partial\s+)?(?:retraction|withdrawal)"
        rf"(?:{_END}|\s+(?:to|for)\b[\s:]*|\s+of\s*:\s*|\s+of\s+(?:the\s+)?(?:{_PAPER}\b[\s:]*|(?={_QUOTE}))|\W*$)",
        "retracted",
        notice=True,
    ),
    _mark(
        r"\s*[\[(]\s*(?:retraction|withdrawal)(?=\W*$|\s+(?:of|to|notice)\b)[^\])]{0,200}[\])]?\W*$",
        "retracted",
        notice=True,
    ),
    _mark(
        rf"^\W*{_WHO}(?:expression|notice|note|statement)\s+of\s+(?:editorial\s+)?concern\b"
        rf"(?:{_END}|\s+(?:to|for|on|regarding|re)\b[\s:]*|\W*$)",
        "expression of concern",
        notice=True,
    ),
    _mark(
        r"\s*[\[(]\s*expressions?\s+of\s+concern\s+(?:of|to|for)\b[^\])]{0,200}[\])]?\W*$",
        "expression of concern",
        notice=True,
    ),
    _mark(
        r"\s*(?:[\[(]|[-–—:]\s)[^\[\](]{0,40}expressions?\s+of\s+concern\b[^\])]{0,200}[\])]?\W*$",
        "expression of concern",
    ),
    _mark(
        rf"^\W*{_WHO}(?:corrigendum|corrigenda|erratum|errata|addendum)(?:\s+notice)?\b"
        rf"(?:{_END}|\s+(?:to|for|of|on)\b[\s:]*|\s*(?={_QUOTE})|\W*$)",
        "corrected",
        notice=True,
    ),
    _mark(
        rf"^\W*{_WHO}corrections?(?:\s+notice)?(?:{_END}|\s+(?:to|of|on)\s*:\s*|\s+(?:to|of)\s+(?={_QUOTE})"
        r"|\s+for\s+(?=.{0,80}\bet al\b)|\W*$)",
        "corrected",
        notice=True,
    ),
    _mark(r"^\W*Correction\s+to\s+(?=[A-Z][a-z]+\s+[a-z])", "corrected", notice=True, any_case=False),
    _mark(
        r"\s*[\[(]\s*(?:(?:correction|corrigendum|erratum)(?=\W*$|\s+(?:of|to|for|in)\b)|vol\.?\s*\d)"
        r"[^\])]{0,200}[\])]?\W*$",
        "corrected",
        notice=True,
    ),
    _mark(
        rf"^\W*corrected(?:\s+(?:and\s+republished|{_PAPER}|version))*{_END}"
        rf"|\s*[\[(]\s*corrected\b[^\])]{{0,200}}[\])]\W*$",
        "corrected",
    ),
)
# Texts instead of an abstract: "This article has been withdrawn at the request of the authors".
_OPENINGS = (
    _mark(
        rf"^\W*(?:this|the)\s+(?:\w+\s+)?(?:{_PAPER}|submission|work|review)\b[^.]{{0,160}}?\b(?:has|have|was|is|were)\b"
        r"\s+(?:been\s+|now\s+|temporarily\s+|being\s+)*(?:retracted|withdrawn|removed)\b",
        "retracted",
    ),
    _mark(
        rf"^[^.]{{0,80}}\bthis\s+{_PAPER}\s+has\s+been\s+(?:\w+\s+)?(?:retracted|withdrawn|removed)\b",
        "retracted",
    ),
    _mark(r"^\W*(?:retracted|withdrawn)\s+(?:by|at|due|because)\b", "retracted"),
    _mark(rf"^\W*this\s+(?:notice\s+)?retracts\s+the\s+{_PAPER}\b", "retracted"),
    _mark(rf"^\W*this\s+(?:notice\s+)?corrects\s+the\s+{_PAPER}\b", "corrected"),
)
_NOTED = (
    _mark(
        r"^\W*(?:retracted|withdrawn)\s*(?:$|[.:;,\-–—(\d]|(?:by|in|on|due|see|for|because|article|publication)\b)"
        r"|^\W*retraction\s*(?::|$|in\b|notice\b)",
        "retracted",
    ),
    _mark(
        rf"\b(?:this|the)\s+(?:{_PAPER}|work|submission)\s+(?:has\s+been|was|is)\s+(?:retracted|withdrawn)\b"
        r"|\bretracted\s+(?:publication|article)\b(?!s)|\bretraction\s+(?:in|notice)\s*:",
        "retracted",
    ),
    _mark(
        r"\bexpression\s+of\s+concern\s+(?:in|for)\b|^\W*expression\s+of\s+concern\b", "expression of concern"
    ),
    _mark(r"\b(?:erratum|corrigendum|correction)\s+in\s*:|\bpublished\s+erratum\b", "corrected"),
)


class Notice(NamedTuple):
    """The status that a notice of retraction, concern or correction gives to the paper with this title or DOI."""

    status: PaperStatus
    title: str
    doi: str | None


def read_status(
    known: Mapping[str, Any],
    title: str,
    *,
    abstract: str = "",
    venue: str | None = None,
    doi: str | None = None,
    arxiv_id: str | None = None,
) -> PaperStatus | None:
    """Return the gravest status in a record's fields and title, or None if there is none.

    Args:
        known: the fields under plain names (`plain_name`).
        doi: bare and in lower case.
    """
    fields = {name: known[name] for name in STATUS_FIELDS.intersection(known)}
    texts = [value for value in fields.values() if isinstance(value, str)]
    has_stem = _has_stem("\n".join([title, *texts]))
    found: set[PaperStatus] = {mark.status for mark in _marks_in(title)} if has_stem else set()
    for name, value in fields.items():
        if has_stem or name in FLAGS or not isinstance(value, str):
            found.update(_field_statuses(name, value))
    opening = abstract[:OPENING]
    if _has_stem(opening, OPENING_STEMS):
        found.update(mark.status for mark in _OPENINGS if mark.pattern.search(opening))
    if is_preprint(venue, doi, arxiv_id):
        found.add("preprint")
    return gravest(found) if found else None


def gravest(found: "set[PaperStatus]") -> PaperStatus | None:
    """Return the gravest of some statuses, or None if there is none."""
    return next((status for status in GRAVEST_FIRST if status in found), None)


def without_marks(title: str) -> str:
    """Return a title without marks such as "RETRACTED:"; the title of a notice unchanged."""
    for mark in _marks_in(title):
        if not mark.notice:
            title = mark.pattern.sub("", title, count=1)
    return title.strip()


def read_notice(title: str, abstract: str) -> Notice | None:
    """Return the notice in a title, or None if it is not the title of a notice."""
    mark = next((mark for mark in _marks_in(title) if mark.notice), None)
    if mark is None:
        return None
    named = mark.pattern.sub("", title, count=1)
    quoted = re.search('["“‘«](.{10,})["”’»]', named)
    if quoted:
        named = quoted.group(1)
    elif "et al" in named[:100]:
        named = re.sub(r"^.{0,90}?\bet al\b\W*", "", named)
    return Notice(mark.status, re.sub(r"\s*[\[(][^\])]*[\])]\W*$", "", named), named_doi(abstract))


def named_doi(abstract: str) -> str | None:
    """Return the DOI of another paper that the abstract of a notice begins with ("This corrects … DOI: 10.…")."""
    doi = re.search(r"\bDOI:?\s*(10\.\d{4,9}/\S+?)[.\]]*(?:\s|$)", abstract[:OPENING], re.IGNORECASE)
    return doi.group(1).casefold() if doi else None


def _marks_in(title: str) -> Iterator[_Mark]:
    if len(title) <= MARKED_TITLE and _has_stem(title):
        yield from (mark for mark in _MARKS if mark.pattern.search(title))


def _field_statuses(name: str, value: Any) -> Iterator[PaperStatus]:
    if name in INSIDE and isinstance(value, Mapping):
        for inner, member in value.items():
            yield from _field_statuses(_plain(str(inner)), member)
    if (flag := FLAGS.get(name) or FLAGS.get(name.removeprefix(PUBMED_LINK))) and any(
        _plain(leaf) not in FALSE for leaf in _leaves(value)
    ):
        yield flag
    if (words := WORDS.get(name)) is not None:
        for leaf in filter(_has_stem, _leaves(value)):
            yield from (words[word] for part in _PARTS.split(leaf) if (word := _plain(part)) in words)
    if name in NOTE_FIELDS:
        for leaf in filter(_has_stem, _leaves(value)):
            yield from (mark.status for mark in _NOTED if mark.pattern.search(leaf))


def _has_stem(text: str, stems: Sequence[str] = STEMS) -> bool:
    lower = text.lower()
    for stem in stems:  # noqa: SIM110  (any() takes three times as long)
        if stem in lower:
            return True
    return False


def _plain(text: str) -> str:
    return plain_name(text[:LONGEST_WORD])


def _leaves(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the texts in a nested value, up to MAX_DEPTH and MAX_LEAVES."""
    if isinstance(value, str):
        yield value[:2000]
    elif isinstance(value, bool | int | float):
        yield str(value)
    elif isinstance(value, Mapping | list | tuple) and depth < MAX_DEPTH:
        inner = value.values() if isinstance(value, Mapping) else value
        yield from islice((leaf for item in inner for leaf in _leaves(item, depth + 1)), MAX_LEAVES)
