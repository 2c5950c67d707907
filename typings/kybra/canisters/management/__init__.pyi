from kybra import CallResult, Principal, Record, Service, Variant, blob, nat, null

class CanisterIdArgs(Record):
    canister_id: Principal

class CanisterStatus(Variant, total=False):
    running: null
    stopping: null
    stopped: null

class CanisterStatusResult(Record):
    status: CanisterStatus
    memory_size: nat
    cycles: nat

class ManagementCanister(Service):
    def raw_rand(self) -> CallResult[blob]: ...
    def canister_status(self, args: CanisterIdArgs) -> CallResult[CanisterStatusResult]: ...
    def start_canister(self, args: CanisterIdArgs) -> CallResult[None]: ...
    def stop_canister(self, args: CanisterIdArgs) -> CallResult[None]: ...
    def deposit_cycles(self, args: CanisterIdArgs) -> CallResult[None]: ...

management_canister: ManagementCanister
