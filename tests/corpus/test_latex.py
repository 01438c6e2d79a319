r"""The LaTeX of reference managers becomes the text that its authors wrote, and nothing is lost."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.corpus.latex import LONGEST, decode_latex


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"yarn {\textless}2 mm, {\textgreater}10 m", "yarn <2 mm, >10 m"),
        (r"{\textminus}4 and {\textpm}5 {\textmu}m", "−4 and ±5 μm"),
        (r"{\textalpha}-wool, {\textBeta}, \textgamma{}-ray", r"α-wool, \textBeta, γ-ray"),
        (r"{\pounds}3, \texteuro 4, {\textdegree}C, {\textbar}", "£3, €4, °C, |"),
        (r"\mbox{wool} \textsf{silk} \underline{hemp} \ce{H2O}", "wool silk hemp H2O"),
        (r"after ~20 rows, Fig.~3", "after ~20 rows, Fig.\xa03"),
        (r"{\~{}}20 and 2\^{}3", "~20 and 2^3"),
        (r"50% of S&P, 50\% of S\&P", "50% of S&P, 50% of S&P"),
        (r"H\textsubscript{2}O, CO$_2$, CO$_{\textrm{2}}$, $\mathrm{CO}_2$", "H2O, CO2, CO2, CO2"),
        (r"10$^{-3}$, 10\textsuperscript{6}, 5\textsuperscript{th}, $^{13}$C", "10⁻³, 10⁶, 5th, 13C"),
        (r"37$^\circ$C, 5 $\mu$m, $\beta$-wool, $p$ $<$ 0.05, $\pm$3", "37°C, 5 μm, β-wool, $p$ < 0.05, ±3"),
        (r"$-4$ points, $95\%$, $<0.05$, $p = 0.03$, $n=12$", "−4 points, 95%, <0.05, p = 0.03, n=12"),
        (r"$x_i < y$ and $O(n \log n)$ and $E=mc^2$", r"$x_i < y$ and $O(n \log n)$ and $E=mc^2$"),
        (
            r"50\%{wool}, S\&{P}, \{{a}, b\}, \alpha{S}, \textcopyright{Mug}",
            "50%wool, S&P, {a, b}, αS, ©Mug",
        ),
        (
            r"see \cite{knit} in \unknown[a]{b}{c} on \today",
            r"see \cite{knit} in \unknown[a]{b}{c} on \today",
        ),
        (r"\href{https://a.b}{our site}, \url{https://a.b}", "our site, https://a.b"),
        (r"G{\"o}del, {\'{\i}}, Erd{\H o}s, \c{c}", "Gödel, í, Erdős, ç"),
    ],
)
def test_commands_become_what_they_say(written, text):
    """Symbols, fonts, indices and accents become text; formulas and unknown commands stay as they are written."""
    assert decode_latex(written) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"\SI{5}{\milli\gram}", "5 mg"),
        (r"\qty{9.8}{\metre\per\second\squared}", "9.8 m/s²"),
        (r"\SI{20}{\degreeCelsius}, \SI{5}{\percent}", "20 °C, 5%"),
        (r"\SIrange{5}{10}{\micro\metre}", "5–10 μm"),
        (r"\qty{-4}{\kelvin}, \SI{3}{\newton\metre}", "−4 K, 3 N m"),
        (r"\num{5 +- 0.1}, \ang{45}, \si{\kg}, \SI{7}{mg}", "5 ± 0.1, 45°, kg, 7 mg"),
        (r"\qty{7}{\stitch}", r"\qty{7}{\stitch}"),
    ],
)
def test_quantities_are_shown_with_their_units(written, text):
    """The commands of siunitx become a number with its unit; one with an unknown unit stays as it is written."""
    assert decode_latex(written) == text


_PIECES = st.sampled_from(
    [
        *r"{ } $ \ ~ % & _ ^ [ ] # ' ` -- \\ \foo \emph{ \SI{ \textless \mbox{ \begin{itemize} \item \' $_ \( \)".split(
            " "
        ),
        " ",
    ]
)


@given(st.lists(_PIECES | st.from_regex(r" w[0-9]{2} ", fullmatch=True), max_size=30).map("".join))
def test_no_word_vanishes(written):
    """A word stays, whatever LaTeX is around it."""
    words = re.findall(r" (w\d\d) ", written)
    # An accent before a word is put on its first letter.
    text = unicodedata.normalize("NFKD", decode_latex(written)).replace("\u0301", "")
    assert all(word in text for word in words)


def test_a_text_too_long_for_the_parser_stays():
    """A text longer than any abstract is not parsed."""
    text = r"\emph{wool} " * LONGEST
    assert decode_latex(text) == text
