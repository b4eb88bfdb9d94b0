"""Reads CEventLoop.h: its groups and declarations, with the documentation above each.

The header keeps a few conventions, and this reader relies on them: documentation is `///`, a group begins
with `// MARK: - Title` (its introduction is the `///` paragraph that an empty line ends), enumerations
are EL_ENUM, structures are `typedef struct … { … } …;`, functions begin with EL_API.
"""
import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = ROOT / "Sources/CEventLoop/include/CEventLoop.h"


@dataclass
class Member:
    """An enumerator or a structure's field."""

    name: str
    value: str  # an enumerator's value, or a field's type
    doc: list


@dataclass
class Declaration:
    kind: str  # function, enum, struct, type, constant
    name: str
    doc: list  # lines without the slashes
    signature: str = ""
    result: str = ""  # of a function
    parameters: list = field(default_factory=list)  # of a function: its parameters as written
    members: list = field(default_factory=list)


@dataclass
class Group:
    title: str
    doc: list
    declarations: list = field(default_factory=list)


def read(path=HEADER):
    lines = path.read_text().splitlines()
    groups = [Group("", [])]
    doc = []
    i = 0
    while i < len(lines):
        line = lines[i]
        i += 1
        if line.startswith("///"):
            doc.append(line[3:].removeprefix(" "))
            continue
        if match := re.match(r"// MARK: - (.*)", line):
            groups.append(Group(match[1], []))
        elif match := re.match(r"EL_ENUM\((\w+)", line):
            body, i = up_to(lines, i, "};")
            groups[-1].declarations.append(Declaration("enum", match[1], doc, members=enumerators(body)))
        elif match := re.match(r"typedef struct (\w+) \{", line):
            body, i = up_to(lines, i, "}")
            members = fields(body)
            groups[-1].declarations.append(Declaration("struct", match[1], doc, members=members))
        elif line.startswith("EL_API"):
            text = line
            while not text.endswith(";"):
                text += " " + lines[i].strip()
                i += 1
            groups[-1].declarations.append(function(text, doc))
        elif (match := re.match(r"typedef .*\b(\w+);", line)) and doc:
            groups[-1].declarations.append(Declaration("type", match[1], doc, signature=line))
        elif (match := re.match(r"#define (EL_\w+) (\S.*)", line)) and doc:
            groups[-1].declarations.append(Declaration("constant", match[1], doc, signature=line))
        elif doc and not line and not (groups[-1].doc or groups[-1].declarations):
            groups[-1].doc = doc
        elif doc and not groups[0].doc:  # the file's own, before the include guard
            groups[0].doc = doc
        doc = []
    return groups


def up_to(lines, i, end):
    body = []
    while not lines[i].startswith(end):
        body.append(lines[i].strip())
        i += 1
    return body, i + 1


def enumerators(body):
    members, doc = [], []
    for line in body:
        if line.startswith("///"):
            doc.append(line[3:].removeprefix(" "))
        elif match := re.match(r"(EL_\w+).*= (\w+),?$", line):
            members.append(Member(match[1], match[2], doc))
            doc = []
    return members


def fields(body):
    members, doc = [], []
    for line in body:
        if line.startswith("///"):
            doc.append(line[3:].removeprefix(" "))
        elif match := re.match(r"(.*?)\s*\b(\w+);$", line):
            members.append(Member(match[2], match[1], doc))
            doc = []
    return members


def function(text, doc):
    signature = re.sub(r"^EL_API\s+", "", text)
    match = re.match(r"(.*?)\b(\w+)\((.*)\);$", signature)
    parameters = [] if match[3] == "void" else [part.strip() for part in match[3].split(",")]
    return Declaration("function", match[2], doc, signature, match[1].strip(), parameters)


def examples(groups):
    """Each indented passage of the documentation, as (where it stands, its lines)."""
    for group in groups:
        yield from passages(group.title or "the opening", group.doc)
        for declaration in group.declarations:
            yield from passages(declaration.name, declaration.doc)


def passages(where, doc):
    for kind, lines in blocks(doc):
        if kind == "code":
            yield where, lines


def blocks(doc):
    """Documentation as ("text" | "code", lines) in order; code is what is indented by four."""
    found, kind, current = [], None, []

    def end():
        while current and not current[-1]:
            current.pop()
        if current:
            found.append((kind, list(current)))
        current.clear()

    for line in doc:
        if line.startswith("    "):
            if kind != "code":
                end()
                kind = "code"
            current.append(line[4:])
        elif not line.strip():
            if kind == "code":
                current.append("")
            else:
                end()
                kind = None
        else:
            if kind != "text":
                end()
                kind = "text"
            current.append(line)
    end()
    return found
