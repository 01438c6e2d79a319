"""The body of an abstract: without copyright lines at its ends, and without labels ("RESULTS:").

The stored text keeps both. Copyright lines are not searched, and neither is quoted.
"""

import re

from rag_qa.text.sentences import split_sentences

# Characters at each end in which copyright lines are looked for; further inside, these words are the subject.
MARGIN = 600
_SIGNS = ("©", "(c)", "copyright", "rights reserved", "license", "licence", "creative commons", "published by",
          "public domain", "published under", "elsevier", "open access")  # fmt: skip
_YEAR = r"(?:19|20)\d\d"
_BEGIN = re.compile(
    rf"""(?<=\s)(?=\(?(?:crown\s+copyright\b|copyright\s*(?:©|\(c\))|©|\(c\)\s*(?:copyright\b|{_YEAR})|&copy;))
    |(?:^|(?<=[.!?)\]"'”\u2019>;:\u3002])\s*)(?=
        \(?(?:crown\s+)?(?:©|copyright\s*(?:©|\(c\)|{_YEAR}|[,:]|held\b|by\b|belongs|remains|the\s+authors?
            |of\s+[^.]{{0,200}}?\bproperty\b|[^.]{{1,60}}?{_YEAR}\s*\.?$)|\(c\)\s*(?:copyright\b|{_YEAR})|&copy;)
        |all\s+rights\s+(?:are\s+)?reserved(?=[\s.,;)]*$|\.|\s+(?:by|©|worldwide))
        |published\s+(?:by|under)\s+(?-i:[A-Z])
        |this\s+(?:article|paper|work|is|content|journal)\b[^.]{{0,120}}?(?:by\s+copyright|creative\s+commons
            |an\s+open[\s-]access\s+article|public\s+domain|government\s+work|rights\s+reserved|CC[\s-]BY)
        |licensed\s+under\b|licensee\b|distributed\s+under\b
        |\(?(?:psyc\w+)\s+(?:database\s+)?record\b
        |for\s+permissions?,?\s+please\b|reproduced\s+with\s+permission\b|open\s+access\s*[.:]
        |(?:{_YEAR}\s+)(?:elsevier|springer|wiley|ieee|acm|john\s+wiley|the\s+authors?|informa|taylor)\b
    )""",
    re.VERBOSE | re.IGNORECASE,
)
# What a sentence of copyright lines contains.
_RIGHTS = re.compile(
    rf"""©|&copy;|\(c\)|copyright|rights?\s+reserved|published\s+(?:by|under)|licen[cs]e|creative\s+commons|\bCC[\s-]BY
    |public\s+domain|government\s+work|open[\s-]access|permissions?\b|database\s+record|e-?mail|https?://|www\.|^{_YEAR}\s
    |provided\s+the\s+original|unrestricted\s+use|non-?commercial""",
    re.VERBOSE | re.IGNORECASE,
)
# A piece that ends in a publisher's name: "B.V.", "Wiley-Liss, Inc.", "on behalf of the Society of Cups".
_PUBLISHER = re.compile(
    r"\b(?:inc|ltd|llc|b\.?v|gmbh|ag|plc|co|corp|limited|press|society|association|academy|institute|publish\w*|university"
    r"|federation|college|foundation|elsevier|springer|wiley|ieee|acm|authors?|behalf|verlag|sons|kgaa|s\.a|union)\b",
    re.IGNORECASE,
)
_PIECE = re.compile(r"(?<=[.!?;)])\s+")
LONGEST_PIECE = 240

# The labels of structured abstracts.
_PART = r"""(?:background|objectives?|aims?|purpose|goals?|introduction|context|importance|rationale|motivation|problem
    |hypothes[ie]s
    |questions?|methods?|methodology|materials?|patients?|subjects?|participants?|population|samples?|animals?|design|settings?|study|studies
    |interventions?|procedures?|exposures?|main|primary|secondary|outcomes?|measures?|measurements?|results?|findings?|observations?|conclusions?
    |discussion|interpretation|significance|implications?|limitations?|practical|clinical|research|social|originality|novelty|value|approach
    |summary|availability|implementation|supplementary|information|contact|data|sources?|selection|extraction|synthesis|collection|analys[ie]s
    |eligibility|criteria|trial|registration|funding|level|evidence|statement|relevance|impact|perspectives?|contributions?|scope|theory|review
    |antecedentes|objetivos?|métodos|resultados|conclusion(?:es|i)|conclusões|objectifs?|contexte|méthodes|résultats|hintergrund|zielsetzung|ziele?
    |methoden|methodik|ergebnisse|schlussfolgerung(?:en)?|introducción|introdução|цель|методы|результаты|выводы|заключение|введение)"""
LONGEST_LABEL = 80
_LABEL = re.compile(
    rf"{_PART}(?:(?:\s*[,/&]\s*|\s+)(?:(?:and|or|of|to|the|y|e|et|und)\s+)*{_PART}){{0,7}}\s*:\s*",
    re.IGNORECASE | re.VERBOSE,
)
_LEADING = re.compile(
    rf"""\s*(?:crown\s+)?(?:©\s*(?:copyright\s*)?|copyright\s*(?:©|\(c\)|(?={_YEAR}))\s*|\(c\)\s*(?={_YEAR}))
    [^.]{{0,100}}?{_YEAR}[^.]{{0,120}}\.(?:\s*(?-i:[A-Z])\.)*
    (?:\s*(?:published\s+by|all\s+rights|this\s+is\s+an\s+open)[^.]{{0,120}}\.(?:\s*(?-i:[A-Z])\.)*)*\s*""",
    re.VERBOSE | re.IGNORECASE,
)


def body_span(text: str) -> tuple[int, int]:
    """Return (start, end) of the text without copyright lines around it; (0, 0) if there is nothing else."""
    margins = text if len(text) <= 2 * MARGIN else f"{text[:MARGIN]} {text[-MARGIN:]}"
    margins = margins.casefold()
    if not any(sign in margins for sign in _SIGNS):
        return 0, len(text)
    leading = _LEADING.match(text[:MARGIN])
    start = leading.end() if leading else 0
    if start == len(text) or (start and _only_rights(text[start:])):
        return 0, 0
    return start, _end(text, start)


def body_sentences(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) spans of the sentences of the body, without labels; all sentences if there is none."""
    start, end = body_span(text)
    spans = [_unlabelled(text, start + a, start + b) for a, b in split_sentences(text[start:end])]
    return [span for span in spans if span[0] < span[1]] or split_sentences(text)


def _unlabelled(text: str, start: int, end: int) -> tuple[int, int]:
    label = _LABEL.match(text, start, end) if ":" in text[start : start + LONGEST_LABEL] else None
    return (label.end(), end) if label else (start, end)


def _end(text: str, start: int) -> int:
    """Return the offset at which the closing copyright lines begin: everything after it is such lines."""
    for match in _BEGIN.finditer(text, max(start, len(text) - MARGIN)):
        rest = text[match.end() :].strip()
        if rest and _RIGHTS.search(rest) and _only_rights(rest):
            return start + len(text[start : match.start()].rstrip())
    return len(text)


def _only_rights(text: str) -> bool:
    return all(
        len(piece) <= LONGEST_PIECE and (_RIGHTS.search(piece) or _is_name(piece))
        for piece in _PIECE.split(text.strip())
    )


def _is_name(piece: str) -> bool:
    """Return whether a piece is the rest of a publisher's name that was split at a full stop."""
    words = piece.split()
    short = len(words) <= 3 and not any(word[0].islower() and word not in ("of", "and") for word in words)
    return short or (len(piece) < 100 and bool(_PUBLISHER.search(piece)))
