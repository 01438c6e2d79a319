r"""LaTeX → text, by pylatexenc and our tables of what exporters write besides: {\textless}, \SI{5}{\milli\gram}.

Commands and formulas with a plain form become plain text. Unknown commands with their arguments, and formulas that are
more than a symbol or an index, stay as written, so that nothing is lost.
"""

import re
from functools import cache
from typing import Any

from rag_qa.corpus.latex_commands import (
    AROUND_ARGUMENT,
    AS_WRITTEN,
    BLANK_ARGUMENT,
    BLANKS,
    FONTS,
    FORMULAS,
    FRACTIONS,
    GREEK,
    SHOWN_ARGUMENT,
    SYMBOLS,
)
from rag_qa.corpus.scripts import LOWERED, RAISED, RESET, settle_scripts
from rag_qa.corpus.siunitx import QUANTITIES, quantity_text

# pylatexenc reads these as a comment, a column, a tie and a script; they are hidden from it and restored.
_HIDDEN = {"%": "\ufdd0", "&": "\ufdd1", "~": "\ufdd2", "^": "\ufdd3"}
_SHOWN = str.maketrans({hidden: mark for mark, hidden in _HIDDEN.items()})
_COMMENT = re.compile(r"(?<!\\)%")
_COLUMN = re.compile(r"(?<!\\)&")
# An accent on nothing is the character itself.
_BARE_ACCENT = re.compile(r"\\([~^])\{\}")
# "~20" after a space means "about 20"; a tie follows a word ("Fig.~3").
_ABOUT = re.compile(r"(?:^|(?<=[\s(\[{/-]))~(?=\s?[\d$\\.+-])")

# No abstract is longer, and the parser takes 20 µs a character. Longer formulas are not symbols.
LONGEST = 20_000
LONGEST_FORMULA = 80

# A formula is text if it is only symbols and numbers, or begins with an index of the word before it.
_SCRIPT = re.compile(r"(?:(?<!\s)\s++)?([_^])\s*(?:\{((?:[^{}]|\{[^{}]*\})*)\}|(\\[A-Za-z]+|[^\s\\{}]))\s*")
_PLAIN_FORMULA = re.compile(r"(?:\\[A-Za-z]+|\\[,;:!% ]|[\d\s.,+\-<>=()/±×~|\ufdd0\ufdd2])*")
_RELATION = re.compile(r"\s*[<>=+\-~|±×]+\s*")
# "-4", "95\%", "<0.05", "p = 0.03": a number that reads the same without its dollars.
_AMOUNT = re.compile(r"\s*(?:[A-Za-z]?\s*[<>=~±]\s*)?([-+]?)\s*\d[\d.,]*\s*(?:\\?%)?\s*")
_PLAIN_SCRIPT = re.compile(r"[^\\{}$]*")
_FONT = r"\\(?:text|mathrm|textrm|mathit|mathsf|rm)\s*\{((?:[^\\{}$]|\{[^\\{}$]*\})*)\}"
_FONT_FORMULA = re.compile(rf"\s*{_FONT}\s*")
# Upright letters with indices, as compounds are written: \mathrm{CO}_2.
_UPRIGHT = re.compile(rf"(?:{_FONT}|[_^]\s*(?:\{{[^\\{{}}$]*\}}|[\w+-])|\s)+")


def decode_latex(value: str) -> str:
    r"""Return the text with LaTeX accents and commands decoded and without grouping braces; long formulas stay.

    >>> decode_latex(r"Erd{\H o}s, 10$^{-3}$ m, \SI{5}{\milli\gram}")
    'Erdős, 10⁻³ m, 5 mg'
    """
    if len(value) > LONGEST or not any(mark in value for mark in "\\{}~$"):
        return value
    hidden = _BARE_ACCENT.sub(lambda accent: _HIDDEN[accent[1]], _COMMENT.sub(_HIDDEN["%"], value))
    hidden = _ABOUT.sub(_HIDDEN["~"], _COLUMN.sub(_HIDDEN["&"], hidden))
    try:
        decoded = _decode(hidden)
    except Exception:
        # pylatexenc fails in many ways on malformed LaTeX; the raw text is better than no paper.
        return value
    return settle_scripts(decoded).translate(_SHOWN)


