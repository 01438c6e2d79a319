"""Placeholders instead of abstracts: "No abstract available", a publisher's preview notice, one blurb for all papers.

English ones are recognised by whole sentences, so that a real abstract may say "available". In other languages a very
short text needs a word for abstract and a word for its absence. Unknown ones are found by repetition.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from rag_qa.corpus.ids import normalise_text
from rag_qa.types import Paper

# A longer text is more than a notice.
LONGEST_NOTICE = 400
LONGEST_PLACEHOLDER = 1200
# A text under this many titles without a common author describes none of them.
MANY_TITLES = 3

_NOTHING = re.compile(
    r"""n\s*/?\s*a|n\.\s*a|none|null|nil|nan|nd|n\.\s*d|tb[dac]|unknown|undefined|empty|blank|missing|pending|unavailable|absent
    |abstract|summary|abstracts|no\s+(?:data|text|description|content|preview|information|full\s+text|summary|abs)(?:\s+available)?
    |not?\s+(?:yet\s+)?(?:available|applicable|provided|specified|given|supplied|found|included|present|known)
    |(?:full[\s-]?text|pdf|article|content)(?:\s+(?:only|available|link|not\s+available))?|to\s+(?:follow|come|be\s+\w+)|coming\s+soon|forthcoming
    |item\s+does\s+not\s+contain\s+full\s?text|contains\s+full\s?text|(?:international|national)\s+audience|(?:non[\s-])?peer[\s-]?reviewed|published\s?version|accepted\s?version
    |(?:graphical|visual|video)\s+abstract|(?:unlabelled|unlabeled)?\s*image\s*\d*
    |editorial|erratum|corrigendum|preface|foreword|introduction|book\s+reviews?|letters?\s+to\s+the\s+editor|(?:first|front)\s+(?:page|matter)(?:\s+of\s+(?:the\s+)?article)?
    |lorem\s+ipsum.*|test(?:ing)?|todo|xx+|extract|string|text|insert\s+abstract\s+here|(?:your|enter\s+your|type\s+your)\s+abstract(?:\s+here)?
    |(?:error\s+)?(?:403|404|500|503)\b.{0,60}|(?:access\s+denied|page\s+not\s+found|forbidden)\b.{0,60}""",
    re.VERBOSE,
)
_SUMMARY = r"(?:abstracts?|extract|summary|summaries|synopsis|preview|description)"
_OBJECT = r"""(?:full[\s-]?text|full\s+(?:article|paper|version)|articles?|papers?|pdf|abstracts?|links?
    |publisher|web\s?site|web\s?page
    |pages?|title
    |here|content|document|file|journal|doi|below|above|image|subscription|account|editorial|extract|preview|text|html)"""
# Each alternative matches one sentence, in lower case and without its full stop.
_SENTENCES = re.compile(
    rf"""(?:sorry,?\s+|unfortunately,?\s+|note:?\s+)?(?:
    (?:there\s+(?:is|are|was|were)\s+)?(?:currently\s+)?(?:no|not\s+an?)\s+(?:\w+[\s-]){{0,2}}?{_SUMMARY}
        (?:\s*(?:$|[,;:(\-–]|(?:(?:is|are|was|were|has|have|could|can|will)\s+)?(?:been\s+|be\s+|currently\s+|yet\s+)*
            (?:available|provided|supplied|given|found|included|submitted|present|prepared|published|required|written|recorded|needed
            |possible|exists?|listed|received|for\s+(?:this|the)|text|on\s+file|at\s+this|in\s+(?:pubmed|crossref|scopus|medline|english|the))
            \b.*))
    |(?:an?\s+|the\s+|this\s+|your\s+|any\s+|english\s+|author\s+|our\s+)*{_SUMMARY}(?:\s+(?:of|for|to|in)\s+(?:this|the|that)\s+\w+|\s+text|\s+content|\s+for\s+\w+)?
        \s*[:\-–—]?\s*(?:(?:is|are|was|were|has|have|had|could|can|will)\s+)?(?:been\s+|be\s+|currently\s+|yet\s+|only\s+|also\s+|temporarily\s+)*
        (?:(?:not|n't|never)\s+(?:yet\s+|be\s+|been\s+|currently\s+)*(?:available|provided|supplied|given|found|included|submitted|present|required
            |applicable|possible|displayed|shown|accessible|published|written|specified|exist|recorded|loaded|retrieved)
          |unavailable|missing|absent|lacking|empty|withheld|omitted|embargoed|forthcoming|pending|removed|withdrawn|restricted|none|n/?a
          |(?:to\s+(?:follow|come|appear|be\s+(?:added|announced|published|provided|confirmed|determined|submitted)))|coming\s+soon
          |(?:available|accessible|found|provided|included|published|shown|viewed|seen|displayed)\s+(?:only\s+)?
           (?:up)?(?:on|from|in|at|by|via|to|for|with|through|as|after|elsewhere|online|here)\b)\b.*
    |(?:this|the)\s+(?:\w+\s+){{0,2}}?(?:article|paper|content|item|chapter|publication|document|letter|editorial|entry|record|work|book|title|contribution)
        \s+(?:(?:has|have|had|contains?|includes?|comes|is|was|does|do|did)\s+)(?:been\s+published\s+)?(?:no|not\s+(?:have|contain|include|provide|come\s+with)
            |n't\s+(?:have|contain|include)|without|lacking|lacks)\s+(?:an?\s+|any\s+)?(?:\w+\s+)?{_SUMMARY}\b.*
    |(?:this\s+(?:article|paper|content|item)\s+)?(?:doesn't|does\s+not)\s+have\s+(?:an?\s+)?{_SUMMARY}\b.*
    |(?:please\s+|to\s+(?:view|read|access|see|get)\b[^.]*?,?\s+(?:please\s+)?|for\s+(?:the\s+|an?\s+)?(?:full\s+)?{_SUMMARY}[^.]*?,?\s+(?:please\s+)?)?
        (?:click|tap)\s+(?:on\s+|here|the\s+|to\s+|below|above|button|link).*
    |(?:please\s+|for\s+[^.,]{{2,60}},?\s+(?:please\s+)?)?(?:see|refer\s+to|visit|view|read|consult|check|use|go\s+to|follow|download|access|open)\s+(?:the\s+|this\s+|our\s+|an?\s+|attached\s+|original\s+|complete\s+|published\s+|corresponding\s+|journal\s+|publisher's\s+|online\s+|pdf\s+|main\s+|our\s+)*
        {_OBJECT}(?:\s+(?:for|to|above|below|on|at|in|of|here|only|version|online|link|file|article|text|button|paper|page)\b.*)?
    |to\s+(?:view|read|access|see)\s+(?:the\s+|this\s+)?(?:full|rest|complete|entire|abstract|article|remainder)\b.*
        \b(?:click|request|visit|please|download|log|sign|subscri\w+|purchase|follow|see|go|use|links?|pdf|buy)\b.*
    |(?:the\s+)?(?:full[\s-]?text|full\s+article|full\s+paper|pdf|article)\s+(?:of\s+this\s+\w+\s+|for\s+this\s+\w+\s+)?(?:is|are|can\s+be)
        \s+(?:only\s+|also\s+)?(?:available|accessible|found|viewed|accessed|downloaded)\b.*
    |(?:the\s+)?authors?\s+(?:did\s+not|didn't|have\s+not|has\s+not|haven't)\s+(?:provided?|suppl\w+|submit\w*|includ\w+|written?)\s+(?:an?\s+|any\s+)?{_SUMMARY}.*
    |{_SUMMARY}\s*[(:\-–—]\s*(?:see|available|not|in|unavailable|none|n/?a|missing)\b.*
    |(?:the\s+|an?\s+)?{_SUMMARY}\s+(?:will|shall)\s+(?:soon\s+|follow|come|appear|be\s+(?:added|available|provided|published|announced|submitted|updated|posted|uploaded)).*
    |(?:{_OBJECT}\s+)?preview\s+(?:this|of\s+(?:this|the)\s+(?:article|paper|content|pdf)|has\s+been|is\s+(?:not|un)).*|this\s+is\s+(?:a|an)\s+(?:preview|excerpt|extract)\s+(?:of|from)\b.*
    |an?\s+{_SUMMARY}\s+is\s+not\s+available.*
    |the\s+first\s+(?:page|few\s+lines|\d+\s+words|paragraph)\b.*\b(?:appears?|displayed|shown|abstract|below|above|follows?|provided).*
    |(?:access|you|your|this|the)\b[^.]*\b(?:subscri\w+|log\s?in|sign\s?in|purchase|institution|entitle\w+|full\s+access|not\s+have\s+access|have\s+access\s+to\s+this|pay[\s-]?wall).*
    |(?:log|sign)\s?-?in\s+(?:to\s+(?:access|view|continue|read|see|check|your\s+account)|required|for|via|here|now|with)\b.*|(?:log|sign)\s?-?in|subscribe\s+(?:to|now|for)\b.*|register\s+(?:now|to|for\s+free)\b.*|get\s+(?:full\s+)?access.*|purchase\s+(?:access|this|the|pdf|article)\b.*|buy\s+(?:this|article|pdf|now)\b.*|rent\s+this\b.*
    |{_SUMMARY}\s+(?:only\s+)?available\b.*|abstract\s+in\s+\w+(?:\s+only)?|(?:article|paper|full\s+text|text)\s+(?:is\s+)?(?:only\s+)?(?:available\s+)?in\s+\w+(?:\s+only)?
    |(?:we|this\s+(?:web)?site|our\s+(?:web)?site)\s+uses?\s+cookies\b.*\b(?:site|website|experience|continue|consent|visitors?)\b.*|(?:please\s+)?(?:enable|turn\s+on)\s+(?:javascript|cookies).*|javascript\s+is\b.*|request\s+(?:the\s+)?(?:full[\s-]?text|abstract|pdf).*
    |{_SUMMARY}\s+(?:not|un)\s?available.*|without\s+(?:an?\s+)?{_SUMMARY}|lacks\s+(?:an?\s+)?{_SUMMARY}
    |(?:export|download|share|save)\s+(?:citation|pdf|article|references|reference).*
    |the\s+{_SUMMARY}\s+(?:of|for)\s+this\s+\w+\s+(?:is|was)\s+(?:not|un|missing).*
    )""",
    re.VERBOSE,
)
# Sentences that may follow a notice; alone they are not a placeholder.
_GOES_ON = re.compile(
    r"(?:please|as\s+you|a\s+pdf|full\s+(?:html|text)|to\s+|if\s+you|use\s+|you\s+|click|this\s+content|for\s+|log|sign|see\b|view\b|the\s+full|access\b|all\s+rights|©|copyright|full\s+article|only\s+)"
)
_STOP = re.compile(r"(?<=[.!?])\s+")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_PAGE_TURNER = re.compile(
    r"page\s+1\s+of\s+\d+\b.*(?:previous|next)\s+page|/docserver/preview/", re.IGNORECASE | re.DOTALL
)

# Stems of words for an abstract, and words for its absence, in other languages.
_SUMMARIES = tuple(
    """abstract abstrakt absztrakt resum résum resumen resumo riassunt sommario zusammenfassung kurzfassung
    inhaltsangabe samenvatting sammanfattning sammendrag resumé referat tiivistelm streszczeni abstrakt souhrn özet
    ozet abstrak rezumat περίληψη περιληψη аннотац реферат резюме анотац аннотация 摘要 抄録 要旨 要約 概要
    アブストラクト 초록 요약 ملخص الملخص چکیده תקציר sažetak povzetek összefoglal tóm បទ บทคัดย่อ सार""".split()
)
_ABSENCES = re.compile(
    r"""\b(?:no|not|non|sin|pas|aucun\w*|sans|indisponible|kein\w*|nicht|ohne|fehlt|sem|não|nao|indisponível|indisponivel|nessun\w*|senza|geen|niet
    |saknas|ingen|intet|ikke|ei|puuttuu|brak|bez|není|neni|niedostępn\w*|yok|bulunma\w*|değil|tidak|nincs|nem|indisponibil|fără|fara|δεν|нет|без
    |отсутству\w*|недоступ\w*|відсутн\w*|немає|не|nema|không|khong|n'est|n'y|לא|אין|manque|absent[ea]?|vacío|vazio)\b
    |无|暂无|没有|無|缺失|不可用|不详|略|なし|無し|ありません|参照|없음|없습니다|없다|لا\s|غير|ندارد|नहीं|ไม่มี""",
    re.VERBOSE,
)
_SHORT = 70
_SHORT_UNSPACED = 12
_FEW_WORDS = 9
_ABSENT_ALONE = frozenset(
    """无 暂无 無 なし 없음 略 нет keine kein ninguno aucun yok brak ingen geen nessuno sin none inget
    不明 非公開 同上 本文参照""".split()
)
_NOT_AVAILABLE = re.compile(
    r"(?:no|non|não|nao|nicht|niet|ikke|inte|nie|не|indis?poni[bv][ei]l\w*)\s*(?:disponi\w*|disponív\w*|verfügbar|vorhanden|beschikbaar|tilg\w+|tillgänglig\w*|dostępn\w*|доступ\w*)"
    r"|indisponible|indisponível|niedostępn\w*|недоступ\w*|mevcut\s+değil|tidak\s+tersedia|non\s+pervenuto"
)


def is_placeholder(text: str) -> bool:
    """Return whether a clean text is a placeholder and not an abstract."""
    if len(text) > LONGEST_NOTICE:
        known = "Page 1 of" in text or "/docserver/" in text
        return known and len(text) <= LONGEST_PLACEHOLDER and bool(_PAGE_TURNER.search(text))
    plain = _EDGES.sub("", text.casefold().replace("\u2019", "'"))
    if not plain or _NOTHING.fullmatch(plain) or plain in _ABSENT_ALONE or _PAGE_TURNER.search(plain):
        return True
    if len(plain) <= _SHORT and _absent_elsewhere(plain):
        return True
    first, *others = _STOP.split(plain)
    return bool(_SENTENCES.fullmatch(first.rstrip(".!?:;) "))) and all(
        _GOES_ON.match(other) or _SENTENCES.fullmatch(other.rstrip(".!?:;) ")) for other in others
    )


def _absent_elsewhere(plain: str) -> bool:
    """Return whether a short text in another language says that there is no abstract."""
    if _NOT_AVAILABLE.fullmatch(plain):
        return True
    if not plain.isascii() and " " not in plain and len(plain) > _SHORT_UNSPACED:
        return False
    named = plain.startswith(_SUMMARIES) or any(
        f" {stem}" in plain or (not stem.isascii() and stem in plain) for stem in _SUMMARIES
    )
    english = plain.isascii() and re.search(r"\b(?:the|of|is|and|for|we|in|an?|to|are)\b", plain)
    return (
        named
        and not english
        and len(plain.split()) <= _FEW_WORDS
        and bool(_ABSENCES.search(plain) or _NOT_AVAILABLE.search(plain))
    )


def repeated_texts(papers: Iterable[Paper]) -> frozenset[str]:
    """Return the abstracts that papers with many different titles and no common author share."""
    found: dict[str, list[Paper]] = defaultdict(list)
    for paper in papers:
        found[paper.abstract].append(paper)
    return frozenset(
        text for text, same in found.items() if len(same) >= MANY_TITLES and _describes_none(same)
    )


def _describes_none(papers: list[Paper]) -> bool:
    titles = {title for paper in papers if (title := normalise_text(paper.title))}
    authors = [{normalise_text(name) for name in paper.authors} for paper in papers if paper.authors]
    return len(titles) >= MANY_TITLES and not (authors and set.intersection(*authors))
