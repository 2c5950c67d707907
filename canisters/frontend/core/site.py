"""The site: which asset answers a request, and the certificate's part for it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Optional

from canisters.frontend.core import cbor
from canisters.frontend.core.asset import ENCODINGS, Asset
from canisters.frontend.core.hash_tree import Tree, digest, witness
from canisters.frontend.core.response import EXPRESSION_HASH, Response, found, not_found

INDEX = "/index.html"

_ROOT = "http_expr"
_EXACT = "<$>"
_WILDCARD = "<*>"


class Answer(NamedTuple):
    """What answers a request; `asset` None if nothing lies at its path."""

    response: Response
    asset: Optional[Asset]
    expr_path: tuple[str, ...]
    absent: tuple[tuple[str, ...], ...]
    """Closer paths that the witness must prove absent."""


class Site:
    """All assets and the hash tree over them, in memory; made anew when assets change."""

    def __init__(self, assets: Iterable[Asset]) -> None:
        self._assets = {(asset.path, asset.encoding): asset for asset in assets}
        self._tree: Tree = {_ROOT.encode(): self._branches()}
        self.root_hash = digest(self._tree)

    def assets(self) -> Sequence[Asset]:
        """All of them, by path."""
        return [self._assets[key] for key in sorted(self._assets)]

    def answer(self, url: str, accepts_gzip: bool) -> Answer:
        """The answer for a request's URL (path and query)."""
        path = url.partition("?")[0]
        asset = self._find(path, accepts_gzip)
        segments = path[1:].split("/")
        if asset is not None:
            return Answer(found(asset), asset, (_ROOT, *segments, _EXACT), ())
        closer = [(_ROOT, *segments, _EXACT)]
        closer += [(_ROOT, *segments[:length], _WILDCARD) for length in range(1, len(segments) + 1)]
        return Answer(not_found(), None, (_ROOT, _WILDCARD), tuple(closer))

    def certificate_header(self, answer: Answer, certificate: bytes) -> str:
        """The value of `IC-Certificate`."""
        shown = [(*_labels(answer.expr_path), EXPRESSION_HASH, b"", answer.response.hash())]
        shown += [_labels(path) for path in answer.absent]
        tree = cbor.SELF_DESCRIBED + witness(self._tree, shown)
        path = cbor.SELF_DESCRIBED + cbor.array(*(cbor.text(segment) for segment in answer.expr_path))
        parts = (("certificate", certificate), ("tree", tree), ("expr_path", path))
        return (
            ", ".join(f"{name}=:{base64.b64encode(value).decode()}:" for name, value in parts) + ", version=2"
        )

    def _find(self, path: str, accepts_gzip: bool) -> Optional[Asset]:
        served = INDEX if path == "/" else path
        for encoding in reversed(ENCODINGS) if accepts_gzip else ENCODINGS:
            asset = self._assets.get((served, encoding))
            if asset is not None:
                return asset
        return None

    def _branches(self) -> dict[bytes, Tree]:
        branches: dict[bytes, Tree] = {}
        for asset in self._assets.values():
            _certify(branches, [*asset.path[1:].split("/"), _EXACT], found(asset))
            if asset.path == INDEX:
                _certify(branches, ["", _EXACT], found(asset))
        _certify(branches, [_WILDCARD], not_found())
        return branches


def _certify(branches: dict[bytes, Tree], path: Sequence[str], response: Response) -> None:
    node = branches
    for label in [*_labels(path), EXPRESSION_HASH, b""]:
        below = node.setdefault(label, {})
        assert isinstance(below, dict)
        node = below
    node[response.hash()] = b""


def _labels(path: Sequence[str]) -> tuple[bytes, ...]:
    return tuple(segment.encode() for segment in path)
