;; The universal test canister: an interpreter of small programs, carried in call arguments, that can call every
;; function of ic0 in every context. `program.py` writes such programs and documents the operations.
;;
;; Memory, in bytes:
;;   0x0000  evaluation stack, 512 values of 8 bytes
;;   0x1000  registers, 32 values, for one message
;;   0x1100  variables, 32 values, kept from message to message
;;   0x1200  next free byte of the area for callbacks' programs
;;   0x2000  hooks: 8 programs of at most 4092 bytes, each behind its length
;;   0xa000  the program of the start function, behind its length
;;   0xb000  a kept blob of at most 16 KiB, behind its length
;;   0x10000 callbacks' programs, each behind its length
;;   0x30000 scratch of one message
;;
;; A line that ends in `;; optional NAME` is left out unless that feature is asked for.
(module
  (import "ic0" "msg_arg_data_size" (func $msg_arg_data_size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $msg_arg_data_copy (param i32 i32 i32)))
  (import "ic0" "msg_caller_size" (func $msg_caller_size (result i32)))
  (import "ic0" "msg_caller_copy" (func $msg_caller_copy (param i32 i32 i32)))
  (import "ic0" "msg_caller_info_data_size" (func $msg_caller_info_data_size (result i32)))
  (import "ic0" "msg_caller_info_data_copy" (func $msg_caller_info_data_copy (param i32 i32 i32)))
  (import "ic0" "msg_caller_info_signer_size" (func $msg_caller_info_signer_size (result i32)))
  (import "ic0" "msg_caller_info_signer_copy" (func $msg_caller_info_signer_copy (param i32 i32 i32)))
  (import "ic0" "msg_reject_code" (func $msg_reject_code (result i32)))
  (import "ic0" "msg_reject_msg_size" (func $msg_reject_msg_size (result i32)))
  (import "ic0" "msg_reject_msg_copy" (func $msg_reject_msg_copy (param i32 i32 i32)))
  (import "ic0" "msg_deadline" (func $msg_deadline (result i64)))
  (import "ic0" "msg_reply_data_append" (func $msg_reply_data_append (param i32 i32)))
  (import "ic0" "msg_reply" (func $msg_reply))
  (import "ic0" "msg_reject" (func $msg_reject (param i32 i32)))
  (import "ic0" "msg_cycles_available128" (func $msg_cycles_available128 (param i32)))
  (import "ic0" "msg_cycles_refunded128" (func $msg_cycles_refunded128 (param i32)))
  (import "ic0" "msg_cycles_accept128" (func $msg_cycles_accept128 (param i64 i64 i32)))
  (import "ic0" "cycles_burn128" (func $cycles_burn128 (param i64 i64 i32)))
  (import "ic0" "canister_self_size" (func $canister_self_size (result i32)))
  (import "ic0" "canister_self_copy" (func $canister_self_copy (param i32 i32 i32)))
  (import "ic0" "canister_cycle_balance128" (func $canister_cycle_balance128 (param i32)))
  (import "ic0" "canister_liquid_cycle_balance128" (func $canister_liquid_cycle_balance128 (param i32)))
  (import "ic0" "canister_status" (func $canister_status (result i32)))
  (import "ic0" "canister_version" (func $canister_version (result i64)))
  (import "ic0" "subnet_self_size" (func $subnet_self_size (result i32)))
  (import "ic0" "subnet_self_copy" (func $subnet_self_copy (param i32 i32 i32)))
  (import "ic0" "subnet_self_node_count" (func $subnet_self_node_count (result i32)))
  (import "ic0" "msg_method_name_size" (func $msg_method_name_size (result i32)))
  (import "ic0" "msg_method_name_copy" (func $msg_method_name_copy (param i32 i32 i32)))
  (import "ic0" "accept_message" (func $accept_message))
  (import "ic0" "call_new" (func $call_new (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "ic0" "call_on_cleanup" (func $call_on_cleanup (param i32 i32)))
  (import "ic0" "call_data_append" (func $call_data_append (param i32 i32)))
  (import "ic0" "call_with_best_effort_response" (func $call_with_best_effort_response (param i32)))
  (import "ic0" "call_cycles_add128" (func $call_cycles_add128 (param i64 i64)))
  (import "ic0" "call_perform" (func $call_perform (result i32)))
  (import "ic0" "stable64_size" (func $stable64_size (result i64)))
  (import "ic0" "stable64_grow" (func $stable64_grow (param i64) (result i64)))
  (import "ic0" "stable64_write" (func $stable64_write (param i64 i64 i64)))
  (import "ic0" "stable64_read" (func $stable64_read (param i64 i64 i64)))
  (import "ic0" "root_key_size" (func $root_key_size (result i32)))
  (import "ic0" "root_key_copy" (func $root_key_copy (param i32 i32 i32)))
  (import "ic0" "certified_data_set" (func $certified_data_set (param i32 i32)))
  (import "ic0" "data_certificate_present" (func $data_certificate_present (result i32)))
  (import "ic0" "data_certificate_size" (func $data_certificate_size (result i32)))
  (import "ic0" "data_certificate_copy" (func $data_certificate_copy (param i32 i32 i32)))
  (import "ic0" "time" (func $time (result i64)))
  (import "ic0" "global_timer_set" (func $global_timer_set (param i64) (result i64)))
  (import "ic0" "performance_counter" (func $performance_counter (param i32) (result i64)))
  (import "ic0" "is_controller" (func $is_controller (param i32 i32) (result i32)))
  (import "ic0" "in_replicated_execution" (func $in_replicated_execution (result i32)))
  (import "ic0" "cost_call" (func $cost_call (param i64 i64 i32)))
  (import "ic0" "cost_create_canister" (func $cost_create_canister (param i32)))
  (import "ic0" "cost_http_request" (func $cost_http_request (param i64 i64 i32)))
  (import "ic0" "cost_http_request_v2" (func $cost_http_request_v2 (param i32 i32 i32)))
  (import "ic0" "cost_sign_with_ecdsa" (func $cost_sign_with_ecdsa (param i32 i32 i32 i32) (result i32)))
  (import "ic0" "cost_sign_with_schnorr" (func $cost_sign_with_schnorr (param i32 i32 i32 i32) (result i32)))
  (import "ic0" "cost_vetkd_derive_key" (func $cost_vetkd_derive_key (param i32 i32 i32 i32) (result i32)))
  (import "ic0" "env_var_count" (func $env_var_count (result i32)))
  (import "ic0" "env_var_name_size" (func $env_var_name_size (param i32) (result i32)))
  (import "ic0" "env_var_name_copy" (func $env_var_name_copy (param i32 i32 i32 i32)))
  (import "ic0" "env_var_name_exists" (func $env_var_name_exists (param i32 i32) (result i32)))
  (import "ic0" "env_var_value_size" (func $env_var_value_size (param i32 i32) (result i32)))
  (import "ic0" "env_var_value_copy" (func $env_var_value_copy (param i32 i32 i32 i32 i32)))
  (import "ic0" "debug_print" (func $debug_print (param i32 i32)))
  (import "ic0" "trap" (func $trap (param i32 i32)))
  (import "ic0" "msg_cycles_available" (func $msg_cycles_available (result i64)))
  (import "ic0" "msg_cycles_refunded" (func $msg_cycles_refunded (result i64)))
  (import "ic0" "msg_cycles_accept" (func $msg_cycles_accept (param i64) (result i64)))
  (import "ic0" "canister_cycle_balance" (func $canister_cycle_balance (result i64)))
  (import "ic0" "call_cycles_add" (func $call_cycles_add (param i64)))
  (import "ic0" "stable_size" (func $stable_size (result i32)))
  (import "ic0" "stable_grow" (func $stable_grow (param i32) (result i32)))
  (import "ic0" "stable_write" (func $stable_write (param i32 i32 i32)))
  (import "ic0" "stable_read" (func $stable_read (param i32 i32 i32)))

  (memory (export "memory") 4)
  (type $operation (func))
  (type $closure (func (param i32)))
  (global $stack (mut i32) (i32.const 0))
  (global $free (mut i32) (i32.const 0x30000))
  (global $wasm_global (export "wasm_global") (mut i64) (i64.const 0))
  (data (i32.const 0xa000) "\00\00\00\00")

  ;; Table entry 0 runs a callback's program, entry 1 has the wrong type for a callback, from entry 2 on there is
  ;; one entry for each import, in the order of the imports.
  (table funcref (elem $callback $wrong_type
    $op_msg_arg_data_size $op_msg_arg_data_copy $op_msg_caller_size $op_msg_caller_copy
    $op_msg_caller_info_data_size $op_msg_caller_info_data_copy $op_msg_caller_info_signer_size $op_msg_caller_info_signer_copy
    $op_msg_reject_code $op_msg_reject_msg_size $op_msg_reject_msg_copy $op_msg_deadline
    $op_msg_reply_data_append $op_msg_reply $op_msg_reject $op_msg_cycles_available128
    $op_msg_cycles_refunded128 $op_msg_cycles_accept128 $op_cycles_burn128 $op_canister_self_size
    $op_canister_self_copy $op_canister_cycle_balance128 $op_canister_liquid_cycle_balance128 $op_canister_status
    $op_canister_version $op_subnet_self_size $op_subnet_self_copy $op_subnet_self_node_count
    $op_msg_method_name_size $op_msg_method_name_copy $op_accept_message $op_call_new
    $op_call_on_cleanup $op_call_data_append $op_call_with_best_effort_response $op_call_cycles_add128
    $op_call_perform $op_stable64_size $op_stable64_grow $op_stable64_write
    $op_stable64_read $op_root_key_size $op_root_key_copy $op_certified_data_set
    $op_data_certificate_present $op_data_certificate_size $op_data_certificate_copy $op_time
    $op_global_timer_set $op_performance_counter $op_is_controller $op_in_replicated_execution
    $op_cost_call $op_cost_create_canister $op_cost_http_request $op_cost_http_request_v2
    $op_cost_sign_with_ecdsa $op_cost_sign_with_schnorr $op_cost_vetkd_derive_key $op_env_var_count
    $op_env_var_name_size $op_env_var_name_copy $op_env_var_name_exists $op_env_var_value_size
    $op_env_var_value_copy $op_debug_print $op_trap $op_msg_cycles_available
    $op_msg_cycles_refunded $op_msg_cycles_accept $op_canister_cycle_balance $op_call_cycles_add
    $op_stable_size $op_stable_grow $op_stable_write $op_stable_read
  ))

  (func $push (param $value i64)
    (if (i32.ge_u (global.get $stack) (i32.const 0x1000)) (then (unreachable)))
    (i64.store (global.get $stack) (local.get $value))
    (global.set $stack (i32.add (global.get $stack) (i32.const 8))))
  (func $push_i32 (param $value i32)
    (call $push (i64.extend_i32_u (local.get $value))))
  (func $pop (result i64)
    (if (i32.eqz (global.get $stack)) (then (unreachable)))
    (global.set $stack (i32.sub (global.get $stack) (i32.const 8)))
    (i64.load (global.get $stack)))
  (func $pop_i32 (result i32)
    (i32.wrap_i64 (call $pop)))

  ;; Scratch memory, which grows as needed.
  (func $alloc (param $size i32) (result i32)
    (local $start i32) (local $missing i32)
    (local.set $start (global.get $free))
    (global.set $free (i32.and (i32.add (i32.add (local.get $start) (local.get $size)) (i32.const 15)) (i32.const -16)))
    (local.set $missing
      (i32.sub (i32.shr_u (i32.add (global.get $free) (i32.const 0xffff)) (i32.const 16)) (memory.size)))
    (if (i32.gt_s (local.get $missing) (i32.const 0))
      (then (if (i32.eq (memory.grow (local.get $missing)) (i32.const -1)) (then (unreachable)))))
    (local.get $start))

  ;; Copies a program to where it stays until its callback runs; the area is used in a circle.
  (func $keep (param $source i32) (param $size i32) (result i32)
    (local $at i32) (local $next i32)
    (local.set $at (i32.load (i32.const 0x1200)))
    (if (i32.lt_u (local.get $at) (i32.const 0x10000)) (then (local.set $at (i32.const 0x10000))))
    (local.set $next (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 4)))
    (if (i32.gt_u (local.get $next) (i32.const 0x30000))
      (then
        (local.set $at (i32.const 0x10000))
        (local.set $next (i32.add (i32.const 0x10004) (local.get $size)))
        (if (i32.gt_u (local.get $next) (i32.const 0x30000)) (then (unreachable)))))
    (i32.store (i32.const 0x1200) (local.get $next))
    (call $put (local.get $at) (local.get $source) (local.get $size))
    (local.get $at))

  ;; Writes a length and that many bytes.
  (func $put (param $at i32) (param $source i32) (param $size i32)
    (i32.store (local.get $at) (local.get $size))
    (memory.copy (i32.add (local.get $at) (i32.const 4)) (local.get $source) (local.get $size)))
  (func $hook (param $number i32) (result i32)
    (i32.add (i32.const 0x2000) (i32.mul (local.get $number) (i32.const 4096))))

  (func $op_msg_arg_data_size (call $push_i32 (call $msg_arg_data_size)))
  (func $op_msg_arg_data_copy (call $msg_arg_data_copy (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_msg_caller_size (call $push_i32 (call $msg_caller_size)))
  (func $op_msg_caller_copy (call $msg_caller_copy (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_msg_caller_info_data_size (call $push_i32 (call $msg_caller_info_data_size)))
  (func $op_msg_caller_info_data_copy
    (call $msg_caller_info_data_copy (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_msg_caller_info_signer_size (call $push_i32 (call $msg_caller_info_signer_size)))
  (func $op_msg_caller_info_signer_copy
    (call $msg_caller_info_signer_copy (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_msg_reject_code (call $push_i32 (call $msg_reject_code)))
  (func $op_msg_reject_msg_size (call $push_i32 (call $msg_reject_msg_size)))
  (func $op_msg_reject_msg_copy (call $msg_reject_msg_copy (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_msg_deadline (call $push (call $msg_deadline)))
  (func $op_msg_reply_data_append (call $msg_reply_data_append (call $pop_i32) (call $pop_i32)))
  (func $op_msg_reply (call $msg_reply))
  (func $op_msg_reject (call $msg_reject (call $pop_i32) (call $pop_i32)))
  (func $op_msg_cycles_available128 (call $msg_cycles_available128 (call $pop_i32)))
  (func $op_msg_cycles_refunded128 (call $msg_cycles_refunded128 (call $pop_i32)))
  (func $op_msg_cycles_accept128 (call $msg_cycles_accept128 (call $pop) (call $pop) (call $pop_i32)))
  (func $op_cycles_burn128 (call $cycles_burn128 (call $pop) (call $pop) (call $pop_i32)))
  (func $op_canister_self_size (call $push_i32 (call $canister_self_size)))
  (func $op_canister_self_copy (call $canister_self_copy (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_canister_cycle_balance128 (call $canister_cycle_balance128 (call $pop_i32)))
  (func $op_canister_liquid_cycle_balance128 (call $canister_liquid_cycle_balance128 (call $pop_i32)))
  (func $op_canister_status (call $push_i32 (call $canister_status)))
  (func $op_canister_version (call $push (call $canister_version)))
  (func $op_subnet_self_size (call $push_i32 (call $subnet_self_size)))
  (func $op_subnet_self_copy (call $subnet_self_copy (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_subnet_self_node_count (call $push_i32 (call $subnet_self_node_count)))
  (func $op_msg_method_name_size (call $push_i32 (call $msg_method_name_size)))
  (func $op_msg_method_name_copy (call $msg_method_name_copy (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_accept_message (call $accept_message))
  (func $op_call_new
    (call $call_new (call $pop_i32) (call $pop_i32) (call $pop_i32) (call $pop_i32) (call $pop_i32) (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_call_on_cleanup (call $call_on_cleanup (call $pop_i32) (call $pop_i32)))
  (func $op_call_data_append (call $call_data_append (call $pop_i32) (call $pop_i32)))
  (func $op_call_with_best_effort_response (call $call_with_best_effort_response (call $pop_i32)))
  (func $op_call_cycles_add128 (call $call_cycles_add128 (call $pop) (call $pop)))
  (func $op_call_perform (call $push_i32 (call $call_perform)))
  (func $op_stable64_size (call $push (call $stable64_size)))
  (func $op_stable64_grow (call $push (call $stable64_grow (call $pop))))
  (func $op_stable64_write (call $stable64_write (call $pop) (call $pop) (call $pop)))
  (func $op_stable64_read (call $stable64_read (call $pop) (call $pop) (call $pop)))
  (func $op_root_key_size (call $push_i32 (call $root_key_size)))
  (func $op_root_key_copy (call $root_key_copy (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_certified_data_set (call $certified_data_set (call $pop_i32) (call $pop_i32)))
  (func $op_data_certificate_present (call $push_i32 (call $data_certificate_present)))
  (func $op_data_certificate_size (call $push_i32 (call $data_certificate_size)))
  (func $op_data_certificate_copy
    (call $data_certificate_copy (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_time (call $push (call $time)))
  (func $op_global_timer_set (call $push (call $global_timer_set (call $pop))))
  (func $op_performance_counter (call $push (call $performance_counter (call $pop_i32))))
  (func $op_is_controller (call $push_i32 (call $is_controller (call $pop_i32) (call $pop_i32))))
  (func $op_in_replicated_execution (call $push_i32 (call $in_replicated_execution)))
  (func $op_cost_call (call $cost_call (call $pop) (call $pop) (call $pop_i32)))
  (func $op_cost_create_canister (call $cost_create_canister (call $pop_i32)))
  (func $op_cost_http_request (call $cost_http_request (call $pop) (call $pop) (call $pop_i32)))
  (func $op_cost_http_request_v2 (call $cost_http_request_v2 (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_cost_sign_with_ecdsa
    (call $push_i32 (call $cost_sign_with_ecdsa (call $pop_i32) (call $pop_i32) (call $pop_i32) (call $pop_i32))))
  (func $op_cost_sign_with_schnorr
    (call $push_i32 (call $cost_sign_with_schnorr (call $pop_i32) (call $pop_i32) (call $pop_i32) (call $pop_i32))))
  (func $op_cost_vetkd_derive_key
    (call $push_i32 (call $cost_vetkd_derive_key (call $pop_i32) (call $pop_i32) (call $pop_i32) (call $pop_i32))))
  (func $op_env_var_count (call $push_i32 (call $env_var_count)))
  (func $op_env_var_name_size (call $push_i32 (call $env_var_name_size (call $pop_i32))))
  (func $op_env_var_name_copy
    (call $env_var_name_copy (call $pop_i32) (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_env_var_name_exists (call $push_i32 (call $env_var_name_exists (call $pop_i32) (call $pop_i32))))
  (func $op_env_var_value_size (call $push_i32 (call $env_var_value_size (call $pop_i32) (call $pop_i32))))
  (func $op_env_var_value_copy
    (call $env_var_value_copy (call $pop_i32) (call $pop_i32) (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_debug_print (call $debug_print (call $pop_i32) (call $pop_i32)))
  (func $op_trap (call $trap (call $pop_i32) (call $pop_i32)))
  (func $op_msg_cycles_available (call $push (call $msg_cycles_available)))
  (func $op_msg_cycles_refunded (call $push (call $msg_cycles_refunded)))
  (func $op_msg_cycles_accept (call $push (call $msg_cycles_accept (call $pop))))
  (func $op_canister_cycle_balance (call $push (call $canister_cycle_balance)))
  (func $op_call_cycles_add (call $call_cycles_add (call $pop)))
  (func $op_stable_size (call $push_i32 (call $stable_size)))
  (func $op_stable_grow (call $push_i32 (call $stable_grow (call $pop_i32))))
  (func $op_stable_write (call $stable_write (call $pop_i32) (call $pop_i32) (call $pop_i32)))
  (func $op_stable_read (call $stable_read (call $pop_i32) (call $pop_i32) (call $pop_i32)))

  (func $run (param $at i32) (param $size i32)
    (local $end i32) (local $op i32) (local $count i64)
    (local.set $end (i32.add (local.get $at) (local.get $size)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $op (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (call $step (local.get $op) (local.get $at))
        ;; Operands in the program: a number of 8 bytes, a blob behind its length, an index, a distance.
        (if (i32.eq (local.get $op) (i32.const 0x01)) (then (local.set $at (i32.add (local.get $at) (i32.const 8)))))
        (if (i32.eq (local.get $op) (i32.const 0x02))
          (then (local.set $at (i32.add (i32.add (local.get $at) (i32.const 4)) (i32.load (local.get $at))))))
        (if (i32.eq (i32.and (local.get $op) (i32.const 0xf0)) (i32.const 0x10))
          (then (local.set $at (i32.add (local.get $at) (i32.const 1)))))
        (if (i32.eq (local.get $op) (i32.const 0x03))
          (then
            (local.set $count (call $pop))
            (if (i64.eqz (local.get $count))
              (then (local.set $at (i32.add (local.get $at) (i32.load16_u (local.get $at))))))
            (local.set $at (i32.add (local.get $at) (i32.const 2)))))
        (br $next))))

  ;; One operation; $at is where its operand in the program begins.
  (func $step (param $op i32) (param $at i32)
    (local $a i64) (local $b i64) (local $p i32)
    (if (i32.eq (local.get $op) (i32.const 0x01)) (then (call $push (i64.load (local.get $at))) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x02))
      (then
        (call $push_i32 (i32.load (local.get $at)))
        (call $push_i32 (i32.add (local.get $at) (i32.const 4)))
        (return)))
    (if (i32.eq (local.get $op) (i32.const 0x03)) (then (return)))
    ;; 0x1N: with an index
    (if (i32.eq (local.get $op) (i32.const 0x10))
      (then (call_indirect (type $operation) (i32.add (i32.load8_u (local.get $at)) (i32.const 2))) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x11))
      (then (i64.store (call $register (local.get $at)) (call $pop)) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x12))
      (then (call $push (i64.load (call $register (local.get $at)))) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x13))
      (then (i64.store offset=0x100 (call $register (local.get $at)) (call $pop)) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x14))
      (then (call $push (i64.load offset=0x100 (call $register (local.get $at)))) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x15))
      (then (call $put (call $hook (i32.load8_u (local.get $at))) (call $pop_i32) (call $pop_i32)) (return)))
    ;; 0x2N: arithmetic on the two topmost values, the topmost is the left one
    (if (i32.eq (i32.and (local.get $op) (i32.const 0xf0)) (i32.const 0x20))
      (then
        (local.set $a (call $pop))
        (local.set $b (call $pop))
        (if (i32.eq (local.get $op) (i32.const 0x20)) (then (call $push (i64.add (local.get $a) (local.get $b)))))
        (if (i32.eq (local.get $op) (i32.const 0x21)) (then (call $push (i64.sub (local.get $a) (local.get $b)))))
        (if (i32.eq (local.get $op) (i32.const 0x22)) (then (call $push (i64.or (local.get $a) (local.get $b)))))
        (if (i32.eq (local.get $op) (i32.const 0x23)) (then (call $push_i32 (i64.eq (local.get $a) (local.get $b)))))
        (if (i32.eq (local.get $op) (i32.const 0x24)) (then (call $push_i32 (i64.lt_u (local.get $a) (local.get $b)))))
        (return)))
    ;; 0x3N: memory
    (if (i32.eq (local.get $op) (i32.const 0x30))
      (then (call $push_i32 (call $alloc (call $pop_i32))) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x31))
      (then (call $push_i32 (call $keep (call $pop_i32) (call $pop_i32))) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x32)) (then (call $push (i64.load (call $pop_i32))) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x33)) (then (i64.store (call $pop_i32) (call $pop)) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x34))
      (then (memory.copy (call $pop_i32) (call $pop_i32) (call $pop_i32)) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x35))
      (then (call $push_i32 (memory.grow (call $pop_i32))) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x36)) (then (call $push_i32 (memory.size)) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x37))
      (then (call $put (i32.const 0xb000) (call $pop_i32) (call $pop_i32)) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x38))
      (then (call $push_i32 (i32.load (i32.const 0xb000))) (call $push_i32 (i32.const 0xb004)) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x39)) (then (global.set $wasm_global (call $pop)) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x3a)) (then (call $push (global.get $wasm_global)) (return)))
    ;; 0x4N: control
    (if (i32.eq (local.get $op) (i32.const 0x40)) (then (drop (call $pop)) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x41)) (then (call $run (call $pop_i32) (call $pop_i32)) (return)))
    (if (i32.eq (local.get $op) (i32.const 0x42)) (then (loop $for_ever (br $for_ever))))
    (if (i32.eq (local.get $op) (i32.const 0x43))
      (then
        (local.set $p (call $pop_i32))
        (loop $again
          (local.set $p (i32.sub (local.get $p) (i32.const 1)))
          (br_if $again (i32.gt_s (local.get $p) (i32.const 0))))
        (return)))
    (if (i32.eq (local.get $op) (i32.const 0x44))
      (then (loop $grow (br_if $grow (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)))
    (if (i32.eq (local.get $op) (i32.const 0x45)) (then (call $recurse (i32.const 0)) (return)))
    (unreachable))

  (func $register (param $at i32) (result i32)
    (i32.add (i32.const 0x1000) (i32.shl (i32.load8_u (local.get $at)) (i32.const 3))))
  (func $recurse (param $depth i32)
    (call $recurse (i32.add (local.get $depth) (i32.const 1)))
    (i32.store (i32.const 0x1208) (local.get $depth)))

  (func $begin
    (global.set $stack (i32.const 0))
    (global.set $free (i32.const 0x30000)))
  (func $run_kept (param $at i32)
    (call $begin)
    (call $run (i32.add (local.get $at) (i32.const 4)) (i32.load (local.get $at))))
  (func $run_argument
    (local $size i32) (local $at i32)
    (call $begin)
    (local.set $size (call $msg_arg_data_size))
    (local.set $at (call $alloc (local.get $size)))
    (call $msg_arg_data_copy (local.get $at) (i32.const 0) (local.get $size))
    (call $run (local.get $at) (local.get $size)))
  (func $callback (param $program i32)
    (call $run_kept (local.get $program)))
  (func $wrong_type (param i64))

  (func $start (call $run_kept (i32.const 0xa000)))
  (start $start) ;; optional start
  (func (export "canister_init") (call $run_argument))
  (func (export "canister_post_upgrade") (call $run_argument))
  (func (export "canister_pre_upgrade") (call $run_kept (call $hook (i32.const 0))))
  (func (export "canister_update update") (call $run_argument))
  (func (export "canister_query query") (call $run_argument))
  (func (export "canister_composite_query composite") (call $run_argument))
  (func (export "canister_query transform") (call $run_kept (call $hook (i32.const 1))))
  (func (export "canister_inspect_message") (call $run_kept (call $hook (i32.const 2)))) ;; optional inspect
  (func (export "canister_heartbeat") (call $run_kept (call $hook (i32.const 3)))) ;; optional heartbeat
  (func (export "canister_global_timer") (call $run_kept (call $hook (i32.const 4))))
  (func (export "canister_on_low_wasm_memory") (call $run_kept (call $hook (i32.const 5))))
)
