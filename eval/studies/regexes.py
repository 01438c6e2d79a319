"""Check whether any regular expression of rag_qa takes more than linear time on some text.

    python eval/studies/regexes.py [--module rag_qa.text.body] [--size 3000] [--json FILE]
    python eval/studies/regexes.py --feed 40000

Finds every pattern (`re.compile`, inline uses, tables of patterns), derives hostile texts from its structure, and times
each use at sizes that double. A use whose time grows faster than size^1.5 is listed with the text that shows it. Takes
about ten minutes on one core for all.

With --feed each use gets its five slowest texts at one size, some seconds for all. One that takes over two seconds is
stopped and listed, and the exit status is 1. tests/test_regexes.py runs this.

How the texts are derived: each repeated part of a pattern gives a text that it matches (the pump). The texts are
`before * once + pump * many + after`, and `(before + pump) * many`, for what the pattern requires before that part,
and for single characters as the pump.
"""

import argparse
import ast
import importlib
import json
import pkgutil
import random
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

import rag_qa

# How many positional arguments precede the flags of each function of `re`.
FUNCTIONS = {
    "compile": 1,
    "search": 2,
    "match": 2,
    "fullmatch": 2,
    "findall": 2,
    "finditer": 2,
    "split": 3,
    "sub": 4,
}
# What each function does to a text, as far as time is concerned.
AT_START = ("match", "fullmatch")
MANY = 20
CHARACTERS = " \n\t.,;:-_aZ0([{<\"'$\\*@&#=é中\u2014"
AFTER = ("", "\x00", "a")
# Longest time for one text, and the growth of time for twice the size that counts as linear.
SECONDS = 2.0
# Texts fed to a use, those that take longest at PROBE characters.
FED = 5
PROBE = 500
LINEAR = 2.8
# A text is looked at closer if it takes more microseconds a character than this.
SLOW = 0.2


# The longest text that a pattern (or all of a module) is used on, where the code says so. Others take any text.
BOUNDED = {
    ("rag_qa.answering.query", ""): 4000,
    ("rag_qa.retrieval.requests", ""): 4000,
    ("rag_qa.corpus.authors", "_OTHERS"): 40,
    ("rag_qa.corpus.authors", "_MARKS"): 40,
    ("rag_qa.corpus.authors", "_ET_TURNED"): 40,
    ("rag_qa.corpus.formats.atom", "_FEED"): 20_000,
    ("rag_qa.corpus.formats.prose", "_EMPHASIS"): 200,  # marks; it is used on lines with no more of them
    ("rag_qa.corpus.formats.prose", "_NAME"): 1000,
    ("rag_qa.corpus.latex", "_AMOUNT"): 80,
    ("rag_qa.corpus.latex", "_FONT_FORMULA"): 80,
    ("rag_qa.corpus.latex", "_UPRIGHT"): 80,
    ("rag_qa.app.chat.completion", ""): 4000,
    ("rag_qa.corpus.placeholders", ""): 400,
    ("rag_qa.corpus.placeholders", "_PAGE_TURNER"): 1200,
    ("rag_qa.corpus.status", ""): 2000,
    ("rag_qa.corpus.unread", ""): 20_000,
}


class Use(NamedTuple):
    """A pattern, and how it is used: "match", "fullmatch" or "search" (anywhere, once or many times)."""

    module: str
    name: str
    line: int
    pattern: str
    flags: int
    how: str


