"""The vocabulary declares what is used, says what it means, and contradicts nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import owlrl
import pyoxigraph as ox
import pytest
import rdflib
from owlrl.Namespaces import ERRNS
from rdflib.namespace import OWL, RDF, RDFS, SKOS

from kg.dispute import read_dispute, shipped_disputes
from kg.namespaces import KG, PREFIXES, expand
from kg.preparing import staged
from kg.settings import shipped
from kg.shacl import shape_files
from kg.shacl.convert import to_rdflib
from kg.shacl.files import read_rdf
from kg.sources import ontology_source, read_source

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = Path(__file__).parent / "disputes" / "example"
DISPUTES = [EXAMPLE, *shipped_disputes().values()]
QUERIES = sorted(shipped("queries").glob("*/*.rq"))
PACKAGE = sorted((ROOT / "kg").rglob("*.py"))
# Shapes are called by names of the same namespace, and are no terms of the vocabulary.
SHAPE = re.compile(r"Shape(-[a-z-]+)?$")
DECLARED_BY = {
    OWL.Class,
    OWL.ObjectProperty,
    OWL.DatatypeProperty,
    OWL.AnnotationProperty,
    SKOS.Concept,
    SKOS.ConceptScheme,
}


@cache
def vocabulary() -> rdflib.Graph:
    return to_rdflib(read_source(ontology_source()), rdflib.Graph())


def declared() -> set[str]:
    kinds = (vocabulary().subjects(RDF.type, kind) for kind in DECLARED_BY)
    return {str(term) for terms in kinds for term in terms if str(term).startswith(KG)}


def terms_of(quads: Iterable[ox.Quad]) -> Iterator[str]:
    """Yield the IRIs of the vocabulary's namespace, also those in the text of queries."""
    for quad in quads:
        for term in quad.triple:
            if isinstance(term, ox.NamedNode) and term.value.startswith(KG):
                yield term.value
            elif quad.predicate.value == expand("sh:select"):
                yield from names_in(term.value)


def names_in(text: str) -> Iterator[str]:
    """Yield the IRIs of prefixed names in text, such as a query, and of IRIs in full."""
    for name in re.findall(r"(?<![\w/-])kg:([A-Za-z][\w-]*)", text):
        yield KG + name
    for name in re.findall(re.escape(KG) + r"([A-Za-z][\w-]*)", text):
        yield KG + name


def inconsistencies(graph: rdflib.Graph) -> list[str]:
    """Close a graph under OWL 2 RL, in place, and return what cannot be.

    owlrl says so in nodes of type ``ErrorMessage``; a member of ``owl:Nothing`` is one too.
    """
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(graph)
    errors = [str(message) for message in graph.objects(None, ERRNS.error)]
    return errors + [f"{node} is impossible" for node in graph.subjects(RDF.type, OWL.Nothing)]


@pytest.mark.parametrize("folder", DISPUTES, ids=lambda folder: folder.name)
def test_every_term_of_a_dispute_is_declared(folder: Path) -> None:
    used = set(terms_of(staged(read_dispute(folder)).quads()))
    assert used - declared() == set()
    assert len(used) > 20


def test_every_term_of_the_shapes_is_declared() -> None:
    used = {term for path in shape_files() for term in terms_of(read_rdf(path))}
    assert {term for term in used if not SHAPE.search(term)} - declared() == set()
    assert len(used) > 80


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_term_of_a_query_is_declared(path: Path) -> None:
    used = set(names_in(path.read_text(encoding="utf-8")))
    assert used - declared() == set()


def test_every_term_of_the_package_is_declared() -> None:
    wrong = {}
    for path in PACKAGE:
        used = set(names_in(path.read_text(encoding="utf-8"))) - declared()
        used = {term for term in used if not SHAPE.search(term)}
        if used:
            wrong[path.name] = used
    assert wrong == {}


