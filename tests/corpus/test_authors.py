"""Authors from strings, lists and mappings: people and groups whole, and nothing that is no author."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_qa.corpus.authors import leaves_out, read_authors

PEOPLE = ("Wilma Weaver", "Lou Mug")


@pytest.mark.parametrize(
    "value",
    [
        "Wilma Weaver, Lou Mug, et al.",
        "Wilma Weaver, Lou Mug et al",
        "Weaver, Wilma; Mug, Lou; others",
        "Weaver, Wilma and Mug, Lou and others",
        "Wilma Weaver, Lou Mug, ...",
        "Wilma Weaver, Lou Mug, …",
        "Wilma Weaver, Lou Mug…",
        "Wilma Weaver, Lou Mug et al. (2021)",
        "['Wilma Weaver', 'Lou Mug', 'et al.']",
        ["Weaver, Wilma", "Mug, Lou", "al., et"],
        ["Weaver, Wilma", "Mug, Lou", "[...]"],
        {"author": ["Wilma Weaver", "Lou Mug", "others"]},
        "Wilma Weaver, Lou Mug and 12 others",
        ["Weaver, Wilma", "Mug, Lou", "et al."],
        [{"literal": "Wilma Weaver"}, {"literal": "Lou Mug"}, {"literal": "others"}],
        [["Weaver", "Wilma", ""], ["Mug", "Lou", ""], ["et al.", "", ""]],
    ],
)
def test_those_left_out_are_no_authors(value):
    """ "et al.", "others" and dots stand for people and are none; that they are there is known."""
    assert (read_authors(value), leaves_out(value)) == (PEOPLE, True)


@pytest.mark.parametrize(
    "value",
    ["Wilma Weaver, Lou Mug", ["Wilma Weaver", "Bo Rothers"], [{"family": "Mug"}], "Cathal", None, []],
)
def test_a_whole_list_leaves_nobody_out(value):
    """A list that ends in a name is whole."""
    assert not leaves_out(value)


@pytest.mark.parametrize("value", ["nan", ["None"], "[No authors listed]", "[No author name available]"])
def test_words_for_no_author_are_no_name(value):
    """Words that tools write for "no author" give no names."""
    assert read_authors(value) == ()


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("Weaver W, van der Mug L.", ("W Weaver", "L van der Mug")),
        ("Weaver W, The Wool Group.", ("W Weaver", "The Wool Group")),
        ("Weaver, W., Mug, L.", ("W. Weaver", "L. Mug")),
        ("King Jr.", ("King Jr.",)),
    ],
)
def test_a_full_stop_behind_a_list_is_of_no_name(value, names):
    """PubMed ends its lists in a full stop, which is not that of an initial."""
    assert read_authors(value) == names


@pytest.mark.parametrize(
    "value",
    [
        "Weaver, Wilma; Mug, Lou;",
        "Weaver, Wilma (57190000000); Mug, Lou (5)",
        "Wilma Weaver1,2*, Lou Mug†",
        "Wilma Weaver|Lou Mug",
        "Wilma Weaver & Lou Mug",
        "['Wilma Weaver', 'Lou Mug']",
        "['Wilma Weaver' 'Lou Mug']",
        '["Weaver, Wilma", "Mug, Lou"]',
        "[{'name': 'Wilma Weaver'}, {'name': 'Lou Mug'}]",
        ["Weaver, Wilma; Mug, Lou"],
        [{"author": {"display_name": "Wilma Weaver"}}, {"author": {"display_name": "Lou Mug"}}],
        [{"firstName": "Wilma", "lastName": "Weaver"}, {"given-names": "Lou", "surname": "Mug"}],
        {"author": [{"keyname": "Weaver", "forenames": "Wilma"}, {"keyname": "Mug", "forenames": "Lou"}]},
        [{"creatorType": "editor", "name": "Ed"}, {"name": "Weaver, Wilma"}, {"name": "Lou Mug"}],
    ],
)
def test_lists_of_every_form_are_split(value):
    """Separators, ids behind names, lists in cells and mappings of every source give the same names."""
    assert read_authors(value) == PEOPLE


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("Centers for Disease Control and Prevention", ("Centers for Disease Control and Prevention",)),
        ("Food and Drug Administration; Mug, L.", ("Food and Drug Administration", "L. Mug")),
        ("Wilma Weaver and the Mug Study Group", ("Wilma Weaver", "the Mug Study Group")),
        ("Wilma Weaver, ATLAS Collaboration", ("Wilma Weaver", "ATLAS Collaboration")),
        (["National Heart, Lung, and Blood Institute"], ("National Heart, Lung, and Blood Institute",)),
        ([{"literal": "The Wool, Yarn and Knit Club"}], ("The Wool, Yarn and Knit Club",)),
    ],
)
def test_groups_stay_whole(value, names):
    """The "and" and the commas in a group's name part nothing."""
    assert read_authors(value) == names


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("van der Mug, Lou Ann", ("Lou Ann van der Mug",)),
        ("King, Martin, Jr.", ("Martin King Jr.",)),
        (["King, III, Martin"], ("Martin King III",)),
        ("King, M., Jr., Mug, L.", ("M. King Jr.", "L. Mug")),
        ([{"family": "Mug", "given": "Lou", "non-dropping-particle": "van der"}], ("Lou van der Mug",)),
        ([{"family": "King", "given": "Martin", "suffix": "Jr."}], ("Martin King Jr.",)),
        ("Weaver WJ, Mug L", ("WJ Weaver", "L Mug")),
        ("Xi LI", ("Xi LI",)),
        ("Wei Wang 0001", ("Wei Wang",)),
        ("王伟；李娜", ("王伟", "李娜")),
        ("王伟, 李娜", ("王伟", "李娜")),
    ],
)
def test_parts_of_names_are_kept_in_order(value, names):
    """Particles, suffixes, initials behind a name and names in Chinese come out as they are said."""
    assert read_authors(value) == names


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (["Ann Mug0001", "Ann Mug0002"], ("Ann Mug0001", "Ann Mug0002")),
        (["Last0007, First0007"], ("First0007 Last0007",)),
        ("Author 1; Author 2; Author 13", ("Author 1", "Author 2", "Author 13")),
        (["Lou Mug", "Wei Wang 0001", "Wei Wang 0002"], ("Lou Mug", "Wei Wang 0001", "Wei Wang 0002")),
        (["Lou Mug1*", "Wilma Weaver1", "Wei Wang 0001"], ("Lou Mug", "Wilma Weaver", "Wei Wang")),
        (["Lou Mug", "Lou Mug"], ("Lou Mug",)),
    ],
)
def test_numbers_that_tell_names_apart_are_kept(value, names):
    """Footnote marks and database numbers are removed, unless two names of a list would become one."""
    assert read_authors(value) == names