def _decode(text: str) -> str:
    from pylatexenc.latexwalker import LatexWalker  # type: ignore[import-untyped]

    walker = LatexWalker(text, latex_context=_contexts()[0], tolerant_parsing=True)
    return str(_converter().nodelist_to_text(walker.get_latex_nodes()[0]))


@cache
def _contexts() -> tuple[Any, Any]:
    """Return pylatexenc's tables with ours added: how arguments of commands are parsed, and their text."""
    from pylatexenc.latex2text import (  # type: ignore[import-untyped]
        MacroTextSpec,
        get_default_latex_context_db,
    )
    from pylatexenc.latexwalker import get_default_latex_context_db as get_parsing_db
    from pylatexenc.macrospec import MacroSpec, std_macro  # type: ignore[import-untyped]

    parsing, saying = get_parsing_db(), get_default_latex_context_db()
    symbols = _symbols(saying)
    macros = [MacroTextSpec(name, text) for name, text in symbols.items()]
    macros += [MacroTextSpec(name, "") for name in FONTS] + [MacroTextSpec(name, " ") for name in BLANKS]
    macros += [MacroTextSpec(name, " ") for name in BLANK_ARGUMENT]
    macros += [MacroTextSpec(name, _last_argument) for names in SHOWN_ARGUMENT.values() for name in names] + [
        MacroTextSpec(name, _last_argument) for name in AROUND_ARGUMENT
    ]
    macros += [MacroTextSpec(name, quantity_text) for name in QUANTITIES]
    macros += [MacroTextSpec(name, _as_written) for name in AS_WRITTEN]
    macros += [MacroTextSpec(name, "%s/%s") for name in FRACTIONS]
    macros += [MacroTextSpec(name, _inner_formula) for name in FORMULAS]
    saying.add_context_category("ours", prepend=True, macros=macros)
    saying.set_unknown_macro_spec(MacroTextSpec("", _as_written))
    arguments = {name: spec for spec, names in SHOWN_ARGUMENT.items() for name in names}
    arguments |= dict.fromkeys(AROUND_ARGUMENT, "{") | dict.fromkeys(BLANK_ARGUMENT, "{") | QUANTITIES
    arguments |= dict.fromkeys(FRACTIONS, "{{") | dict.fromkeys(FORMULAS, "{")
    none = dict.fromkeys(["%", *_plain_symbols(parsing, saying), *symbols, *FONTS, *BLANKS], "")
    parsing.add_context_category(
        "ours", prepend=True, macros=[std_macro(name, spec) for name, spec in (none | arguments).items()]
    )
    parsing.set_unknown_macro_spec(MacroSpec("", args_parser=_attached_groups()))
    return parsing, saying


def _plain_symbols(parsing: Any, saying: Any) -> list[str]:
    """Return pylatexenc's symbols without a parsing rule: a group right after such a symbol is text."""
    parsed = {spec.macroname for spec in parsing.iter_macro_specs()}
    texts = {spec.macroname: spec.simplify_repl for spec in saying.iter_macro_specs()}
    return [
        name
        for name, text in texts.items()
        if name not in parsed and isinstance(text, str) and not re.search(r"%[s(\d]", text)
    ]


def _symbols(known: Any) -> dict[str, str]:
    """Return our symbols, and \\textX for each Greek letter or sign \\X that pylatexenc knows."""
    symbols = {
        f"{before}{letter}": known.get_macro_spec(letter) for letter in GREEK for before in ("text", "up")
    }
    texts = {name: spec.simplify_repl for name, spec in symbols.items() if spec}
    for (
        name
    ) in "times pm mp leq geq le ge neq sim simeq approx rightarrow leftarrow infty cdot in sum circ".split():
        texts[f"text{name}"] = known.get_macro_spec(name).simplify_repl
    return texts | SYMBOLS


