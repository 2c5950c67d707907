/* The Internet Computer system calls that the runtime imports (interface specification, "Overview of imports"). */
#ifndef LEASEHOLD_IC0_H
#define LEASEHOLD_IC0_H

#include <stdint.h>
#include <string.h>

#define IC0(result, name, ...) \
    __attribute__((import_module("ic0"), import_name(#name))) extern result ic0_##name(__VA_ARGS__)

/* Pointers and sizes are i32; they are declared `int32_t` where they are opaque to us and as pointers where not. */
IC0(int32_t, msg_arg_data_size, void);
IC0(void, msg_arg_data_copy, void *dst, int32_t offset, int32_t size);
IC0(int32_t, msg_caller_size, void);
IC0(void, msg_caller_copy, void *dst, int32_t offset, int32_t size);
IC0(int32_t, msg_caller_info_data_size, void);
IC0(void, msg_caller_info_data_copy, void *dst, int32_t offset, int32_t size);
IC0(int32_t, msg_caller_info_signer_size, void);
IC0(void, msg_caller_info_signer_copy, void *dst, int32_t offset, int32_t size);
IC0(int32_t, msg_reject_code, void);
IC0(int32_t, msg_reject_msg_size, void);
IC0(void, msg_reject_msg_copy, void *dst, int32_t offset, int32_t size);
IC0(int64_t, msg_deadline, void);
IC0(void, msg_reply_data_append, const void *src, int32_t size);
IC0(void, msg_reply, void);
IC0(void, msg_reject, const void *src, int32_t size);
IC0(void, msg_cycles_available128, void *dst);
IC0(void, msg_cycles_refunded128, void *dst);
IC0(void, msg_cycles_accept128, int64_t max_high, int64_t max_low, void *dst);
IC0(void, cycles_burn128, int64_t high, int64_t low, void *dst);
IC0(int32_t, canister_self_size, void);
IC0(void, canister_self_copy, void *dst, int32_t offset, int32_t size);
IC0(void, canister_cycle_balance128, void *dst);
IC0(void, canister_liquid_cycle_balance128, void *dst);
IC0(int32_t, canister_status, void);
IC0(int64_t, canister_version, void);
IC0(int32_t, subnet_self_size, void);
IC0(void, subnet_self_copy, void *dst, int32_t offset, int32_t size);
IC0(int32_t, subnet_self_node_count, void);
IC0(int32_t, msg_method_name_size, void);
IC0(void, msg_method_name_copy, void *dst, int32_t offset, int32_t size);
IC0(void, accept_message, void);
IC0(void, call_new, const void *callee, int32_t callee_size, const void *name, int32_t name_size, int32_t reply_fun,
    int32_t reply_env, int32_t reject_fun, int32_t reject_env);
IC0(void, call_on_cleanup, int32_t fun, int32_t env);
IC0(void, call_data_append, const void *src, int32_t size);
IC0(void, call_with_best_effort_response, int32_t timeout_seconds);
IC0(void, call_cycles_add128, int64_t high, int64_t low);
IC0(int32_t, call_perform, void);
IC0(int64_t, stable64_size, void);
IC0(int64_t, stable64_grow, int64_t new_pages);
IC0(void, stable64_write, int64_t offset, int64_t src, int64_t size);
IC0(void, stable64_read, int64_t dst, int64_t offset, int64_t size);
IC0(int32_t, root_key_size, void);
IC0(void, root_key_copy, void *dst, int32_t offset, int32_t size);
IC0(void, certified_data_set, const void *src, int32_t size);
IC0(int32_t, data_certificate_present, void);
IC0(int32_t, data_certificate_size, void);
IC0(void, data_certificate_copy, void *dst, int32_t offset, int32_t size);
IC0(int64_t, time, void);
IC0(int64_t, global_timer_set, int64_t timestamp);
IC0(int64_t, performance_counter, int32_t kind);
IC0(int32_t, is_controller, const void *src, int32_t size);
IC0(int32_t, in_replicated_execution, void);
IC0(void, cost_call, int64_t method_name_size, int64_t payload_size, void *dst);
IC0(void, cost_create_canister, void *dst);
IC0(void, cost_http_request, int64_t request_size, int64_t max_res_bytes, void *dst);
IC0(void, cost_http_request_v2, const void *params, int32_t params_size, void *dst);
IC0(int32_t, cost_sign_with_ecdsa, const void *key_name, int32_t size, int32_t curve, void *dst);
IC0(int32_t, cost_sign_with_schnorr, const void *key_name, int32_t size, int32_t algorithm, void *dst);
IC0(int32_t, cost_vetkd_derive_key, const void *key_name, int32_t size, int32_t curve, void *dst);
IC0(int32_t, env_var_count, void);
IC0(int32_t, env_var_name_size, int32_t index);
IC0(void, env_var_name_copy, int32_t index, void *dst, int32_t offset, int32_t size);
IC0(int32_t, env_var_name_exists, const void *name, int32_t name_size);
IC0(int32_t, env_var_value_size, const void *name, int32_t name_size);
IC0(void, env_var_value_copy, const void *name, int32_t name_size, void *dst, int32_t offset, int32_t size);
IC0(void, debug_print, const void *src, int32_t size);
IC0(void, trap, const void *src, int32_t size);

#undef IC0

/* End the message: heap, stable memory and effects go back to what they were before it. */
__attribute__((noreturn)) static inline void trap_bytes(const char *text, size_t size) {
    ic0_trap(text, (int32_t)size);
    __builtin_trap();
}

__attribute__((noreturn)) static inline void trap(const char *text) { trap_bytes(text, strlen(text)); }

#endif
