"""The names that sources give to the fields of a paper, in one table: a new source needs a word here, not code.

Names are plain, as `plain_name` returns them: lower case, letters and digits only. The first name with a value is
used. A dotted name is a path into nested values: "primarylocation.source.displayname" (OpenAlex).
"""

from functools import lru_cache

# Searched in this order. "description" and "source" come last, because many tools use them for other things.
_NAMES = {
    "abstract": """
        abstract summary abstracttext abstractnote paperabstract text synopsis ab n2 oab
        abstractinvertedindex.invertedindex abstractinvertedindex indexedabstract.invertedindex
        abstracten abstracts.0.value abstracts englishabstract abstracttextabstract medlinecitation.article.abstract
        medlinecitation.otherabstractpublisher medlinecitation.otherabstract article.abstract bookdocument.abstract
        front.articlemeta.abstract teiheader.profiledesc.abstract descriptions.descriptionabstract
        descriptions.description transabstract otherabstract abstractde abstractfr dctermsabstract dcdescription
        description bodytext
    """,
    "title": """
        title papertitle displayname ti t1 articletitle documenttitle itemtitle titles titles.title metadata.title
        dctitle primarytitle maintitle titleen medlinecitation.article.articletitle
        medlinecitation.article.vernaculartitle bookdocument.articletitle bookdocument.book.booktitle
        front.articlemeta.titlegroup.articletitle teiheader.filedesc.titlestmt.title
        teiheader.filedesc.titlestmt.titlemain titleinfo.title originaltitle tt
    """,
    # Scopus and Web of Science give full names beside short ones.
    "authors": """
        authorfullnames authorsfullnames fau af authorsparsed authors author creators creator authorlist
        firstauthors au a1 authorships authorshipsauthordisplayname authorshipsrawauthorname
        authorfullname authfullname authfullnames authorstring authornames
        metadata.authors medlinecitation.article.authorlist.author medlinecitation.article.authorlistauthors.author
        bookdocument.authorlistauthors.author bookdocument.authorlist.author
        front.articlemeta.contribgroup.contribauthor front.articlemeta.contribgroup.contrib
        teiheader.filedesc.sourcedesc.biblstruct.analytic.author contributors.authors.author authors.seq.li.person
        contributors.personname dccreator namepersonal firstauthor authorsraw authorsrawaffiliation rawauthors
        authname
    """,
    # Groups among the authors, if a source keeps them in a separate field.
    "groups": """
        cn groupauthors ca corporateauthor corporateauthors namecorporate
    """,
    "year": """
        year published publicationyear pubyear publicationdate issued date updatedate py dp y1 da publishedyear
        yearpublished datepublished coverdate prismcoverdate publishedprint publishedonline publishtime
        produceddatey produceddateyi publicationdatey pubdate journalinfo.yearofpublication firstpublicationdate
        publicationinfo.year dcdate dateissued medlinecitation.article.journal.journalissue.pubdate
        medlinecitation.article.articledate bookdocument.book.pubdate bookdocument.contributiondate
        origininfo.dateissued front.articlemeta.pubdateppub front.articlemeta.pubdatecollection
        front.articlemeta.pubdateepub front.articlemeta.pubdate dates.year relateditemhost.origininfo.dateissued
        part.date teiheader.filedesc.publicationstmt.date dctermsdate created dep
    """,
    "venue": """
        venue journal journaltitles booktitle journalref containertitle journaltitle journalname conference sourcetitle
        publicationtitle publicationname fulljournalname journalbook publicationvenue.name
        primarylocation.source.displayname hostvenue.displayname pubname pubtitle
        jt ta so t2 jf jo ja j2 bt proceedingstitle
        conferencename eventtitle journalinfo.journal.title medlinecitation.article.journal.title
        publicationinfo.journaltitle medlinecitation.medlinejournalinfo.medlineta bookdocument.book.booktitle
        prismpublicationname front.journalmeta.journaltitlegroup.journaltitle front.journalmeta.journaltitle
        source.title titles.secondarytitle periodical.fulltitle ispartof.journal.title ispartof container.title
        relateditemhost.titleinfo.title teiheader.filedesc.sourcedesc.biblstruct.monogr.title pub journals.title
        venuename event meetingname proceeding series t3 maintitle primarylocation.rawsourcename journalabbreviation
        bibliographiccitation dcsource source
    """,
    "url": """
        url link urls paperurl openurl alternateurl ur primarylocation.landingpageurl articleurl landingpage urlabs
        sourceurls pdflink identifier dcidentifier l3 guid
    """,
    "doi": """
        doi di do digitalobjectidentifier
        dois dois.value doiid doiids prismdoi itemdoi externalids.doi ids.doi identifiers.doi
        pubmeddata.articleidlist.articleiddoi pubmedbookdata.articleidlist.articleiddoi lid aid
        front.articlemeta.articleiddoi electronicresourcenum identifierdoi identifier dcidentifier
        medlinecitation.article.elocationiddoi doilink doiurl m3 extra an
    """,
    "arxiv": """
        arxiv arxivid eprint externalids.arxiv ids.arxiv identifiers.arxiv arxiveprints.value archiveid identifierarxiv
    """,
    # The number of a paper in a database; a PubMed id if the database is PubMed.
    "accession": """
        an accessionnumber
    """,
    "database": """
        db databaseprovider database remotedatabasename databasename
    """,
    "pmid": """
        pmid pubmedid pm externalids.pubmed ids.pmid identifiers.pmid medlinepmid medlinecitation.pmid
        bookdocument.pmid front.articlemeta.articleidpmid identifierpmid pubmed
    """,
    # Free text in which reference managers keep ids under a label ("PMID: 12345678").
    "remarks": """
        extra note notes n1 annote
    """,
    # In Web of Science "ut" is the id, and "ID" holds keywords.
    "id": """
        ut utuniquewosid header.identifier id paperid docid corpusid pmid uid key citationkey eid
        medlinecitation.pmid bookdocument.pmid lensid publicationid recordid bibcode recordnumber
    """,
}
NAMES: dict[str, tuple[str, ...]] = {thing: tuple(names.split()) for thing, names in _NAMES.items()}

