"""Content negotiation as RFC 9110, section 12.5, has it: types by q-value, codings likewise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

# (media type as sent, format of kg.results), the server's preference first.
Offer = tuple[str, str]

ROWS: tuple[Offer, ...] = (
    ("application/sparql-results+json", "json"),
    ("application/sparql-results+xml", "xml"),
    ("text/csv; charset=utf-8", "csv"),
    ("text/tab-separated-values; charset=utf-8", "tsv"),
    ("application/json", "json"),
    ("application/xml", "xml"),
    ("text/xml", "xml"),
)
GRAPHS: tuple[Offer, ...] = (
    ("text/turtle; charset=utf-8", "turtle"),
    ("application/n-triples", "nt"),
    ("application/ld+json", "jsonld"),
    ("application/rdf+xml", "rdfxml"),
    ("application/trig", "trig"),
    ("application/n-quads", "nq"),
    ("application/json", "jsonld"),
    ("application/xml", "rdfxml"),
    ("text/xml", "rdfxml"),
)
CODINGS = ("zstd", "br", "gzip")

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_RANGE = re.compile(rf"\s*({_TOKEN})/({_TOKEN})\s*")
_CODING = re.compile(rf"\s*({_TOKEN})\s*")
_PARAMETER = re.compile(rf"\s*;\s*(?:({_TOKEN})\s*=\s*({_TOKEN}|{_QUOTED}))?\s*")
_WEIGHT = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
# A header longer than this is not read but taken for "anything".
_LONGEST = 4096


def best(accept: str | None, offers: Sequence[Offer]) -> Offer | None:
    """Return the offer that an Accept header likes best, or ``None`` if it takes none.

    A type's weight is that of the most specific range that names it. Equal weights are settled by
    the order of ``offers``. No header, or one that cannot be read, takes anything.
    """
    return _best(_short(accept), offers)


@lru_cache(maxsize=1024)
def _best(accept: str | None, offers: Sequence[Offer]) -> Offer | None:
    ranges = _weights(accept, _RANGE)
    if not ranges:
        return offers[0]
    weighted = [(_of_type(media, ranges), -place) for place, (media, _) in enumerate(offers)]
    weight, place = max(weighted)
    return offers[-place] if weight > 0 else None


def coding(accept_encoding: str | None) -> str | None:
    """Return the content coding to use, or ``None`` for none."""
    return _coding(_short(accept_encoding))


@lru_cache(maxsize=256)
def _coding(accept_encoding: str | None) -> str | None:
    if not accept_encoding:
        return None
    weights: dict[str, float] = {}
    for groups, weight in _weights(accept_encoding, _CODING):
        weights[groups[0].lower()] = weight
    anything = weights.get("*", 0.0)
    plain = weights.get("identity", 0.0)
    weight, place = max((weights.get(name, anything), -n) for n, name in enumerate(CODINGS))
    return CODINGS[-place] if weight > 0 and weight >= plain else None


def _short(header: str | None) -> str | None:
    # Nor is it remembered: many of those would take much memory.
    return header if header and len(header) <= _LONGEST else None


def _weights(header: str | None, item: re.Pattern[str]) -> list[tuple[tuple[str, ...], float]]:
    """Read a list of weighted items; an item that cannot be read is left out."""
    if not header:
        return []
    found = []
    for part in _parts(header):
        match = item.match(part)
        if not match:
            continue
        weight, at = 1.0, match.end()
        while at < len(part) and (parameter := _PARAMETER.match(part, at)):
            name, value = parameter.groups()
            if name and name.lower() == "q":
                weight = float(value) if _WEIGHT.fullmatch(value) else 0.0
            at = parameter.end()
        if at == len(part):
            found.append((match.groups(), weight))
    return found


def _parts(header: str) -> list[str]:
    """Split at the commas that stand in no quoted string."""
    return [part for part in re.findall(rf"(?:{_QUOTED}|[^,\"])+", header) if part.strip()]


def _of_type(media: str, ranges: list[tuple[tuple[str, ...], float]]) -> float:
    kind, subtype = media.partition(";")[0].split("/")
    best_rank, best_weight = 0, 0.0
    for (wanted_kind, wanted_subtype), weight in ranges:
        wanted = wanted_kind.lower(), wanted_subtype.lower()
        rank = {(kind, subtype): 3, (kind, "*"): 2, ("*", "*"): 1}.get(wanted, 0)
        if rank > best_rank or (rank == best_rank and rank and weight > best_weight):
            best_rank, best_weight = rank, weight
    return best_weight
