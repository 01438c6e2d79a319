"""`rag-qa calibrate`: fit when to refuse on the index itself, keep it there, and draw the risk–coverage curve."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rag_qa.answering.assistant import Assistant
from rag_qa.app.options import DEFAULT_INDEX, EmbedderOption, IndexOption, JsonOption, load_settings
from rag_qa.app.progress import progress_bar
from rag_qa.app.streams import print_json
from rag_qa.errors import EvaluationError
from rag_qa.index.calibrations import store_calibration
from rag_qa.index.reader import Index

if TYPE_CHECKING:
    from rag_qa.evaluation.calibrating import CalibrationReport


def calibrate(
    index: IndexOption = DEFAULT_INDEX,
    false_answers: Annotated[
        float,
        typer.Option("--false-answers", min=0.0, max=1.0, help="Share of unanswerable questions to answer."),
    ] = 0.1,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Write the risk–coverage curve there, as SVG.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure and print; store nothing.")] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Go back to the calibration that ships; measure nothing.")
    ] = False,
    embedder: EmbedderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit when to refuse, by questions made of the index's papers and the same with the paper held out."""
    from rag_qa.evaluation.calibrating import fit, measure
    from rag_qa.evaluation.curves import draw_curve

    if reset:
        store_calibration(index, None, generation=_generation(index))
        typer.echo("the calibration that ships is used again")
        return
    settings = load_settings(style="quote", embedder=embedder)
    generation = _generation(index)
    with Assistant.open(index, settings=settings) as assistant, progress_bar(Console(stderr=True)) as tell:
        report = fit(measure(assistant, progress=tell), false_answers)
    if plot:
        _write(plot, draw_curve(report))
    if not dry_run:
        store_calibration(index, report.calibration, generation=generation)
    if as_json:
        print_json(report.model_dump_json(indent=2))
    else:
        print(_told(report, stored=not dry_run))


def _generation(folder: Path) -> int:
    opened = Index.open(folder)
    opened.close()
    return opened.manifest.generation


def _told(report: "CalibrationReport", *, stored: bool) -> str:
    from rag_qa.evaluation.curves import render_curve

    found = report.calibration
    return "\n".join(
        [
            render_curve(report),
            "",
            f"{found.questions} questions made of the index, half of them with their paper held out: "
            f"area under ROC {report.auroc:.3f}, under risk–coverage {report.aurc:.3f}",
            f"threshold {found.threshold:.3f}{'' if stored else ' (not stored)'}: answers {found.false_answers:.3f} "
            f"of the unanswerable (wanted {found.wanted:g}), refuses {found.false_refusals:.3f} of the answerable",
            "what people ask shares fewer words with the papers, so many more of their questions will be refused; "
            "`--reset` goes back to the calibration that ships",
        ]
    )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as exc:
        raise EvaluationError(
            f"{path} cannot be written ({exc.strerror}); name another file with --plot"
        ) from exc
