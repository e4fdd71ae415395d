"""Several disputes on one server: each below its name, all with the same workers."""

from __future__ import annotations

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from rdflib import RDF, Graph, Literal, Namespace, URIRef
from rdflib.plugins.stores.sparqlstore import SPARQLStore

from kg.cli.main import cli
from kg.dispute import read_dispute
from kg.errors import DisputeError
from kg.server.main import names_of

from .conftest import (
    EXAMPLE,
    HOME,
    Reply,
    Server,
    end,
    numbers,
    publish,
    start,
    wait_for,
)
from .test_processes import ENDLESS, send

BASES = {
    "example": "https://w3id.org/counterclaim/example/",
    "tideline": "https://w3id.org/counterclaim/tideline/",
}
NAMES = sorted(BASES)
VOID = Namespace("http://rdfs.org/ns/void#")
COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"


def ask(server: Server, name: str, text: str, **headers: str) -> Reply:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return server.request(f"/{name}/sparql?query={quote(text, safe='')}", headers=named)


def test_each_answers_below_its_name_and_from_its_own_data(both: Server) -> None:
    for name, base in BASES.items():
        found = ask(both, name, "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g").rows
        assert all(row["g"].startswith(base) or "/ns" in row["g"] for row in found)
        assert f"{base}graph/agents" in [row["g"] for row in found]
    counts = {ask(both, name, COUNT).rows[0]["n"] for name in NAMES}
    assert len(counts) == 2, "the same query of two disputes has two answers, also from the cache"
    assert counts == {ask(both, name, COUNT).rows[0]["n"] for name in NAMES}


def test_relative_names_are_the_disputes_own(both: Server) -> None:
    for name, base in BASES.items():
        assert ask(both, name, "SELECT (<x> AS ?x) {}").rows == [{"x": f"{base}x"}]


def test_the_root_lists_them(both: Server) -> None:
    listed = both.request("/").json()["disputes"]
    assert [(one["name"], one["base"]) for one in listed] == sorted(BASES.items())
    for one in listed:
        for key in ("home", "sparql", "queries", "openapi", "void"):
            assert one[key].startswith(f"{HOME}{one['name']}/")
            assert both.request(one[key].removeprefix(HOME[:-1])).status == 200
    reply = both.request("/", headers={"Accept": "text/html"})
    assert reply.headers["content-type"].startswith("text/html")
    assert reply.headers["vary"] == "Accept"
    assert {f"{HOME}{name}/" for name in NAMES} <= set(links(reply.text))
    assert both.request("/", headers={"Accept": "image/png"}).status == 406
    assert both.request("/", "HEAD").body == b""


def links(page: str) -> list[str]:
    found: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value for key, value in attrs if key == "href" and value)

    Links().feed(page)
    return found


@pytest.mark.parametrize("start", ["/tideline/", "/counterclaim/tideline/"])
def test_every_link_of_the_pages_leads_somewhere(both: Server, start: str) -> None:
    """Also from where its names are below its own base, from which no query is asked."""
    seen, ahead = {start}, [start]
    while ahead:
        path = ahead.pop()
        page = both.request(path, headers={"Accept": "text/html,*/*;q=0.1"})
        assert page.status == 200, path
        if not page.headers["content-type"].startswith("text/html"):
            continue
        assert page.text.count("<h1>") == page.text.count("<main>") == 1
        for link in links(page.text):
            inside = f"{start}about/", "/tideline/"
            assert link == start or link.startswith(inside), (path, link)
            if link not in seen:
                seen.add(link)
                ahead.append(link)
    for name in ("letter-01", "answer-01", "petra-dunlin", "pr-4"):
        assert f"{start}about/{name}" in seen
    assert {"/tideline/sparql", "/tideline/api/queries"} <= seen


def test_void_lists_every_dataset(both: Server) -> None:
    for media, format in (("text/turtle", "turtle"), ("application/ld+json", "json-ld")):
        reply = both.request("/.well-known/void", headers={"Accept": media})
        graph = Graph().parse(data=reply.body, format=format)
        spaces = {}
        for dataset in graph.subjects(RDF.type, VOID.Dataset):
            spaces[str(graph.value(dataset, VOID.uriSpace))] = str(
                graph.value(dataset, VOID.sparqlEndpoint)
            )
        assert spaces == {base: f"{HOME}{name}/sparql" for name, base in BASES.items()}
    assert both.request("/.well-known/void", headers={"Accept": "text/csv"}).status == 406


