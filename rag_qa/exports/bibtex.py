"""Papers → BibTeX, as BibTeX, biber and reference managers read it: UTF-8, special characters escaped."""

import re
from collections.abc import Sequence

from rag_qa.exports.one_line import one_line
from rag_qa.exports.people import Person, read_person
from rag_qa.exports.works import WorkKind, keys_of, kind_of, note_of
from rag_qa.types import Paper

# The type of an entry and its field for the venue.
FORMS: dict[WorkKind, tuple[str, str]] = {
    "article": ("article", "journal"),
    "conference": ("inproceedings", "booktitle"),
    "preprint": ("misc", "journal"),
    "other": ("misc", "journal"),
}
# Braces become commands, because BibTeX counts them even after a backslash; parsers read @ as an entry.
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "@": "{@}",
    **{mark: f"\\{mark}" for mark in "$&%#_"},
}
# Pairs of characters that TeX joins into one (ligatures) are separated.
_SPECIAL = re.compile(r"[\\{}~^@$&%#_]|-(?=-)|`(?=`)|'(?=')|<(?=<)|>(?=>)|[!?](?=`)")
# Pandoc's rule for a formula, not a price: no space inside its dollars, no digit after them.
_FORMULA = re.compile(r"(?<![\\$\w])\$(?![\s$])([^$%#&@]{0,200})(?<![\s\\])\$(?![\d$])")
_COMMAND = re.compile(r"\\([A-Za-z]+|.)")
# The commands allowed in formulas. Formulas with others are escaped, because a title may come from anyone.
_HARMLESS = frozenset(
    """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau
    upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell infty partial
    nabla times cdot pm mp le leq ge geq ne neq approx sim simeq to rightarrow leftarrow in notin subset cup cap
    sum prod int sqrt frac log ln exp sin cos tan max min sup inf mathcal mathbb mathbf mathrm mathit mathsf mathfrak
    boldsymbol bm text textrm textit rm bf it hat bar tilde vec dot ddot overline underline star ast circ prime dagger
    perp parallel forall exists emptyset langle rangle left right lfloor rfloor lceil rceil , ; : ! { } |
    """.split()
)
# "EigenGame", "GPT-4", "U-Net", but not "Self-Play".
_CAPITAL_INSIDE = re.compile(r"(?<![^\W_])\d*+[^\W\d_][a-z\d]*+[^\W\d_a-z]|^[^\W\d_a-z]-")
_EDGES = re.compile(r"^(\W*+)((?:.*\w)?)(\W*)$")
# Stands for a formula while the words around it are escaped; Unicode reserves this character for programs.
_HELD = "\ufdd9"
# Shorter words have no capital in title case.
_LONG = 4
TITLE_CASE = 0.7


def to_bibtex(papers: Sequence[Paper]) -> str:
    """Return the papers as BibTeX entries, separated by blank lines."""
    return "\n".join(_entry(key, paper) for key, paper in zip(keys_of(papers), papers, strict=True))


def _entry(key: str, paper: Paper) -> str:
    entry_type, venue = FORMS[kind_of(paper)]
    fields = {
        "title": escape_title(one_line(paper.title)),
        "author": _authors(paper),
        venue: escape(one_line(paper.venue or "")),
        "year": str(paper.year or ""),
        "type": "preprint" if paper.status == "preprint" else "",
        "doi": _verbatim(paper.doi or ""),
        "url": _verbatim(paper.url or ""),
        "eprint": _verbatim(paper.arxiv_id or ""),
        "archiveprefix": "arXiv" if paper.arxiv_id else "",
        "pmid": _verbatim(paper.pmid or ""),
        "note": note_of(paper),
        "abstract": escape(one_line(paper.abstract)),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{entry_type}{{{key},", *lines, "}\n"])


def escape(text: str) -> str:
    r"""Return a text that TeX and readers of BibTeX show unchanged.

    >>> escape("50% of R&D")
    '50\\% of R\\&D'
    """
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0], f"{found[0]}{{}}"), text)


def escape_title(title: str) -> str:
    """Return a title escaped, with formulas kept as LaTeX and braces around names and acronyms (kept capitals)."""
    title = title.replace(_HELD, "")
    formulas: list[str] = []

    def hold(found: re.Match[str]) -> str:
        if not _is_harmless(found[1]):
            return found[0]
        formulas.append(found[0])
        return _HELD

    words = _FORMULA.sub(hold, title).split()
    names = not _in_title_case(words)
    written = " ".join(_word(word, names=names and n > 0) for n, word in enumerate(words))
    return re.sub(_HELD, lambda _: formulas.pop(0), written)


def _is_harmless(formula: str) -> bool:
    depths = [formula[:end].count("{") - formula[:end].count("}") for end in range(len(formula) + 1)]
    commands = {found[1] for found in _COMMAND.finditer(formula)}
    return min(depths) == 0 == depths[-1] and commands <= _HARMLESS


def _in_title_case(words: Sequence[str]) -> bool:
    long = [word for word in words[1:] if len(word) >= _LONG and word.isalpha() and word[1:].islower()]
    return sum(word[0].isupper() for word in long) > TITLE_CASE * len(long)


def _word(word: str, *, names: bool) -> str:
    """Return a word escaped, in braces if it must keep its capitals: an acronym, or a name."""
    before, core, after = _EDGES.findall(word)[0]
    if not (_CAPITAL_INSIDE.search(core) or (names and core[:1].isupper())):
        return escape(word)
    return f"{escape(before)}{{{escape(core)}}}{escape(after)}"


def _authors(paper: Paper) -> str:
    names = [_name(read_person(author)) for author in paper.authors]
    return " and ".join([*names, *(["others"] if paper.more_authors else [])])


def _name(person: Person) -> str:
    if person.literal:
        return f"{{{escape(person.literal)}}}"
    family = f"{person.particle} {person.family}".strip()
    return ", ".join(escape(part) for part in (family, person.suffix, person.given) if part)


def _verbatim(text: str) -> str:
    """Return an address or an id unchanged, but percent-encoded if its braces would end the field."""
    line = one_line(text).replace("\\", "%5C")
    return line if _is_harmless(line) else line.replace("{", "%7B").replace("}", "%7D")
