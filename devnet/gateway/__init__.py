"""An HTTP gateway: canisters as web sites at `http://<canister-id>.localhost:<port>/`.

Source: HTTP Gateway Protocol specification (docs/references/http-gateway-protocol-spec.md of the developer
documentation).
"""
