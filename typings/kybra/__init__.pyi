"""What type checkers see of `kybra` in canister sources: values have ordinary Python types.

`Record` and `Variant` are TypedDict itself, so that checkers accept them as base classes (in PyPI's package
they are variables, which mypy refuses).
"""

from builtins import list as Vec
from builtins import tuple as Tuple
from collections.abc import Callable, Generator
from typing import Annotated, Any, Generic, NoReturn, ParamSpec, TypeAlias, TypeVar, overload
from typing import TypedDict as Record
from typing import TypedDict as Variant

from cdk.candid.errors import CandidError as CandidError
from cdk.candid.errors import Error as Error
from cdk.candid.principal import Principal as Principal

from .extensions import DefinitionError as DefinitionError
from .extensions import KeyTooLargeError as KeyTooLargeError
from .extensions import ValueTooLargeError as ValueTooLargeError

__all__ = [
    "Alias",
    "Async",
    "CallResult",
    "CandidError",
    "DefinitionError",
    "Duration",
    "Error",
    "Func",
    "FuncTuple",
    "GuardResult",
    "GuardType",
    "KeyTooLarge",
    "KeyTooLargeError",
    "Manual",
    "NotifyResult",
    "Oneway",
    "Opt",
    "Principal",
    "Query",
    "Record",
    "RejectionCode",
    "Service",
    "Stable64GrowResult",
    "StableBTreeMap",
    "StableGrowResult",
    "StableMemoryError",
    "TimerId",
    "Tuple",
    "Update",
    "ValueTooLarge",
    "ValueTooLargeError",
    "Variant",
    "Vec",
    "blob",
    "canister",
    "empty",
    "float32",
    "float64",
    "heartbeat",
    "ic",
    "init",
    "inspect_message",
    "int8",
    "int16",
    "int32",
    "int64",
    "match",
    "nat",
    "nat8",
    "nat16",
    "nat32",
    "nat64",
    "null",
    "post_upgrade",
    "pre_upgrade",
    "query",
    "reserved",
    "service_method",
    "service_query",
    "service_update",
    "text",
    "update",
    "void",
]

_T = TypeVar("_T")
_P = ParamSpec("_P")
_K = TypeVar("_K")
_V = TypeVar("_V")
_F = TypeVar("_F", bound=Callable[..., Any])

nat: TypeAlias = int
nat8: TypeAlias = int
nat16: TypeAlias = int
nat32: TypeAlias = int
nat64: TypeAlias = int
int8: TypeAlias = int
int16: TypeAlias = int
int32: TypeAlias = int
int64: TypeAlias = int
float32: TypeAlias = float
float64: TypeAlias = float
text: TypeAlias = str
blob: TypeAlias = bytes
null: TypeAlias = None
void: TypeAlias = None
reserved: TypeAlias = Any
empty: TypeAlias = NoReturn
Opt: TypeAlias = _T | None
Manual: TypeAlias = _T | None
Alias: TypeAlias = Annotated[_T, None]
Async: TypeAlias = Generator[Any, Any, _T]
TimerId: TypeAlias = int
Duration: TypeAlias = int
FuncTuple: TypeAlias = tuple[Principal, str]

class _Mode:
    def __getitem__(self, signature: Any) -> Any: ...

Query: _Mode
Update: _Mode
Oneway: _Mode

def Func(callable: Any) -> type[FuncTuple]: ...
def canister(cls: _T) -> _T: ...

class GuardResult(Variant, total=False):
    Ok: null
    Err: str

class RejectionCode(Variant, total=False):
    NoError: null
    SysFatal: null
    SysTransient: null
    DestinationInvalid: null
    CanisterReject: null
    CanisterError: null
    Unknown: null

class NotifyResult(Variant, total=False):
    Ok: null
    Err: RejectionCode

class KeyTooLarge(Record):
    given: nat32
    max: nat32

class ValueTooLarge(Record):
    given: nat32
    max: nat32

class StableMemoryError(Variant, total=False):
    OutOfMemory: null
    OutOfBounds: null

class StableGrowResult(Variant, total=False):
    Ok: nat32
    Err: StableMemoryError

class Stable64GrowResult(Variant, total=False):
    Ok: nat64
    Err: StableMemoryError

GuardType: TypeAlias = Callable[..., GuardResult]

class _Decorator:
    @overload
    def __call__(self, _func: _F) -> _F: ...
    @overload
    def __call__(self, *, guard: GuardType | None = None) -> Callable[[_F], _F]: ...

query: _Decorator
update: _Decorator
heartbeat: _Decorator
pre_upgrade: _Decorator
inspect_message: _Decorator

def init(_func: _F) -> _F: ...
def post_upgrade(_func: _F) -> _F: ...

class CallResult(Generic[_T]):
    """A call; once yielded, its outcome. `reject_code`, `with_timeout` are extensions."""

    Ok: _T
    Err: str | None
    reject_code: int
    def __init__(self, Ok: Any = None, Err: str | None = None, reject_code: int = 0) -> None: ...
    def with_cycles(self, cycles: nat64) -> CallResult[_T]: ...
    def with_cycles128(self, cycles: nat) -> CallResult[_T]: ...
    def with_timeout(self, seconds: int) -> CallResult[_T]: ...
    def notify(self) -> NotifyResult: ...

