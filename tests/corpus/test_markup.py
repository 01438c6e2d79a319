"""HTML, JATS, MathML and entities become their text; text that only looks like them stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.corpus.markup import strip_markup


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ("H<sub>2</sub>O and <i>Ovis aries</i> in <b>wool</b>", "H2O and Ovis aries in wool"),
        ("H<inf>2</inf>O, <SUP>13</SUP>C, 10<sup>6</sup>, 10<sup>-3</sup> m", "H2O, 13C, 10⁶, 10⁻³ m"),
        ("p &lt; 0.05 &amp; q &gt; 3&#x2014;so &#945; &plusmn; 1", "p < 0.05 & q > 3—so α ± 1"),
        ("p &amp;lt; 0.05, &lt;i&gt;Ovis&lt;/i&gt;", "p < 0.05, Ovis"),
        ("<p>We knit.</p><p>We purl.</p>", "We knit. We purl."),
        ("We knit.<br/>We purl.<p>We rest.", "We knit. We purl. We rest."),
        (
            "<jats:title>Abstract</jats:title><jats:sec><jats:title>Methods</jats:title><jats:p>We knit.</jats:p>"
            "</jats:sec>",
            "Methods: We knit.",
        ),
        ("<h4>Aim</h4>To knit.<h4>Results: </h4>Warm.", "Aim: To knit. Results: Warm."),
        ("<scp>DNA</scp> <ce:italic>x</ce:italic> <jats:xref ref-type='bibr'>1</jats:xref>", "DNA x 1"),
        ('<a href="https://a.b">ours</a> <!-- no --><img src="x.png"/><![CDATA[<i>yes</i>]]>', "ours yes"),
        ("a cut <i>Ovis and <jats:italic>aries", "a cut Ovis and aries"),
    ],
)
def test_known_tags_go_and_entities_are_decoded(marked, text):
    """Tags inside a line join, those that end one part, headings get a colon, and what is escaped twice is text."""
    assert " ".join(strip_markup(marked).split()) == text


@pytest.mark.parametrize(
    "text",
    [
        "a<b and c>d, if i<b and c>d then n<N",
        "<x, y> and <x,y> and <5% of List<int> and vector<float>",
        "the tokens <s>, </s>, <pad> and <mask>, and the <title> tag",
        "mail <wilma@wool.org> or <https://wool.org>",
        "AT&T, R&D; and ?a=1&copy=2",
        "x <- y -> z <= w, and the mean <p> of it",
    ],
)
def test_what_is_no_markup_stays(text):
    """Comparisons, brackets, type names, tokens, addresses and ampersands are text."""
    assert strip_markup(text) == text


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("<mml:math><mml:mi>p</mml:mi><mml:mo>&lt;</mml:mo><mml:mn>0.05</mml:mn></mml:math>", "p<0.05"),
        ("<math><msup><mn>10</mn><mn>6</mn></msup></math>", "10⁶"),
        ("<math><mfrac><mi>a</mi><mi>b</mi></mfrac><mo>&#x2264;</mo><mi>&alpha;</mi></math>", "a/b≤α"),
        (
            "<alternatives><tex-math>$x$</tex-math><mml:math><mml:msub><mml:mi>x</mml:mi><mml:mn>1</mml:mn></mml:msub>"
            "</mml:math></alternatives>",
            "x1",
        ),
        (r"\documentclass[12pt]{minimal}\begin{document}$$x^2$$\end{document}", "$x^2$"),
        ("<math><mi>x</mi><mo>broken</math>", "x broken"),
    ],
)
def test_formulas_in_mathml_become_text(formula, text):
    """Powers, indices and fractions keep their meaning; TeX beside MathML does not say it again."""
    assert " ".join(strip_markup(f"So <p>{formula}</p>").split()) == f"So {text}"


@given(
    st.lists(
        st.sampled_from([*"<>&;/ =\"'", "i", "sub", "math", "mml:", "lt", "#x3C", "<!--", "-->", "word"])
    )
)
def test_any_scraps_become_text(pieces):
    """No scraps of markup raise, and no word is lost, except inside a comment or a tag."""
    text = "".join(pieces)
    assert isinstance(strip_markup(text), str)
