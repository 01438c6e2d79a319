"""The LaTeX commands that reference managers write, and what each stands for: tables for `latex`."""

from rag_qa.corpus.scripts import LOWERED, RAISED, RESET

# Commands without arguments for which pylatexenc has no text. (\textX is added for each \X that it knows.)
SYMBOLS = {
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
GREEK = """alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma varsigma tau
    upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega""".split()
# Commands of layout, which have no text.
FONTS = """it bf em rm sc tt sl sf itshape bfseries mdseries upshape scshape rmfamily sffamily ttfamily normalfont
    tiny scriptsize footnotesize small normalsize large Large LARGE huge Huge noindent centering raggedright protect
    relax allowbreak nobreak xspace - / unskip ignorespaces leavevmode displaystyle textstyle boldmath left right big
    Big bigl bigr Bigl Bigr bigg Bigg limits nolimits""".split()
BLANKS = """newline par linebreak pagebreak quad qquad enspace thinspace negthinspace medspace thickspace hfill hfil
    smallskip medskip bigskip space nobreakspace , ; : > tabularnewline indent""".split()
# Commands shown as their last argument; the other arguments are layout. Keys are the arguments' delimiters.
SHOWN_ARGUMENT = {
    "{": """mbox hbox text textrm textit textbf textsc textsl textsf texttt textmd textup textnormal textlf textsw
        emph underline uline ul sout hl mkbibemph mkbibitalic mkbibbold mathrm mathit mathbf mathsf mathtt mathnormal
        mathup cf nolinkurl fbox operatorname url path MakeUppercase MakeLowercase uppercase
        lowercase titlecap mkbibparens centerline textgreek textlatin textcyr textcyrillic foreignword hyp
        textquote textinit textul textsmaller textlarger smash vphantom title author date""".split(),
    "[{": "makebox framebox parbox".split(),
    "{{": "textcolor colorbox href foreignlanguage texorpdfstring raisebox scalebox resizebox hyperref".split(),
}
AROUND_ARGUMENT = {
    "enquote": ("“", "”"),
    "mkbibquote": ("“", "”"),
    "footnote": (" (", ")"),
    "thanks": (" (", ")"),
    "textsuperscript": (RAISED, RESET),
    "mkbibsuperscript": (RAISED, RESET),
    "textsubscript": (LOWERED, RESET),
    "mkbibsubscript": (LOWERED, RESET),
}
FRACTIONS = "frac tfrac dfrac sfrac nicefrac".split()
FORMULAS = "ensuremath ce chem".split()
BLANK_ARGUMENT = "hspace vspace hspace* vspace*".split()
# Kept as written, because pylatexenc has a placeholder (`<cit.>`) or today's date for them.
AS_WRITTEN = (
    "cite citet citep ref autoref cref Cref eqref includegraphics input include today maketitle".split()
)
