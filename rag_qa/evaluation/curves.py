"""Show a calibration's risk–coverage curve as a Markdown table or as an SVG drawing."""

from collections.abc import Iterable

from rag_qa.evaluation.calibrating import CalibrationReport
from rag_qa.evaluation.metrics import RiskPoint

ROWS = 10
WIDTH, HEIGHT, MARGIN = 480, 320, 48


def render_curve(report: CalibrationReport) -> str:
    """Return a Markdown table of the risk at ten coverages, evenly spaced as far as ties allow."""
    lines = ["| threshold | coverage | risk  |", "|-----------|----------|-------|"]
    lines += [f"| {p.threshold:9.3f} | {p.coverage:8.3f} | {p.risk:5.3f} |" for p in _spaced(report.curve)]
    return "\n".join(lines)


def _spaced(curve: Iterable[RiskPoint]) -> list[RiskPoint]:
    """The first point at or beyond each tenth of coverage."""
    points = list(curve)
    wanted = [(n + 1) / ROWS - 1e-9 for n in range(ROWS)]
    return list(dict.fromkeys(next(p for p in points if p.coverage >= share) for share in wanted))


def draw_curve(report: CalibrationReport) -> str:
    """Return the curve as SVG: coverage to the right, risk upwards, the chosen threshold as a dot."""
    line = " ".join(f"{_x(p.coverage):.1f},{_y(p.risk):.1f}" for p in report.curve)
    at = [p for p in report.curve if p.threshold >= report.calibration.threshold]
    dot = (
        f'<circle cx="{_x(at[-1].coverage):.1f}" cy="{_y(at[-1].risk):.1f}" r="5" fill="#c22"/>' if at else ""
    )
    ticks = "".join(
        f'<text x="{_x(t):.0f}" y="{HEIGHT - MARGIN + 18}" text-anchor="middle">{t:g}</text>'
        f'<text x="{MARGIN - 8}" y="{_y(t) + 4:.0f}" text-anchor="end">{t:g}</text>'
        for t in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    found = report.calibration
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"
 font-size="12"><title>Risk–coverage curve</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>
<path d="M{MARGIN} {MARGIN / 2}V{HEIGHT - MARGIN}H{WIDTH - MARGIN / 2}" fill="none" stroke="#444"/>{ticks}
<text x="{WIDTH / 2}" y="{HEIGHT - 10}" text-anchor="middle">coverage: share of all questions answered</text>
<text transform="translate(12 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">risk: share of these without answer</text>
<polyline points="{line}" fill="none" stroke="#136" stroke-width="2"/>{dot}
<text x="{MARGIN + 12}" y="{MARGIN}">threshold {found.threshold:.3f}: answers {found.false_answers:.2f} of the
 unanswerable, refuses {found.false_refusals:.2f} of the answerable</text></svg>
"""


def _x(coverage: float) -> float:
    return MARGIN + coverage * (WIDTH - 1.5 * MARGIN)


def _y(risk: float) -> float:
    return HEIGHT - MARGIN - risk * (HEIGHT - 1.5 * MARGIN)
