"""The house rules that a machine can hold: imports point down, and never in a circle."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "kg"

# The layers of the design, by module or package. What is named nowhere is of layer MIDDLE: the
# dispute's files, queries and passages. A module may import its own layer (not in a circle) and
# those below.
MIDDLE = 2
LAYERS = {
    0: [
        "kg",
        "kg.errors",
        "kg.in_words",
        "kg.machine",
        "kg.namespaces",
        "kg.plain_text",
        "kg.settings",
        "kg.whole_file",
        "kg.with_parent",
    ],
    1: [
        "kg.engine",
        "kg.query_guard",
        "kg.sparql_text",
        "kg.embedded",
        "kg.remote",
        "kg.remote_answers",
        "kg.remote_auth",
        "kg.remote_http",
        "kg.remote_quirks",
        "kg.remote_texts",
        "kg.remote_virtuoso",
        "kg.reader",
        "kg.readers",
        "kg.shared_engine",
    ],
    3: [
        "kg.shacl",
        "kg.checks",
        "kg.derivation",
        "kg.derived_properties",
        "kg.put_aside",
        "kg.times",
        "kg.snapshot",
        "kg.workshop",
        "kg.show",
        "kg.argumentation",
    ],
    4: [
        "kg.pipeline",
        "kg.preparing",
        "kg.changes",
        "kg.revalidation",
        "kg.publish",
        "kg.imports",
        "kg.exports",
        "kg.brief",
    ],
    5: ["kg.server", "kg.cli", "kg.__main__"],
}


def modules() -> dict[str, Path]:
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, known: dict[str, Path]) -> set[str]:
    """The project's modules that a file imports, also inside functions, but not for types."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in known}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module or "")
    return {name for name in found if name in known}


def layer(name: str) -> int:
    for number, packages in LAYERS.items():
        if name in packages or any(name.startswith(f"{p}.") for p in packages if p != "kg"):
            return number
    return MIDDLE


def test_imports_point_down() -> None:
    known = modules()
    up = [
        f"{name} (layer {layer(name)}) imports {other} (layer {layer(other)})"
        for name, path in known.items()
        for other in imported(path, known)
        if layer(other) > layer(name)
    ]
    assert not up


def test_the_rooms_of_the_endpoint_import_those_below() -> None:
    rooms = [f"kg.server.{name}" for name in ("wire", "pool", "worker", "answering", "addresses")]
    known = modules()
    assert {name.rpartition(".")[0] for name in known if name.count(".") == 3} >= set(rooms)

    def floor(name: str) -> int | None:
        return next((n for n, room in enumerate(rooms) if f"{name}.".startswith(f"{room}.")), None)

    up = [
        f"{name} imports {other}"
        for name, path in known.items()
        for other in imported(path, known)
        if (here := floor(name)) is not None and (there := floor(other)) is not None
        if there > here
    ]
    assert not up


def test_no_module_imports_itself_by_a_circle() -> None:
    known = modules()
    graph = {name: imported(path, known) - {name} for name, path in known.items()}
    # Raises CycleError, which names the circle.
    assert set(TopologicalSorter(graph).static_order()) == set(known)


def test_the_scan_sees_imports_of_every_form(tmp_path: Path) -> None:
    known = {"kg.errors": tmp_path, "kg.pipeline": tmp_path, "kg": tmp_path, "kg.engine": tmp_path}
    file = tmp_path / "module.py"
    file.write_text(
        "from typing import TYPE_CHECKING\n"
        "import kg.errors\n"
        "def f():\n    from kg import pipeline\n"
        "if TYPE_CHECKING:\n    from kg.engine import Engine\n",
        encoding="utf-8",
    )
    assert imported(file, known) == {"kg.errors", "kg.pipeline"}
