r"""LaTeX → text, by pylatexenc, whose tables lack what exporters write: {\textless}, {\textminus}, \SI{5}{\milli\gram}.

What has a plain form becomes it; everything else stays as it is written, so that nothing vanishes: commands that
nobody here knows, with their arguments, and formulas that are more than a symbol or an index.
"""

import re
from functools import cache
from typing import Any

from rag_qa.corpus.scripts import LOWERED, RAISED, RESET, settle_scripts

# pylatexenc takes these for a comment, a column and a tie; they are hidden from it and put back.
_HIDDEN = {"%": "\ufdd0", "&": "\ufdd1", "~": "\ufdd2", "^": "\ufdd3"}
_SHOWN = str.maketrans({hidden: mark for mark, hidden in _HIDDEN.items()})
_COMMENT = re.compile(r"(?<!\\)%")
_COLUMN = re.compile(r"(?<!\\)&")
# "~20" after a blank is "about 20"; a tie stands behind a word ("Fig.~3").
# An accent on nothing is the character itself.
_BARE_ACCENT = re.compile(r"\\([~^])\{\}")
_ABOUT = re.compile(r"(?:^|(?<=[\s(\[{/-]))~(?=\s?[\d$\\.+-])")

# Commands without arguments that pylatexenc has no text for, beside \textX where it knows \X.
_SYMBOLS = {
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
    "textbardbl": "‖",
    "textminus": "−",
    "textunderscore": "_",
    "textasciigrave": "`",
    "textasciiacute": "´",
    "textquotesingle": "'",
    "textquotedbl": '"',
    "textohm": "Ω",
    "textmicro": "μ",
    "textcelsius": "°C",
    "textdegree": "°",
    "pounds": "£",
    "textpounds": "£",
    "euro": "€",
    "texteuro": "€",
    "EUR": "€",
    "yen": "¥",
    "textyen": "¥",
    "textcent": "¢",
    "textwon": "₩",
    "permil": "‰",
    "perthousand": "‰",
    "textpertenthousand": "‱",
    "textnumero": "№",
    "textestimated": "℮",
    "textsurd": "√",
    "textonehalf": "½",
    "textonequarter": "¼",
    "textthreequarters": "¾",
    "textfractionsolidus": "⁄",
    "textlangle": "⟨",
    "textrangle": "⟩",
    "textbullet": "•",
    "textperiodcentered": "·",
    "textvisiblespace": "␣",
    "textendash": "–",
    "textemdash": "—",
    "textnonbreakinghyphen": "‑",
    "textcompwordmark": "",
    "textopenbullet": "◦",
    "textbigcircle": "◯",
    "textasteriskcentered": "∗",
    "textdagger": "†",
    "textdaggerdbl": "‡",
    "textfemale": "♀",
    "textmale": "♂",
    "female": "♀",
    "male": "♂",
    "Venus": "♀",
    "Mars": "♂",
    "textdiv": "÷",
    "textlnot": "¬",
    "textmho": "℧",
    "textonesuperior": "¹",
    "texttwosuperior": "²",
    "textthreesuperior": "³",
    "textbackslash": "\\",
    "textbraceleft": "{",
    "textbraceright": "}",
    "textlbrackdbl": "⟦",
    "textrbrackdbl": "⟧",
    "textdollar": "$",
    "textasciitilde": "~",
    "textasciicircum": "^",
    "textasciibreve": "˘",
    "textasciicaron": "ˇ",
    "textasciidieresis": "¨",
    "textasciimacron": "¯",
    "slash": "/",
    "textslash": "/",
    "lbrack": "[",
    "rbrack": "]",
    "lbrace": "{",
    "rbrace": "}",
    "textgeqslant": "⩾",
    "textleqslant": "⩽",
    "lesssim": "≲",
    "gtrsim": "≳",
    "textprime": "′",
    "prime": "′",
    "circ": "∘",
    "degree": "°",
    "celsius": "°C",
    "micron": "μm",
    "ohm": "Ω",
    "angstrom": "Å",
    "LaTeX": "LaTeX",
    "TeX": "TeX",
    "BibTeX": "BibTeX",
    "slshape": "",
    "backslash": "\\",
    "hyphen": "-",
    "guillemotleft": "«",
    "guillemotright": "»",
    "guilsinglleft": "‹",
    "guilsinglright": "›",
    "quotedblbase": "„",
    "quotesinglbase": "‚",
    "glqq": "„",
    "grqq": "“",
    "glq": "‚",
    "grq": "‘",
    "flqq": "«",
    "frqq": "»",
    "lq": "‘",
    "rq": "’",
    "nobreakdash": "",
    "lt": "<",
    "gt": ">",
    "checkmark": "✓",
    "S": "§",
    "P": "¶",
    "ddag": "‡",
}
_GREEK = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma varsigma tau
    upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega""".split()
# How the text of a paper is set, not what it says.
_FONTS = """it bf em rm sc tt sl sf itshape bfseries mdseries upshape scshape rmfamily sffamily ttfamily normalfont
    tiny scriptsize footnotesize small normalsize large Large LARGE huge Huge noindent centering raggedright protect
    relax allowbreak nobreak xspace - / unskip ignorespaces leavevmode displaystyle textstyle boldmath left right big
    Big bigl bigr Bigl Bigr bigg Bigg limits nolimits""".split()
_BLANKS = """newline par linebreak pagebreak quad qquad enspace thinspace negthinspace medspace thickspace hfill hfil
    smallskip medskip bigskip space nobreakspace , ; : > tabularnewline indent""".split()
# Shown as their last argument; the others say how.
_SHOWN_ARGUMENT = {
    "{": """mbox hbox text textrm textit textbf textsc textsl textsf texttt textmd textup textnormal textlf textsw
        emph underline uline ul sout hl mkbibemph mkbibitalic mkbibbold mathrm mathit mathbf mathsf mathtt mathnormal
        mathup cf nolinkurl fbox operatorname url path MakeUppercase MakeLowercase uppercase
        lowercase titlecap mkbibparens centerline textgreek textlatin textcyr textcyrillic foreignword hyp
        textquote textinit textul textsmaller textlarger smash vphantom title author date""".split(),
    "[{": "makebox framebox parbox".split(),
    "{{": "textcolor colorbox href foreignlanguage texorpdfstring raisebox scalebox resizebox hyperref".split(),
}
_AROUND_ARGUMENT = {
    "enquote": ("“", "”"),
    "mkbibquote": ("“", "”"),
    "footnote": (" (", ")"),
    "thanks": (" (", ")"),
    "textsuperscript": (RAISED, RESET),
    "mkbibsuperscript": (RAISED, RESET),
    "textsubscript": (LOWERED, RESET),
    "mkbibsubscript": (LOWERED, RESET),
}
_FRACTIONS = "frac tfrac dfrac sfrac nicefrac".split()
_FORMULAS = "ensuremath ce chem".split()
_BLANK_ARGUMENT = "hspace vspace hspace* vspace*".split()
# pylatexenc has a placeholder (`<cit.>`) or a date of its own for these.
_AS_WRITTEN = (
    "cite citet citep ref autoref cref Cref eqref includegraphics input include today maketitle".split()
)

_PREFIXES = {
    "yocto": "y", "zepto": "z", "atto": "a", "femto": "f", "pico": "p", "nano": "n", "micro": "μ", "milli": "m",
    "centi": "c", "deci": "d", "deca": "da", "deka": "da", "hecto": "h", "kilo": "k", "mega": "M", "giga": "G",
    "tera": "T", "peta": "P", "exa": "E", "zetta": "Z", "yotta": "Y", "kibi": "Ki", "mebi": "Mi", "gibi": "Gi",
    "tebi": "Ti",
}  # fmt: skip
_UNITS = {
    "metre": "m", "meter": "m", "gram": "g", "second": "s", "ampere": "A", "kelvin": "K", "mole": "mol",
    "candela": "cd", "hertz": "Hz", "newton": "N", "pascal": "Pa", "joule": "J", "watt": "W", "coulomb": "C",
    "volt": "V", "farad": "F", "ohm": "Ω", "siemens": "S", "weber": "Wb", "tesla": "T", "henry": "H", "lumen": "lm",
    "lux": "lx", "becquerel": "Bq", "gray": "Gy", "sievert": "Sv", "katal": "kat", "radian": "rad",
    "steradian": "sr", "celsius": "°C", "degreeCelsius": "°C", "degree": "°", "arcminute": "′", "arcsecond": "″",
    "minute": "min", "hour": "h", "day": "d", "year": "yr", "hectare": "ha", "litre": "L", "liter": "L",
    "tonne": "t", "electronvolt": "eV", "eV": "eV", "dalton": "Da", "atomicmassunit": "u", "astronomicalunit": "au",
    "bar": "bar", "decibel": "dB", "bel": "B", "neper": "Np", "bit": "bit", "byte": "B", "percent": "%",
    "angstrom": "Å", "molar": "M", "Molar": "M", "gauss": "G", "parsec": "pc", "lightyear": "ly", "calorie": "cal",
    "mmHg": "mmHg", "atm": "atm", "inch": "in", "foot": "ft", "mile": "mi", "knot": "kn", "rpm": "rpm",
    "squared": "²", "cubed": "³", "per": "/", "square": "", "cubic": "", "highlight": "", "cancel": "",
}  # fmt: skip
# The abbreviations of siunitx, which are what they show: \kg, \mL, \kHz, \uM.
_SHORT_UNITS = """fg pg ng ug mg g kg pm nm um mm cm dm m km as fs ps ns us ms s fmol pmol nmol umol mmol mol kmol pA nA
    uA mA A kA ul ml l hl uL mL L hL mHz Hz kHz MHz GHz THz mN N kN MN Pa kPa MPa GPa mohm kohm Mohm pV nV uV mV V kV
    uW mW W kW MW GW J uJ mJ kJ eV meV keV MeV GeV TeV kWh F fF pF nF uF mF K dB kibit kB MB GB TB mM uM nM pM cal
    kcal rad mrad sr min h d ha bar mbar ppm ppb""".split()
_QUANTITIES = {
    "SI": "[{[{", "qty": "[{{", "num": "[{", "si": "[{", "unit": "[{", "ang": "[{", "SIrange": "[{{{",
    "qtyrange": "[{{{", "numrange": "[{{", "SIlist": "[{{", "qtylist": "[{{", "numlist": "[{", "numproduct": "[{",
    "qtyproduct": "[{{", "complexnum": "[{", "complexqty": "[{{", "tablenum": "[{",
}  # fmt: skip
_UNIT_LAST = (
    "SI",
    "qty",
    "si",
    "unit",
    "SIrange",
    "qtyrange",
    "SIlist",
    "qtylist",
    "qtyproduct",
    "complexqty",
)
_BETWEEN = {"range": "–", "list": ", ", "product": " × "}
# Two units side by side ("N m") need a blank, a prefix and its unit must have none.
_UNIT_COMMAND = re.compile(r"\\([A-Za-z]+)\s*|([~.])")
_TOTHE = re.compile(r"\\(?:tothe|raiseto)\s*\{([^{}]*)\}")
_POWER = re.compile(r"\\(square|cubic)\s*((?:\\[A-Za-z]+\s*)?\\[A-Za-z]+)")
_CLOSE_UNITS = ("%", "°", "′", "″")

# No abstract is longer, and the parser takes 20 µs a character; longer formulas are no symbols.
LONGEST = 20_000
LONGEST_FORMULA = 80

# A formula is text if it is only symbols and numbers, or begins as an index of what stands before it.
_SCRIPT = re.compile(r"\s*([_^])\s*(?:\{((?:[^{}]|\{[^{}]*\})*)\}|(\\[A-Za-z]+|[^\s\\{}]))\s*")
_PLAIN_FORMULA = re.compile(r"(?:\\[A-Za-z]+|\\[,;:!% ]|[\d\s.,+\-<>=()/±×~|\ufdd0\ufdd2])*")
_RELATION = re.compile(r"\s*[<>=+\-~|±×]+\s*")
# "-4", "95\%", "<0.05", "p = 0.03": such a number reads the same without its dollars.
_AMOUNT = re.compile(r"\s*(?:[A-Za-z]?\s*[<>=~±]\s*)?([-+]?)\s*\d[\d.,]*\s*(?:\\?%)?\s*")
_PLAIN_SCRIPT = re.compile(r"[^\\{}$]*")
_FONT = r"\\(?:text|mathrm|textrm|mathit|mathsf|rm)\s*\{((?:[^\\{}$]|\{[^\\{}$]*\})*)\}"
_FONT_FORMULA = re.compile(rf"\s*{_FONT}\s*")
# Upright letters with their indices, which is how compounds are written: \mathrm{CO}_2.
_UPRIGHT = re.compile(rf"(?:{_FONT}|[_^]\s*(?:\{{[^\\{{}}$]*\}}|[\w+-])|\s)+")


def decode_latex(value: str) -> str:
    """Return the text with LaTeX accents and commands decoded and grouping braces gone; long formulas stay."""
    if len(value) > LONGEST or not any(mark in value for mark in "\\{}~$"):
        return value
    hidden = _BARE_ACCENT.sub(lambda accent: _HIDDEN[accent[1]], _COMMENT.sub(_HIDDEN["%"], value))
    hidden = _ABOUT.sub(_HIDDEN["~"], _COLUMN.sub(_HIDDEN["&"], hidden))
    try:
        decoded = _decode(hidden)
    except Exception:
        # Its parser fails in many ways on malformed LaTeX; the raw text is better than no paper.
        return value
    return settle_scripts(decoded).translate(_SHOWN)


def _decode(text: str) -> str:
    from pylatexenc.latexwalker import LatexWalker  # type: ignore[import-untyped]

    walker = LatexWalker(text, latex_context=_contexts()[0], tolerant_parsing=True)
    return str(_converter().nodelist_to_text(walker.get_latex_nodes()[0]))


@cache
def _contexts() -> tuple[Any, Any]:
    """Return what pylatexenc knows of commands and ours: how their arguments are parsed, and what they say."""
    from pylatexenc.latex2text import (  # type: ignore[import-untyped]
        MacroTextSpec,
        get_default_latex_context_db,
    )
    from pylatexenc.latexwalker import get_default_latex_context_db as get_parsing_db
    from pylatexenc.macrospec import MacroSpec, std_macro  # type: ignore[import-untyped]

    parsing, saying = get_parsing_db(), get_default_latex_context_db()
    symbols = _symbols(saying)
    macros = [MacroTextSpec(name, text) for name, text in symbols.items()]
    macros += [MacroTextSpec(name, "") for name in _FONTS] + [MacroTextSpec(name, " ") for name in _BLANKS]
    macros += [MacroTextSpec(name, " ") for name in _BLANK_ARGUMENT]
    macros += [
        MacroTextSpec(name, _last_argument) for names in _SHOWN_ARGUMENT.values() for name in names
    ] + [MacroTextSpec(name, _last_argument) for name in _AROUND_ARGUMENT]
    macros += [MacroTextSpec(name, _quantity) for name in _QUANTITIES]
    macros += [MacroTextSpec(name, _as_written) for name in _AS_WRITTEN]
    macros += [MacroTextSpec(name, "%s/%s") for name in _FRACTIONS]
    macros += [MacroTextSpec(name, _inner_formula) for name in _FORMULAS]
    saying.add_context_category("ours", prepend=True, macros=macros)
    saying.set_unknown_macro_spec(MacroTextSpec("", _as_written))
    arguments = {name: spec for spec, names in _SHOWN_ARGUMENT.items() for name in names}
    arguments |= dict.fromkeys(_AROUND_ARGUMENT, "{") | dict.fromkeys(_BLANK_ARGUMENT, "{") | _QUANTITIES
    arguments |= dict.fromkeys(_FRACTIONS, "{{") | dict.fromkeys(_FORMULAS, "{")
    none = dict.fromkeys(["%", *_plain_symbols(parsing, saying), *symbols, *_FONTS, *_BLANKS], "")
    parsing.add_context_category(
        "ours", prepend=True, macros=[std_macro(name, spec) for name, spec in (none | arguments).items()]
    )
    parsing.set_unknown_macro_spec(MacroSpec("", args_parser=_attached_groups()))
    return parsing, saying


def _plain_symbols(parsing: Any, saying: Any) -> list[str]:
    """Return the symbols of pylatexenc whose arguments it does not know: a group right behind one is text."""
    parsed = {spec.macroname for spec in parsing.iter_macro_specs()}
    texts = {spec.macroname: spec.simplify_repl for spec in saying.iter_macro_specs()}
    return [
        name
        for name, text in texts.items()
        if name not in parsed and isinstance(text, str) and not re.search(r"%[s(\d]", text)
    ]


def _symbols(known: Any) -> dict[str, str]:
    """Return our symbols, and each \\textX for which pylatexenc knows \\X; what it knows itself stays."""
    symbols = {
        f"{before}{letter}": known.get_macro_spec(letter) for letter in _GREEK for before in ("text", "up")
    }
    texts = {name: spec.simplify_repl for name, spec in symbols.items() if spec}
    for (
        name
    ) in "times pm mp leq geq le ge neq sim simeq approx rightarrow leftarrow infty cdot in sum circ".split():
        texts[f"text{name}"] = known.get_macro_spec(name).simplify_repl
    return texts | _SYMBOLS


def _attached_groups() -> Any:
    """Return a parser that takes every group right behind a command for its argument."""
    from pylatexenc.macrospec import MacroStandardArgsParser, ParsedMacroArgs

    class AttachedGroups(MacroStandardArgsParser):  # type: ignore[misc]
        """Takes any number of `[…]` and `{…}`."""

        def parse_args(self, w: Any, pos: int, parsing_state: Any = None) -> tuple[Any, int, int]:
            """Return the groups, and where they begin and how long they are."""
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
        """Shows a formula that is a symbol or an index as text, any other as it is written."""

        def math_node_to_text(self, node: Any) -> str:
            """Return a formula's text."""
            written = str(node.latex_verbatim())
            if getattr(node, "delimiters", None) not in (("$", "$"), (r"\(", r"\)")):
                return f" {written} "
            shown = _formula(written[len(node.delimiters[0]) : -len(node.delimiters[1])])
            return written if shown is None else shown

    return Converter(latex_context=_contexts()[1], math_mode="verbatim", keep_comments=True)


