"""Write the C table of frozen modules. Run by a Python of the runtime's own minor version.

Usage: python freeze.py LIB STDLIB_LIST OWN_DIR OUT_DIR
Reads module names from STDLIB_LIST (one a line, `#` comments), sources from LIB (CPython's Lib) and OWN_DIR
(the runtime's own modules), and writes OUT_DIR/frozen.bin (code objects) and OUT_DIR/frozen.c (the table).
"""

import marshal
import sys
from pathlib import Path

# CPython starts its import system from these; they have private names (Python/frozen.c in its source tree).
BOOTSTRAP = {
    "_frozen_importlib": "importlib._bootstrap",
    "_frozen_importlib_external": "importlib._bootstrap_external",
}

TEMPLATE = """\
/* Made by freeze.py: takes the place of CPython's own table of frozen modules. */
#include <Python.h>
#include "internal/pycore_import.h"

static const unsigned char code[] = {{
#embed "frozen.bin"
}};

static const struct _frozen bootstrap[] = {{
{bootstrap}    {{NULL}},
}};

static const struct _frozen modules[] = {{
{modules}    {{NULL}},
}};

static const struct _frozen none[] = {{{{NULL}}}};

static const struct _module_alias aliases[] = {{
{aliases}    {{NULL}},
}};

const struct _frozen *_PyImport_FrozenBootstrap = bootstrap;
const struct _frozen *_PyImport_FrozenStdlib = none;
const struct _frozen *_PyImport_FrozenTest = none;
const struct _module_alias *_PyImport_FrozenAliases = aliases;
const struct _frozen *PyImport_FrozenModules = modules;
"""


def find_source(roots: list[Path], name: str) -> tuple[Path, bool]:
    """The file of module `name`, and whether it is a package."""
    for root in roots:
        path = root.joinpath(*name.split("."))
        if (path / "__init__.py").is_file():
            return path / "__init__.py", True
        if path.with_suffix(".py").is_file():
            return path.with_suffix(".py"), False
    raise SystemExit(f"freeze: no source of module {name!r} under {', '.join(map(str, roots))}")


class Table:
    """Code objects one after another, and the C rows that point at them."""

    def __init__(self, roots: list[Path]) -> None:
        self.roots = roots
        self.code = bytearray()

    def row(self, name: str, source_name: str) -> str:
        """Freeze `source_name` under `name`: without docstrings and asserts, with no path in it."""
        path, is_package = find_source(self.roots, source_name)
        compiled = compile(
            path.read_bytes(), f"<frozen {source_name}>", "exec", dont_inherit=True, optimize=2
        )
        offset = len(self.code)
        self.code += marshal.dumps(compiled)
        return f'    {{"{name}", code + {offset}, {len(self.code) - offset}, {int(is_package)}}},\n'


def read_names(path: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def main(lib: str, stdlib_list: str, own_dir: str, out_dir: str) -> None:
    own = Path(own_dir)
    table = Table([own, Path(lib)])
    names = read_names(Path(stdlib_list)) + sorted(path.stem for path in own.glob("*.py"))
    text = TEMPLATE.format(
        bootstrap="".join(table.row(name, source) for name, source in BOOTSTRAP.items()),
        modules="".join(table.row(name, name) for name in names),
        aliases="".join(f'    {{"{name}", "{source}"}},\n' for name, source in BOOTSTRAP.items()),
    )
    Path(out_dir, "frozen.bin").write_bytes(table.code)
    Path(out_dir, "frozen.c").write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
