"""Write Turtle that a person can read: short names, literals, one block per subject.

Source: RDF 1.1 Turtle (W3C Recommendation, 2014), sections 2.4, 6.4 and 6.5.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from kg.errors import ImportFailedError
from kg.namespaces import PREFIXES

_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Letters that Unicode does not decompose into a base letter and an accent.
_PLAIN = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"}
)
_SHORT_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?")
_BASE = re.compile(r"(?:https?://|urn:)[^\s<>\"{}|\\^`\x00-\x20]*[/#:]")
_WEB = re.compile(r"https?://[^\s<>\"{}|\\^`\x00-\x20]+")

# A subject's predicates and their objects, in the order they are written.
Statements = Sequence[tuple[str, Sequence[str]]]


def literal(text: str, datatype: str | None = None) -> str:
    """Return a quoted Turtle literal on one line.

    Control, formatting and other invisible characters are written as escapes, so that nothing
    in a file name or a message can hide or turn what stands beside it. A lone surrogate, which
    RDF cannot hold, becomes U+FFFD. ``datatype`` is a prefixed name.
    """
    quoted = f'"{"".join(map(_escaped, text))}"'
    return f"{quoted}^^{datatype}" if datatype else quoted


def _escaped(character: str) -> str:
    short = _SHORT_ESCAPES.get(character)
    if short is not None:
        return short
    if character.isprintable():
        return character
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        return "\N{REPLACEMENT CHARACTER}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def slug(text: str) -> str:
    """Return ``text`` as lower-case ASCII letters, digits and single hyphens; may be empty."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    ascii_ = plain.encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_)[:48].strip("-")


def short_names(texts: Iterable[str], prefix: str) -> dict[str, str]:
    """Give each distinct text a short name ``prefix-slug`` of its own.

    Of texts with one slug the first in code-point order keeps it; the others, and those whose
    slug is empty, get the beginning of their SHA-256. The same texts always get the same names.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    distinct = sorted(set(texts))
    # Plain slugs first, so that no suffixed name can take one away.
    for text in distinct:
        name = f"{prefix}-{slug(text)}"
        if slug(text) and name not in taken:
            names[text] = name
            taken.add(name)
    for text in distinct:
        if text in names:
            continue
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        stem = "-".join(part for part in (prefix, slug(text)) if part)
        length = 8
        while (name := f"{stem}-{digest[:length]}") in taken:
            length += 1
        names[text] = name
        taken.add(name)
    return names


def short_name(text: str) -> str:
    """Check a short name typed by a person. Raises ``ImportFailedError``."""
    if _SHORT_NAME.fullmatch(text) is None:
        raise ImportFailedError(
            f"'{text}' is not a short name.",
            hint="Use letters, digits, hyphens and underscores, such as record-llama-cpp-git.",
        )
    return text


def base_iri(text: str) -> str:
    """Check the IRI that short names are appended to. Raises ``ImportFailedError``."""
    if _BASE.fullmatch(text) is None:
        raise ImportFailedError(
            f"'{text}' cannot be the base of short names.",
            hint="Give an http, https or urn IRI that ends in '/', '#' or ':'.",
        )
    return text


def web_address(text: str) -> str:
    """Return an http(s) address between angle brackets. Raises ``ImportFailedError``."""
    if _WEB.fullmatch(text) is None or "@" in text.split("/")[2]:
        raise ImportFailedError(
            f"'{text}' is not a web address to cite.",
            hint="Give an http or https address without a user name or password.",
        )
    return f"<{text}>"


def header(base: str, prefixes: Iterable[str]) -> str:
    """Return the prefix declarations: the empty prefix for ``base``, then the named ones."""
    lines = [f"@prefix : <{base}> ."]
    lines += [f"@prefix {prefix}: <{PREFIXES[prefix]}> ." for prefix in sorted(prefixes)]
    return "\n".join(lines) + "\n"


def block(subject: str, statements: Statements) -> str:
    """Return one subject's block, ending in a line feed, without empty predicates.

    Objects that do not fit on the predicate's line get one each.
    """
    parts = []
    for predicate, objects in statements:
        line = f"{predicate} {', '.join(objects)}"
        if len(objects) > 1 and len(line) > 94:
            line = f"{predicate}\n        " + ",\n        ".join(objects)
        if objects:
            parts.append(line)
    return f"{subject} " + " ;\n    ".join(parts) + " .\n"


def comment(text: str) -> str:
    """Return ``text`` as comment lines, whatever line ends it holds."""
    return "".join(f"# {line}".rstrip() + "\n" for line in text.splitlines())
