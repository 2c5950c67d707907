"""Make a canister of the generic runtime: choose its exports, embed the application, add metadata."""

from collections.abc import Mapping

from cdk.wasm.module import (
    PAGE_SIZE,
    Export,
    ExternalKind,
    Section,
    SectionId,
    active_segment,
    append_segments,
    emit,
    emit_exports,
    emit_memory,
    find,
    parse,
    parse_constant_globals,
    parse_exports,
    parse_imports,
    parse_memory,
)
from cdk.wasm.reader import Reader, WasmError, u32

# What the runtime exports (cdk/runtime/entry.c, boot.c).
METHOD_PREFIX = "leasehold_method_"
BUNDLE_GLOBAL = "leasehold_bundle"
LIFECYCLE = ("canister_init", "canister_post_upgrade", "canister_pre_upgrade")
KEPT = {"memory": "memory", "__indirect_function_table": "table"}

# Interface specification, "WebAssembly module requirements".
METHOD_KINDS = ("canister_update", "canister_query", "canister_composite_query")
SYSTEM_ENTRY_POINTS = (
    *LIFECYCLE,
    "canister_heartbeat",
    "canister_global_timer",
    "canister_inspect_message",
    "canister_on_low_wasm_memory",
)
METHODS_MAX = 1000
METHOD_NAMES_MAX = 20_000
METADATA_SECTIONS_MAX = 16
METADATA_BYTES_MAX = 1 << 20


def specialise(
    runtime: bytes,
    *,
    exports: Mapping[str, int | str],
    bundle: bytes,
    custom_sections: Mapping[str, bytes],
) -> bytes:
    """The canister module: `runtime` with the application in it.

    exports: export name ("canister_update transfer", "canister_heartbeat") to a trampoline number or the
        runtime's export of that system entry point; init, post_upgrade, pre_upgrade are always exported.
    bundle: the marshalled application (cdk/runtime/python/_leasehold.py says what is in it).
    custom_sections: whole section names ("icp:public candid:service") to contents.
    Raises: WasmError for a module, name or amount that the Internet Computer or the runtime does not allow.
    """
    sections = [section for section in parse(runtime) if section.id is not SectionId.CUSTOM]
    ensure_only_ic0(sections)
    available = {export.name: export for export in parse_exports(sections)}
    address = bundle_record_address(sections, available)
    chosen = choose_exports(available, exports)
    ensure_metadata(custom_sections)

    minimum, maximum = parse_memory(sections)
    pages = -(-len(bundle) // PAGE_SIZE)
    if maximum is not None and minimum + pages > maximum:
        raise WasmError(
            f"a bundle of {len(bundle)} bytes does not fit in the runtime's memory of {maximum} pages"
        )
    start = minimum * PAGE_SIZE
    record = start.to_bytes(4, "little") + len(bundle).to_bytes(4, "little")
    segments = [active_segment(start, bundle), active_segment(address, record)]
    data = find(sections, SectionId.DATA)
    if data is None:
        raise WasmError("the runtime has no data section")
    replaced = {
        SectionId.MEMORY: emit_memory(minimum + pages, maximum),
        SectionId.EXPORT: emit_exports(chosen),
        SectionId.DATA: append_segments(data, segments),
    }
    sections = [replaced.get(section.id, section) for section in sections]
    sections = [_count_segments(section, len(segments)) for section in sections]
    metadata = [Section(SectionId.CUSTOM, content, title) for title, content in custom_sections.items()]
    return emit(sections + metadata)


def ensure_only_ic0(sections: list[Section]) -> None:
    """A canister may import nothing but `ic0` functions."""
    for item in parse_imports(sections):
        if item.module != "ic0" or item.kind is not ExternalKind.FUNCTION:
            raise WasmError(
                f"the runtime imports {item.module}.{item.name}: a canister may import ic0 functions only"
            )


def bundle_record_address(sections: list[Section], available: Mapping[str, Export]) -> int:
    """Where the runtime keeps the bundle's address and size."""
    export = available.get(BUNDLE_GLOBAL)
    if export is None or export.kind is not ExternalKind.GLOBAL:
        raise WasmError(f"not a Leasehold runtime: it exports no global {BUNDLE_GLOBAL!r}")
    values = parse_constant_globals(sections)
    address = values[export.index] if export.index < len(values) else None
    if address is None:
        raise WasmError(f"the runtime's global {BUNDLE_GLOBAL!r} is not a constant")
    return address


def choose_exports(available: Mapping[str, Export], exports: Mapping[str, int | str]) -> list[Export]:
    """The canister's exports: memory, table, lifecycle, and what the application asks for."""
    ensure_names(exports)
    wanted: dict[str, str] = {title: title for title in LIFECYCLE}
    for title, target in exports.items():
        wanted[title] = f"{METHOD_PREFIX}{target}" if isinstance(target, int) else target
    chosen = [
        Export(KEPT[old], available[old].kind, available[old].index) for old in KEPT if old in available
    ]
    for title, target in wanted.items():
        export = available.get(target)
        if export is None or export.kind is not ExternalKind.FUNCTION:
            raise WasmError(f"export {title!r}: the runtime has no function {target!r}")
        chosen.append(Export(title, ExternalKind.FUNCTION, export.index))
    return chosen


def ensure_names(exports: Mapping[str, int | str]) -> None:
    """Every export is a method, under one kind only, or a system entry point."""
    methods: dict[str, str] = {}
    for title in exports:
        kind, space, method = title.partition(" ")
        if kind in METHOD_KINDS and space:
            if method in methods:
                raise WasmError(f"method {method!r} is exported twice: as {methods[method]!r} and {title!r}")
            methods[method] = title
        elif title not in SYSTEM_ENTRY_POINTS:
            raise WasmError(
                f"export {title!r} is neither '<kind> <method>' with a kind of {', '.join(METHOD_KINDS)}"
                f" nor one of {', '.join(SYSTEM_ENTRY_POINTS)}"
            )
    if len(methods) > METHODS_MAX:
        raise WasmError(f"{len(methods)} methods: at most {METHODS_MAX} may be exported")
    if (total := sum(len(method.encode()) for method in methods)) > METHOD_NAMES_MAX:
        raise WasmError(f"method names of {total} bytes together: at most {METHOD_NAMES_MAX}")


def ensure_metadata(custom_sections: Mapping[str, bytes]) -> None:
    """Metadata sections keep the platform's rules on names, number and size."""
    titles: dict[str, str] = {}
    size = 0
    for section, content in custom_sections.items():
        if not section.startswith("icp:"):
            continue
        visibility, space, title = section.partition(" ")
        if visibility not in ("icp:public", "icp:private") or not space:
            raise WasmError(
                f"custom section {section!r}: must be 'icp:public <name>' or 'icp:private <name>'"
            )
        if title in titles:
            raise WasmError(f"metadata {title!r} is given twice: as {titles[title]!r} and {section!r}")
        titles[title] = section
        size += len(title.encode()) + len(content)
    if len(titles) > METADATA_SECTIONS_MAX:
        raise WasmError(f"{len(titles)} metadata sections: at most {METADATA_SECTIONS_MAX}")
    if size > METADATA_BYTES_MAX:
        raise WasmError(f"metadata of {size} bytes: at most {METADATA_BYTES_MAX}")


def _count_segments(section: Section, added: int) -> Section:
    """The data-count section must agree with the data section."""
    if section.id is not SectionId.DATA_COUNT:
        return section
    return Section(SectionId.DATA_COUNT, u32(Reader(section.content).u32() + added))