def test_each_describes_itself(both: Server) -> None:
    for name, base in BASES.items():
        void = Graph().parse(data=both.request(f"/{name}/.well-known/void").body, format="turtle")
        dataset = URIRef(f"{HOME}{name}/.well-known/void#dataset")
        assert (dataset, VOID.uriSpace, Literal(base)) in void
        assert (dataset, VOID.triples, None) in void
        service = Graph().parse(
            data=both.request(f"/{name}/sparql", headers={"Accept": "text/turtle"}).body,
            format="turtle",
        )
        sd = Namespace("http://www.w3.org/ns/sparql-service-description#")
        endpoint = URIRef(f"{HOME}{name}/sparql")
        assert (endpoint, sd.endpoint, endpoint) in service
        named = {str(graph) for graph in service.objects(None, sd.name)}
        assert f"{base}graph/agents" in named


def test_names_dereference_below_each_and_below_their_own_base(both: Server) -> None:
    for name, person in (("example", "ana"), ("tideline", "petra-dunlin")):
        own = BASES[name].removeprefix("https://w3id.org")
        for below in (f"/{name}/", own):
            reply = both.request(f"{below}{person}")
            assert (reply.status, reply.headers.get("location")) == (303, f"{below}about/{person}")
            data = both.request(f"{below}about/{person}", headers={"Accept": "text/turtle"})
            graph = Graph().parse(data=data.body, format="turtle")
            assert (URIRef(BASES[name] + person), None, None) in graph
            assert both.request(f"{below}graph/agents").status == 200
        page = both.request(f"/{name}/", headers={"Accept": "text/html"})
        assert page.status == 200
        moved = both.request(f"/{name}")
        assert (moved.status, moved.headers["location"]) == (308, f"/{name}/")


@pytest.mark.parametrize(
    "path",
    [
        *("/sparql", "/sparql?query=ASK%7B%7D", "/graphs?default", "/api/queries", "/ana"),
        *("/tideline/ana", "/example/petra-dunlin", "/tideline/graph/nothing", "/nothing/sparql"),
        *("/example/../tideline/sparql?query=ASK%7B%7D", "//tideline/sparql"),
        *("/exampl/sparql", "/example/tideline/sparql", "/counterclaim/nothing/ana"),
        *("/example%2Fsparql?query=ASK%7B%7D", "/%65xample%2Fsparql?query=ASK%7B%7D"),
        *("/%0A", "/example%0A", "/example%2F", "/example%2Fsparql", "/example/sparql%0A"),
        *("/openapi.json%0A", "/.well-known/void%0A", "/example/api%2Fqueries"),
    ],
)
def test_what_is_nowhere_or_with_the_other_is_404(both: Server, path: str) -> None:
    reply = both.request(path)
    assert reply.status == 404
    assert reply.headers["content-type"] == "application/problem+json"


def test_stored_queries_and_their_pages(both: Server) -> None:
    for name in NAMES:
        listed = both.request(f"/{name}/api/queries").json()["queries"]
        assert all(q["href"].startswith(f"{HOME}{name}/api/queries/") for q in listed)
        whole = both.request(f"/{name}/api/queries/contradictions").rows
        path, found = f"/{name}/api/queries/contradictions?per_page=1", []
        while path:
            reply = both.request(path)
            found += reply.rows
            assert f"<{HOME}{name}/api/queries/contradictions?" in reply.headers["link"]
            told = dict(part.rpartition("; rel=")[::2] for part in reply.headers["link"].split(","))
            following = {rel.strip('"'): url.strip(" <>") for url, rel in told.items()}
            path = following.get("next", "").removeprefix(HOME[:-1])
        assert found == whole
        reply = both.request(f"/{name}/api/queries/nothing")
        assert f"/{name}/api/queries" in reply.json()["detail"]


def test_health_readiness_and_figures_are_of_the_whole(both: Server) -> None:
    assert both.request("/health").json() == {"status": "ok"}
    ready = both.request("/ready").json()
    assert sorted(ready["disputes"]) == NAMES
    assert len({one["snapshot"] for one in ready["disputes"].values()}) == 2
    assert both.metric("kg_workers") == 3
    wait_for(lambda: '"path": "/ready"' in both.log.read_text())


