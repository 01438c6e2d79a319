"""Verdicts: what rules decide, what the model says, and which of the models decides."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rag_qa
from rag_qa.answering.logistic import LogisticModel
from rag_qa.answering.verdict import model as verdict_model
from rag_qa.answering.verdict.features import Features, compare
from rag_qa.answering.verdict.model import (
    NO_CONTENT,
    NO_EVIDENCE,
    NOT_STATED,
    VERBATIM,
    Verifier,
    label_of,
    open_verifier,
    with_reading,
)
from rag_qa.errors import ModelNotFoundError
from rag_qa.settings import Settings
from rag_qa.testing import HashingEmbedder
from rag_qa.types import Verdict

QUOTE = "We train ResNet-50 on ImageNet and reach 76.3% accuracy after 90 epochs with three random seeds."
CLAIM = "EigenGame finds the top components without orthogonalisation, and it does not need a central server."
MODEL = tomllib.loads(Path(verdict_model.__file__).with_name("verdict.toml").read_text("utf-8"))
FITTED = "all-MiniLM-L6-v2"


@pytest.fixture
def judge():
    """The judge by words alone: the hashing embedder is not the fitted one."""
    return Verifier(HashingEmbedder()).judge


@pytest.mark.parametrize(
    "sentence",
    [
        QUOTE,
        QUOTE.upper(),
        "ResNet-50 on ImageNet and reach 76.3% accuracy after 90 epochs",
        "  We train ResNet-50 on   ImageNet and reach 76.3% accuracy after 90 epochs with three random seeds ",
    ],
)
def test_a_verbatim_sentence_is_supported(sentence):
    """A sentence that is in its source word for word is supported without any embedding."""
    embedder = HashingEmbedder(name=FITTED)
    assert Verifier(embedder).judge(sentence, ["Another sentence stands here.", QUOTE]) == VERBATIM
    assert embedder.encoded == []


def test_a_part_that_leaves_a_negation_out_is_not_verbatim(judge):
    """What a quote denies is not supported by it, though it has the same words."""
    verdict = judge("The model is robust to noise.", ["We do not claim that the model is robust to noise."])
    assert verdict.label == "unsupported"
    assert "says what the source denies (“not”)" in verdict.reasons


@pytest.mark.parametrize(
    "asks", ["To examine whether bees dance in the dark", "They say if bees dance in the dark"]
)
def test_what_a_quote_only_asks_about_is_not_verbatim(judge, asks):
    """A sentence that asks whether something holds does not say that it does; the next clause says what it says."""
    assert judge("Bees dance in the dark.", [f"{asks}; wasps were filmed."]) != VERBATIM
    assert judge("Wasps were filmed.", [f"{asks}; wasps were filmed."]) == VERBATIM


@pytest.mark.parametrize(
    "asks",
    ["We ask whether at 0.5 degrees", "We ask whether at 12.5 degrees", "It is not known if, e.g. at night,"],
)
def test_an_abbreviation_or_a_decimal_does_not_end_what_is_asked(judge, asks):
    """What stands behind "whether" is asked up to the end of the clause, and not up to any full stop."""
    assert judge("Bees dance in the dark.", [f"{asks} bees dance in the dark."]) != VERBATIM


def test_what_a_quote_asks_and_then_says_is_verbatim(judge):
    """A sentence that first asks about something and then says it is a quote of it."""
    quote = "Whether bees dance in the dark was unknown; we show that bees dance in the dark."
    assert judge("Bees dance in the dark.", [quote]) == VERBATIM


@pytest.mark.parametrize(
    ("verdict", "inside", "label"),
    [
        (Verdict(label="supported", probability=0.6), 0.99, "supported"),
        (Verdict(label="supported", probability=0.6), 0.02, "unsupported"),
        (Verdict(label="partial", probability=0.4, reasons=("why",)), 0.95, "supported"),
        (Verdict(label="partial", probability=0.4, reasons=("why",)), 0.2, "partial"),
    ],
)
def test_a_reading_moves_a_verdict_either_way(verdict, inside, label):
    """What a language model holds inside counts, and is kept; a verdict against the sentence has a reason."""
    found = with_reading(verdict, inside)
    assert (found.label, found.read) == (label, inside)
    assert found.reasons == (() if label == "supported" else verdict.reasons or (NOT_STATED,))


@pytest.mark.parametrize(
    "verdict", [VERBATIM, Verdict(label="unsupported", probability=0.1, reasons=("a number",))]
)
def test_a_reading_does_not_move_what_is_certain(verdict):
    """A verbatim quote stays supported, and a number that is not in the source stays unsupported."""
    assert (
        with_reading(verdict, 0.99) == with_reading(verdict, 0.01) == with_reading(verdict, None) == verdict
    )


def test_a_part_of_a_word_is_not_verbatim(judge):
    """A sentence that ends within a word of the source is no quote of it."""
    assert judge("The net has 5", ["The net has 50 layers of neurons."]) != VERBATIM


@pytest.mark.parametrize(
    ("sentence", "evidence"),
    [
        ("ResNet-50 reaches an accuracy of 76.3% on ImageNet after 90 epochs.", [QUOTE]),
        ("After 90 epochs the accuracy reached is 76.3%.", [QUOTE]),
        ("Trained with 3 random seeds, ResNet-50 reaches 76.3% accuracy.", [QUOTE]),
        ("The corpus holds 128353 papers.", ["Our corpus holds 128,353 papers."]),
        ("EigenGame does not need a central server.", [CLAIM]),
        ("ResNet-50 is trained on ImageNet. EigenGame does not need a server.", [QUOTE, CLAIM]),
    ],
)
@pytest.mark.parametrize("name", ["hashing", FITTED])
def test_a_paraphrase_is_supported(sentence, evidence, name):
    """Other word order, inflection and number writing keep a sentence supported, by words and by vectors."""
    verdict = Verifier(HashingEmbedder(name=name)).judge(sentence, evidence)
    assert verdict.label == "supported", verdict
    assert 0.5 <= verdict.probability <= 1.0


@pytest.mark.parametrize(
    ("sentence", "evidence", "reason"),
    [
        ("We train ResNet-50 on ImageNet and reach 78.3% accuracy.", QUOTE, "says “78.3” where the source says “76.3”"),
        ("The accuracy is 95%, on ImageNet, with ResNet-50.", QUOTE, "the number 95% is not in the source"),
        ("We train ResNet-50 on ImageNet for 90 epochs, five times.", QUOTE, "the number 5 is not in the source"),
        ("It has two million weights.", "It has two billion weights.", "the number 2 million is not in the source"),
        ("VGG reaches 76% here.", "ResNet reaches 76% here.", "says “VGG” where the source says “ResNet”"),
        ("EigenGame does need a central server.", CLAIM, "says what the source denies (“not”)"),
        ("The loss doesn\u2019t converge here.", "The loss does converge here.", "denies (“not”) what the source says"),
        ("Dropout decreases error.", "Dropout increases error.", "says “decreases” where the source says “increases”"),
    ],
)  # fmt: skip
def test_a_changed_fact_is_unsupported(judge, sentence, evidence, reason):
    """A number, unit, subject, negation or direction that the source does not have is a reason against support."""
    verdict = judge(sentence, [evidence])
    assert verdict.label == "unsupported"
    assert reason in verdict.reasons
    assert verdict.probability <= MODEL["ruled_out"]


def test_a_foreign_name_is_partial_at_most(judge):
    """A sentence that the source holds except for a name is not supported, and the reason has the name."""
    verdict = judge("We train ResNet-50 on CIFAR and reach 76.3% accuracy after 90 epochs.", [QUOTE])
    assert verdict.label == "partial"
    assert "the source does not name CIFAR" in verdict.reasons


def test_a_third_of_foreign_words_is_partial_at_most(judge):
    """A sentence that adds much to its source is not called supported."""
    verdict = judge("Three random seeds on ImageNet make accuracy grow steadily everywhere.", [QUOTE])
    assert verdict.label == "partial"
    assert "the source does not have the words make, grow, steadily, everywhere" in verdict.reasons


def test_initials_are_no_foreign_name(judge):
    """An acronym of words in the source is known by it."""
    verdict = judge(
        "PCA finds the main directions.", ["Principal component analysis finds the main directions."]
    )
    assert verdict.label == "supported"


def test_without_a_source_nothing_is_supported(judge):
    """No evidence, blank evidence and foreign evidence support nothing."""
    assert judge("Networks generalise well.", []) == judge("Networks generalise well.", [" "]) == NO_EVIDENCE
    assert judge("Networks generalise well.", ["An unrelated sentence about soup."]).label == "unsupported"


@pytest.mark.parametrize("sentence", ["", " ", ".", "It is.", "[7]", "\U0001f600"])
def test_a_sentence_without_content_is_unsupported(judge, sentence):
    """A sentence that says nothing is never called supported."""
    assert judge(sentence, [QUOTE]) == NO_CONTENT


def test_missing_words_are_named(judge):
    """A sentence that is not supported says which of its words the source lacks."""
    verdict = judge("Penguins swim in the cold southern sea.", [QUOTE])
    assert verdict.label == "unsupported"
    (reason,) = verdict.reasons
    assert reason.startswith("the source does not have the words penguins, swim, cold, southern, sea")


def test_only_what_is_cited_counts(judge):
    """Support is judged against the cited quotes only, so a wrong citation supports nothing."""
    assert judge("EigenGame does not need any central server.", [QUOTE]).label == "unsupported"


TEXT = st.text(max_size=80)
WORDY = st.lists(
    st.sampled_from("We the not no 5 5% 7.5 BERT increases decreases [1] . , and loss model".split())
)


@given(sentence=TEXT | WORDY.map(" ".join), evidence=st.lists(TEXT | WORDY.map(" ".join), max_size=3))
def test_any_text_gets_a_verdict(sentence, evidence):
    """No text makes the judge fail; probabilities lie between 0 and 1, and an unsupported one has a reason."""
    verdict = Verifier(HashingEmbedder(name=FITTED)).judge(sentence, evidence)
    assert 0.0 <= verdict.probability <= 1.0
    assert verdict.label == "supported" or verdict.reasons


@given(before=st.lists(TEXT, max_size=2), quote=TEXT.filter(lambda text: text.strip(" \n.!?").split()))
def test_a_whole_quote_is_always_supported(before, quote):
    """Any sentence that is one of its quotes is supported."""
    if " ".join(quote.casefold().split()).rstrip(".!? "):
        assert Verifier(HashingEmbedder()).judge(quote, [*before, quote]) == VERBATIM


@given(number=st.integers(min_value=13, max_value=10**6).filter(lambda n: n != 90))
def test_a_number_of_nowhere_is_never_supported(number):
    """Whatever else agrees, a number that no evidence holds makes a sentence unsupported."""
    sentence = QUOTE.replace("90", str(number))
    if str(number) not in {"50", "76.3"}:
        assert Verifier(HashingEmbedder(name=FITTED)).judge(sentence, [QUOTE]).label == "unsupported"


# --- what the evidence speaks of

TITLE = "GraspNet: picking up cups with 7 joints"
SAYS_IT = "It picks up a cup in 95% of the trials."


@pytest.mark.parametrize("name", ["hashing", FITTED])
def test_names_words_and_numbers_of_a_title_are_known(name):
    """A sentence may name what its source calls "it", with the name and numbers of the paper's title."""
    judge = Verifier(HashingEmbedder(name=name)).judge
    sentence = "GraspNet with 7 joints picks up a cup in 95% of the trials."
    assert judge(sentence, [SAYS_IT]).label == "unsupported"
    assert judge(sentence, [SAYS_IT], context=[TITLE]).label == "supported"


