import os
import stat

import pytest

from rag_qa.files import folder_mode, is_plain_name, make_private_folder, mode_of, owner_only, set_modes


def mode(path):
    """The permission bits of a path, in octal."""
    return f"{stat.S_IMODE(path.stat().st_mode):o}"


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct, autouse=True)
def mask(request):
    """Each usual umask in turn."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_a_new_file_is_its_users_alone_and_an_old_one_keeps_its_mode(tmp_path):
    """The opener gives a file that it creates the mode 600; a file that was there keeps the mode that it had."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch()
    old.chmod(0o644)
    for path in (old, new):
        with open(path, "w", opener=owner_only) as file:
            file.write("x")
    assert (mode(old), mode(new)) == ("644", "600")


def test_every_folder_that_is_made_on_the_way_is_private(tmp_path):
    """Missing folders are made with mode 700; one that was there keeps its mode."""
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path / "a" / "b")
    make_private_folder(tmp_path / "a" / "b")
    assert [mode(path) for path in (tmp_path, tmp_path / "a", tmp_path / "a" / "b")] == ["755", "700", "700"]


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path):
    """A folder cannot be made where a file is."""
    (tmp_path / "a").touch()
    with pytest.raises(FileExistsError):
        make_private_folder(tmp_path / "a")


def test_modes_reach_everything_in_a_folder(tmp_path):
    """A folder gets the mode at which readers of its files can enter it; a missing path is passed over."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").touch()
    set_modes([tmp_path / "a", tmp_path / "missing"], 0o640)
    assert [mode(path) for path in sorted((tmp_path / "a").rglob("*"))] == ["750", "640"]
    assert mode(tmp_path / "a") == "750"


@pytest.mark.parametrize(
    ("files", "folders"), [(0o600, "700"), (0o640, "750"), (0o644, "755"), (0o660, "770")]
)
def test_whoever_may_read_may_enter(files, folders):
    """The mode of a folder follows from that of its files."""
    assert f"{folder_mode(files):o}" == folders


def test_without_a_file_its_mode_is_private(tmp_path):
    """The mode beside a file that is missing is that of its owner."""
    assert mode_of(tmp_path / "missing") == 0o600


@pytest.mark.parametrize(
    "name", ["a.json", "a b.json", "é 论文.json", "\u0646\u200c\u0645.json", "a\udcff.json"]
)
def test_usual_names_are_plain(name, tmp_path):
    """Blanks, any script, joiners within a word, and bytes of an old encoding may be in a name."""
    assert is_plain_name(tmp_path / name)


@pytest.mark.parametrize(
    "name", ["\x1b[31mred", "a\nb", "\x9b2J", "a\x7f", "gpj\u202eexe", "\u2066a", "a\u2028b"]
)
def test_names_that_act_are_not(name, tmp_path):
    """Control characters, line separators and what changes the direction of text may not."""
    assert not is_plain_name(tmp_path / name)
