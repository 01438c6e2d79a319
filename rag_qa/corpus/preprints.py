"""Which DOIs and venues are those of preprint servers."""

import re
from functools import lru_cache

# DOI prefixes of preprint servers. 10.1101 publishes journals too, so its preprints need the date.
PREPRINT_DOI = re.compile(
    r"10\.(?:48550/arxiv|1101/(?:\d{4}\.\d\d\.\d\d\.|\d{6}(?!\d))|64898/|2139/ssrn|21203/rs|31234/|31219/|31235/|31222/"
    r"|31223/|31224/|31225/|31226/|31227/|31228/|31229/|31230/|31231/|31232/|31233/|31236/|31237/|31730/|35542/|32942/"
    r"|20944/preprints|26434/chemrxiv|36227/techrxiv|22541/(?:au|essoar)|1002/essoar|33774/|1590/scielopreprints"
    r"|2196/preprints|7287/peerj\.preprints|12074/|51094/jxiv|1149/osf|14293/s2199-1006\.1\.sor-pp)"
)
_PREPRINT_VERSION = re.compile(r"[./\-_]?v\d{1,3}$")
# Names of preprint servers in a venue field.
_SERVER = re.compile(
    r"(?:[a-z]{0,12}rxiv|ssrn|social science research network|research ?square|preprints(?:\W+org)?|authorea"
    r"|earth and space science open archive|(?:iacr )?cryptol(?:ogy)?\W+eprint arch(?:ive)?)(?:\W.*)?"
    r"|corr(?:\W+(?:vol\w*\W+)?abs\b.*)?|computing research repository|vixra|essoar|osf(?: preprints?)?"
    r"|cent(?:er|re) for open science|cold spring harbor laboratory"
    r"|open science framework|cambridge open engage|(?:peerj|scielo|jmir) preprints|preprint",
    re.IGNORECASE,
)


def is_preprint_doi(doi: str) -> bool:
    """Return whether a DOI (bare, lower case) belongs to a preprint server."""
    return PREPRINT_DOI.match(doi) is not None


@lru_cache(maxsize=4096)
def is_preprint_venue(venue: str) -> bool:
    """Return whether a venue is a preprint server."""
    return _SERVER.fullmatch(venue.strip()) is not None


def without_version(doi: str) -> str:
    """Return a preprint's DOI without its version number."""
    return _PREPRINT_VERSION.sub("", doi)


def is_preprint(venue: str | None, doi: str | None, arxiv_id: str | None) -> bool:
    """Return whether a record is of a preprint server only, with no DOI or venue of a publisher."""
    if (doi and not is_preprint_doi(doi)) or (venue and not is_preprint_venue(venue)):
        return False
    return bool(doi or venue or arxiv_id)
