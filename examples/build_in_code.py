"""Build an index from records that a program already has, then search it with a filter.

python examples/build_in_code.py INDEX
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rag_qa import Assistant, Filter, build_index

RECORDS = [
    {
        "id": "dropout",
        "title": "Dropout",
        "abstract": "Dropout removes units of a network at random during training. It reduces overfitting.",
        "authors": ["Nitish Srivastava"],
        "year": 2014,
    },
    {
        "id": "batchnorm",
        "title": "Batch normalization",
        "abstract": "Batch normalization makes training of deep networks faster by normalising layer inputs.",
        "authors": ["Sergey Ioffe"],
        "year": 2015,
    },
]


def main(index: str) -> None:
    """Write the records as JSON Lines, a format that `build_index` reads, and index that file."""
    with TemporaryDirectory() as folder:
        source = Path(folder, "records.jsonl")
        source.write_text("\n".join(map(json.dumps, RECORDS)), encoding="utf-8")
        report = build_index([source], index)
    print(f"{report.added} added, {report.skipped} skipped, {report.papers} in the index")
    with Assistant.open(index) as assistant:
        for hit in assistant.search("training of deep networks", filter=Filter(since=2015)):
            print(f"{hit.rank}. {hit.paper.heading} ({hit.score:.2f})")


if __name__ == "__main__":
    main(*sys.argv[1:])