# Databases that tools write as the source of a paper, and that are not venues.
NOT_VENUES = frozenset(
    """
    agr cba cochranelibrary crossref ctx dblp dimensions embase eth europepmc googlescholar hir ieeexplore lens med
    medline mendeley na nan openalex pat pmc ppr pubmed sciencedirect scopus semanticscholar webofscience wos zotero
    """.split()
)

# Tags of line-based exports → names in the table above. A tag that is not listed is its own name.
RIS_TAGS = {
    "CA": "caption",
    "CN": "call number",
    "DP": "database provider",
    "ED": "editor",
    "TA": "translated author",
}
ENDNOTE_TAGS = {
    "0": "type", "8": "date", "9": "type of work", "A": "author", "B": "booktitle", "D": "year", "E": "editor",
    "J": "journal", "K": "keywords", "M": "accession number", "R": "doi", "T": "title", "U": "url", "W": "database",
    "X": "abstract", "Z": "notes", "~": "database",
}  # fmt: skip
WOS_TAGS = {"ID": "keywords plus", "DE": "keywords", "ED": "editor"}
MEDLINE_TAGS = {"ED": "editor", "FED": "editor", "IR": "investigator", "FIR": "investigator"}
# The tags of RIS; other words of two letters before a dash are text.
RIS_KNOWN = frozenset(
    """
    TY ER A1 A2 A3 A4 AB AD AN AU AV BT C1 C2 C3 C4 C5 C6 C7 C8 CA CN CP CT CY DA DB DI DO DP ED EP ET ID IS J1 J2 JA
    JF JO KW L1 L2 L3 L4 LA LB LK M1 M2 M3 N1 N2 NV OP PB PP PY RI RN RP SE SN SP ST SV T1 T2 T3 TA TI TT U1 U2 U3
    U4 U5 UR VL VO Y1 Y2
    """.split()
)
# In Web of Science each further line of these tags is another name.
NAME_TAGS = frozenset(("AU", "AF", "BA", "BF", "CA", "GP", "BE", "ED"))

# Parts of a name in CSL-JSON, Crossref, Zotero, PubMed, DataCite, S2ORC, JATS, arXiv's OAI and Zotero's RDF.
GIVEN = tuple("given first firstname forename forenames givenname givennames namepartgiven gn".split())
MIDDLE = ("middle", "middlename")
FAMILY = tuple("family last lastname familyname surname keyname namepartfamily sn".split())
DROPPING = ("droppingparticle",)
PARTICLE = ("nondroppingparticle", "prefix", "particle")
SUFFIX = ("suffix", "namesuffix", "generation")
# Keys of names that are shown unchanged.
LITERAL = tuple("literal collectivename collab collaboration consortium organization institution".split())
WHOLE = tuple(
    """
    displayname fullname name text creator authname creatorname stringname persname namepart author
    rawauthorname person value preferredname xmpfullname
    """.split()
)
# Words for "no author" of pandas, PubMed, Scopus and Crossref.
NO_NAMES = frozenset("nan none null noauthor noauthors noauthorslisted noauthornameavailable".split())
ROLE = ("creatortype", "role", "contribtype", "roleterm", "contributortype")
NOT_AUTHORS = frozenset(
    """
    advisor bookauthor collectioneditor containerauthor contributor editor edt interviewer recipient reviewedauthor
    reviewer serieseditor thesisadvisor translator trl
    """.split()
)

# The XML elements that are one record, in plain names.
XML_RECORDS = frozenset(
    """
    article booksection conferencepaper doc document entry incollection inproceedings item journalarticle manuscript
    mods paper phdthesis proceedings pubmedarticle pubmedbookarticle record report resource result tei thesis work
    """.split()
)


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Return a field name as the tables above spell it: lower case, letters and digits only."""
    return "".join(c for c in name.casefold() if c.isalnum())