@pytest.mark.parametrize("path", ["/", "/example", "/example/sparql", "/tideline/graphs?default"])
def test_nothing_can_be_written(both: Server, path: str) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        reply = both.request(path, method)
        assert reply.status == 403
        assert "kg build" in reply.json()["detail"]
    assert both.request("/nothing", "POST", b"x").status == 403


def test_one_client_cannot_hold_all_workers_by_asking_two_disputes(both: Server) -> None:
    greedy = [
        send(both, f"{ENDLESS} # {number}", "127.0.0.2", f"/{name}/sparql")
        for number in range(2)
        for name in NAMES
    ]
    try:
        wait_for(lambda: both.metric("kg_workers_busy") == 1)
        wait_for(lambda: both.metric("kg_waiting") == 3)
        for name in NAMES:
            assert ask(both, name, f"SELECT (COUNT(*) AS ?n{name}) {{ ?s ?p ?o }}").status == 200
    finally:
        for connection in greedy:
            connection.close()
    wait_for(lambda: both.metric("kg_workers_busy") + both.metric("kg_waiting") == 0)


def test_curl_sparqlwrapper_and_rdflib_read_each(both: Server) -> None:
    wrapper = pytest.importorskip("SPARQLWrapper")
    for name in NAMES:
        endpoint = f"{both.url}/{name}/sparql"
        command = ["curl", "-sf", "-H", "Accept: text/csv", "--data-urlencode", f"query={COUNT}"]
        done = subprocess.run([*command, endpoint], capture_output=True, text=True, check=True)
        asked = wrapper.SPARQLWrapper(endpoint)
        asked.setReturnFormat(wrapper.JSON)
        asked.setQuery(COUNT)
        (row,) = asked.queryAndConvert()["results"]["bindings"]
        assert done.stdout.split() == ["n", row["n"]["value"]]
        store = SPARQLStore(endpoint, returnFormat="json")
        assert [str(n) for (n,) in Graph(store).query(COUNT)] == [row["n"]["value"]]


def test_a_new_snapshot_of_one_leaves_the_other(tmp_path: Path) -> None:
    from kg.dispute import Dispute
    from kg.workshop import workshop

    for name in ("one", "two"):
        base = f"https://{name}.example/"
        publish(tmp_path / name, numbers(3), base)
        (tmp_path / name / "dispute.ttl").write_text(
            f"<{base}> a <https://w3id.org/counterclaim/ns#Dispute> ."
        )
    arguments = ["-m", "kg.cli.main", "serve", str(tmp_path / "one"), str(tmp_path / "two")]
    arguments += ["--port", "0", "--workers", "1", "--no-build"]
    server = start(arguments, tmp_path / "log", tmp_path / "cache")
    try:
        for _ in range(3):
            for name in ("one", "two"):
                assert ask(server, name, COUNT).rows == [{"n": "3"}]
        with workshop(Dispute(tmp_path / "two", "https://two.example/", "Two", ())) as shop:
            shop.engine.add(numbers(5))
            shop.publish({}, {})
        wait_for(lambda: ask(server, "two", COUNT).rows == [{"n": "5"}])
        hits = server.metric("kg_cache_hits_total")
        assert ask(server, "one", COUNT).rows == [{"n": "3"}]
        assert server.metric("kg_cache_hits_total") == hits + 1, "what was kept of it still is"
    finally:
        end(server)


def test_names_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    def copy(*names: str) -> Path:
        folder = tmp_path.joinpath(*names)
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".kg"))
        return folder

    first = copy("a", "matter")
    for other in (copy("b", "matter"), copy("metrics"), copy("a b"), copy(".hidden"), first):
        with pytest.raises(DisputeError, match=r"called|address"):
            names_of([read_dispute(first), read_dispute(other)])
    assert names_of([read_dispute(copy("other")), read_dispute(first)]) == ["other", "matter"]
    # One alone is at the root, whatever it is called.
    assert names_of([read_dispute(tmp_path / "a b")]) == [""]
    done = CliRunner().invoke(cli, ["serve", str(first), str(tmp_path / "b" / "matter")])
    assert isinstance(done.exception, DisputeError)
    assert done.exception.exit_code == 2


def test_disputes_are_named_in_one_way(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["--dispute", str(EXAMPLE), "serve", str(EXAMPLE)])
    assert done.exit_code == 2
    assert "--dispute" in done.output
