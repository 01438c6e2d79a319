"""The grammar (GBNF) of written text: plain sentences on one line, without brackets that could pass for citations."""

# It excludes brackets, line ends and control characters. A text ends with the tokens that an answer may take.
PROSE = "root ::= [^\\[\\]\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+"
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]
_REPLACED = dict.fromkeys(_CONTROLS, " ") | {ord("["): "(", ord("]"): ")"}


def conform(text: str) -> str:
    """Replace the characters that PROSE excludes, for runtimes that ignore grammars."""
    return text.translate(_REPLACED)