def _attached_groups() -> Any:
    """Return a parser that reads every group right after a command as its argument."""
    from pylatexenc.macrospec import MacroStandardArgsParser, ParsedMacroArgs

    class AttachedGroups(MacroStandardArgsParser):  # type: ignore[misc]
        """Takes any number of `[…]` and `{…}`."""

        def parse_args(self, w: Any, pos: int, parsing_state: Any = None) -> tuple[Any, int, int]:
            """Return the groups, their start and their length."""
            groups: list[Any] = []
            end = pos
            while end < len(w.s) and w.s[end] in "{[":
                if w.s[end] == "[":
                    found = w.get_latex_maybe_optional_arg(end, parsing_state=parsing_state)
                else:
                    found = w.get_latex_expression(end, strict_braces=False, parsing_state=parsing_state)
                if found is None:
                    break
                groups.append(found[0])
                end = found[1] + found[2]
            return ParsedMacroArgs(argspec="{" * len(groups), argnlist=groups), pos, end - pos

    return AttachedGroups()


@cache
def _converter() -> Any:
    from pylatexenc.latex2text import LatexNodes2Text

    class Converter(LatexNodes2Text):  # type: ignore[misc]
        """Shows a formula as text if it is a symbol or an index, else as written."""

        def math_node_to_text(self, node: Any) -> str:
            """Return the text of a formula."""
            written = str(node.latex_verbatim())
            if getattr(node, "delimiters", None) not in (("$", "$"), (r"\(", r"\)")):
                return f" {written} "
            shown = _formula(written[len(node.delimiters[0]) : -len(node.delimiters[1])])
            return written if shown is None else shown

    return Converter(latex_context=_contexts()[1], math_mode="verbatim", keep_comments=True)


def _as_written(node: Any) -> str:
    return str(node.latex_verbatim())


def _last_argument(node: Any, l2tobj: Any) -> str:
    before, after = AROUND_ARGUMENT.get(node.macroname, ("", ""))
    arguments = node.nodeargd.argnlist if node.nodeargd else []
    return before + str(l2tobj.nodelist_to_text(arguments[-1:])) + after if arguments else _as_written(node)


def _inner_formula(node: Any, l2tobj: Any) -> str:
    """Return the text of a formula (`\\ensuremath{_2}`) or a chemical compound (`\\ce{SO4^{2-}}`)."""
    (argument,) = node.nodeargd.argnlist
    written = str(argument.latex_verbatim())
    inner = written[1:-1] if written[:1] == "{" else written
    if node.macroname != "ensuremath":
        return _SCRIPT.sub(_marked, inner)
    shown = _formula(inner)
    return str(l2tobj.nodelist_to_text([argument])) if shown is None else shown


def _formula(written: str) -> str | None:
    """Return a formula as text, or None if it is more than symbols, numbers and one index at its beginning."""
    if len(written) > LONGEST_FORMULA:
        return None
    if written[:1] == "{" and written[-1:] == "}" and written.count("{") == 1:
        written = written[1:-1]
    if "{" in written and _FONT_FORMULA.match(written) and _UPRIGHT.fullmatch(written):
        return _SCRIPT.sub(_marked, _FONT_FORMULA.sub(r"\1", written))
    if amount := _AMOUNT.fullmatch(written):
        at = amount.start(1) if amount[1] == "-" else len(written)
        return f"{written[:at]}{written[at:].replace('-', '−', 1)}".replace("\\", "")
    script, rest = _SCRIPT.match(written), written
    shown = ""
    if script:
        inner = _decode(_unfont(script[2] if script[2] is not None else script[3]))
        if not _PLAIN_SCRIPT.fullmatch(inner):
            return None
        raised = script[1] == "^"
        # A raised ring is the degree sign.
        degree = raised and inner.strip() == "∘"
        shown = "°" if degree else f"{RAISED if raised else LOWERED}{inner.strip()}{RESET}"
        rest = written[script.end() :]
    if not _PLAIN_FORMULA.fullmatch(rest) or not (script or "\\" in rest or _RELATION.fullmatch(rest)):
        return None
    text = _decode(rest)
    return None if "\\" in text else shown + text.replace("∘", "°")


def _marked(script: re.Match[str]) -> str:
    inner = (script[2] if script[2] is not None else script[3]).strip()
    return f"{RAISED if script[1] == '^' else LOWERED}{inner}{RESET}"


def _unfont(script: str) -> str:
    font = _FONT_FORMULA.fullmatch(script)
    return font[1] if font else script
