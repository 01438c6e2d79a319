"""The page's files: nothing in them needs the network or breaks a strict policy."""

import re
from html.parser import HTMLParser
from importlib.resources import files

PAGE = files("rag_qa") / "app" / "service" / "page"
SCRIPTS = {file.name: file.read_text("utf-8") for file in PAGE.iterdir() if file.name.endswith(".js")}


class Tags(HTMLParser):
    """The tags of a document, and the texts of its scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.inline = []
        self._inside = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._inside = tag

    def handle_data(self, data):
        if self._inside in ("script", "style") and data.strip():
            self.inline.append(data)


def test_the_document_holds_no_inline_script_or_style():
    """No script, style or handler stands in the document itself."""
    document = Tags((PAGE / "index.html").read_text("utf-8"))
    names = {name for _, attributes in document.tags for name in attributes}
    assert document.inline == []
    assert not {name for name in names if name == "style" or name.startswith("on")}


def test_what_the_document_loads_is_here():
    """Every script, style and icon is one of our own files."""
    document = Tags((PAGE / "index.html").read_text("utf-8"))
    loaded = [a.get("src") or a.get("href") for tag, a in document.tags if tag in ("script", "link", "img")]
    assert len(loaded) >= 4
    assert all((PAGE / name).is_file() for name in loaded)


def test_scripts_make_no_markup_of_texts():
    """No script puts text in as markup or code."""
    assert len(SCRIPTS) > 5
    for name, text in SCRIPTS.items():
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text
        ), name


def test_scripts_import_what_is_there():
    """Every module that a script imports is one of our own, and has what is imported."""
    for text in SCRIPTS.values():
        for wanted, name in re.findall(r'import \{([^}]*)\} from "\./([^"]+)"', text):
            for one in wanted.split(","):
                assert re.search(rf"export (async )?(function\*?|class|const) {one.strip()}\b", SCRIPTS[name])
        assert not re.search(r'from "(?!\./)', text)
