"""The web page: certified assets that controllers put, served to HTTP gateways."""

from kybra import (
    GuardResult,
    Principal,
    StableBTreeMap,
    Tuple,
    Vec,
    blob,
    ic,
    init,
    post_upgrade,
    query,
    text,
    update,
    void,
)

try:
    from kybra.extensions import is_controller
except ImportError:  # stock Kybra cannot tell: nobody may change the page

    def is_controller(principal: Principal) -> bool:
        return False


from canisters.frontend.core.asset import Asset, checked
from canisters.frontend.core.errors import AssetRefused
from canisters.frontend.core.response import NOT_FOUND_BODY
from canisters.frontend.core.site import Site
from canisters.frontend.interface import AssetArgs, AssetInfo, HttpRequest, HttpResponse, PutResult

MAX_ASSETS = 200

# Sizes are written out, stock Kybra reads the source: a path and an encoding; a record; a body.
records = StableBTreeMap[blob, blob](memory_id=0, max_key_size=216, max_value_size=141)
bodies = StableBTreeMap[blob, blob](memory_id=1, max_key_size=216, max_value_size=1_900_000)

site = Site([])


def certify() -> None:
    """Read the assets again and certify them."""
    global site
    site = Site([Asset.decode(key, record) for key, record in records.range(None, None, limit=MAX_ASSETS)])
    ic.set_certified_data(site.root_hash)


@init
def init_() -> void:
    certify()


@post_upgrade
def post_upgrade_() -> void:
    certify()


def only_controllers() -> GuardResult:
    """Guard of what changes the page."""
    return {"Ok": None} if is_controller(ic.caller()) else {"Err": "only a controller may change the page"}


@update(guard=only_controllers)
def put_asset(args: AssetArgs) -> PutResult:
    try:
        asset = checked(
            args["path"], args["content_encoding"], args["content_type"], args["body"], args["sha256"]
        )
        if not records.contains_key(asset.key) and len(site.assets()) >= MAX_ASSETS:
            raise AssetRefused("path", asset.path, f"there are {MAX_ASSETS} assets already")
    except AssetRefused as refused:
        details = {"field": refused.field, "value": refused.value, "problem": refused.problem}
        return {"Err": {"InvalidArgument": details}}  # type: ignore[typeddict-item]
    records.insert(asset.key, asset.encode())
    bodies.insert(asset.key, args["body"])
    certify()
    return {"Ok": None}


@update(guard=only_controllers)
def keep_assets(paths: Vec[text]) -> Vec[text]:
    """Remove every asset whose path is not named; answers the removed paths."""
    kept = set(paths)
    gone = [asset for asset in site.assets() if asset.path not in kept]
    for asset in gone:
        records.remove(asset.key)
        bodies.remove(asset.key)
    certify()
    return [asset.path for asset in gone]


@query
def assets() -> Vec[AssetInfo]:
    return [
        {
            "path": asset.path,
            "content_type": asset.content_type,
            "content_encoding": asset.encoding,
            "size": asset.size,
            "sha256": asset.sha256,
        }
        for asset in site.assets()
    ]


@query
def http_request(request: HttpRequest) -> HttpResponse:
    certificate = ic.data_certificate()
    if certificate is None:
        return {"status_code": 500, "headers": [], "body": b"this method answers queries only\n"}
    answer = site.answer(request["url"], accepts_gzip(request["headers"]))
    body = NOT_FOUND_BODY if answer.asset is None else bodies.get(answer.asset.key)
    assert body is not None, "an asset without its body"
    header = ("ic-certificate", site.certificate_header(answer, certificate))
    return {
        "status_code": answer.response.status,
        "headers": [*answer.response.headers, header],
        "body": body,
    }


def accepts_gzip(headers: Vec[Tuple[text, text]]) -> bool:
    """Whether the browser takes gzip."""
    return any(name.lower() == "accept-encoding" and "gzip" in value for name, value in headers)