class Service:
    canister_id: Principal
    def __init__(self, canister_id: Principal) -> None: ...

def service_method(func: Callable[_P, _T]) -> Callable[_P, CallResult[_T]]: ...
def service_query(func: Callable[_P, _T]) -> Callable[_P, CallResult[_T]]: ...
def service_update(func: Callable[_P, _T]) -> Callable[_P, CallResult[_T]]: ...
def match(variant: Any, matcher: dict[str, Callable[[Any], _T]]) -> _T: ...

class StableBTreeMap(Generic[_K, _V]):
    """An ordered map in stable memory. `range` is an extension."""

    def __init__(self, memory_id: nat8, max_key_size: int, max_value_size: int) -> None: ...
    def contains_key(self, key: _K) -> bool: ...
    def get(self, key: _K) -> _V | None: ...
    def insert(self, key: _K, value: _V) -> _V | None: ...
    def is_empty(self) -> bool: ...
    def items(self) -> list[tuple[_K, _V]]: ...
    def keys(self) -> list[_K]: ...
    def len(self) -> int: ...
    def remove(self, key: _K) -> _V | None: ...
    def values(self) -> list[_V]: ...
    def range(
        self, start: _K | None = None, stop: _K | None = None, limit: int = -1, reverse: bool = False
    ) -> list[tuple[_K, _V]]: ...

class ic:
    """`is_controller` and `canister_version` are extensions."""

    @staticmethod
    def accept_message() -> None: ...
    @staticmethod
    def arg_data_raw() -> blob: ...
    @staticmethod
    def arg_data_raw_size() -> nat32: ...
    @staticmethod
    def call_raw(
        canister_id: Principal, method: str, args_raw: blob, payment: nat64 = 0
    ) -> CallResult[blob]: ...
    @staticmethod
    def call_raw128(
        canister_id: Principal, method: str, args_raw: blob, payment: nat = 0
    ) -> CallResult[blob]: ...
    @staticmethod
    def notify_raw(canister_id: Principal, method: str, args_raw: blob, payment: nat = 0) -> NotifyResult: ...
    @staticmethod
    def caller() -> Principal: ...
    @staticmethod
    def is_controller(principal: Principal) -> bool: ...
    @staticmethod
    def candid_encode(candid_string: str) -> blob: ...
    @staticmethod
    def candid_decode(candid_encoded: blob) -> str: ...
    @staticmethod
    def canister_balance() -> nat64: ...
    @staticmethod
    def canister_balance128() -> nat: ...
    @staticmethod
    def clear_timer(id: TimerId) -> None: ...
    @staticmethod
    def set_timer(delay: Duration, func: Callable[[], Any]) -> TimerId: ...
    @staticmethod
    def set_timer_interval(interval: Duration, func: Callable[[], Any]) -> TimerId: ...
    @staticmethod
    def data_certificate() -> blob | None: ...
    @staticmethod
    def set_certified_data(data: blob) -> None: ...
    @staticmethod
    def id() -> Principal: ...
    @staticmethod
    def canister_version() -> int: ...
    @staticmethod
    def method_name() -> str: ...
    @staticmethod
    def msg_cycles_accept(max_amount: nat64) -> nat64: ...
    @staticmethod
    def msg_cycles_accept128(max_amount: nat) -> nat: ...
    @staticmethod
    def msg_cycles_available() -> nat64: ...
    @staticmethod
    def msg_cycles_available128() -> nat: ...
    @staticmethod
    def msg_cycles_refunded() -> nat64: ...
    @staticmethod
    def msg_cycles_refunded128() -> nat: ...
    @staticmethod
    def performance_counter(counter_type: nat32 = 0) -> nat64: ...
    @staticmethod
    def print(*args: Any) -> None: ...
    @staticmethod
    def reject(x: str) -> None: ...
    @staticmethod
    def reject_code() -> RejectionCode: ...
    @staticmethod
    def reject_message() -> str: ...
    @staticmethod
    def reply(value: Any = None) -> None: ...
    @staticmethod
    def reply_raw(x: blob) -> None: ...
    @staticmethod
    def stable_bytes() -> blob: ...
    @staticmethod
    def stable_grow(new_pages: nat32) -> StableGrowResult: ...
    @staticmethod
    def stable_read(offset: nat32, length: nat32) -> blob: ...
    @staticmethod
    def stable_size() -> nat32: ...
    @staticmethod
    def stable_write(offset: nat32, buf: blob) -> None: ...
    @staticmethod
    def stable64_grow(new_pages: nat64) -> Stable64GrowResult: ...
    @staticmethod
    def stable64_read(offset: nat64, length: nat64) -> blob: ...
    @staticmethod
    def stable64_size() -> nat64: ...
    @staticmethod
    def stable64_write(offset: nat64, buf: blob) -> None: ...
    @staticmethod
    def time() -> nat64: ...
    @staticmethod
    def trap(message: str) -> NoReturn: ...
