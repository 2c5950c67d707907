;; A canister for the tests of the node: counts, names its caller, traps, certifies its counter.
(module
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_caller_size" (func $caller_size (result i32)))
  (import "ic0" "msg_caller_copy" (func $caller_copy (param i32 i32 i32)))
  (import "ic0" "certified_data_set" (func $certify (param i32 i32)))
  (import "ic0" "data_certificate_size" (func $certificate_size (result i32)))
  (import "ic0" "data_certificate_copy" (func $certificate_copy (param i32 i32 i32)))
  (memory 2)
  (global $count (mut i32) (i32.const 0))
  (data (i32.const 0) "DIDL\00\01\79")         ;; (nat32), value at 7
  (data (i32.const 16) "DIDL\00\01\68\01")     ;; (principal), length at 24, bytes at 25

  (func $answer_count
    (i32.store (i32.const 7) (global.get $count))
    (call $append (i32.const 0) (i32.const 11))
    (call $reply))

  (func $answer_caller
    (i32.store8 (i32.const 24) (call $caller_size))
    (call $caller_copy (i32.const 25) (i32.const 0) (call $caller_size))
    (call $append (i32.const 16) (i32.add (i32.const 9) (call $caller_size)))
    (call $reply))

  (func (export "canister_update bump")
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (i32.store (i32.const 7) (global.get $count))
    (call $certify (i32.const 7) (i32.const 4))
    (call $answer_count))

  (func (export "canister_update caller") (call $answer_caller))
  (func (export "canister_update fail") (unreachable))

  ;; About 200,000 instructions.
  (func (export "canister_update work") (local $left i32)
    (local.set $left (i32.const 28000))
    (loop $again
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (br_if $again (i32.gt_s (local.get $left) (i32.const 0))))
    (call $answer_count))

  (func (export "canister_query count") (call $answer_count))
  (func (export "canister_query who") (call $answer_caller))
  (func (export "canister_query certificate")
    (call $certificate_copy (i32.const 4096) (i32.const 0) (call $certificate_size))
    (call $append (i32.const 4096) (call $certificate_size))
    (call $reply)))