def _as_written(node: Any) -> str:
    return str(node.latex_verbatim())


def _last_argument(node: Any, l2tobj: Any) -> str:
    before, after = _AROUND_ARGUMENT.get(node.macroname, ("", ""))
    arguments = node.nodeargd.argnlist if node.nodeargd else []
    return before + str(l2tobj.nodelist_to_text(arguments[-1:])) + after if arguments else _as_written(node)


def _inner_formula(node: Any, l2tobj: Any) -> str:
    """Return a formula in the text (`\\ensuremath{_2}`) or a compound (`\\ce{SO4^{2-}}`) as text."""
    (argument,) = node.nodeargd.argnlist
    written = str(argument.latex_verbatim())
    inner = written[1:-1] if written[:1] == "{" else written
    if node.macroname != "ensuremath":
        return _SCRIPT.sub(_marked, inner)
    shown = _formula(inner)
    return str(l2tobj.nodelist_to_text([argument])) if shown is None else shown


def _formula(written: str) -> str | None:
    """Return a formula as text, None where it is more than symbols, numbers and one index at its beginning."""
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
        # A ring above the line is the sign of a degree.
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


def _quantity(node: Any) -> str:
    r"""Return a number with its unit as siunitx prints it; as written where that is not known."""
    written = [str(a.latex_verbatim()) if a else "" for a in node.nodeargd.argnlist]
    given = [a[1:-1] if a[:1] == "{" else a for a in written if a[:1] != "["]
    given = [a for a in given if a or len(given) == 1]
    name = str(node.macroname)
    unit = _unit(given.pop()) if name in _UNIT_LAST and given else ""
    between = next((sign for ending, sign in _BETWEEN.items() if name.endswith(ending)), " ")
    if name == "ang":
        return "".join(part + sign for part, sign in zip(given[0].split(";"), "°′″", strict=False) if part)
    numbers = [_number(part) for a in given for part in a.split(";")]
    number = between.join(numbers)
    if "\\" in unit or "\\" in number:
        return _as_written(node)
    gap = (
        ""
        if not number or unit.startswith("/") or (unit.startswith(_CLOSE_UNITS) and not unit.startswith("°C"))
        else " "
    )
    return f"{number}{gap}{unit}".strip()