class Hostile(NamedTuple):
    """A text of any size: `before` once, then `pump` many times, then `after`."""

    before: str
    pump: str
    after: str

    def of_size(self, size: int) -> str:
        """Return a text of about `size` characters."""
        return self.before + self.pump * max(1, size // len(self.pump)) + self.after


# --- finding the patterns


def uses(beginning: str = "rag_qa.") -> Iterator[Use]:
    """Yield every use of a regular expression in the modules whose names begin so."""
    trees = {}
    for info in pkgutil.walk_packages(rag_qa.__path__, "rag_qa."):
        if info.name.startswith(beginning) and not info.name.endswith("__main__"):
            module = importlib.import_module(info.name)
            trees[info.name] = (vars(module), ast.parse(Path(module.__file__ or "").read_text("utf-8")))
    for module_name, (values, tree) in trees.items():
        called = _methods(tree)
        names = _assigned(tree)
        seen = set()
        for call in _calls(tree):
            found = _evaluated(call, values)
            if found is None:
                continue
            name = names.get(call, "")
            method = call.func.attr  # type: ignore[attr-defined]
            for kind in _kinds({method} if method != "compile" else called.get(name, set())):
                yield Use(module_name, name, call.lineno, *found, kind)
            seen.add(found)
        for compiled in _tables(list(values.values())):
            key = (compiled.pattern, compiled.flags & ~re.UNICODE)
            if key[0] not in {pattern for pattern, _ in seen}:
                yield from (Use(module_name, "", 0, *key, kind) for kind in ("match", "search"))
                seen.add(key)


def _tables(values: Any) -> Iterator[re.Pattern[str]]:
    """Yield the patterns in tables made at run time."""
    for value in values:
        if isinstance(value, re.Pattern):
            if isinstance(value.pattern, str):
                yield value
        elif isinstance(value, tuple | list):
            yield from _tables(value)
        elif isinstance(value, dict) and len(value) < MANY * MANY:
            yield from _tables(list(value.values()) if "__builtins__" not in value else [])


def _calls(tree: ast.Module) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in FUNCTIONS
    ]


