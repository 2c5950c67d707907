"""Publishing models and datasets: check, pack, seal, upload, record; interrupted ones go on."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from leasehold.agent import Principal
from leasehold.artifacts import seal_item, upload_item
from leasehold.errors import UsageError
from leasehold.models import (
    Artifact,
    Dataset,
    DatasetArgs,
    Item,
    Listing,
    ListingArgs,
    Payee,
    item_id,
    new_salt,
)
from leasehold.models.dataset import Row, TextClassificationRow, read_rows
from leasehold.network import DEFAULT_FOLDER, Client
from leasehold.sealing import hash_file, pack_folder
from leasehold.vault import ProgressCallback

WHOLE = 10_000
DRAFTS = DEFAULT_FOLDER / "drafts"


@dataclass(frozen=True)
class _Draft:
    # An item whose upload has begun: publishing it again must use the same salt, and so the same id.
    folder: Path
    salt: bytes
    kind: str
    owner: Principal

    @property
    def id(self) -> str:
        return item_id(self.kind, self.owner, self.salt)


@dataclass(frozen=True)
class Summary:
    """What a dataset file contains."""

    rows: int
    train: int
    test: int
    labels: dict[str, int]


def check_dataset(path: Path, task: str) -> Summary:
    """Validate a dataset file.

    Raises:
        DatasetError: with line numbers.
    """
    return _summary(read_rows(path, task))


def parse_payee(text: str, owner: Principal) -> Payee:
    """`PRINCIPAL=BASIS_POINTS`, where `me` is the owner."""
    account, equals, share = text.partition("=")
    if not equals or not share.isdigit() or not 0 < int(share) <= WHOLE:
        raise UsageError(f"{text!r} is no payee; write PRINCIPAL=BASIS_POINTS, such as {owner}=7000")
    return Payee(account=owner if account == "me" else Principal.parse(account), basis_points=int(share))


def check_payees(payees: Sequence[Payee]) -> None:
    """Payees must be different people who share all of the fee.

    Raises:
        UsageError
    """
    total = sum(payee.basis_points for payee in payees)
    if total != WHOLE:
        raise UsageError(f"the payees' shares sum to {total} basis points; they must sum to {WHOLE}")
    if len({payee.account for payee in payees}) != len(payees):
        raise UsageError("a payee is named twice; add their shares up")


def publish_listing(
    client: Client,
    folder: Path,
    *,
    title: str,
    fee: int,
    payees: Sequence[Payee] = (),
    description: str = "",
    base_model: str = "",
    tasks: Sequence[str] = ("text-classification",),
    drafts: Path = DRAFTS,
    progress: ProgressCallback | None = None,
) -> Listing:
    """Pack, seal and upload a model folder, and list it.

    Args:
        folder: Hugging Face model folder with safetensors.
        fee: per rental, in base units.
        payees: who shares the fee; all of it goes to the caller by default.
        drafts: where an interrupted upload is kept.

    Raises:
        PackingError: the folder contains pickle, code, or no model.
    """
    payees = list(payees) or [Payee(account=client.principal, basis_points=WHOLE)]
    check_payees(payees)
    drafts.mkdir(parents=True, exist_ok=True, mode=0o700)
    archive = drafts / f"packing-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}.tar"
    try:
        pack_folder(folder, archive, "model")
        draft = _open_draft(client, "listing", archive, drafts)
        artifact = _upload(client, Item.listing(draft.id), archive, draft, progress)
    finally:
        archive.unlink(missing_ok=True)
    arguments = ListingArgs(
        id=draft.id,
        salt=draft.salt,
        title=title,
        description=description,
        base_model=base_model or folder.name,
        tasks=list(tasks),
        fee=fee,
        payees=payees,
        artifact=artifact,
    )
    listing = client.marketplace.publish_listing(arguments)
    shutil.rmtree(draft.folder)
    return listing


def publish_dataset(
    client: Client,
    path: Path,
    *,
    title: str,
    task: str,
    fee: int = 0,
    public: bool = False,
    drafts: Path = DRAFTS,
    progress: ProgressCallback | None = None,
) -> Dataset:
    """Check, seal and upload a dataset file, and record it.

    Args:
        path: JSON Lines.
        fee: per rental, in base units, to the caller.
        public: whether others may rent with it (they never see it).

    Raises:
        DatasetError: with line numbers.
    """
    summary = check_dataset(path, task)
    drafts.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = _open_draft(client, "dataset", path, drafts)
    artifact = _upload(client, Item.dataset(draft.id), path, draft, progress)
    arguments = DatasetArgs(
        id=draft.id,
        salt=draft.salt,
        title=title,
        rows=summary.rows,
        fee=fee,
        public=public,
        artifact=artifact,
    )
    dataset = client.marketplace.publish_dataset(arguments)
    shutil.rmtree(draft.folder)
    return dataset


def _upload(
    client: Client, item: Item, source: Path, draft: "_Draft", progress: ProgressCallback | None
) -> Artifact:
    sealed = seal_item(source, item, client.marketplace.sealing_key(), draft.folder / "sealed.age")
    return upload_item(client, sealed, progress)


def _open_draft(client: Client, kind: str, source: Path, drafts: Path) -> "_Draft":
    # The draft of this content by this owner on this marketplace, begun earlier or now.
    scope = f"{kind}\n{client.marketplace.id}\n{client.principal}\n{hash_file(source).hex()}"
    folder = drafts / hashlib.sha256(scope.encode()).hexdigest()[:32]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    salt_file = folder / "salt"
    if not salt_file.is_file():
        partial = salt_file.with_suffix(".part")
        partial.write_text(new_salt().hex())
        partial.replace(salt_file)
    return _Draft(folder, bytes.fromhex(salt_file.read_text()), kind, client.principal)


def _summary(rows: Sequence[Row]) -> Summary:
    train = sum(row.split == "train" for row in rows)
    labels = Counter(row.label for row in rows if isinstance(row, TextClassificationRow))
    return Summary(len(rows), train, len(rows) - train, dict(sorted(labels.items())))
