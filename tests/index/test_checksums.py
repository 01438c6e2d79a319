"""Files of a part are compared with their checksums where they are read."""

from contextlib import nullcontext

import numpy as np
import pytest

from rag_qa.errors import IndexDamagedError
from rag_qa.index.checksums import BLOCK, check_folder, open_array, read_array, read_json, seal

CURE = r"matrix\.npy is not as it was built; run `rag-qa doctor"
ROWS = 3 * BLOCK // 24


@pytest.fixture
def part(tmp_path):
    """A sealed part with a matrix of three blocks, a sorted array and a JSON file."""
    folder = tmp_path / "index" / "derived" / "1" / "part"
    folder.mkdir(parents=True)
    np.save(folder / "matrix.npy", np.arange(ROWS * 3, dtype=np.float64).reshape(ROWS, 3))
    np.save(folder / "sorted.npy", np.arange(0, 40_000, 2))
    (folder / "ids.json").write_text('["a", "b"]')
    seal(folder)
    return folder


def flip(path, at):
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 4]))


def test_it_reads_as_numpy_does(part):
    """Rows, ranges, single rows and the whole array are those of the file."""
    array, plain = open_array(part, "matrix.npy"), np.load(part / "matrix.npy")
    rows = np.array([0, ROWS - 1, 5, 2_730, 2_731])
    assert np.array_equal(array[rows], plain[rows])
    assert np.array_equal(array[5:9_000], plain[5:9_000])
    assert np.array_equal(array[7], plain[7])
    assert np.array_equal(np.asarray(array), plain)
    assert (array.shape, len(array)) == (plain.shape, len(plain))
    assert np.array_equal(read_array(part, "matrix.npy"), plain)
    assert read_json(part, "ids.json") == ["a", "b"]
    check_folder(part)


def test_it_bisects_as_numpy_does(part):
    """A search in a sorted array finds what numpy finds, at both ends too."""
    values = np.array([-1, 0, 1, 19_998, 39_998, 39_999, 40_001])
    expected = np.searchsorted(np.load(part / "sorted.npy"), values)
    assert open_array(part, "sorted.npy").search(values).tolist() == expected.tolist()


@pytest.mark.parametrize("block", [0, 1, 2, 3])
def test_damage_is_told_where_it_is_read(part, block):
    """A flipped bit is an error for the rows of its block, and for no others; in the first one for all."""
    flip(part / "matrix.npy", block * BLOCK + 100)
    for row, blocks in ((20, {0}), (2_728, {0, 1}), (4_000, {0, 1}), (7_000, {0, 2}), (ROWS - 1, {0, 3})):
        with pytest.raises(IndexDamagedError, match=CURE) if block in blocks else nullcontext():
            open_array(part, "matrix.npy")[row : row + 5]
    with pytest.raises(IndexDamagedError, match="matrix"):
        check_folder(part)


@pytest.mark.parametrize("damage", [b"", b"[", b'["a", "c"]'])
def test_a_json_file_is_told(part, damage):
    """A JSON file that is empty, cut off or another one is an error."""
    (part / "ids.json").write_bytes(damage)
    with pytest.raises(IndexDamagedError, match="ids"):
        read_json(part, "ids.json")


def test_a_file_that_is_gone_is_told(part):
    """A missing file is an error, whichever way it is read."""
    for name, read in (("ids.json", read_json), ("matrix.npy", open_array), ("sorted.npy", read_array)):
        (part / name).unlink()
        with pytest.raises(IndexDamagedError, match=name):
            read(part, name)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xfe"])
def test_damaged_checksums_are_told(part, damage):
    """If the checksums themselves are damaged, nothing is read unchecked."""
    (part / "checksums.json").write_bytes(damage)
    with pytest.raises(IndexDamagedError, match="checksums"):
        open_array(part, "matrix.npy")


def test_a_part_without_checksums_is_read(part):
    """A part that an older version wrote is read unchecked."""
    (part / "checksums.json").unlink()
    flip(part / "matrix.npy", 2 * BLOCK)
    assert open_array(part, "matrix.npy")[5:8_000].shape == (7_995, 3)
    check_folder(part)
