"""The grammar (GBNF) of written text: plain sentences on one line, without brackets that could pass for marks."""

# Whatever a model writes cannot hold a citation mark, a line end or a control character. It ends with the tokens that
# an answer may take.
PROSE = "root ::= [^\\[\\]\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]+"