@pytest.mark.parametrize(
    "sentence",
    [
        "GraspNet picks up a cup in 85% of the trials.",
        "GraspNet does not pick up a cup in 95% of the trials.",
        "DexNet picks up a cup in 95% of the trials.",
        "GraspNet opens seventeen doors of an unlit house in winter.",
    ],
)
@pytest.mark.parametrize("name", ["hashing", FITTED])
def test_a_title_supports_nothing_else(name, sentence):
    """With the title known, another number, a denial, another name and other words are still not supported."""
    verdict = Verifier(HashingEmbedder(name=name)).judge(sentence, [SAYS_IT], context=[TITLE])
    assert verdict.label != "supported"
    assert verdict.reasons


def test_a_title_is_no_evidence():
    """What only the title says is not supported if nothing is cited, and a quote needs no title."""
    judge = Verifier(HashingEmbedder()).judge
    assert judge("GraspNet picks up cups with 7 joints.", [], context=[TITLE]) == NO_EVIDENCE
    assert judge(SAYS_IT, [SAYS_IT], context=[TITLE]) == VERBATIM


def test_sentences_are_embedded_under_their_title():
    """The fitted embedder reads each source under the title, given once however many are from that paper."""
    embedder = HashingEmbedder(name=FITTED)
    Verifier(embedder).judge("GraspNet lifts a cup.", [SAYS_IT], context=[TITLE, TITLE])
    assert f"{TITLE}: {SAYS_IT}" in embedder.encoded
    assert SAYS_IT not in embedder.encoded


