"""The grammar (GBNF) of written text: plain sentences on one line, without brackets that could pass for marks."""

# Whatever a model writes cannot hold a citation mark, a line end or a control character. It ends with the tokens that
# an answer may take.
PROSE = "root ::= [^\\[\\]\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+"
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]
_HELD = dict.fromkeys(_CONTROLS, " ") | {ord("["): "(", ord("]"): ")"}


def held(text: str) -> str:
    """Return a text without what PROSE leaves out, for a runtime that does not hold its model to a grammar."""
    return text.translate(_HELD)
