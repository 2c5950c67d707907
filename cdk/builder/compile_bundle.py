"""Compiles modules to a bundle. Run by the Python whose bytecode the runtime executes; uses nothing of ours.

Reads a JSON list of `[name, filename, is_package, text]` on stdin, writes `marshal.dumps({"entry": …,
"modules": {name: (is_package, marshalled code)}})` on stdout. Docstrings are left out; asserts stay.
"""

import ast
import json
import marshal
import sys


def without_docstrings(tree: ast.Module) -> ast.Module:
    """`tree` with every docstring removed (an empty body becomes `pass`)."""
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        body = node.body
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            if isinstance(body[0].value.value, str):
                place = ast.copy_location(ast.Pass(), body[0])
                node.body = body[1:] or ([] if isinstance(node, ast.Module) else [place])
    return tree


def main() -> None:
    """Compile what stdin lists."""
    modules = {}
    for name, filename, is_package, text in json.load(sys.stdin):
        tree = without_docstrings(ast.parse(text, filename))
        code = compile(tree, filename, "exec", dont_inherit=True, optimize=0)
        modules[name] = (is_package, marshal.dumps(code))
    sys.stdout.buffer.write(marshal.dumps({"entry": sys.argv[1], "modules": modules}))


main()