def _number(written: str) -> str:
    number = re.sub(r"\+-|\\pm\b\s*", " ± ", written.strip().strip("$"))
    number = re.sub(r"\s*\\times\s*|\s*\\cdot\s*|(?<=\d)\s*x\s*(?=[\d.])", " × ", number)
    return " ".join(re.sub(r"^-(?=\d)", "−", number).split())


def _unit(written: str) -> str:
    """Return a unit in letters and signs; what is not known stays as it is written."""
    text = _POWER.sub(lambda m: m[2] + ("\\squared" if m[1] == "square" else "\\cubed"), written)
    text = _TOTHE.sub(lambda m: f"{RAISED}{m[1]}{RESET}", text)
    shown, glued = "", True
    position = 0
    for match in _UNIT_COMMAND.finditer(text):
        shown += text[position : match.start()]
        position = match.end()
        name = match[1]
        if name is None:
            shown, glued = shown + " ", True
        elif name in _PREFIXES:
            shown, glued = shown + ("" if glued else " ") + _PREFIXES[name], True
        elif name in _UNITS or name in _SHORT_UNITS:
            sign = _UNITS.get(name, name.replace("u", "μ", 1) if name[0] == "u" else name)
            tight = glued or sign in ("/", "²", "³", "")
            shown, glued = shown + ("" if tight else " ") + sign, sign in ("/", "")
        else:
            return written
    rest = re.sub(
        r"\^\{([^{}]*)\}|\^(\d)", lambda m: f"{RAISED}{m[1] or m[2]}{RESET}", shown + text[position:]
    )
    return rest.replace("$", "").strip()
