"""Do two records describe the same paper? Decided for one pair at a time, by exact comparison.

The pairs are proposed by merging.py (blocking) and neighbours.py (MinHash).
"""

from collections.abc import Mapping

from rag_qa.corpus.neighbours import Overlap, overlap
from rag_qa.corpus.signals import OWN_OF_EACH, MatchSignals
from rag_qa.corpus.wording import (
    Relation,
    added_words,
    differ_decisively,
    exchanged_words,
    is_misspelt,
    reads_the_same,
    relate_titles,
)

# Measured on word trigrams. Two versions of one abstract (Gemini 1.5: Jaccard .51, containment .79) share most of the
# shorter one; papers of one series (EigenGame, Gemma) share less than a tenth. Among 128,353 abstracts with distinct
# titles about 100 pairs, follow-ups by the same authors, also reach .5. So records with different titles need almost
# the same text and the same authors.
NEAR_JACCARD = 0.5
NEAR_CONTAINMENT = 0.75
EXCERPT_CONTAINMENT = 0.9
IDENTICAL_JACCARD = 0.9
EXTENDED_TITLE_JACCARD = 0.7
RELATED_CONTAINMENT = 0.1
SAME_ID_CONTAINMENT = 0.3
# With fewer trigrams a near-identical text is weak evidence ("Workshops and tutorials of the conference …").
MIN_SHINGLES = 20
# Shorter titles ("Editorial", "A Survey of Deep Learning") are shared by different papers.
SPECIFIC_WORDS = 5
SHARED_AUTHORS = 0.5
NOTHING: frozenset[str] = frozenset()


def same_paper(a: MatchSignals, b: MatchSignals) -> bool:
    """Return whether two records describe the same paper; symmetrical."""
    return why_same(a, b) is not None


def why_same(a: MatchSignals, b: MatchSignals) -> str | None:
    """Return why two records describe the same paper, or None if they do not; symmetrical."""
    if _identical(a, b):
        return "the same title and abstract"
    shared = _shared_identifiers(a, b)
    if shared:
        why = _by_identifier(a, b, shared)
        if why:
            return why
    elif different_ids(a, b):
        return None
    relation = _relation(a, b)
    found = overlap(a.shingles, b.shingles)
    if a.given & b.given and found.containment >= SAME_ID_CONTAINMENT and not _companions(a, b, relation):
        return f"the same id {min(a.given & b.given)}"
    if relation is None:
        return _same_text(a, b, found)
    if relation == "same":
        return _same_title(a, b, found)
    return _retitled(a, b, relation, found)


def may_be_one(a: MatchSignals, b: MatchSignals) -> bool:
    """Return whether two records that both match a third may be the same paper."""
    if a.title == b.title and a.text == b.text:
        return True
    if _shared_identifiers(a, b):
        return True
    return not different_ids(a, b) and _relation(a, b) not in ("opposed", "notice")


def different_ids(a: MatchSignals, b: MatchSignals) -> bool:
    """Return whether two records have identifiers of the same kind, but share none of any kind.

    A paper and its preprint may have different DOIs and PubMed ids.
    """
    if _shared_identifiers(a, b):
        return False
    common = a.identifiers.keys() & b.identifiers.keys()
    return bool(common - set(OWN_OF_EACH) if a.preprint != b.preprint else common)


def _identical(a: MatchSignals, b: MatchSignals) -> bool:
    """Return whether title and text are equal; if both are short, the identifiers must not differ."""
    if not (a.hashes & b.hashes or (a.title == b.title and a.text == b.text)):
        return False
    specific = len(a.title.split()) >= SPECIFIC_WORDS or len(a.shingles) >= MIN_SHINGLES
    return specific or not different_ids(a, b)


def _shared_identifiers(a: MatchSignals, b: MatchSignals) -> dict[str, str]:
    """Return, for each kind of identifier, one that both records have."""
    mine, other = a.identifiers, b.identifiers
    return {kind: min(both) for kind in mine if kind in other and (both := mine[kind] & other[kind])}


def _by_identifier(a: MatchSignals, b: MatchSignals, shared: Mapping[str, str]) -> str | None:
    """Return the reason if a shared identifier is believed: unless the records contradict it.

    Some tools give each paper of a volume the volume's DOI (38 papers of ECCV 2022 had the same one). So under one DOI,
    records with different titles need related texts that do not look like companion papers.
    """
    kind, name = min(shared.items(), key=lambda item: (item[0] == "DOI", item))
    why = f"the same {kind} {name}"
    if not a.title or not b.title or a.title == b.title:
        return why
    found = overlap(a.shingles, b.shingles)
    if kind != "DOI":
        return why if a.families & b.families or found.containment >= RELATED_CONTAINMENT else None
    related = found.containment >= SAME_ID_CONTAINMENT
    return why if related and not _companions(a, b, _relation(a, b)) else None


