"""The moments of the timeline: what is said to have happened when, commits, and documents."""

from __future__ import annotations

from kg.brief.dates import days, spoken
from kg.brief.model import Moment, Run, Sentence, sentence
from kg.brief.voices import Voices
from kg.in_words import counted
from kg.rows import select, string

_EVENTS = """
SELECT DISTINCT ?proposition ?time ?one WHERE {
  ?proposition kg:eventTime ?time .
  ?one kg:affirms|kg:denies|kg:concedes ?proposition .
} ORDER BY ?proposition ?one
"""
_COMMITS = """
SELECT DISTINCT ?commit ?time ?author ?committer ?record ?request ?branch WHERE {
  ?commit a kg:Commit ; kg:commitTime ?time .
  OPTIONAL { ?commit kg:author ?author }
  OPTIONAL { ?commit kg:committer ?committer }
  OPTIONAL { ?commit kg:partOfRecord ?record }
  OPTIONAL { ?request a kg:PullRequest ; kg:hasCommit ?commit }
  OPTIONAL { ?branch a kg:Branch ; kg:hasCommit ?commit }
} ORDER BY ?time ?commit ?author ?committer ?request ?branch
"""
_DOCUMENTS = """
SELECT DISTINCT ?document ?published WHERE {
  ?document a kg:Document ; kg:published ?published .
} ORDER BY ?document ?published
"""
_DAY = len("2024-03-01")


def moments(voices: Voices) -> tuple[Moment, ...]:
    """Return the timeline: a document at the last day of its date, all else at the first."""
    every = [*_events(voices), *_commits(voices), *_documents(voices)]
    lanes = {"said": 0, "record": 1, "document": 2}

    def key(one: Moment) -> tuple[str, str, int, str]:
        day = one.end or one.start if one.lane == "document" else one.start
        return day, one.end, lanes[one.lane], one.what.text

    return tuple(sorted(every, key=key))


def _events(voices: Voices) -> list[Moment]:
    groups: dict[str, dict[str, list[str]]] = {}
    for row in select(voices.engine, _EVENTS):
        group = groups.setdefault(string(row, "proposition"), {"time": [], "one": []})
        for key, values in group.items():
            if string(row, key) and string(row, key) not in values:
                values.append(string(row, key))
    found = []
    for proposition, group in groups.items():
        runs = [Run(voices.quoted(proposition))]
        for verb, denied in (("so", False), ("not so", True)):
            ones = [
                one
                for one in group["one"]
                if (voices.reader.statements[one].stance == "denies") is denied
            ]
            speakers: dict[str, list[str]] = {}
            for one in sorted(ones, key=voices.order):
                name = voices.name(voices.reader.statements[one].speaker)
                speakers.setdefault(name, []).append(one)
            for place, (name, said) in enumerate(speakers.items()):
                lead = f"; {verb}, by: " if not place else ", "
                runs.append(Run(f"{lead}{name}", tuple(said)))
                when = group["time"][0]
        found.append(Moment(spoken(when), *days(when), "said", Sentence(tuple(runs))))
    return found


def _commits(voices: Voices) -> list[Moment]:
    """Return the commits of a day that name the same hands, in the same pull requests, as one."""
    commits: dict[str, dict[str, list[str]]] = {}
    for row in select(voices.engine, _COMMITS):
        commit = commits.setdefault(
            string(row, "commit"),
            {"time": [], "author": [], "committer": [], "record": [], "request": [], "branch": []},
        )
        for key, values in commit.items():
            if string(row, key) and string(row, key) not in values:
                values.append(string(row, key))
    groups: dict[tuple[str, ...], list[str]] = {}
    for iri, commit in commits.items():
        day = commit["time"][0][:_DAY]
        names = [voices.names(commit[key]) or "nobody" for key in ("author", "committer", "record")]
        within = voices.names(sorted(commit["request"] or commit["branch"]))
        groups.setdefault((day, *names, within), []).append(iri)
    found = []
    for (day, author, committer, record, within), iris in groups.items():
        hands = (
            f"{author} as author and committer"
            if author == committer
            else f"{author} as author, {committer} as committer"
        )
        place = f", in {within}" if within else ""
        verb = "names" if len(iris) == 1 else "name"
        text = f"{record}: {counted(len(iris), 'commit')} {verb} {hands}{place}"
        found.append(Moment(day, day, day, "record", sentence(text, iris)))
    return found


def _documents(voices: Voices) -> list[Moment]:
    return [
        Moment(
            spoken(string(row, "published")),
            *days(string(row, "published")),
            "document",
            sentence(
                f"The date of the document “{voices.name(string(row, 'document'))}”",
                (string(row, "document"),),
            ),
        )
        for row in select(voices.engine, _DOCUMENTS)
    ]
