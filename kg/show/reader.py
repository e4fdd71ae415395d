"""Reads assertions with everyone who relays them, and puts them into sentences.

No sentence speaks in the graph's own voice: each starts with whoever makes the outermost
assertion known, and goes inwards from mouth to mouth.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyoxigraph as ox

from kg.documents import AttachedText
from kg.engine import Engine, Term
from kg.namespaces import PREFIXES, expand, shorten
from kg.rows import select, string
from kg.show.page import Line, left_out

# Everything the given assertions relay, and everyone who relays them, however far away.
_STATEMENTS = """
SELECT DISTINCT ?assertion ?property ?value WHERE {
  { SELECT DISTINCT ?assertion WHERE {
      VALUES ?seed { $about }
      ?seed a ?class .  # for Virtuoso 7, which begins no path at VALUES alone
      { ?seed kg:relays* ?assertion } UNION { ?assertion kg:relays+ ?seed }
  } }
  ?assertion ?property ?value .
  VALUES ?property {
    kg:speaker kg:affirms kg:denies kg:doubts kg:asks kg:concedes kg:concessionMode
    kg:presupposed kg:relays kg:commitment kg:rendering
  }
} ORDER BY ?assertion ?property ?value
"""

_LABELS = """
SELECT ?thing ?label WHERE {
  VALUES ?thing { $about }
  VALUES (?property ?rank) {
    (rdfs:label 1) (foaf:name 2) (dcterms:title 3) (doap:name 4) (kg:subjectLine 5)
  }
  ?thing ?property ?label .
  # Not as IF(...): Virtuoso 7 stops answering anybody at LANG within IF (docs/remote.md).
  BIND(LANG(?label) IN ("en", "") AS ?readable)
} ORDER BY ?thing DESC(?readable) ?rank ?label
"""

STANCES = {
    "affirms": "says that",
    "denies": "denies that",
    "doubts": "doubts that",
    "asks": "asks whether or why",
    "concedes": "grants that",
}
_COMMITMENTS = {"Endorses": "says, endorsing it, that", "Rejects": "says, rejecting it, that"}


_COMMIT = re.compile("commit-[0-9a-f]{40}")
_COMMIT_NAME = len("commit-") + 12  # as many digits as git abbreviates to in a large repository

# Words that a gloss may begin with and that lose their capital inside a sentence.
_SMALL = re.compile(
    r"(?:The|A|An|There|It|This|That|These|Those|Some|All|No|Many|Most|Nobody|Somebody|"
    r"Everybody|People|Pull request)\b"
)


@dataclass
class Statement:
    """An assertion as far as a sentence needs it."""

    speaker: str = ""
    stance: str = ""
    proposition: str = ""
    relays: list[str] = field(default_factory=list)
    commitment: str = ""
    rendering: str = ""
    presupposed: bool = False
    arguendo: bool = False


class Reader:
    """Answers the pages' questions about names, assertions and texts, each asked once."""

    def __init__(self, engine: Engine, base: str, texts: Mapping[str, AttachedText] | None) -> None:
        self.engine = engine
        self.base = base
        self.texts = texts
        self.statements: dict[str, Statement] = {}
        self._relayed_by: dict[str, list[str]] = {}
        self._labels: dict[str, str] = {}

    def select(self, query: str, *about: str) -> list[dict[str, Term]]:
        """Run a SELECT about these IRIs; see ``kg.rows.select``."""
        return select(self.engine, query, about if "$about" in query else None)

    def column(self, query: str, column: str, *about: str) -> list[str]:
        """Return the distinct values of one column, in order."""
        values = (string(row, column) for row in self.select(query, *about))
        return list(dict.fromkeys(value for value in values if value))

    def short(self, iri: str) -> str:
        """Return the short name of an IRI; of a commit as many digits as one would type."""
        short = shorten(iri, self.base)
        return short[:_COMMIT_NAME] if _COMMIT.fullmatch(short) else short

    def name(self, iri: str) -> str:
        """Return what a thing is called, for people: its label, else its short name."""
        if iri not in self._labels:
            self.learn_names([iri])
        return self._labels[iri]

    def full_name(self, iri: str) -> str:
        """Return the name with the short name one can pass on to ``kg show``."""
        name, short = self.name(iri), self.short(iri)
        return short if name == short else f"{name} ({short})"

    def learn_names(self, iris: Iterable[str]) -> None:
        """Fetch the labels of many things in one question; a literal is its own name."""
        wanted = [iri for iri in dict.fromkeys(iris) if iri not in self._labels]
        for row in self.select(_LABELS, *filter(_is_iri, wanted)):
            self._labels.setdefault(string(row, "thing"), string(row, "label"))
        for iri in wanted:
            self._labels.setdefault(iri, _words(self.short(iri)))

    def learn(self, assertions: Iterable[str]) -> None:
        """Fetch assertions with all they relay, all who relay them, and every name in them."""
        wanted = [iri for iri in dict.fromkeys(assertions) if iri not in self.statements]
        for row in self.select(_STATEMENTS, *wanted):
            self._note(string(row, "assertion"), string(row, "property"), string(row, "value"))
        for iri in wanted:
            self.statements.setdefault(iri, Statement())
        self._relayed_by = {}
        for iri in sorted(self.statements):
            for relayed in self.statements[iri].relays:
                self._relayed_by.setdefault(relayed, []).append(iri)
        known = self.statements.values()
        self.learn_names(iri for one in known for iri in (one.speaker, one.proposition) if iri)

    def _note(self, iri: str, property_iri: str, value: str) -> None:
        statement = self.statements.setdefault(iri, Statement())
        local = property_iri.removeprefix(expand("kg:"))
        if local in STANCES:
            statement.stance, statement.proposition = local, value
        elif local == "relays":
            if value not in statement.relays:
                statement.relays.append(value)
        elif local == "speaker":
            statement.speaker = value
        elif local == "presupposed":
            statement.presupposed = value in ("true", "1")
        elif local == "concessionMode":
            statement.arguendo = value == expand("kg:ForTheSakeOfArgument")
        elif local in ("commitment", "rendering"):
            setattr(statement, local, value.removeprefix(expand("kg:")))

    def relayers(self, iri: str) -> list[str]:
        """Return the assertions that relay this one directly; ``learn`` it first."""
        return self._relayed_by.get(iri, [])

    def path(self, iri: str) -> list[str]:
        """Return the shortest way from an assertion nobody relays down to this one.

        In a cycle, which the shapes forbid, it starts as far out as it got.
        """
        above: dict[str, str | None] = {iri: None}
        queue = deque([iri])
        end = iri
        while queue:
            end = queue.popleft()
            outer = [one for one in self.relayers(end) if one not in above]
            if not self.relayers(end):
                break
            for one in outer:
                above[one] = end
                queue.append(one)
        path: list[str] = []
        step: str | None = end
        while step is not None:
            path.append(step)
            step = above[step]
        return path

    def says(self, iri: str) -> str:
        """Return who says and how, without what: ``Ana says that``."""
        statement = self.statements[iri]
        who = self.name(statement.speaker) if statement.speaker else "somebody unnamed"
        if statement.relays:
            return f"{who} {_COMMITMENTS.get(statement.commitment, 'says that')}"
        if statement.presupposed and statement.stance == "affirms":
            return f"{who} takes for granted that"
        if statement.arguendo and statement.stance == "concedes":
            return f"{who} grants for the sake of argument that"
        return f"{who} {STANCES.get(statement.stance, 'says something about')}"

    def gloss(self, proposition: str) -> str:
        """Return the gloss of a proposition as it stands inside a sentence."""
        gloss = self.name(proposition).rstrip(".")
        return gloss[0].lower() + gloss[1:] if _SMALL.match(gloss) else gloss

    def clause(self, iri: str, seen: frozenset[str] = frozenset()) -> str:
        """Return what one assertion says, without who relays it."""
        statement = self.statements[iri]
        if statement.proposition:
            return f"{self.says(iri)} {self.gloss(statement.proposition)}"
        if len(statement.relays) == 1 and statement.relays[0] not in seen | {iri}:
            return f"{self.says(iri)} {self.clause(statement.relays[0], seen | {iri})}"
        who = self.name(statement.speaker) if statement.speaker else "somebody unnamed"
        stands = {"Endorses": " and endorses", "Rejects": " and rejects"}
        relays = f"relays{stands.get(statement.commitment, '')}"
        return f"{who} {relays} {len(statement.relays)} statements of others"

    def sentence(self, iri: str) -> str:
        """Return an assertion with everyone through whom it is heard."""
        self.learn([iri])
        path = self.path(iri)
        sentence = " ".join([*(self.says(outer) for outer in path[:-1]), self.clause(path[-1])])
        others = len(self.relayers(iri)) - 1
        return f"{sentence} (and relayed {others} more times)" if others > 0 else sentence

    def line(self, iri: str, *children: Line, before: str = "") -> Line:
        """Return an assertion as a line: its short name and its sentence."""
        return Line(f"{self.short(iri)}: {before}{self.sentence(iri)}", iri, children)

    def lines(self, assertions: Iterable[str], limit: int | None = None) -> tuple[Line, ...]:
        """Return assertions as lines; beyond ``limit`` one line says how many more there are."""
        every = list(dict.fromkeys(assertions))
        shown = every[:limit]
        self.learn(shown)
        return (*map(self.line, shown), *left_out(len(every) - len(shown)))


def _words(short: str) -> str:
    """Return a vocabulary's term without a label in words: ``foaf:maxNumber`` as ``max number``."""
    prefix, colon, local = short.partition(":")
    if not colon or prefix not in PREFIXES:
        return short
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", local).lower()


def _is_iri(value: str) -> bool:
    try:
        ox.NamedNode(value)
    except ValueError:
        return False
    return True
