"""A base with a path: every address that the server gives away answers, also without that path."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from rdflib import Graph

from kg.cli.main import cli
from kg.errors import EngineError

from .conftest import EXAMPLE, PROJECT, Server, end, several, start

HOME = "http://localhost:1/kg/"
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from several(tmp_path_factory.mktemp("one"), ["example"], HOME, 60)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from several(tmp_path_factory.mktemp("two"), ["example", "tideline"], HOME, 60)


def advertised(server: Server, home: str) -> set[str]:
    """Every address below the base that the dispute at ``home`` speaks of."""
    found: set[str] = set()
    below = urlsplit(home).path
    for path in ("api/queries", "openapi.json", "sparql", ".well-known/void"):
        reply = server.request(below + path)
        assert reply.status == 200, path
        if "json" in reply.headers["content-type"]:
            found |= set(re.findall(rf'"({re.escape(HOME)}?[^"]*)"', reply.text))
            found |= {
                home + each[1:]
                for each in json.loads(reply.text).get("paths", {})
                if each != "/graphs" and "{" not in each  # which graph, or name, must be said
            }
        else:
            terms = (term for triple in Graph().parse(data=reply.text) for term in triple)
            found |= {term.partition("#")[0] for term in terms if term.startswith(HOME)}
    paged = server.request(f"{below}api/queries/speakers?per_page=1&page=1")
    found |= set(re.findall(r"<([^>]*)>", paged.headers["link"]))
    found = {each for each in found if each.startswith(HOME[:-1])}
    return found - {home[:-1]}  # the server of the OpenAPI document, which is only a beginning


def check(server: Server, home: str) -> None:
    found = advertised(server, home)
    assert {f"{home}sparql", f"{home}api/queries/speakers"} <= found
    needs = 0
    for address in sorted(found):
        reply = server.request(address.removeprefix("http://localhost:1"))
        if reply.status == 400 and "must be given" in reply.text:  # a query with a parameter
            needs += 1
            continue
        assert reply.status == 200, (address, reply.text)
    assert needs < len(found) / 2


def test_every_address_of_one_dispute_answers(one: Server) -> None:
    check(one, HOME)


def test_every_address_of_several_disputes_answers(two: Server) -> None:
    for listed in two.request("/kg/").json()["disputes"]:
        for key in ("home", "sparql", "queries", "openapi", "void"):
            assert listed[key].startswith(HOME)
            path = listed[key].removeprefix("http://localhost:1")
            assert two.request(path).status == 200, path
        check(two, listed["home"])
    assert two.request("/kg/.well-known/void").status == 200
    assert two.request("/kg/example").headers["location"] == "/kg/example/"
    assert two.request("/example").headers["location"] == "/kg/example/"


def test_without_the_path_it_answers_as_well(one: Server, two: Server) -> None:
    for path in ("/sparql", "/health", "/ready", "/api/queries", "/kg/health", "/", "/kg/"):
        assert one.request(path).status == 200, path
    assert one.request("/kg").headers["location"] == "/kg/"
    for path in ("/", "/example/sparql", "/example/", "/ready", "/kg/ready"):
        assert two.request(path).status == 200, path


@pytest.mark.parametrize("path", ["/ana", "/kg/ana"])
def test_names_lead_to_where_clients_have_them(one: Server, path: str) -> None:
    reply = one.request(path, headers=HTML)
    assert (reply.status, reply.headers["location"]) == (303, "/kg/about/ana")
    assert one.request("/kg/about/ana", headers=HTML).status == 200


@pytest.mark.parametrize(
    ("disputes", "path"),
    [
        *((["example"], path) for path in ("sparql", "health", "api/v1/", "about", "graphs/")),
        *((["example", "tideline"], path) for path in ("example", "tideline/", "ready/x")),
    ],
)
def test_a_base_that_would_hide_an_address_is_refused(
    tmp_path: Path, disputes: list[str], path: str
) -> None:
    for name in disputes:
        shutil.copytree(EXAMPLE, tmp_path / name, ignore=shutil.ignore_patterns(".kg"))
    asked = ["serve", *(str(tmp_path / name) for name in disputes), "--port", "0", "--base"]
    done = CliRunner().invoke(cli, [*asked, f"http://localhost:1/{path}"])
    assert isinstance(done.exception, EngineError)
    assert f"would hide /{path.split('/')[0]}," in str(done.exception)
    assert not list(tmp_path.glob("*/.kg")), "nothing was built before"


def test_a_dispute_that_is_called_like_the_path_of_anothers_names(tmp_path: Path) -> None:
    """Names of the one dereference below ``/counterclaim/tideline/``, the other is called so."""
    called = tmp_path / "counterclaim"
    shutil.copytree(EXAMPLE, called, ignore=shutil.ignore_patterns(".kg"))
    other = tmp_path / "tideline"
    shutil.copytree(PROJECT / "data" / "tideline", other, ignore=shutil.ignore_patterns(".kg"))
    arguments = ["-m", "kg.cli.main", "serve", str(called), str(other), "--port", "0"]
    server = start([*arguments, "--workers", "1"], tmp_path / "log", tmp_path / "cache")
    try:
        for path in ("/tideline/", "/counterclaim/tideline/"):
            assert server.request(f"{path}petra-dunlin").status == 303
            assert server.request(f"{path}ana").status == 404
        for path in ("/counterclaim/", "/counterclaim/example/"):
            assert server.request(f"{path}ana").status == 303
            assert server.request(f"{path}petra-dunlin").status == 404
    finally:
        end(server)