def test_a_term_that_is_not_declared_is_seen() -> None:
    assert KG + "speker" in set(names_in("?a kg:speker ?b")) - declared()
    quad = ox.Quad(
        ox.NamedNode("https://example.org/a"), ox.NamedNode(KG + "speker"), ox.Literal("b")
    )
    assert set(terms_of([quad])) - declared() == {KG + "speker"}


@pytest.mark.parametrize("iri", sorted(declared()), ids=lambda iri: iri.removeprefix(KG))
def test_every_term_has_one_name_and_a_definition(iri: str) -> None:
    graph, term = vocabulary(), rdflib.URIRef(iri)
    (label,) = graph.objects(term, RDFS.label)
    assert isinstance(label, rdflib.Literal)
    assert label.language == "en"
    if SKOS.ConceptScheme in graph.objects(term, RDF.type):
        return  # a list of values, which are defined one by one
    (comment,) = graph.objects(term, RDFS.comment)
    assert isinstance(comment, rdflib.Literal)
    assert comment.language == "en"
    # One sentence: one full stop, at the end; "such as 'a. b'" would not be one.
    assert re.fullmatch(r"[^.]*(?:\.\w[^.]*)*\.", str(comment)), comment


def test_no_two_terms_have_one_name() -> None:
    names: dict[tuple[str, bool], set[str]] = {}
    for iri in declared():
        kinds = set(vocabulary().objects(rdflib.URIRef(iri), RDF.type))
        is_property = bool(kinds & {OWL.ObjectProperty, OWL.DatatypeProperty})
        for label in vocabulary().objects(rdflib.URIRef(iri), RDFS.label):
            names.setdefault((str(label), is_property), set()).add(iri)
    assert [found for found in names.values() if len(found) > 1] == []


def test_relations_say_what_they_join_or_why_not() -> None:
    graph = vocabulary()
    for relation in graph.subjects(RDF.type, rdflib.URIRef(expand("kg:Relation"))):
        kinds = set(graph.objects(relation, RDF.type))
        assert len(kinds & {OWL.ObjectProperty, OWL.DatatypeProperty}) == 1, relation
    recorded = set(graph.objects(None, rdflib.URIRef(expand("kg:recordedAs"))))
    assert {str(term) for term in recorded} <= declared()


def test_prefixes_of_the_vocabulary_are_those_of_the_package() -> None:
    text = ontology_source().path.read_text(encoding="utf-8")
    written = dict(re.findall(r"@prefix (\w+): <([^>]+)>", text))
    assert {k: v for k, v in written.items() if k in PREFIXES} == {
        k: v for k, v in PREFIXES.items() if k in written
    }


@pytest.mark.parametrize("folder", DISPUTES, ids=lambda folder: folder.name)
def test_vocabulary_and_data_are_consistent_under_owl_rl(folder: Path) -> None:
    graph = to_rdflib(staged(read_dispute(folder)).quads(), rdflib.Graph())
    assert inconsistencies(graph) == []
    # The closure did happen: a persona is an agent because its class is below prov:Agent.
    agent = rdflib.URIRef(expand("prov:Agent"))
    person = rdflib.URIRef(expand("foaf:Person"))
    assert all((node, RDF.type, agent) in graph for node in graph.subjects(RDF.type, person))


@pytest.mark.parametrize(
    "extra",
    [
        ":x a kg:Assertion, kg:Proposition .",
        ":x a kg:Withheld ; kg:speaker :y .",  # the domain of kg:speaker makes it an assertion
        ":x kg:affirms :y . :y a kg:Artifact .",  # the range of kg:affirms a proposition
        ":x a owl:Nothing .",
        ":x kg:length 'long'^^xsd:integer .",
    ],
)
def test_an_inconsistency_would_be_found(extra: str) -> None:
    graph = rdflib.Graph()
    for triple in vocabulary():
        graph.add(triple)
    prefixes = "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items())
    graph.parse(data=f"{prefixes}@prefix : <https://example.org/> .\n{extra}", format="turtle")
    assert inconsistencies(graph) != []
