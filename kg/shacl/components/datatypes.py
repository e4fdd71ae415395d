"""Which lexical forms belong to a datatype, as SPARQL.

The lexical spaces are those of XML Schema Definition Language 1.1 Part 2
(https://www.w3.org/TR/xmlschema11-2/). Only functions of SPARQL 1.1 are used: whether a day
exists is left to the cast to ``xsd:dateTime``, ranges to ``xsd:decimal``.
"""

from __future__ import annotations

import re

from kg.namespaces import PREFIXES
from kg.shacl.conditions import TRUE, all_of

_XSD = PREFIXES["xsd"]

_ZONE = r"(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?"
_YEAR = r"-?([1-9][0-9]{3,}|0[0-9]{3})"
_MONTH = r"(0[1-9]|1[0-2])"
_DAY = r"(0[1-9]|[12][0-9]|3[01])"
_TIME = r"(([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?|24:00:00(\.0+)?)"
_DECIMAL = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"
_FLOAT = rf"({_DECIMAL}([eE][+-]?[0-9]+)?|[+-]?INF|NaN)"
_SECONDS = r"[0-9]+(\.[0-9]+)?S"
_HOURS = rf"T([0-9]+H([0-9]+M)?({_SECONDS})?|[0-9]+M({_SECONDS})?|{_SECONDS})"
_YEARS = r"([0-9]+Y([0-9]+M)?|[0-9]+M)"
_DAYS = rf"([0-9]+D({_HOURS})?|{_HOURS})"
_SIX = "[A-Za-z0-9+/]"  # six bits of Base64; single spaces may stand between
_BASE64_END = rf"({_SIX} ?){{3}}{_SIX}|({_SIX} ?){{2}}[AEIMQUYcgkosw048] ?=|{_SIX} ?[AQgw] ?= ?="

_FORMS = {
    "boolean": "(true|false|1|0)",
    "integer": "[+-]?[0-9]+",
    "nonNegativeInteger": r"(\+?[0-9]+|-0+)",
    "positiveInteger": r"\+?0*[1-9][0-9]*",
    "nonPositiveInteger": r"(-[0-9]+|\+?0+)",
    "negativeInteger": "-0*[1-9][0-9]*",
    "decimal": _DECIMAL,
    "float": _FLOAT,
    "double": _FLOAT,
    "dateTime": f"{_YEAR}-{_MONTH}-{_DAY}T{_TIME}{_ZONE}",
    "dateTimeStamp": f"{_YEAR}-{_MONTH}-{_DAY}T{_TIME}{_ZONE.removesuffix('?')}",
    "date": f"{_YEAR}-{_MONTH}-{_DAY}{_ZONE}",
    "time": _TIME + _ZONE,
    "gYear": _YEAR + _ZONE,
    "gYearMonth": f"{_YEAR}-{_MONTH}{_ZONE}",
    "gMonth": f"--{_MONTH}{_ZONE}",
    "gDay": f"---{_DAY}{_ZONE}",
    "gMonthDay": f"--(02-[012][0-9]|(0[469]|11)-([012][0-9]|30)|(0[13578]|1[02])-{_DAY}){_ZONE}",
    "duration": f"-?P({_YEARS}({_DAYS})?|{_DAYS})",
    "yearMonthDuration": f"-?P{_YEARS}",
    "dayTimeDuration": f"-?P{_DAYS}",
    "hexBinary": "([0-9a-fA-F]{2})*",
    "base64Binary": f"((({_SIX} ?){{4}})*({_BASE64_END}))?",
}
_RANGES = {
    "long": (-(2**63), 2**63 - 1),
    "int": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "byte": (-(2**7), 2**7 - 1),
    "unsignedLong": (0, 2**64 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedByte": (0, 2**8 - 1),
}


def well_formed(datatype: str, text: str) -> str:
    """Return whether a string is a lexical form of a datatype; it may be an error if not.

    ``text`` is an expression for the string. Datatypes that are not of XML Schema, or whose
    lexical space is all strings, have no ill-typed literals.
    """
    name = datatype.removeprefix(_XSD)
    if not datatype.startswith(_XSD):
        return TRUE
    if name in _RANGES:
        low, high = _RANGES[name]
        number = f"<{_XSD}decimal>({text})"
        # As decimals, for not every engine has integers of more than 64 bits.
        bounds = (f"{number} >= {low}.0", f"{number} <= {high}.0")
        return all_of([_matches("integer", text), *bounds])
    if name not in _FORMS:
        return TRUE
    if name in ("dateTime", "dateTimeStamp", "date"):
        return all_of([_matches(name, text), _is_a_day(text)])
    return _matches(name, text)


def is_well_formed(datatype: str, text: str) -> bool:
    """Say whether a string is a lexical form of a datatype, but not whether its day exists."""
    name = datatype.removeprefix(_XSD)
    if not datatype.startswith(_XSD):
        return True
    if name in _RANGES:
        low, high = _RANGES[name]
        return is_well_formed(_XSD + "integer", text) and low <= int(text) <= high
    return name not in _FORMS or re.fullmatch(_FORMS[name], text) is not None


def _matches(name: str, text: str) -> str:
    pattern = _FORMS[name].replace("\\", "\\\\")
    return f'REGEX({text}, "^{pattern}$")'


def _is_a_day(text: str) -> str:
    day = f'REPLACE({text}, "^(-?[0-9]+-[0-9]+-[0-9]+).*$", "$1")'
    return f'isLiteral(<{_XSD}dateTime>(CONCAT({day}, "T00:00:00")))'
