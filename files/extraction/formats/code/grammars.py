"""Definitions and imports of source code by its tree-sitter grammar, where one is installed.

The parser works on broken code too, in time linear in the text, and its trees are walked without recursion.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from files.extraction.formats.code.code_definitions import FUNCTION, SCOPE, TYPE, Definition, Kind
from files.extraction.formats.code.code_imports import imported_names

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

_SECONDS = 20.0
_NODES = 3_000_000
_BLOCK = 64 * 1024
_STATEMENT_BYTES = 4_000
_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class Grammar:
    """A grammar's module and the types of its nodes that define or import something."""

    module: str
    functions: tuple[str, ...]
    types: tuple[str, ...]
    imports: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    language: str = "language"


@dataclass(slots=True)
class Parsed:
    """What a grammar found. `sound` is False where the text does not follow it."""

    definitions: list[Definition] = field(default_factory=list)
    imports: dict[str, None] = field(default_factory=dict)
    sound: bool = True


_SCRIPT_FUNCTIONS = (
    "function_declaration", "generator_function_declaration", "method_definition", "function_signature",
    "method_signature", "abstract_method_signature",
    "variable_declarator", "field_definition", "public_field_definition", "assignment_expression",
)  # fmt: skip
_SCRIPT_TYPES = (
    "class_declaration", "abstract_class_declaration", "interface_declaration", "enum_declaration",
    "type_alias_declaration",
)  # fmt: skip
_C_FUNCTIONS = ("function_definition", "declaration", "field_declaration")
_C_TYPES = ("struct_specifier", "union_specifier", "enum_specifier", "type_definition")
_TYPESCRIPT = Grammar(
    "tree_sitter_typescript", _SCRIPT_FUNCTIONS, _SCRIPT_TYPES, ("import_statement", "export_statement"),
    ("internal_module", "module"), "language_typescript",
)  # fmt: skip
_GRAMMARS: dict[str, Grammar] = {
    "text/x-python": Grammar(
        "tree_sitter_python", ("function_definition",), ("class_definition",),
        ("import_statement", "import_from_statement", "future_import_statement"),
    ),
    "text/javascript": Grammar(
        "tree_sitter_javascript", _SCRIPT_FUNCTIONS, _SCRIPT_TYPES, ("import_statement", "export_statement")
    ),
    "text/x-typescript": _TYPESCRIPT,
    "text/x-java": Grammar(
        "tree_sitter_java", ("method_declaration", "constructor_declaration", "compact_constructor_declaration"),
        ("class_declaration", "interface_declaration", "enum_declaration", "record_declaration",
         "annotation_type_declaration"), ("import_declaration",),
    ),
    "text/x-c": Grammar("tree_sitter_c", _C_FUNCTIONS, _C_TYPES),
    "text/x-c++": Grammar(
        "tree_sitter_cpp", _C_FUNCTIONS,
        (*_C_TYPES, "class_specifier", "alias_declaration", "concept_definition"), (), ("namespace_definition",),
    ),
    "text/x-csharp": Grammar(
        "tree_sitter_c_sharp", ("method_declaration", "constructor_declaration", "local_function_statement"),
        ("class_declaration", "struct_declaration", "interface_declaration", "enum_declaration", "record_declaration",
         "delegate_declaration"), ("using_directive",), ("namespace_declaration",),
    ),
    "text/x-go": Grammar(
        "tree_sitter_go", ("function_declaration", "method_declaration"), ("type_spec", "type_alias"),
        ("import_declaration",),
    ),
    "text/x-rust": Grammar(
        "tree_sitter_rust", ("function_item", "function_signature_item", "macro_definition"),
        ("struct_item", "enum_item", "union_item", "trait_item", "type_item"),
        ("use_declaration", "extern_crate_declaration"), ("mod_item", "impl_item"),
    ),
    "text/x-ruby": Grammar("tree_sitter_ruby", ("method", "singleton_method"), ("class",), (), ("module",)),
    "text/x-php": Grammar(
        "tree_sitter_php", ("function_definition", "method_declaration"),
        ("class_declaration", "interface_declaration", "trait_declaration", "enum_declaration"),
        ("namespace_use_declaration",), (), "language_php",
    ),
    "text/x-shellscript": Grammar("tree_sitter_bash", ("function_definition",), ()),
    "text/x-scala": Grammar(
        "tree_sitter_scala", ("function_definition", "function_declaration"),
        ("class_definition", "object_definition", "trait_definition", "enum_definition", "type_definition"),
        ("import_declaration",),
    ),
    "text/x-kotlin": Grammar(
        "tree_sitter_kotlin", ("function_declaration",),
        ("class_declaration", "object_declaration", "type_alias"), ("import",),
    ),
    "text/x-swift": Grammar(
        "tree_sitter_swift",
        ("function_declaration", "init_declaration", "deinit_declaration", "protocol_function_declaration"),
        ("class_declaration", "protocol_declaration", "typealias_declaration"), ("import_declaration",),
    ),
}  # fmt: skip
_WRAPPERS = frozenset(
    ("decorated_definition", "export_statement", "template_declaration", "lexical_declaration", "type_declaration",
     "variable_declaration", "ambient_declaration", "expression_statement")
)  # fmt: skip
_ASSIGNED = frozenset(("variable_declarator", "field_definition", "public_field_definition", "assignment_expression"))
_FUNCTION_VALUES = frozenset(("arrow_function", "function_expression", "function", "generator_function"))
_DECLARED = frozenset(("declaration", "field_declaration"))
_WITH_BODY = frozenset(("struct_specifier", "union_specifier", "enum_specifier", "class_specifier"))
_NAME_TYPES = frozenset(
    ("identifier", "type_identifier", "field_identifier", "simple_identifier", "constant", "word", "name",
     "property_identifier", "qualified_identifier", "destructor_name", "operator_name", "template_function",
     "scope_resolution", "namespace_identifier", "operator_cast")
)  # fmt: skip


