"""Sentences of papers that give orders to whoever reads them, such as "ignore previous instructions".

A language model may obey them, and what it then writes is in the words of the sentence that it cites, so that the
verdict may pass. Such sentences are quoted, never given to the model. Known by rules over words: an order in other
words, or in another language, is not found; it stays a sentence under a label, and what it makes the model say is
checked and cited like the rest.
"""

import re

ORDER = re.compile(
    r"""
    \b(?:ignore|disregard|forget|override|bypass)\s+
      (?:(?:all|any|every|the|of|your|these|those|my|our)\s+){0,3}
      (?:previous|prior|above|earlier|preceding|foregoing|other|your|system|everything|anything)\b
      (?:\s+\w+){0,2}?\s+
      (?:instructions?|prompts?|rules?|orders?|directions?|guidelines?|messages?|contexts?|above|before)\b
    | \b(?:ignore|disregard|forget)\s+(?:(?:all|any|the|your|these|those)\s+){1,2}(?:instructions?|rules|guidelines)\b
    | \b(?:answer|respond|reply)\s+(?:(?:only|exactly|solely|always|just|nothing\s+but)\s+)(?:with|by|in)\b
    | \b(?:answer|respond|reply)\s+(?:with\s+)?(?:\S+\s+){0,4}?(?:on|to|for)\s+(?:every|all|any)\s+questions?\b
    | \byou\s+(?:are\s+now|have\s+no\s+rules|must\s+(?:now\s+)?(?:answer|respond|reply|say|write|obey|output))\b
    | \b(?:print|reveal|repeat|output|show)\s+(?:me\s+)?your\s+(?:\w+\s+){0,2}(?:prompt|instructions?|rules)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)


def gives_orders(text: str) -> bool:
    """Say whether a text tells its reader what to answer or what to ignore."""
    return ORDER.search(text) is not None
