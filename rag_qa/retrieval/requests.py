"""A request for papers → the topic of the papers. Knows nothing of indexes."""

import re

MIN_WORDS = 3
# Words with which people ask for papers; at the start of a question they say nothing about the topic.
ASKING = """
    hi hello please could can would you i i'm am we are looking for searching trying to find me recommend suggest point
    show list give tell know any some a an the is there what which who have has been do does it that on about in with
    of regarding related using use uses used where first
    paper papers work works research study studies article articles literature reference references publication
    publications discuss discusses discussing explore explores exploring investigate investigates investigating propose
    proposes proposed proposing focus focuses focusing address addresses addressing describe describes describing
    examine examines examining analyze analyzes analyzing analyse analyses analysing introduce introduces introducing
""".split()
OPENING = re.compile(
    rf"(?:\W*\b(?:{'|'.join(sorted(ASKING, key=len, reverse=True))})\b(?![-'’]))+\W*", re.IGNORECASE
)


def without_request(question: str) -> str:
    """Return a question without the words at its start that only ask for papers.

    Returns it unchanged if fewer than three words would be left.

    >>> without_request("Could you recommend papers that study pruning before training?")
    'pruning before training?'
    """
    opening = OPENING.match(question)
    rest = question[opening.end() :] if opening else question
    return rest if len(rest.split()) >= MIN_WORDS else question
