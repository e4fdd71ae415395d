"""Record facts in words: what entries amount to, with numbers and times as one says them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kg.engine import Term
from kg.in_words import counted
from kg.namespaces import expand
from kg.rows import number, string
from kg.show.reader import Reader

_FACTS = """
SELECT DISTINCT ?fact ?rule ?subject ?predicate ?object ?record ?within ?lines ?ofLines ?seconds
  ?leastSeconds ?mostSeconds ?commits ?ofCommits ?commitsKept ?linesKept ?path ?firstLine WHERE {
  VALUES ?fact { $about }
  ?fact rdf:subject ?subject ; rdf:predicate ?predicate ; rdf:object ?object .
  OPTIONAL { ?fact kg:rule ?rule }
  OPTIONAL { ?fact prov:wasDerivedFrom/prov:wasDerivedFrom?/kg:hasCommit?/kg:partOfRecord ?record }
  OPTIONAL { ?fact kg:within ?within }
  OPTIONAL { ?fact kg:lines ?lines }
  OPTIONAL { ?fact kg:ofLines ?ofLines }
  OPTIONAL { ?fact kg:seconds ?seconds }
  OPTIONAL { ?fact kg:leastSeconds ?leastSeconds }
  OPTIONAL { ?fact kg:mostSeconds ?mostSeconds }
  OPTIONAL { ?fact kg:commits ?commits }
  OPTIONAL { ?fact kg:ofCommits ?ofCommits }
  OPTIONAL { ?fact kg:commitsKept ?commitsKept }
  OPTIONAL { ?fact kg:linesKept ?linesKept }
  OPTIONAL { ?change kg:addsLines ?object ; kg:path ?path . ?object kg:firstLine ?firstLine }
} ORDER BY ?fact ?rule ?subject ?predicate ?object ?record
"""
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
# Relations whose object is a time and not a thing.
SPANS = {expand("kg:authoredOver"), expand("kg:committedOver")}


@dataclass(frozen=True)
class Fact:
    """What a record fact says: three names, and what its numbers add, in words.

    ``predicate`` is the IRI of the relation; ``parts`` are the words by the property that has the
    number, such as ``lines``, and ``within`` the name of a place.
    """

    subject: str
    relation: str
    object: str
    rule: str = ""
    record: str = ""
    predicate: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)

    def words(self, opening: str = "", closing: str = "") -> str:
        """Return it as a phrase, the things in it between ``opening`` and ``closing``."""
        subject, thing = (f"{opening}{name}{closing}" for name in (self.subject, self.object))
        told = (
            f"within {words}" if key == "within" else words for key, words in self.parts.items()
        )
        rest = f": {', '.join(told)}" if self.parts else ""
        return f"{subject} {self.relation} {thing}{rest}"


def facts_of(reader: Reader, facts: Iterable[str]) -> dict[str, Fact]:
    """Return record facts by IRI. Raises ``EngineError``."""
    rows = reader.select(_FACTS, *facts)
    columns = ("subject", "predicate", "object", "record", "within")
    reader.learn_names(string(row, key) for row in rows for key in columns if key in row)
    found: dict[str, Fact] = {}
    for row in rows:
        predicate = string(row, "predicate")
        thing = string(row, "object")
        if predicate in SPANS:
            thing = duration(number(row, "seconds") or 0)
        found.setdefault(
            string(row, "fact"),
            Fact(
                reader.name(string(row, "subject")),
                reader.name(predicate),
                thing if predicate in SPANS else reader.name(thing),
                string(row, "rule"),
                reader.name(string(row, "record")) if "record" in row else "",
                predicate,
                dict(_parts(reader, row)),
            ),
        )
    return found


def _parts(reader: Reader, row: dict[str, Term]) -> Iterator[tuple[str, str]]:
    if (lines := number(row, "lines")) is not None:
        yield "lines", _some(lines, number(row, "ofLines"), "line")
    if "path" in row:
        yield "path", f"from line {string(row, 'firstLine')} of {string(row, 'path')}"
    if "within" in row:
        yield "within", reader.name(string(row, "within"))
    if (made := number(row, "commits")) is not None:
        yield "commits", _some(made, number(row, "ofCommits"), "commit")
    if (commits := number(row, "commitsKept")) is not None:
        yield "commitsKept", counted(commits, "commit")
    if "linesKept" in row:
        share = float(string(row, "linesKept"))
        part = "all" if share == 1 else f"{100 * share:.0f} in 100"
        yield "linesKept", f"{part} of its added lines"
    if "leastSeconds" in row:
        least, most = (number(row, key) or 0 for key in ("leastSeconds", "mostSeconds"))
        between = "" if least == most else f"{duration(least)} to "
        yield "seconds", f"{between}{duration(most)} after being written"
    elif "seconds" in row and string(row, "predicate") not in SPANS:
        yield "seconds", f"by {duration(number(row, 'seconds') or 0)}"


def duration(seconds: int) -> str:
    """Return a time in its two largest units: ``1 day and 3 hours``; negative ones with a minus."""
    left = abs(seconds)
    counts = []
    for size, _ in _UNITS:
        count, left = divmod(left, size)
        counts.append(count)
    first = next((place for place, count in enumerate(counts) if count), len(counts))
    pairs = list(zip(counts, (unit for _, unit in _UNITS), strict=True))[first : first + 2]
    shown = [counted(count, unit) for count, unit in pairs if count] or ["no time"]
    return ("minus " if seconds < 0 else "") + " and ".join(shown)


def _some(count: int, every: int | None, one: str) -> str:
    return counted(count, one) if every is None else f"{count:,} of {counted(every, one)}"
