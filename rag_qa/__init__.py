"""Ask questions of scientific papers; every sentence of an answer cites a verbatim quote."""