def parse(media_type: str, name: str, text: str) -> Parsed | None:
    """Return the definitions and imports of `text`; None when no grammar is installed or parsing takes too long."""
    grammar = _GRAMMARS.get(media_type)
    if media_type == "text/x-typescript" and name.lower().endswith("tsx"):
        grammar = Grammar(_TYPESCRIPT.module, _TYPESCRIPT.functions, _TYPESCRIPT.types, _TYPESCRIPT.imports,
                          _TYPESCRIPT.scopes, "language_tsx")  # fmt: skip
    tree = _tree(grammar, text.encode("utf-8", "replace")) if grammar else None
    return _Reader(media_type, grammar).read(tree) if grammar and tree else None


def _tree(grammar: Grammar, data: bytes) -> Tree | None:
    try:
        from tree_sitter import Language, Parser

        language = Language(getattr(import_module(grammar.module), grammar.language)())
    except (ImportError, AttributeError, ValueError):  # not installed, or built for another tree-sitter
        return None
    until = time.monotonic() + _SECONDS

    def read(offset: int, _point: object) -> bytes:
        return data[offset : offset + _BLOCK]

    try:
        return Parser(language).parse(read, progress_callback=lambda _offset, _error: time.monotonic() > until)
    except ValueError:  # stopped by the clock
        return None


