"""The OpenAPI documents: valid, and no less and no more than what the server really answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from .conftest import HOME, Reply, Server
from .test_several import NAMES

GRAPH = "https://w3id.org/counterclaim/example/graph/agents"
ASK = "/sparql?query=ASK%7B%7D"
# Requests, and the path and status of the document that they are an instance of.
REQUESTS = [
    ("/", "/", 200),
    (f"{ASK}", "/sparql", 200),
    ("/sparql", "/sparql", 200),
    ("/sparql?query=ASK", "/sparql", 400),
    ("/sparql?update=x", "/sparql", 403),
    ("/graphs?default", "/graphs", 200),
    (f"/graphs?graph={GRAPH}", "/graphs", 200),
    ("/graphs", "/graphs", 400),
    ("/graphs?graph=urn:x", "/graphs", 404),
    ("/graph/agents", "/graph/{name}", 200),
    ("/graph/nothing", "/graph/{name}", 404),
    ("/about/ana", "/about/{name}", 200),
    ("/about/nothing", "/about/{name}", 404),
    ("/ana", "/{name}", 303),
    ("/nothing", "/{name}", 404),
    ("/.well-known/void", "/.well-known/void", 200),
    ("/openapi.json", "/openapi.json", 200),
    ("/health", "/health", 200),
    ("/ready", "/ready", 200),
    ("/metrics", "/metrics", 200),
    ("/api/queries", "/api/queries", 200),
    ("/api/queries/claims-by?speaker=bo&page=1&per_page=1", "/api/queries/claims-by", 200),
    ("/api/queries/claims-by", "/api/queries/claims-by", 400),
]
# What HTTP itself adds to a message.
FRAMING = {"date", "content-length", "content-type", "connection", "transfer-encoding"}


@pytest.fixture(scope="module")
def told(example: Server) -> dict[str, Any]:
    return found(example, "/openapi.json")


def found(server: Server, path: str) -> dict[str, Any]:
    reply = server.request(path)
    assert reply.status == 200
    document = reply.json()
    assert isinstance(document, dict)
    return document


def resolved(told: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference within the document."""
    while "$ref" in part:
        found: Any = told
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def response(told: dict[str, Any], path: str, status: int, method: str = "get") -> dict[str, Any]:
    responses = told["paths"][path][method]["responses"]
    assert str(status) in responses, (path, status, sorted(responses))
    return resolved(told, responses[str(status)])


def hold(told: dict[str, Any], reply: Reply, expected: dict[str, Any]) -> None:
    """Hold a response against its description: its media type, and every one of its headers."""
    if expected["content"]:
        assert reply.headers["content-type"].partition(";")[0] in expected["content"]
    else:
        assert reply.body == b""
    headers = {name.lower(): resolved(told, one) for name, one in expected["headers"].items()}
    sent = set(reply.headers) - FRAMING
    assert sent <= headers.keys()
    assert {name for name, one in headers.items() if one["required"]} <= sent
    for name in sent:
        schema = headers[name]["schema"]
        assert reply.headers[name] == schema.get("const", reply.headers[name])


@pytest.mark.parametrize(("asked", "path", "status"), REQUESTS)
def test_status_media_type_and_headers(
    example: Server, told: dict[str, Any], asked: str, path: str, status: int
) -> None:
    reply = example.request(asked)
    assert reply.status == status
    hold(told, reply, response(told, path, status))


def test_every_path_was_asked(told: dict[str, Any]) -> None:
    stored = [path for path in told["paths"] if path.startswith("/api/queries/")]
    assert len(stored) > 20
    assert {path for _, path, _ in REQUESTS} >= set(told["paths"]) - set(stored)
    assert {path for _, path, status in REQUESTS if status in (200, 303)} >= set(
        told["paths"]
    ) - set(stored)


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        (asked, path)
        for asked, path, status in REQUESTS
        if status == 200 and "per_page" not in asked
    ],
)
def test_every_media_type_and_no_other(
    example: Server, told: dict[str, Any], asked: str, path: str
) -> None:
    expected = response(told, path, 200)
    media = list(expected["content"])
    if path == "/sparql":
        # What answers with rows is no graph, and the other way round.
        asked = f"/sparql?query={quote('CONSTRUCT { ?s ?p ?o } { ?s ?p ?o }', safe='')}"
        media = list(response(told, "/.well-known/void", 200)["content"])
        assert set(media) < set(expected["content"])
    negotiated = "406" in told["paths"][path]["get"]["responses"]
    for type in media:
        reply = example.request(asked, headers={"Accept": type})
        assert (reply.status, reply.headers["content-type"].partition(";")[0]) == (200, type)
        hold(told, reply, expected)
    reply = example.request(asked, headers={"Accept": "image/png"})
    assert reply.status == (406 if negotiated else 200)
    hold(told, reply, response(told, path, reply.status))


