"""Invented disputes of any size, written in bounded memory from a seed.

Every kind of statement of the model is in them, in shares like those of a dispute that somebody
encoded: all stances, chains of reports up to five deep, personas and judgements of them, scopes,
times, citations, moves for and against, passages that are withheld or state nothing, and a record
with commits that were made again. A corpus is made of blocks of about a hundred assertions, one
document each; two neighbouring blocks put the cases of the two parties and share a proposition.

A corpus conforms and contradicts itself nowhere, except for exactly as many violations and
contradictions as were ordered. It is written as N-Quads, or as a dispute folder whose Turtle files
hold the same statements.

Run from the checkout: python tests/benchmarks/corpus.py 100000 corpus.nq
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BASE = "https://w3id.org/counterclaim/synthetic/"
KG = "https://w3id.org/counterclaim/ns#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
OA = "http://www.w3.org/ns/oa#"
PROV = "http://www.w3.org/ns/prov#"
FOAF = "http://xmlns.com/foaf/0.1/"
DCTERMS = "http://purl.org/dc/terms/"
XSD = "http://www.w3.org/2001/XMLSchema#"
EDTF = "http://id.loc.gov/datatypes/edtf/EDTF"

BLOCK = 100
# Blocks whose statements share a file, and a named graph.
BLOCKS_OF_A_FILE = 10
LEAST = 80
# Orders beyond these shares would leave no room for anything else in a block.
MOST_SHARE = 0.1

# Relations that no rule of contradiction speaks of, from an agent to an artifact.
PLAIN = ("described", "devotedEffortTo", "developerOf", "couldHaveContributedTo", "introduced")
CONTRADICTIONS = ("denial", "exclusive-value", "opposite-relation", "entailed-denial")
VIOLATIONS = ("no speaker", "no claim type", "unknown confidence", "bad digest")
DEPTHS, DEPTH_WEIGHTS = (0, 1, 2, 3, 4, 5), (60, 25, 9, 3, 2, 1)
STANCES = ("affirms", "denies", "doubts", "asks", "concedes")
STANCE_WEIGHTS = (72, 12, 4, 7, 5)

Part = tuple[str, list[str]]  # the name of a source, without .ttl, and lines of N-Triples


@dataclass(frozen=True)
class Corpus:
    """What to write: how many assertions, reports among them, and which share of faults.

    ``violations`` and ``contradictions`` are shares of the assertions; the numbers that are
    planted are ``planted_violations`` and ``planted_contradictions``. ``voice`` is the share of
    the documents of one side that one and the same author wrote, who then speaks in most of what
    that side says; without it, each document has an author of its own.
    """

    assertions: int
    violations: float = 0.0
    contradictions: float = 0.01
    seed: int = 1
    voice: float = 0.0

    def __post_init__(self) -> None:
        if self.assertions < LEAST:
            raise ValueError(f"a corpus has at least {LEAST} assertions")
        if not 0 <= self.voice <= 1:
            raise ValueError("the share of one author lies between 0 and 1")
        if not all(0 <= share <= MOST_SHARE for share in (self.violations, self.contradictions)):
            raise ValueError(f"a share lies between 0 and {MOST_SHARE}")

    @property
    def blocks(self) -> int:
        return max(1, self.assertions // BLOCK)

    @property
    def planted_violations(self) -> int:
        return round(self.assertions * self.violations)

    @property
    def planted_contradictions(self) -> int:
        return round(self.assertions * self.contradictions)

    def share(self, total: int, block: int) -> range:
        """Return which of ``total`` things, evenly spread, fall into a block."""
        return range(total * block // self.blocks, total * (block + 1) // self.blocks)

    def parts(self) -> Iterator[Part]:
        """Yield the sources one after the other; only one is in memory at a time."""
        yield "dispute", _dispute(self.blocks)
        yield "agents", _agents(("ada", "ben", *(["voice"] if self.voice else [])))
        for first in range(0, self.blocks, BLOCKS_OF_A_FILE):
            blocks = range(first, min(first + BLOCKS_OF_A_FILE, self.blocks))
            made = [_Block(self, number) for number in blocks]
            file = f"{first // BLOCKS_OF_A_FILE:05d}"
            yield f"statements/part-{file}", [line for block in made for line in block.lines]
            yield (
                f"records/git-{file}",
                _record(first == 0, [line for b in made for line in b.record]),
            )

    def write_quads(self, path: Path) -> int:
        """Write N-Quads to a file; return how many."""
        count = 0
        with path.open("w", encoding="ascii") as stream:
            for name, lines in self.parts():
                end = f" <{BASE}graph/{name}> .\n"
                stream.writelines(line + end for line in lines)
                count += len(lines)
        return count

    def write_dispute(self, folder: Path) -> int:
        """Write a dispute folder; return the number of statements in it."""
        count = 0
        for name, lines in self.parts():
            path = folder / f"{name}.ttl"
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="ascii") as stream:
                stream.writelines(line + " .\n" for line in lines)
            count += len(lines)
        return count


def _dispute(blocks: int) -> list[str]:
    me = f"<{BASE}>"
    lines = [
        f"{me} <{RDF}type> <{KG}Dispute>",
        f'{me} <{DCTERMS}title> "An invented dispute"@en',
        f"{me} <{KG}party> <{BASE}ada>",
        f"{me} <{KG}party> <{BASE}ben>",
        f"{me} <{KG}hasRecord> <{BASE}record>",
    ]
    return lines + [f"{me} <{KG}hasDocument> <{BASE}doc-{block}>" for block in range(blocks)]


def _agents(people: tuple[str, ...]) -> list[str]:
    lines = []
    for person in people:
        side = "ben" if person == "ben" else "ada"
        lines += [
            f"<{BASE}{person}> <{RDF}type> <{FOAF}Person>",
            f'<{BASE}{person}> <{FOAF}name> "{person.title()}"',
            f"<{BASE}{person}> <{KG}onSideOf> <{BASE}{side}>",
        ]
    return [
        *lines,
        f"<{BASE}encoder> <{RDF}type> <{KG}Encoder>",
        f'<{BASE}encoder> <{FOAF}name> "Encoder"',
        f"<{BASE}encoding> <{RDF}type> <{PROV}Activity>",
        f"<{BASE}encoding> <{PROV}wasAssociatedWith> <{BASE}encoder>",
    ]


def _record(first: bool, lines: list[str]) -> list[str]:
    if not first:
        return lines
    return [
        f"<{BASE}record> <{RDF}type> <{KG}Record>",
        f'<{BASE}record> <{DCTERMS}title> "An invented git history"@en',
        f"<{BASE}record> <{DCTERMS}source> <https://example.org/repository>",
        f"<{BASE}repository> <{RDF}type> <{KG}Repository>",
        f"<{BASE}repository> <{KG}url> <https://example.org/repository>",
        *lines,
    ]


class _Block:
    """One document with what is said in it, and two pull requests that it speaks of."""

    def __init__(self, corpus: Corpus, number: int) -> None:
        self.random = random.Random(f"{corpus.seed}/{number}")
        self.number = number
        self.size = len(corpus.share(corpus.assertions, number))
        self.lines: list[str] = []
        self.record: list[str] = []
        self.made = self.propositions = self.tools = self.position = 0
        self.affirmed: list[str] = []
        self.ends: list[str] = []
        self.faults = [
            VIOLATIONS[n % len(VIOLATIONS)] for n in corpus.share(corpus.planted_violations, number)
        ]
        self.side, self.other = ("ada", "ben") if number % 2 == 0 else ("ben", "ada")
        # Of the blocks of one side, as many in each stretch of a hundred.
        self.one_voice = number % 2 == 0 and number // 2 % 100 < 100 * corpus.voice
        self._people()
        self._tool()
        self._pull_requests()
        self._wanted()
        for planted in corpus.share(corpus.planted_contradictions, number):
            self._contradiction(CONTRADICTIONS[planted % len(CONTRADICTIONS)])
        while self.made < self.size:
            self._anything()
        self._passages_without_statements()
        self._document()

    # Names and single statements.

    def name(self, local: str) -> str:
        return f"{BASE}{local}-{self.number}"

    def say(self, subject: str, predicate: str, *objects: str) -> None:
        self.lines += (f"<{subject}> <{predicate}> {object}" for object in objects)

    def link(self, subject: str, predicate: str, *objects: str) -> None:
        self.lines += (f"<{subject}> <{predicate}> <{object}>" for object in objects)

    def _people(self) -> None:
        self.people = [self.name(local) for local in ("author", "friend", "rival", "guest")]
        if self.one_voice:
            self.people[0] = BASE + "voice"
        sides = (self.side, self.side, self.other, None)
        for person, side in zip(self.people, sides, strict=True):
            if person == BASE + "voice":
                continue  # among the agents of the dispute
            self.link(person, RDF + "type", FOAF + "Person")
            self.say(person, FOAF + "name", f'"Person {person.removeprefix(BASE)}"')
            if side:
                self.link(person, KG + "onSideOf", BASE + side)
        self.author, self.friend, self.rival, self.guest = self.people
        self.persona, self.unnamed = self.name("persona"), self.name("unnamed")
        self.link(self.persona, RDF + "type", KG + "Persona")
        self.say(self.persona, RDFS + "label", '"somebody who calls themselves a guest"@en')
        self.link(self.persona, KG + "claimsToBe", self.guest)
        self.link(self.unnamed, RDF + "type", KG + "UnnamedAgent")
        self.say(self.unnamed, RDFS + "label", '"a commenter"@en')
        self._judgement(
            "judgement", self.persona, self.guest, ("Same", "Unsure")[self.number // 2 % 2]
        )

    def _judgement(self, local: str, persona: str, identity: str, verdict: str) -> None:
        me = self.name(local)
        self.link(me, RDF + "type", KG + "IdentityJudgement")
        self.link(me, KG + "persona", persona)
        self.link(me, KG + "identity", identity)
        self.link(me, KG + "verdict", KG + verdict)
        self.link(me, KG + "judgedBy", BASE + "encoder")
        self.say(me, KG + "grounds", '"the way both write"@en')
        self.say(me, KG + "judgedAt", f'"2025-01"^^<{EDTF}>')

    def _tool(self) -> str:
        """Make something new that can be spoken of."""
        self.tool = self.name(f"tool-{self.tools}")
        self.tools += 1
        self.link(self.tool, RDF + "type", KG + "Software")
        self.say(self.tool, RDFS + "label", f'"tool {self.tools} of {self.number}"@en')
        self.unsaid = [(who, what) for who in self.people for what in PLAIN]
        self.random.shuffle(self.unsaid)
        return self.tool

    # Propositions, assertions and chains of reports.

    def proposition(
        self, subject: str, relation: str, object: str, local: str | None = None
    ) -> str:
        me = local or self.name(f"p-{self.propositions}")
        self.propositions += 1
        self.link(me, RDF + "type", KG + "Proposition")
        self.say(me, RDFS + "label", f'"Proposition {me.removeprefix(BASE)}"@en')
        self.link(me, RDF + "subject", subject)
        self.link(me, RDF + "predicate", KG + relation)
        self.say(me, RDF + "object", object if object.startswith('"') else f"<{object}>")
        return me

    def fresh(self) -> str:
        """Make a proposition that nobody has spoken to and no rule compares with another."""
        if not self.unsaid:
            self._tool()
        subject, relation = self.unsaid.pop()
        return self.proposition(subject, relation, self.tool)

    def _common(self, me: str, speaker: str, start: int, end: int, fault: str | None) -> None:
        self.link(me, RDF + "type", KG + "Assertion")
        if fault != "no speaker":
            self.link(me, KG + "speaker", speaker)
        confidence = (
            "Certain"
            if fault == "unknown confidence"
            else self.random.choice(("High", "High", "Medium", "Low"))
        )
        self.link(me, KG + "encoderConfidence", KG + confidence)
        self.passage(me, start, end, fault == "bad digest")

    def passage(self, me: str, start: int, end: int, bad_digest: bool = False) -> None:
        target, digest = f"{me}-t", f"{self.random.getrandbits(256):064x}"
        self.link(me, OA + "hasTarget", target)
        self.link(me, PROV + "wasGeneratedBy", BASE + "encoding")
        self.link(target, RDF + "type", OA + "SpecificResource")
        self.link(target, OA + "hasSource", self.name("doc"))
        self.say(target, KG + "sha256", f'"{digest[1:] if bad_digest else digest}"')
        selector = f"_:s{target.removeprefix(BASE)}"
        self.say(target, OA + "hasSelector", selector)
        self.lines += (
            f"{selector} <{RDF}type> <{OA}TextPositionSelector>",
            f'{selector} <{OA}start> "{start}"^^<{XSD}integer>',
            f'{selector} <{OA}end> "{end}"^^<{XSD}integer>',
        )

    def statement(
        self,
        stance: str,
        proposition: str,
        speakers: list[str],
        type: str = "Fact",
        fault: str | None = None,
    ) -> str:
        """Make an assertion by the last speaker, reported by each one by the one before."""
        depth = len(speakers) - 1
        start, end = self.position + depth, self.position + depth + 40
        self.position = end + depth + 1
        me = ""
        for step, speaker in enumerate(reversed(speakers)):
            inner, me = me, self.name(f"a-{self.made}")
            self.made += 1
            self._common(me, speaker, start - step, end + step, fault)
            if inner:
                self.link(me, KG + "relays", inner)
                self.link(
                    me,
                    KG + "commitment",
                    KG + self.random.choice(("Endorses", "Neutral", "Rejects")),
                )
                self.link(me, KG + "rendering", KG + self.random.choice(("Verbatim", "Paraphrase")))
                continue
            self.ends.append(me)
            self.link(me, KG + stance, proposition)
            if fault != "no claim type":
                self.link(me, KG + "claimType", KG + type)
            if stance == "concedes":
                self.link(
                    me,
                    KG + "concessionMode",
                    KG + self.random.choice(("Admission", "ForTheSakeOfArgument")),
                )
            if self.random.random() < 0.5:
                self.link(
                    me,
                    KG + "speakerCertainty",
                    KG + self.random.choice(("Certain", "Hedged", "Tentative")),
                )
            if self.random.random() < 0.5:
                self.say(me, KG + "utteredAt", f'"{self._day()}"^^<{EDTF}>')
        return self.ends[-1]

    def _day(self) -> str:
        month, day = self.random.randint(1, 12), self.random.randint(1, 28)
        return f"2023-{month:02d}-{day:02d}{self.random.choice(('', '', '~'))}"

    def _speakers(self, most: int) -> list[str]:
        (depth,) = self.random.choices(DEPTHS, DEPTH_WEIGHTS)
        voices = self.people[1:]
        return [self.author, *(self.random.choice(voices) for _ in range(min(depth, most)))]

    # What a block says.

    def _wanted(self) -> None:
        """Say what every block must hold for each of its things to be spoken of by somebody."""
        self.affirmed.append(self.fresh())
        first = self.statement("affirms", self.affirmed[0], [self.author])
        second = self.statement("affirms", self.affirmed[0], [self.author, self.persona])
        third = self.statement("doubts", self.fresh(), [self.author, self.friend, self.unnamed])
        self.statement("affirms", self.fresh(), [self.author, self.rival, self.guest])
        source = self.name("source")
        self.link(source, RDF + "type", KG + "CitedSource")
        self.link(source, KG + "url", f"https://example.org/{self.number}")
        self.link(first, KG + "cites", source)
        self.say(second, KG + "presupposed", f'"true"^^<{XSD}boolean>')
        scope, scoped = self.name("scope"), self.fresh()
        self.link(scope, RDF + "type", KG + "Scope")
        self.say(scope, RDFS + "label", '"on one machine"@en')
        self.link(scoped, KG + "scope", scope)
        self.say(scoped, KG + "eventTime", f'"{self._day()}"^^<{EDTF}>')
        self.statement("affirms", scoped, [self.author])
        for request, person in (("pull-a", self.friend), ("pull-b", self.rival)):
            what = self.proposition(person, "soleAuthorOf", self.name(request))
            self.statement("affirms", what, [self.author])
        for kind, roles, target in (
            ("Attack", ("attacker", "target"), third),
            ("Support", ("supporter", "target"), second),
        ):
            move = self.name(kind.lower())
            self.link(move, RDF + "type", KG + kind)
            self.link(move, KG + roles[0], first)
            self.link(move, KG + roles[1], target)
            self.link(move, PROV + "wasGeneratedBy", BASE + "encoding")
        # What both parties say is so, named by the first of the two blocks.
        pair = self.number // 2 * 2
        shared = f"{BASE}p-shared-{pair}"
        if self.number == pair:
            self.proposition(BASE + "ada", "described", self.tool, shared)
        self.statement("affirms", shared, [self.author])

    def _contradiction(self, rule: str) -> None:
        tool = self._tool()
        if rule == "denial":
            one = other = self.proposition(self.friend, "introduced", tool)
            self.unsaid.remove((self.friend, "introduced"))
        elif rule == "exclusive-value":
            one, other = (
                self.proposition(tool, "adoptionShare", f'"{share}"^^<{XSD}integer>')
                for share in (20, 70)
            )
        elif rule == "opposite-relation":
            one = self.proposition(self.friend, "sharedCreditFor", tool)
            other = self.proposition(self.friend, "tookSoleCreditFor", tool)
        else:
            one = self.proposition(self.friend, "soleAuthorOf", tool)
            other = self.proposition(self.friend, "coAuthored", tool)
            self.link(one, KG + "strongerThan", other)
        against = "denies" if rule in ("denial", "entailed-denial") else "affirms"
        self.statement("affirms", one, [self.author])
        self.statement(against, other, [self.author, self.rival])

    def _anything(self) -> None:
        fault = self.faults.pop() if self.faults else None
        room = self.size - self.made - 1
        if fault:
            self.statement("affirms", self.fresh(), [self.author], fault=fault)
            return
        (stance,) = self.random.choices(STANCES, STANCE_WEIGHTS)
        if stance == "affirms" and self.random.random() < 0.25:
            proposition = self.random.choice(self.affirmed)
        else:
            proposition = self.fresh()
            if stance == "affirms":
                self.affirmed.append(proposition)
            if self.random.random() < 0.2:
                self.say(proposition, KG + "eventTime", f'"{self._day()}"^^<{EDTF}>')
        type = (
            "Question"
            if stance == "asks"
            else self.random.choice(("Fact", "Fact", "Fact", "Value", "Policy"))
        )
        self.statement(stance, proposition, self._speakers(room), type)

    def _passages_without_statements(self) -> None:
        for local, kind in (("withheld", "Withheld"), ("aside", "NonStatement")):
            me = self.name(local)
            self.link(me, RDF + "type", KG + kind)
            self.say(me, KG + "reason", '"not encoded"@en')
            if kind == "Withheld":
                self.link(me, KG + "withheldCategory", KG + "Harassment")
            self.passage(me, self.position, self.position + 10)
            self.position += 10

    def _document(self) -> None:
        me = self.name("doc")
        self.link(me, RDF + "type", KG + "Document")
        self.say(me, DCTERMS + "title", f'"Document {self.number}"@en')
        self.link(me, DCTERMS + "creator", self.author)
        self.link(me, KG + "onSideOf", BASE + self.side)
        self.say(me, DCTERMS + "format", '"text/plain"')
        self.say(me, KG + "published", f'"2024-{self.random.randint(1, 12):02d}"^^<{EDTF}>')
        self.say(me, KG + "length", f'"{self.position}"^^<{XSD}integer>')
        self.say(me, KG + "sha256", f'"{self.random.getrandbits(256):064x}"')

    def _pull_requests(self) -> None:
        """Two pull requests of two commits; the second makes a commit of the first one again."""
        said, self.lines = self.lines, self.record
        names = {"friend": self.name("git-friend"), "rival": self.name("git-rival")}
        for person, git in names.items():
            self.link(git, RDF + "type", KG + "GitIdentity")
            self.say(git, FOAF + "name", f'"{person} {self.number}"')
        patch = f"{self.random.getrandbits(160):040x}"
        again: list[str] = []
        for place, (request, git) in enumerate((("pull-a", "friend"), ("pull-b", "rival"))):
            me = self.name(request)
            self.link(me, RDF + "type", KG + "PullRequest")
            self.link(me, KG + "partOfRecord", BASE + "record")
            self.link(me, KG + "repository", BASE + "repository")
            self.say(me, KG + "number", f'"{2 * self.number + place + 1}"^^<{XSD}integer>')
            for turn in range(2):
                author = names["friend"] if turn == 0 else names[git]
                commit = self._commit(author, names[git], place, patch if turn == 0 else None)
                self.link(me, KG + "hasCommit", commit)
                if turn == 0:
                    again.append(commit)
            self.link(me, KG + "headCommit", commit)
        self.link(again[0], KG + "samePatchAs", again[1])
        self.link(again[1], KG + "samePatchAs", again[0])
        self.lines = said
        self._judgement("git-judgement", names["friend"], self.friend, "Same")

    def _commit(self, author: str, committer: str, day: int, patch: str | None) -> str:
        digest = f"{self.random.getrandbits(160):040x}"
        me, change = f"{BASE}commit-{digest}", f"{BASE}change-{digest[:12]}-1"
        self.link(me, RDF + "type", KG + "Commit")
        self.link(me, KG + "partOfRecord", BASE + "record")
        self.link(me, KG + "repository", BASE + "repository")
        self.say(me, KG + "hash", f'"{digest}"')
        self.link(me, KG + "author", author)
        self.link(me, KG + "committer", committer)
        time = f'"2023-03-{day + 10}T12:00:00Z"^^<{XSD}dateTime>'
        self.say(me, KG + "authorTime", time)
        self.say(me, KG + "commitTime", time)
        self.say(me, KG + "subjectLine", f'"Change {digest[:6]}"')
        self.say(me, KG + "patchId", f'"{patch or digest}"')
        self.link(me, KG + "changes", change)
        self.link(change, RDF + "type", KG + "FileChange")
        self.say(change, KG + "path", f'"file-{self.random.randint(1, 50)}.c"')
        self.say(change, KG + "additions", f'"{self.random.randint(1, 90)}"^^<{XSD}integer>')
        self.say(change, KG + "deletions", f'"{self.random.randint(0, 30)}"^^<{XSD}integer>')
        return me


if __name__ == "__main__":
    size, target = int(sys.argv[1]), Path(sys.argv[2])
    print(f"{Corpus(size).write_quads(target):,} quads of {size:,} assertions in {target}")
