"""XML exports of libraries and archives."""

import pytest

PUBMED = """<?xml version="1.0" ?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle//EN" "https://dtd.nlm.nih.gov/pubmed.dtd">
<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID Version="1">123</PMID><Article><Journal><JournalIssue>
<PubDate>
<MedlineDate>2020 Mar-Apr</MedlineDate></PubDate></JournalIssue><Title>Journal of wool</Title></Journal>
<ArticleTitle>Knitting CO<sub>2</sub>.</ArticleTitle><Abstract>
<AbstractText Label="BACKGROUND">Wool is warm.</AbstractText>
<AbstractText Label="RESULTS">We knit (<i>p</i> &lt; 0.01).</AbstractText>
<CopyrightInformation>(c) 2020</CopyrightInformation>
</Abstract><AuthorList><Author><LastName>Weaver</LastName><ForeName>Wilma</ForeName></Author><Author>
<CollectiveName>Wool
Group</CollectiveName></Author></AuthorList></Article></MedlineCitation><PubmedData><ArticleIdList>
<ArticleId IdType="pubmed">123</ArticleId>
<ArticleId IdType="doi">10.5555/w</ArticleId></ArticleIdList><ReferenceList><Reference><ArticleIdList>
<ArticleId IdType="doi">10.5555/other</ArticleId></ArticleIdList></Reference></ReferenceList></PubmedData>
</PubmedArticle>
</PubmedArticleSet>"""
OAI = """<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>
<record><header><identifier>oai:arXiv.org:2101.00001</identifier></header><metadata>
<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>Knitting</dc:title><dc:creator>Weaver, Wilma</dc:creator><dc:creator>Mug, Lou</dc:creator>
<dc:description>We knit.</dc:description><dc:description>Comment: 3 pages</dc:description>
<dc:date>2021-01-02</dc:date>
<dc:identifier>http://arxiv.org/abs/2101.00001</dc:identifier><dc:identifier>doi:10.5555/w</dc:identifier></oai_dc:dc>
</metadata></record><record><header status="deleted"><identifier>oai:x:2</identifier></header></record>
</ListRecords></OAI-PMH>"""
JATS = """<article><front><journal-meta><journal-title-group><journal-title>Journal of Wool</journal-title>
</journal-title-group>
</journal-meta><article-meta><article-id pub-id-type="doi">10.5555/w</article-id><title-group>
<article-title>Knitting <italic>in
vitro</italic></article-title></title-group><contrib-group><contrib contrib-type="author"><name>
<surname>Weaver</surname>
<given-names>Wilma</given-names></name></contrib><contrib contrib-type="author"><collab>Wool Group</collab></contrib>
<contrib contrib-type="editor"><name><surname>Ed</surname></name></contrib></contrib-group>
<pub-date pub-type="epub"><day>2</day>
<year>2021</year></pub-date><abstract><sec><title>Background</title><p>Wool is warm.</p></sec><sec>
<title>Results</title>
<p>We knit.</p></sec></abstract></article-meta></front><body><p>Full text.</p></body></article>"""
MODS = """<modsCollection xmlns="http://www.loc.gov/mods/v3"><mods ID="w"><titleInfo><title>Knitting</title>
</titleInfo>
<name type="personal"><namePart type="given">Wilma</namePart><namePart type="family">Weaver</namePart><role><roleTerm
type="text">author</roleTerm></role></name><name type="personal"><namePart type="given">Ed</namePart><role><roleTerm
type="text">editor</roleTerm></role></name><originInfo><dateIssued>2021-07</dateIssued></originInfo>
<abstract>We knit.</abstract>
<identifier type="doi">10.5555/w</identifier><relatedItem type="host"><titleInfo><title>Proceedings of Wool</title>
</titleInfo>
</relatedItem></mods></modsCollection>"""
ENDNOTE = """<xml><records><record><contributors><authors><author><style face="normal">Weaver, Wilma</style>
</author></authors>
</contributors><titles><title><style>Knitting</style></title><secondary-title><style>Journal of Wool</style>
</secondary-title>
</titles><dates><year><style>2021</style></year></dates><abstract><style>We knit.</style></abstract></record>
</records></xml>"""


def test_pubmeds_xml_is_read(read):
    """Labels, markup, groups, ids and a year in words arrive; ids of cited papers and copyright lines do not."""
    (paper,) = read(PUBMED).papers
    assert (paper.title, paper.abstract) == (
        "Knitting CO2",
        "BACKGROUND: Wool is warm. RESULTS: We knit (p < 0.01).",
    )
    assert (paper.authors, paper.venue, paper.year) == (
        ("Wilma Weaver", "Wool Group"),
        "Journal of wool",
        2020,
    )
    assert (paper.doi, paper.pmid) == ("10.5555/w", "123")


def test_oai_records_are_read(read):
    """Dublin Core from arXiv gives names, ids and the abstract without the comments; a deleted record is reported."""
    reading = read(OAI)
    (paper,) = reading.papers
    assert (paper.abstract, paper.authors, paper.year) == ("We knit.", ("Wilma Weaver", "Lou Mug"), 2021)
    assert (paper.arxiv_id, paper.doi) == ("2101.00001", "10.5555/w")
    assert [skip.record for skip in reading.skipped] == [2]


@pytest.mark.parametrize(
    ("text", "venue", "authors"),
    [
        (JATS, "Journal of Wool", ("Wilma Weaver", "Wool Group")),
        (MODS, "Proceedings of Wool", ("Wilma Weaver",)),
        (ENDNOTE, "Journal of Wool", ("Wilma Weaver",)),
    ],
    ids=["jats", "mods", "endnote"],
)
def test_other_exports_are_read(read, text, venue, authors):
    """JATS, MODS and EndNote's XML give title, abstract, authors, venue and year; editors are no authors."""
    (paper,) = read(text).papers
    assert paper.title.startswith("Knitting")
    assert paper.abstract.endswith("We knit.")
    assert (paper.authors, paper.venue, paper.year) == (authors, venue, 2021)


def test_documents_in_a_row_are_all_read(read):
    """Two XML documents that were joined are two papers."""
    assert len(read(PUBMED + "\n" + PUBMED.replace("123", "124")).papers) == 2


def test_a_damaged_document_gives_what_is_whole(read):
    """Records before the end of a truncated file are read, and the rest is reported."""
    cut = PUBMED.replace("</PubmedArticleSet>", "") + "\n<PubmedArticle><MedlineCitation><PMID>9</PMID>"
    reading = read(cut)
    assert [paper.pmid for paper in reading.papers] == ["123"]
    assert len(reading.skipped) == 1


def test_entities_are_refused(read):
    """A document that declares entities is not expanded."""
    record = "<record><abstract>&b;</abstract></record>"
    bomb = f'<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><records>{record}</records>'
    assert not read(bomb).papers