def _companions(a: MatchSignals, b: MatchSignals, relation: Relation | None) -> bool:
    """Return whether two titles and their texts differ as those of companion papers do."""
    if relation == "notice":
        return not {"retraction", "withdrawal", "concern"} & added_words(a.title.split(), b.title.split())
    return relation in ("swapped", "opposed") and differ_decisively(a.words, b.words)


def _relation(a: MatchSignals, b: MatchSignals) -> Relation | None:
    """Return the relation of the titles, or None if one is missing."""
    if not a.title or not b.title:
        return None
    if a.title == b.title:
        return "same"
    formulas = any(mark in signal.paper.title for signal in (a, b) for mark in "\\$")
    here, there = a.title.split(), b.title.split()
    relation = relate_titles(here, there, formulas=formulas)
    if relation == "swapped":
        swapped = added_words(here, there)
        # The word of a companion paper ("nitrite", not "nitrate") is in its abstract too.
        if (
            len(swapped) == 2
            and is_misspelt(*swapped)
            and not differ_decisively(a.words, b.words, only=swapped)
        ):
            return "same"
    return relation


def _same_title(a: MatchSignals, b: MatchSignals, found: Overlap) -> str | None:
    """Return the reason if the same title is believed: unless the authors or the texts contradict it."""
    if differ_decisively(a.words, b.words, only=NOTHING) or _names_exchanged(a, b):
        return None
    if reads_the_same(a.words, b.words):
        return "the same title and abstract but for spelling"
    if found.jaccard >= NEAR_JACCARD and found.shorter >= MIN_SHINGLES:
        return "the same title and nearly the same abstract"
    related = found.containment >= RELATED_CONTAINMENT
    known_author = bool(a.families & b.families)
    if min(len(signal.title.split()) for signal in (a, b)) < SPECIFIC_WORDS:
        return "the same title and authors, and related abstracts" if related and known_author else None
    others = bool(a.names and b.names and not a.names & b.names)
    return "the same title" if related or not others else None


def _names_exchanged(a: MatchSignals, b: MatchSignals) -> bool:
    """Return whether two abstracts differ only in a name ("Spain", "Portugal"), as in a series of papers."""
    words = exchanged_words(a.words, b.words)
    return words is not None and words[0] in a.capitalised and words[1] in b.capitalised


def _same_text(a: MatchSignals, b: MatchSignals, found: Overlap) -> str | None:
    """Return the reason if a record without a title shares most of its text with another."""
    if found.shorter < MIN_SHINGLES:
        return None
    near = found.jaccard >= NEAR_JACCARD and found.containment >= NEAR_CONTAINMENT
    if not near and found.containment < EXCERPT_CONTAINMENT:
        return None
    if found.jaccard >= IDENTICAL_JACCARD and differ_decisively(a.words, b.words):
        return None
    return "nearly the same abstract; one record has no title"


def _retitled(a: MatchSignals, b: MatchSignals, relation: Relation, found: Overlap) -> str | None:
    """Return the reason if records with different titles have the same authors and nearly the same text."""
    if found.shorter < MIN_SHINGLES or relation in ("opposed", "notice"):
        return None
    here, there = a.words, b.words
    if relation == "extended" and (a.title.startswith(b.title) or b.title.startswith(a.title)):
        enough = found.jaccard >= EXTENDED_TITLE_JACCARD and _share_authors(a, b)
        added = added_words(a.title.split(), b.title.split())
        same = (enough and not differ_decisively(here, there, only=added)) or (
            a.text == b.text and not (a.names and b.names)
        )
    else:
        same = (
            found.jaccard >= IDENTICAL_JACCARD and _share_authors(a, b) and not differ_decisively(here, there)
        )
        same = same and (relation != "swapped" or a.preprint != b.preprint)
    return "nearly the same abstract by the same authors under another title" if same else None


def _share_authors(a: MatchSignals, b: MatchSignals) -> bool:
    shared = len(a.families & b.families)
    return shared > 0 and shared >= SHARED_AUTHORS * min(len(a.families), len(b.families))
