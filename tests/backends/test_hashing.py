import hashlib

from rag_qa.backends import hashing
from rag_qa.backends.hashing import file_sha256, read_memory, write_memory


def test_the_hash_is_that_of_the_bytes(tmp_path):
    """A file's hash is the SHA-256 of its bytes, with or without a memory."""
    file, memory = tmp_path / "weights", tmp_path / "cache" / "hashes.json"
    file.write_bytes(b"abc")
    expected = hashlib.sha256(b"abc").hexdigest()
    assert file_sha256(file, memory=memory) == expected
    assert file_sha256(file, memory=memory) == expected


def test_a_known_file_is_not_read_again(tmp_path):
    """The second call takes the hash from the memory instead of reading the file."""
    file, memory = tmp_path / "weights", tmp_path / "hashes.json"
    file.write_bytes(b"abc")
    file_sha256(file, memory=memory)
    write_memory(memory, dict.fromkeys(read_memory(memory), "remembered"))
    assert file_sha256(file, memory=memory) == "remembered"


def test_a_changed_file_is_read_again(tmp_path):
    """A file of another size or time is hashed anew."""
    file, memory = tmp_path / "weights", tmp_path / "hashes.json"
    file.write_bytes(b"abc")
    before = file_sha256(file, memory=memory)
    file.write_bytes(b"abcd")
    assert file_sha256(file, memory=memory) != before


def test_a_damaged_memory_only_costs_time(tmp_path):
    """A memory that is no JSON, or cannot be written, does not prevent the hash."""
    file, memory = tmp_path / "weights", tmp_path / "hashes.json"
    file.write_bytes(b"abc")
    expected = hashlib.sha256(b"abc").hexdigest()
    for broken in ("{broken", "[" * 100_000):
        memory.write_text(broken)
        assert file_sha256(file, memory=memory) == expected
    assert file_sha256(file, memory=file / "no-folder" / "hashes.json") == expected


def test_a_user_without_a_home_has_no_memory(tmp_path, monkeypatch):
    """Where there is no home for a memory, the hash is taken each time."""

    def homeless(name):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(hashing, "user_cache_path", homeless)
    file = tmp_path / "weights"
    file.write_bytes(b"abc")
    assert file_sha256(file) == hashlib.sha256(b"abc").hexdigest()
