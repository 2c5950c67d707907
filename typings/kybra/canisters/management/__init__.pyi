from kybra import CallResult, Service, Vec, blob

from .basic import CanisterSettings as CanisterSettings
from .basic import CanisterStatus as CanisterStatus
from .basic import CanisterStatusArgs as CanisterStatusArgs
from .basic import CanisterStatusResult as CanisterStatusResult
from .basic import CreateCanisterArgs as CreateCanisterArgs
from .basic import CreateCanisterResult as CreateCanisterResult
from .basic import DefiniteCanisterSettings as DefiniteCanisterSettings
from .basic import DeleteCanisterArgs as DeleteCanisterArgs
from .basic import DepositCyclesArgs as DepositCyclesArgs
from .basic import InstallCodeArgs as InstallCodeArgs
from .basic import InstallCodeMode as InstallCodeMode
from .basic import ProvisionalCreateCanisterWithCyclesArgs as ProvisionalCreateCanisterWithCyclesArgs
from .basic import ProvisionalCreateCanisterWithCyclesResult as ProvisionalCreateCanisterWithCyclesResult
from .basic import ProvisionalTopUpCanisterArgs as ProvisionalTopUpCanisterArgs
from .basic import StartCanisterArgs as StartCanisterArgs
from .basic import StopCanisterArgs as StopCanisterArgs
from .basic import UninstallCodeArgs as UninstallCodeArgs
from .basic import UpdateSettingsArgs as UpdateSettingsArgs
from .bitcoin import BitcoinAddress as BitcoinAddress
from .bitcoin import BitcoinNetwork as BitcoinNetwork
from .bitcoin import BlockHash as BlockHash
from .bitcoin import GetBalanceArgs as GetBalanceArgs
from .bitcoin import GetCurrentFeePercentilesArgs as GetCurrentFeePercentilesArgs
from .bitcoin import GetUtxosArgs as GetUtxosArgs
from .bitcoin import GetUtxosResult as GetUtxosResult
from .bitcoin import MillisatoshiPerByte as MillisatoshiPerByte
from .bitcoin import Outpoint as Outpoint
from .bitcoin import Page as Page
from .bitcoin import Satoshi as Satoshi
from .bitcoin import SendTransactionArgs as SendTransactionArgs
from .bitcoin import SendTransactionError as SendTransactionError
from .bitcoin import Utxo as Utxo
from .bitcoin import UtxosFilter as UtxosFilter
from .http import HttpHeader as HttpHeader
from .http import HttpMethod as HttpMethod
from .http import HttpRequestArgs as HttpRequestArgs
from .http import HttpResponse as HttpResponse
from .http import HttpTransform as HttpTransform
from .http import HttpTransformArgs as HttpTransformArgs
from .http import HttpTransformFunc as HttpTransformFunc
from .tecdsa import EcdsaCurve as EcdsaCurve
from .tecdsa import EcdsaPublicKeyArgs as EcdsaPublicKeyArgs
from .tecdsa import EcdsaPublicKeyResult as EcdsaPublicKeyResult
from .tecdsa import KeyId as KeyId
from .tecdsa import SignWithEcdsaArgs as SignWithEcdsaArgs
from .tecdsa import SignWithEcdsaResult as SignWithEcdsaResult

class ManagementCanister(Service):
    def bitcoin_get_balance(self, args: GetBalanceArgs) -> CallResult[Satoshi]: ...
    def bitcoin_get_current_fee_percentiles(
        self, args: GetCurrentFeePercentilesArgs
    ) -> CallResult[Vec[MillisatoshiPerByte]]: ...
    def bitcoin_get_utxos(self, args: GetUtxosArgs) -> CallResult[GetUtxosResult]: ...
    def bitcoin_send_transaction(self, args: SendTransactionArgs) -> CallResult[None]: ...
    def create_canister(self, args: CreateCanisterArgs) -> CallResult[CreateCanisterResult]: ...
    def update_settings(self, args: UpdateSettingsArgs) -> CallResult[None]: ...
    def install_code(self, args: InstallCodeArgs) -> CallResult[None]: ...
    def uninstall_code(self, args: UninstallCodeArgs) -> CallResult[None]: ...
    def start_canister(self, args: StartCanisterArgs) -> CallResult[None]: ...
    def stop_canister(self, args: StopCanisterArgs) -> CallResult[None]: ...
    def canister_status(self, args: CanisterStatusArgs) -> CallResult[CanisterStatusResult]: ...
    def delete_canister(self, args: DeleteCanisterArgs) -> CallResult[None]: ...
    def deposit_cycles(self, args: DepositCyclesArgs) -> CallResult[None]: ...
    def raw_rand(self) -> CallResult[blob]: ...
    def provisional_create_canister_with_cycles(
        self, args: ProvisionalCreateCanisterWithCyclesArgs
    ) -> CallResult[ProvisionalCreateCanisterWithCyclesResult]: ...
    def provisional_top_up_canister(self, args: ProvisionalTopUpCanisterArgs) -> CallResult[None]: ...
    def http_request(self, args: HttpRequestArgs) -> CallResult[HttpResponse]: ...
    def ecdsa_public_key(self, args: EcdsaPublicKeyArgs) -> CallResult[EcdsaPublicKeyResult]: ...
    def sign_with_ecdsa(self, args: SignWithEcdsaArgs) -> CallResult[SignWithEcdsaResult]: ...

management_canister: ManagementCanister