def test_the_public_function_takes_the_context():
    """`rag_qa.judge` knows what the context says."""
    sentence = "GraspNet picks up a cup in 95% of the trials."
    labels = [
        rag_qa.judge(sentence, [SAYS_IT], context=context, embedder=HashingEmbedder()).label
        for context in ((), (TITLE,))
    ]
    assert labels == ["partial", "supported"]


# --- the model and its file

# Probabilities by the file as it ships, of our own sentences, with the hashing embedder under both names.
PINNED = [
    ("EigenGame finds components without a server.", [CLAIM], (0.7669, 0.8434)),
    ("Accuracy on ImageNet grows with the number of epochs and seeds.", [QUOTE], (0.6078, 0.5748)),
    ("The components are found in parallel on many machines.", [QUOTE, CLAIM], (0.2205, 0.3051)),
]


@pytest.mark.parametrize(("sentence", "evidence", "expected"), PINNED)
def test_shipped_coefficients_give_these_probabilities(sentence, evidence, expected):
    """A change of a coefficient or of a feature fails here: then fit again, and record these again."""
    found = tuple(
        Verifier(HashingEmbedder(name=name)).judge(sentence, evidence).probability for name in (FITTED, "x")
    )
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(("title", "embedder"), [("alike", HashingEmbedder(name=FITTED)), ("words", None)])
def test_the_probability_is_that_of_its_model(title, embedder):
    """With similarities the model `alike` decides, without them the model `words`."""
    features = compare(PINNED[1][0], PINNED[1][1], embedder).features
    table = MODEL[title]
    model = LogisticModel(intercept=table["intercept"], coefficients=table["coefficients"])
    found = verdict_model.support_probability(features, alike=title == "alike")
    assert found == model.probability(features.model_dump())