class _Reader:
    """Walks a tree once and keeps what has a name."""

    def __init__(self, media_type: str, grammar: Grammar) -> None:
        self._media_type = media_type
        self._kinds: dict[str, Kind] = {
            **dict.fromkeys(grammar.functions, FUNCTION),
            **dict.fromkeys(grammar.types, TYPE),
            **dict.fromkeys(grammar.scopes, SCOPE),
        }
        self._imports = frozenset(grammar.imports)
        self._found = Parsed()
        self._body_until = -1  # a declaration in a function's body is no function, though it may look like one
        self._wrapper = (-1, 0, 0)  # depth, first and last line of the last node that wraps a definition

    def read(self, tree: Tree) -> Parsed:
        """Return what the tree holds."""
        self._found.sound = not tree.root_node.has_error
        for node, depth in _walk(tree):
            kind = node.type
            if kind in _WRAPPERS:
                self._wrapper = (depth, node.start_point.row + 1, node.end_point.row + 1)
            if kind in self._imports:
                statement = _text(node, _STATEMENT_BYTES)
                self._found.imports.update(dict.fromkeys(imported_names(self._media_type, statement)))
            elif kind in self._kinds and node.is_named:
                self._define(node, depth, self._kinds[kind])
            if len(self._found.definitions) >= _NAMES:
                break
        return self._found

    def _define(self, node: Node, depth: int, kind: Kind) -> None:
        if node.type in _ASSIGNED and not _is_function(node):
            return
        if node.type in _WITH_BODY and node.child_by_field_name("body") is None:
            return
        name, owner = _name(node)
        if node.type in _DECLARED and (not name.endswith("()") or node.start_byte < self._body_until):
            return
        if not name:
            return
        first = node.start_point.row + 1
        wrapped, start, end = self._wrapper
        if wrapped == depth - 1 and start <= first <= end:
            first = start
        # A grammar may count the line end into the node.
        last = node.end_point.row + (1 if node.end_point.column or node.end_point.row == node.start_point.row else 0)
        if node.type == "function_definition":
            self._body_until = node.end_byte
        self._found.definitions.append(Definition(kind, name.removesuffix("()"), first, last, owner))


def _walk(tree: Tree) -> Iterator[tuple[Node, int]]:
    """Yield the nodes before those inside them, each with its depth, `_NODES` at most."""
    cursor, depth = tree.walk(), 0
    for _ in range(_NODES):
        node = cursor.node
        if node is not None:
            yield node, depth
        if cursor.goto_first_child():
            depth += 1
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            depth -= 1


def _name(node: Node) -> tuple[str, str]:
    """Return the name that a node defines and what it belongs to; a C declarator of a function ends in `()`."""
    named = node.child_by_field_name("name")
    if node.type == "impl_item":
        named = node.child_by_field_name("type")
    elif node.type == "assignment_expression":
        named = node.child_by_field_name("left")
    if named is None and (declared := node.child_by_field_name("declarator")):
        return _declared(declared, is_function=node.type == "function_definition")
    if named is None:
        named = next((child for child in node.children[:20] if child.type in _NAME_TYPES), None)
    if named is None:
        return {"init_declaration": "init", "deinit_declaration": "deinit"}.get(node.type, ""), ""
    receiver = node.child_by_field_name("receiver")
    if node.type == "method_declaration" and receiver is not None:
        return _text(named), _text(receiver).strip("()").split()[-1:].pop().lstrip("*").partition("[")[0]
    owner, _, name = _text(named).rpartition(".") if node.type == "assignment_expression" else ("", "", _text(named))
    return name, owner.removesuffix(".prototype") if not owner.startswith(("this", "module", "exports")) else ""


def _declared(node: Node, *, is_function: bool) -> tuple[str, str]:
    """Follow a C declarator through pointers and parameters to the name in it."""
    for _ in range(20):
        is_function = is_function or node.type == "function_declarator"
        inner = node.child_by_field_name("declarator")
        if inner is None and node.type not in _NAME_TYPES:
            inner = next((child for child in node.named_children[:4] if child.type in _NAME_TYPES
                          or child.type.endswith("declarator")), None)  # fmt: skip
        if inner is None or node.type in _NAME_TYPES:
            break
        node = inner
    owner, _, name = _text(node).rpartition("::")
    return (name.strip() + "()" if is_function and name.strip() else name.strip()), owner.strip().replace("::", ".")


def _is_function(node: Node) -> bool:
    value = node.child_by_field_name("value") or node.child_by_field_name("right")
    return value is not None and value.type in _FUNCTION_VALUES


def _text(node: Node, limit: int = 200) -> str:
    """Return the start of a node's text; nothing where a name would be as long as a file."""
    if node.end_byte - node.start_byte > limit * 50:
        return ""
    return (node.text or b"")[:limit].decode("utf-8", "ignore").strip()
