"""What the compiler of stock Kybra 0.7.1 refuses and ours does not. Nothing is run: names are read.

Kybra finds everything by its name in the source, at the top level of modules: so `from kybra import x as y`,
`kybra.nat64` or a type made by a call are invisible to it. Annotations may be Candid names, `Opt`, `Vec`,
`Tuple`, `Manual`, `Async`, `Func(…)`, quoted names, and the canister's own types.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cdk.builder.imports import Source, catches_import_error

from .findings import Finding

SYSTEM = ("init", "post_upgrade", "pre_upgrade", "heartbeat", "inspect_message")
ENDPOINTS = ("query", "update")
MAX_PARAMETERS = 5
SUBSCRIPTABLE = ("Opt", "Vec", "Tuple", "Manual", "Async", "Alias")
FOREIGN = {"bytes": "blob", "float": "float64", "list": "Vec[…]", "dict": "a Record", "object": "reserved"}
EXTENSIONS = ("DefinitionError", "KeyTooLargeError", "ValueTooLargeError")
IC_EXTENSIONS = ("is_controller", "canister_version")
CALL_EXTENSIONS = ("with_timeout", "reject_code")


def kybra_findings(sources: list[Source]) -> list[Finding]:
    """What stock Kybra would refuse in these modules."""
    findings: list[Finding] = []
    types: dict[str, str] = {}
    for source in sources:
        try:
            tree = ast.parse(source.text)
        except SyntaxError:
            continue  # reported with the imports
        module = _Module(source)
        module.check_syntax(tree)
        if _imports_kybra(tree):
            module.check(tree)
        findings += module.findings
        for name, line in module.types:
            place = types.setdefault(name, f"{source.filename}:{line}")
            if place != f"{source.filename}:{line}":
                findings.append(module.finding(line, f"type {name} is defined twice; first at {place}"))
    return findings


def _guarded_imports(tree: ast.Module) -> Iterator[ast.AST]:
    """Imports of our extensions in a `try` that has another way when there are none."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any(map(catches_import_error, node.handlers)):
            for statement in node.body:
                if isinstance(statement, ast.ImportFrom) and statement.module == "kybra.extensions":
                    yield statement


def _imports_kybra(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "kybra":
            return True
        if isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "kybra" for alias in node.names):
            return True
    return False


