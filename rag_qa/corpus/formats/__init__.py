"""One file for each format, with `looks_like` (is a text in this format?) and `records` (its records as fields).

reading.FORMATS lists them; a new format is a file here and a row there.
"""
