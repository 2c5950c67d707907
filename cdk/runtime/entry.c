/* The module's entry points. Each calls the application's `dispatch(kind, number)` and then commits stable storage.
 *
 * The specialiser exports what an application has: `leasehold_method_<i>` under "canister_update <name>" and the like. */
#include "runtime.h"
#include "store.h"

#define EXPORT(name) __attribute__((export_name(#name))) void name(void)

/* Calls `dispatch(kind, number)`. The text of the kind that comes with every message is made once. */
static void run_kind(PyObject *kind, int32_t number) {
    PyObject *arguments[] = {kind, PyLong_FromLong(number)};
    PyObject *result = kind && arguments[1] ? PyObject_Vectorcall(boot_dispatch, arguments, 2, NULL) : NULL;
    if (!result) fail();
    Py_DECREF(result);
    Py_DECREF(arguments[1]);
    store_commit();
}

static void run(const char *kind, int32_t number) { run_kind(PyUnicode_InternFromString(kind), number); }

static void run_method(int32_t number) {
    static PyObject *kind;
    if (!kind) kind = PyUnicode_InternFromString("method");
    run_kind(kind, number);
}

EXPORT(canister_init) {
    boot();
    run("init", 0);
}

EXPORT(canister_post_upgrade) {
    boot();
    run("post_upgrade", 0);
}

EXPORT(canister_pre_upgrade) { run("pre_upgrade", 0); }
EXPORT(canister_heartbeat) { run("heartbeat", 0); }
EXPORT(canister_global_timer) { run("global_timer", 0); }
EXPORT(canister_inspect_message) { run("inspect_message", 0); }
EXPORT(canister_on_low_wasm_memory) { run("on_low_wasm_memory", 0); }

void callback_reply(int32_t env) { run("reply", env); }
void callback_reject(int32_t env) { run("reject", env); }
void callback_cleanup(int32_t env) { run("cleanup", env); }

/* 256 trampolines, leasehold_method_0 to leasehold_method_255: a method knows its number by which one is called. */
#define METHOD(i) \
    EXPORT(leasehold_method_##i) { run_method(i); }
#define METHODS_10(t) \
    METHOD(t##0) METHOD(t##1) METHOD(t##2) METHOD(t##3) METHOD(t##4) \
    METHOD(t##5) METHOD(t##6) METHOD(t##7) METHOD(t##8) METHOD(t##9)
#define METHODS_100(h) \
    METHODS_10(h##0) METHODS_10(h##1) METHODS_10(h##2) METHODS_10(h##3) METHODS_10(h##4) \
    METHODS_10(h##5) METHODS_10(h##6) METHODS_10(h##7) METHODS_10(h##8) METHODS_10(h##9)

METHODS_10() /* 0 to 9 */
METHODS_10(1) METHODS_10(2) METHODS_10(3) METHODS_10(4) METHODS_10(5)
METHODS_10(6) METHODS_10(7) METHODS_10(8) METHODS_10(9)
METHODS_100(1) /* 100 to 199 */
METHODS_10(20) METHODS_10(21) METHODS_10(22) METHODS_10(23) METHODS_10(24)
METHOD(250) METHOD(251) METHOD(252) METHOD(253) METHOD(254) METHOD(255)