class _Module:
    """The findings of one module."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self.types: list[tuple[str, int]] = []
        self.guards: set[str] = set()
        self.imported: set[str] = set()

    def finding(self, line: int, problem: str) -> Finding:
        return Finding(self.source.filename, line, "kybra", problem)

    def report(self, node: ast.stmt | ast.expr | ast.arg, problem: str) -> None:
        self.findings.append(self.finding(node.lineno, problem))

    def check_syntax(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Match):
                self.report(node, "Kybra's Python has no match statement")

    def check(self, tree: ast.Module) -> None:
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        self.guards = {node.name for node in functions if _name(node.returns) == "GuardResult"}
        imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
        self.imported = {alias.asname or alias.name for node in imports for alias in node.names}
        guarded = set(_guarded_imports(tree))
        for node in ast.walk(tree):
            if node not in guarded:
                self.check_use(node)
        for statement in tree.body:
            if isinstance(statement, ast.FunctionDef):
                self.check_function(statement)
            elif isinstance(statement, ast.ClassDef):
                self.check_class(statement)
            elif isinstance(statement, ast.Assign):
                self.check_assignment(statement)
        self.check_nested(tree)

    def check_use(self, node: ast.AST) -> None:
        """Imports, and names that only our library has."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "kybra":
                    self.report(node, "write `from kybra import …`: Kybra does not see `kybra.name`")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "kybra":
            self.check_import(node)
        elif isinstance(node, ast.Attribute):
            if _name(node.value) == "ic" and node.attr in IC_EXTENSIONS:
                self.report(node, f"ic.{node.attr} is an extension of ours")
            elif _name(node.value) != "ic" and node.attr in CALL_EXTENSIONS:
                self.report(node, f"{node.attr} is an extension of ours")

    def check_import(self, node: ast.ImportFrom) -> None:
        if node.module == "kybra.extensions":
            self.report(node, "kybra.extensions is ours alone")
        for alias in node.names:
            if alias.asname not in (None, alias.name):
                self.report(
                    node, f"{alias.name} is imported under another name: Kybra knows it by its own only"
                )
            if node.module == "kybra" and alias.name in EXTENSIONS:
                self.report(node, f"{alias.name} is an extension of ours")

    def check_nested(self, tree: ast.Module) -> None:
        top = set(map(id, tree.body))
        named = {id(statement.value) for statement in tree.body if isinstance(statement, ast.Assign)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and id(node) not in named and _is_map(node):
                self.report(node, "a map is named at the top level of its module: Kybra does not see others")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and id(node) not in top and _decorators(node):
                self.report(node, f"{node.name} is not at the top level of its module: Kybra does not see it")

    def check_function(self, node: ast.FunctionDef) -> None:
        decorators = _decorators(node)
        if node.name in self.guards and node.args.args:
            self.report(node, f"{node.name} is a guard and cannot have parameters")
        if not decorators:
            return
        self.check_signature(node, MAX_PARAMETERS, node.args.args)
        if decorators[0] in SYSTEM and _name(node.returns) != "void":
            self.report(node, f"{node.name}: a @{decorators[0]} is annotated `-> void`")
        for decorator in node.decorator_list:
            for keyword in getattr(decorator, "keywords", []):
                if keyword.arg == "guard" and not isinstance(keyword.value, ast.Name):
                    self.report(node, f"{node.name}: its guard must be the name of a function")
                elif keyword.arg == "guard" and keyword.value.id not in self.guards | self.imported:
                    self.report(
                        node, f"{node.name}: {keyword.value.id} is not a function annotated `-> GuardResult`"
                    )

    def check_signature(self, node: ast.FunctionDef, most: int, parameters: list[ast.arg]) -> None:
        arguments = node.args
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.defaults:
            self.report(node, f"{node.name} may only have plain parameters, without defaults, * or **")
        if len(parameters) > most:
            self.report(node, f"{node.name} has {len(parameters)} parameters, at most {most} are allowed")
        for parameter in parameters:
            if parameter.annotation is None:
                self.report(parameter, f"parameter {parameter.arg!r} of {node.name} has no type annotation")
            else:
                self.check_type(parameter.annotation)
        if node.returns is None:
            self.report(node, f"{node.name} has no return type annotation (use `-> void` for none)")
        else:
            self.check_type(node.returns)

    def check_class(self, node: ast.ClassDef) -> None:
        bases = {_name(base) for base in node.bases}
        if bases & {"Record", "Variant"}:
            self.types.append((node.name, node.lineno))
            for member in node.body:
                self.check_member(node, member, "Record" in bases)
        elif "Service" in bases:
            self.types.append((node.name, node.lineno))
            self.check_service(node)

    def check_member(self, owner: ast.ClassDef, member: ast.stmt, is_record: bool) -> None:
        if isinstance(member, ast.AnnAssign):
            self.check_type(member.annotation)
            return
        value = getattr(member, "value", None)
        if is_record and isinstance(value, ast.Constant) and value.value is ...:
            return
        what = "a docstring" if isinstance(value, ast.Constant) and isinstance(value.value, str) else "this"
        self.report(member, f"{owner.name} may have members `name: type` only, not {what}")

    def check_service(self, node: ast.ClassDef) -> None:
        if not any(isinstance(member, ast.FunctionDef) for member in node.body):
            self.report(node, f"service {node.name} has no methods")
        for member in node.body:
            if not isinstance(member, ast.FunctionDef):
                self.report(member, f"service {node.name} may have methods only")
                continue
            decorators = [_name(decorator) for decorator in member.decorator_list]
            if len(decorators) != 1 or decorators[0] not in ("service_query", "service_update"):
                self.report(member, f"{node.name}.{member.name} needs @service_query or @service_update")
            self.check_signature(member, MAX_PARAMETERS, member.args.args[1:])

    def check_assignment(self, node: ast.Assign) -> None:
        if isinstance(node.value, ast.Subscript) and _name(node.value.value) == "Alias":
            self.check_type(node.value.slice)
        elif isinstance(node.value, ast.Call) and _name(node.value.func) in ("Record", "Variant"):
            self.report(node, "write types as classes: Kybra does not see those made by a call")
        elif isinstance(node.value, ast.Call) and _is_map(node.value):
            self.check_map(node.value)

    def check_map(self, call: ast.Call) -> None:
        made = call.func
        assert isinstance(made, ast.Subscript)
        for part in getattr(made.slice, "elts", []):
            self.check_type(part)
        sizes = [*call.args, *[keyword.value for keyword in call.keywords]]
        if any(not isinstance(size, ast.Constant) for size in sizes):
            self.report(call, "memory_id, max_key_size and max_value_size must be written as numbers")

    def check_type(self, annotation: ast.expr) -> None:
        """An annotation that Kybra's compiler can read."""
        for problem in _type_problems(annotation):
            self.report(annotation, problem)


def _type_problems(annotation: ast.expr) -> Iterator[str]:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        if not annotation.value.isidentifier():
            yield f"{annotation.value!r}: only the name of a type may stand in quotes"
    elif isinstance(annotation, ast.Constant) and annotation.value is None:
        yield "None is not a type: write null, or void for no result"
    elif isinstance(annotation, ast.Name):
        if annotation.id in FOREIGN:
            yield f"{annotation.id} is not a Candid type of Kybra: use {FOREIGN[annotation.id]}"
    elif isinstance(annotation, ast.Subscript):
        if _name(annotation.value) not in SUBSCRIPTABLE:
            yield f"{ast.unparse(annotation)}: only {', '.join(SUBSCRIPTABLE)} take types in brackets"
        parts = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        for part in parts:
            yield from _type_problems(part)
    elif not (isinstance(annotation, ast.Call) and _name(annotation.func) == "Func"):
        yield f"{ast.unparse(annotation)}: this is not a type that Kybra can read"


def _is_map(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Subscript) and _name(call.func.value) == "StableBTreeMap"


def _name(node: ast.expr | None) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _decorators(node: ast.FunctionDef) -> list[str]:
    """The decorators of Kybra on a function, called or not."""
    names = [_name(item.func if isinstance(item, ast.Call) else item) for item in node.decorator_list]
    return [name for name in names if name in SYSTEM + ENDPOINTS]