VALUES = st.recursive(
    st.none()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["et al.", "A, B", "and", ";", "['", "Jr.", ",,"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "family", "given", "author", "literal", "role"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(VALUES)
def test_anything_gives_names_or_none(value):
    """Any value of an author field gives names with at least one letter, each once."""
    names = read_authors(value)
    assert len(set(names)) == len(names)
    assert all(any(c.isalpha() for c in name) for name in names)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (["Kurt G&ouml;del"], ("Kurt Gödel",)),
        ("G&ouml;del, Kurt; Weaver, Wilma", ("Kurt Gödel", "Wilma Weaver")),
        ("Kurt G&#246;del and Wilma Weaver", ("Kurt Gödel", "Wilma Weaver")),
        (["A \x1b]0;owned\x07 B"], ("A B",)),
    ],
)
def test_a_semicolon_of_an_entity_or_an_escape_parts_no_names(value, names):
    """Entities and terminal escapes are resolved before a list is split at its semicolons."""
    assert read_authors(value) == names


USUAL = ["Wilma Weaver", "J. Mug", "Wei Li", "Jan Černocký", "Ann-Marie van Mug", "Lou M. Mug-Wool"]
UNUSUAL = [
    "And Lou Mug",
    "Jane Others",
    "And Others",
    "Et Al",
    "Foo Etal",
    "Xi LI",
    "Mug LM",
    "Mug, Lou",
    "Bo X; Al Y",
]


@given(st.lists(st.sampled_from([*USUAL, *UNUSUAL, "Mug Study Group"]), min_size=1, max_size=4))
def test_usual_names_are_read_like_others(names):
    """The quick way for lists of usual names gives what the long one gives, which a blank before the first compels."""
    quick = read_authors(names)
    assert quick == read_authors([" " + names[0], *names[1:]])