def _assigned(tree: ast.Module) -> dict[ast.Call, str]:
    """Return the name that each call is assigned to, as a variable or as an argument of a named tuple."""
    found = {
        node.value: node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and isinstance(node.value, ast.Call) and node.arg:
            found.setdefault(node.value, node.arg)
    return found


def _methods(tree: ast.Module) -> dict[str, set[str]]:
    """Return which methods are called on each name, or on each attribute of that name."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            name = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            found.setdefault(name, set()).add(node.attr)
    return found


def _kinds(methods: set[str]) -> list[str]:
    """Return the kinds of use; all of them if the methods are not known."""
    known = methods & {*FUNCTIONS} - {"compile"} or {"match", "fullmatch", "search"}
    return sorted({method if method in AT_START else "search" for method in known})


def _evaluated(call: ast.Call, values: dict[str, Any]) -> tuple[str, int] | None:
    """Return pattern and flags of a call, or None if they are known at run time only."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "flags"]
    given += call.args[FUNCTIONS[call.func.attr] :]  # type: ignore[attr-defined]
    try:
        pattern, *flags = [_value(node, values) for node in (call.args[0], *given)]
    except Exception:
        return None
    if isinstance(pattern, bytes):
        pattern = pattern.decode("latin-1")
    return pattern, sum(int(flag) for flag in flags)


def _value(node: ast.expr, values: dict[str, Any]) -> Any:
    return eval(compile(ast.Expression(node), "pattern", "eval"), dict(values))


# --- hostile texts


def hostile_texts(pattern: str, flags: int) -> list[Hostile]:
    """Return texts that may take the pattern long."""
    rng = random.Random(0)
    tree = list(parser.parse(pattern, flags))
    repeats = list(_repeats(tree, "", rng))
    singles = dict.fromkeys([*CHARACTERS, *_literals(tree)])
    befores = list(dict.fromkeys(["", *(before for before, _ in repeats)]))
    pumps = [(before, pump) for before, pump in repeats if pump]
    pumps += [(before, single) for before in befores for single in singles]
    pumps += [("", before + pump) for before, pump in repeats if before + pump]
    pumps += [("", before) for before in befores if before]
    pumps += [("", _sample(tree, rng)) for _ in range(3)]
    return [Hostile(before, pump, after) for before, pump in dict.fromkeys(pumps) if pump for after in AFTER]


def _repeats(items: list[Any], before: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Yield for each repeated part what must come before it, and a text that it matches."""
    for operator, argument in items:
        if operator in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT):
            _, most, body = argument
            if most == constants.MAXREPEAT or most >= MANY:
                for _ in range(3):
                    yield before, _sample(body, rng)
            yield from _repeats(list(body), before, rng)
        elif operator is constants.SUBPATTERN:
            yield from _repeats(list(argument[3]), before, rng)
        elif operator is constants.ATOMIC_GROUP:
            yield from _repeats(list(argument), before, rng)
        elif operator is constants.BRANCH:
            for branch in argument[1]:
                yield from _repeats(list(branch), before, rng)
        elif operator in (constants.ASSERT, constants.ASSERT_NOT):
            yield from _repeats(list(argument[1]), before, rng)
        before += _sample([(operator, argument)], rng)


def _sample(items: Any, rng: random.Random) -> str:
    """Return a short text that a part of a pattern matches, as far as its look-arounds allow."""
    return "".join(_sample_one(operator, argument, rng) for operator, argument in items)


def _sample_one(operator: Any, argument: Any, rng: random.Random) -> str:
    if operator is constants.LITERAL:
        return chr(argument)
    if operator is constants.NOT_LITERAL:
        return "a" if argument != ord("a") else "b"
    if operator is constants.ANY:
        return rng.choice("a .")
    if operator is constants.IN:
        return rng.choice(_members(argument))
    if operator is constants.BRANCH:
        return _sample(rng.choice(argument[1]), rng)
    if operator is constants.SUBPATTERN:
        return _sample(argument[3], rng)
    if operator is constants.ATOMIC_GROUP:
        return _sample(argument, rng)
    if operator in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT):
        least, most, body = argument
        return "".join(_sample(body, rng) for _ in range(max(least, min(most, rng.choice((0, 1))))))
    return ""


_CATEGORIES = {
    constants.CATEGORY_DIGIT: "07",
    constants.CATEGORY_NOT_DIGIT: "a ",
    constants.CATEGORY_SPACE: " \n",
    constants.CATEGORY_NOT_SPACE: "a.",
    constants.CATEGORY_WORD: "a0",
    constants.CATEGORY_NOT_WORD: " .",
}


def _members(items: list[Any]) -> str:
    """Return some characters of a class."""
    if items[0][0] is constants.NEGATE:
        return "".join(c for c in CHARACTERS if not _in(c, items[1:])) or "\u1234"
    found = ""
    for operator, argument in items:
        if operator is constants.LITERAL:
            found += chr(argument)
        elif operator is constants.RANGE:
            found += chr(argument[0]) + chr(argument[1])
        elif operator is constants.CATEGORY:
            found += _CATEGORIES[argument]
    return found


def _in(character: str, items: list[Any]) -> bool:
    code = ord(character)
    tests: dict[str, Callable[[str], bool]] = {
        "07": str.isdecimal,
        " \n": str.isspace,
        "a0": lambda c: c.isalnum() or c == "_",
    }
    for operator, argument in items:
        if operator is constants.LITERAL and argument == code:
            return True
        if operator is constants.RANGE and argument[0] <= code <= argument[1]:
            return True
        if operator is constants.CATEGORY:
            examples = _CATEGORIES[argument]
            if examples in tests:
                if tests[examples](character):
                    return True
            elif not tests[{"a ": "07", "a.": " \n", " .": "a0"}[examples]](character):
                return True
    return False


def _literals(items: Any) -> Iterator[str]:
    """Yield every literal character of a pattern."""
    for operator, argument in items:
        if operator is constants.LITERAL:
            yield chr(argument)
        elif operator is constants.IN:
            yield from (chr(value) for kind, value in argument if kind is constants.LITERAL)
        elif operator is constants.BRANCH:
            for branch in argument[1]:
                yield from _literals(branch)
        elif operator is constants.SUBPATTERN:
            yield from _literals(argument[3])
        elif operator is constants.ATOMIC_GROUP:
            yield from _literals(argument)
        elif operator in (constants.MAX_REPEAT, constants.MIN_REPEAT, constants.POSSESSIVE_REPEAT):
            yield from _literals(argument[2])
        elif operator in (constants.ASSERT, constants.ASSERT_NOT):
            yield from _literals(argument[1])


# --- timing


def run(compiled: re.Pattern[str], how: str, text: str) -> None:
    """Use a pattern on a text."""
    if how in AT_START:
        getattr(compiled, how)(text)
    else:
        for _ in compiled.finditer(text):
            pass


def seconds(compiled: re.Pattern[str], how: str, text: str) -> float:
    """Return how much processor time a use takes, at most SECONDS."""
    begun = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            run(compiled, how, text)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except TimeoutError:
        return SECONDS
    return time.process_time() - begun


def _stop(*_: object) -> None:
    raise TimeoutError


def worst(use: Use, size: int) -> tuple[float, float, Hostile] | None:
    """Return growth, seconds and text of the first case found whose time grows faster than linearly."""
    if bound(use) < size:
        return None
    compiled = re.compile(use.pattern, use.flags)
    for hostile in hostile_texts(use.pattern, use.flags):
        times = []
        for part in (8, 2, 1):
            texts = hostile.of_size(size // part)
            times.append(min(seconds(compiled, use.how, texts) for _ in range(2 if part < 8 else 1)))
            if times[-1] < SLOW * 1e-6 * size / part / (2 if part == 8 else 1):
                break
        else:
            growth = times[2] / times[1] if times[1] < SECONDS else 4.0
            if growth > LINEAR:
                return growth, times[2], hostile
    return None


def bound(use: Use) -> int:
    """Return the length of the longest text that a pattern is used on."""
    own, package = BOUNDED.get((use.module, use.name)), use.module.rpartition(".")[0]
    return own or BOUNDED.get((use.module, "")) or BOUNDED.get((package, "")) or sys.maxsize


def feed(every: list[Use], size: int) -> list[str]:
    """Return the uses that had to be stopped at a text of `size` characters, each with its text."""
    stopped = []
    for use in every:
        compiled = re.compile(use.pattern, use.flags)
        texts = hostile_texts(use.pattern, use.flags)
        slowest = sorted(texts, key=lambda text: -seconds(compiled, use.how, text.of_size(PROBE)))
        for text in slowest[:FED]:
            if seconds(compiled, use.how, text.of_size(min(size, bound(use)))) >= SECONDS:
                stopped.append(f"{use.module} {use.name} (line {use.line}), {use.how}: {tuple(text)}")
                break
    return stopped


def main() -> None:
    """List the patterns that are not linear."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--module", default="rag_qa.", help="the beginning of names of modules")
    options.add_argument("--size", type=int, default=3000)
    options.add_argument("--feed", type=int)
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    signal.signal(signal.SIGVTALRM, _stop)
    every = list(dict.fromkeys(uses(given.module)))
    if given.feed:
        stopped = feed(every, given.feed)
        print("\n".join([*stopped, f"{len(every)} uses fed, {len(stopped)} stopped"]))
        sys.exit(bool(stopped))
    bad = []
    for use in every:
        if case := worst(use, given.size):
            growth, took, hostile = case
            where = f"{use.module}:{use.line} {use.name} {use.how}"
            print(f"{where} ×{growth:.1f} {took * 1000:.1f} ms {tuple(hostile)}", flush=True)
            bad.append([*use, growth, took, *hostile])
    print(
        f"{len(every)} uses of {len({(u.pattern, u.flags) for u in every})} patterns, {len(bad)} not linear"
    )
    if given.json:
        given.json.write_text(json.dumps(bad, indent=1), "utf-8")


if __name__ == "__main__":
    main()