def test_the_file_says_what_it_was_fitted_on():
    """The coefficients come with the command, the data's names and hashes, the embedder and the scores."""
    text = Path(verdict_model.__file__).with_name("verdict.toml").read_text("utf-8")
    assert "python eval/fit/verdict.py" in text
    for name in ("attributionbench.dev", "scifact_pairs.dev"):
        assert f"# data: {name}, " in text
        assert f"# alike: {name}: balanced accuracy" in text
    assert text.count("SHA-256") >= 2
    assert MODEL["embedder"] == FITTED
    assert MODEL["alike"]["coefficients"].keys() <= Features.model_fields.keys()
    assert not MODEL["words"]["coefficients"].keys() & {"explained", "part_similarity"}


@pytest.mark.parametrize(
    ("probability", "label"), [(1.0, "supported"), (0.3, "partial"), (0.0, "unsupported")]
)
def test_labels_are_ranges_of_probability(probability, label):
    """If no rule applies, the probability alone decides the label."""
    assert label_of(probability) == label


# --- the public function, and a judge of entailment


def test_the_public_function_opens_no_embedder_for_a_quote(monkeypatch):
    """`rag_qa.judge` decides quotes and missing evidence without looking for a model."""
    monkeypatch.setattr(verdict_model, "_default", lambda: pytest.fail("no embedder is needed"))
    assert rag_qa.judge(QUOTE, [QUOTE]) == VERBATIM
    assert rag_qa.judge(QUOTE, []) == NO_EVIDENCE


def test_the_public_function_takes_an_embedder():
    """With an embedder given, `rag_qa.judge` uses that one."""
    embedder = HashingEmbedder(name=FITTED)
    assert rag_qa.judge("Accuracy grows.", [QUOTE], embedder=embedder).label in ("partial", "unsupported")
    assert embedder.encoded


@pytest.mark.model
def test_the_public_function_finds_the_embedder_itself():
    """Without one it opens the embedder of the settings."""
    assert rag_qa.judge("ResNet-50 gets to 76.3% on ImageNet in 90 epochs.", [QUOTE]).label == "supported"


class Says:
    """A judge of entailment that always says the same."""

    def __init__(self, probability):
        self.verdict = Verdict(label=label_of(probability), probability=probability, reasons=("read",))
        self.contexts = []

    def judge(self, sentence, evidence, *, context=()):
        self.contexts.append(tuple(context))
        return self.verdict


def test_an_entailment_model_decides_if_no_rule_does():
    """With a judge of entailment its verdict counts, but a rule still overrules it."""
    yes, no = (Verifier(HashingEmbedder(), Says(p)).judge for p in (0.9, 0.1))
    assert yes("Neural nets learn pictures.", [QUOTE]).probability == 0.9
    assert no("ResNet-50 reaches 76.3% accuracy.", [QUOTE]).label == "unsupported"
    assert yes("We reach 95% accuracy on ImageNet.", [QUOTE]).label == "unsupported"


def test_an_entailment_model_is_given_the_context():
    """The titles of the papers cited reach the judge of entailment too."""
    says = Says(0.9)
    Verifier(HashingEmbedder(), says).judge("Neural nets learn pictures.", [QUOTE], context=("On nets",))
    assert says.contexts == [("On nets",)]


def test_a_missing_entailment_model_is_an_error(tmp_path):
    """A folder without a model is an error that names the setting to change."""
    with pytest.raises(ModelNotFoundError, match="RAG_QA_ENTAILMENT"):
        open_verifier(Settings(entailment=tmp_path), HashingEmbedder())