def test_every_media_type_of_rows(example: Server, told: dict[str, Any]) -> None:
    expected = response(told, "/api/queries/claims-by", 200)
    types = set()
    for format in told["paths"]["/api/queries/claims-by"]["get"]["parameters"][1]["schema"]["enum"]:
        reply = example.request(f"/api/queries/claims-by?speaker=bo&format={format}")
        hold(told, reply, expected)
        types.add(reply.headers["content-type"].partition(";")[0])
    for type in expected["content"]:
        reply = example.request("/api/queries/claims-by?speaker=bo", headers={"Accept": type})
        if reply.status == 200:
            hold(told, reply, expected)
            types.add(reply.headers["content-type"].partition(";")[0])
    assert types == set(expected["content"])


def test_an_answer_that_is_at_hand(example: Server, told: dict[str, Any]) -> None:
    for asked, path, status in REQUESTS:
        operation = told["paths"][path]["get"]
        tag = example.request(asked).headers.get("etag") if status == 200 else None
        parameters = [resolved(told, one)["name"] for one in operation.get("parameters", [])]
        # Each that has a tag says so, and only those.
        assert not tag or "If-None-Match" in parameters, asked
        assert ("304" in operation["responses"]) == ("If-None-Match" in parameters), asked
        if tag:
            reply = example.request(asked, headers={"If-None-Match": tag})
            assert reply.status == 304
            hold(told, reply, response(told, path, 304))


def test_what_post_answers(example: Server, told: dict[str, Any]) -> None:
    for media, body, status in [
        ("application/sparql-query", b"ASK {}", 200),
        ("application/x-www-form-urlencoded", b"query=ASK{}", 200),
        ("application/sparql-query", b"ASK", 400),
        ("application/sparql-query", b"DROP ALL", 403),
        ("application/sparql-query", b"#" * (300 << 10), 413),
        ("text/plain", b"ASK {}", 415),
    ]:
        reply = example.request("/sparql", "POST", body, {"Content-Type": media})
        assert reply.status == status
        hold(told, reply, response(told, "/sparql", status, "post"))


def test_the_document_is_valid(example: Server, told: dict[str, Any]) -> None:
    assert told["openapi"] == "3.1.0"
    assert "/api/queries/claims-by" in told["paths"]
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(told)


def test_each_of_several_has_a_document_that_names_its_server(both: Server) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    for name in NAMES:
        told = found(both, f"/{name}/openapi.json")
        validator.validate(told)
        assert told["servers"] == [{"url": f"{HOME}{name}"}]
        assert "/health" not in told["paths"], "which is not below the dispute's name"
        answer_all(both, f"/{name}", told)


def test_several_have_a_document_together(both: Server) -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    told = found(both, "/openapi.json")
    validator.validate(told)
    assert told["servers"] == [{"url": HOME[:-1]}]
    for name in NAMES:
        own = found(both, f"/{name}/openapi.json")["paths"]
        assert {f"/{name}{path}" for path in own} <= set(told["paths"])
    tagged = {
        one["tags"][0] for item in told["paths"].values() for one in item.values() if "tags" in one
    }
    assert tagged == {tag["name"] for tag in told["tags"]} == set(NAMES)
    answer_all(both, "", told)
    for path in ("/", "/.well-known/void", "/health", "/ready", "/metrics", "/openapi.json"):
        expected = response(told, path, 200)
        hold(told, both.request(path), expected)
        for type in expected["content"]:
            reply = both.request(path, headers={"Accept": type})
            assert reply.headers["content-type"].partition(";")[0] == type
            hold(told, reply, expected)
    assert both.request("/").json()["openapi"] == f"{HOME}openapi.json"


def answer_all(server: Server, below: str, told: dict[str, Any]) -> None:
    """Ask each path that needs no parameter."""
    asked = 0
    for path, operations in told["paths"].items():
        parameters = [resolved(told, one) for one in operations["get"].get("parameters", [])]
        if not any(one["required"] for one in parameters) and not path.endswith("/graphs"):
            assert server.request(f"{below}{path}").status == 200, path
            asked += 1
    assert asked > 10
