"""`rag-qa calibrate`: fit on the index itself when to abstain, store that, draw the risk–coverage curve."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.app.options import (
    DEFAULT_INDEX,
    EmbedderOption,
    IndexOption,
    JsonOption,
    examples,
    load_settings,
)
from rag_qa.app.progress import progress_bar
from rag_qa.app.streams import print_json
from rag_qa.errors import EvaluationError
from rag_qa.index.calibrations import store_calibration
from rag_qa.index.reader import Index

if TYPE_CHECKING:
    from rag_qa.evaluation.calibrating import CalibrationReport

EXAMPLES = examples(
    "rag-qa calibrate --dry-run --plot curve.svg",
    "rag-qa calibrate --false-answers 0.05",
    "rag-qa calibrate --reset",
)


def calibrate(
    index: IndexOption = DEFAULT_INDEX,
    false_answers: Annotated[
        float,
        typer.Option(
            "--false-answers",
            min=0.0,
            max=1.0,
            help="Share of the unanswerable questions that may be answered.",
        ),
    ] = 0.1,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Write the risk–coverage curve into this file, as SVG.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure and print; store nothing.")] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Use the built-in calibration again; measure nothing.")
    ] = False,
    embedder: EmbedderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit on the index itself when to abstain.

    The questions are made from its papers, and asked with and without the paper that answers.
    """
    from rag_qa.evaluation.calibrating import fit, measure
    from rag_qa.evaluation.curves import draw_curve

    generation = _generation(index)
    if reset:
        store_calibration(index, None, generation=generation)
        typer.echo("the built-in calibration is used again")
        return
    settings = load_settings(style="quote", embedder=embedder)
    with (
        Assistant.open(index, settings=settings) as assistant,
        progress_bar(Console(stderr=True)) as progress,
    ):
        report = fit(measure(assistant, progress=progress), false_answers)
    if plot:
        _write(plot, draw_curve(report))
    if not dry_run:
        store_calibration(index, report.calibration, generation=generation)
    if as_json:
        print_json(report.model_dump_json(indent=2))
    else:
        print(_render(report, stored=not dry_run))


def _generation(folder: Path) -> int:
    with closing(Index.open(folder)) as opened:
        return opened.manifest.generation


def _render(report: "CalibrationReport", *, stored: bool) -> str:
    from rag_qa.evaluation.curves import render_curve

    found = report.calibration
    return "\n".join(
        [
            render_curve(report),
            "",
            f"{found.questions} questions made from the index, half of them with their paper held out: "
            f"area under ROC {report.auroc:.3f}, under risk–coverage {report.aurc:.3f}",
            f"threshold {found.threshold:.3f}{'' if stored else ' (not stored)'}: answers {found.false_answers:.3f} "
            f"of the unanswerable (wanted {found.wanted:g}), refuses {found.false_refusals:.3f} of the answerable",
            "questions from people share fewer words with the papers, so many more of them will be refused; "
            "`--reset` goes back to the built-in calibration",
        ]
    )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as exc:
        raise EvaluationError(
            f"{path} cannot be written ({exc.strerror}); name another file with --plot"
        ) from exc
