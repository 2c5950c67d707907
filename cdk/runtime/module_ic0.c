/* Python's module `_ic0` (see _ic0.pyi): the system calls, with sizes and copies folded into bytes. */
#include "runtime.h"
#include "store.h"

static PyObject *copied_text(size_call *size, copy_call *copy) {
    PyObject *bytes = copied_bytes(size, copy);
    if (!bytes) return NULL;
    PyObject *text = PyUnicode_DecodeUTF8(PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes), "replace");
    Py_DECREF(bytes);
    return text;
}

#define FUNCTION(name) static PyObject *py_##name(PyObject *self, PyObject *argument)

#define BYTES(name) \
    FUNCTION(name) { return copied_bytes(ic0_##name##_size, ic0_##name##_copy); }
#define TEXT(name) \
    FUNCTION(name) { return copied_text(ic0_##name##_size, ic0_##name##_copy); }
#define NUMBER(name) \
    FUNCTION(name) { return PyLong_FromUnsignedLongLong((uint64_t)ic0_##name()); }
#define AMOUNT(name) \
    FUNCTION(name) { \
        struct amount amount; \
        ic0_##name##128(&amount); \
        return amount_to_int(amount); \
    }

/* Message */

BYTES(msg_arg_data)
BYTES(msg_caller)
TEXT(msg_reject_msg)
TEXT(msg_method_name)
NUMBER(msg_reject_code)
NUMBER(msg_deadline)

/* Hand a bytes-like argument to a system call that takes (src, size). */
static PyObject *give_bytes(PyObject *argument, void (*call)(const void *, int32_t)) {
    Py_buffer data;
    if (PyObject_GetBuffer(argument, &data, PyBUF_SIMPLE) < 0) return NULL;
    call(data.buf, (int32_t)data.len);
    PyBuffer_Release(&data);
    Py_RETURN_NONE;
}

/* The same for text; a lone surrogate, which UTF-8 has no bytes for, is sent as a question mark. */
static PyObject *give_text(PyObject *argument, void (*call)(const void *, int32_t)) {
    if (!PyUnicode_Check(argument)) {
        PyErr_Format(PyExc_TypeError, "expected str, got %.100s", Py_TYPE(argument)->tp_name);
        return NULL;
    }
    PyObject *text = PyUnicode_AsEncodedString(argument, "utf-8", "replace");
    if (!text) return NULL;
    call(PyBytes_AS_STRING(text), (int32_t)PyBytes_GET_SIZE(text));
    Py_DECREF(text);
    Py_RETURN_NONE;
}

static void append_and_reply(const void *src, int32_t size) {
    ic0_msg_reply_data_append(src, size);
    ic0_msg_reply();
}

FUNCTION(msg_reply) { return give_bytes(argument, append_and_reply); }
FUNCTION(msg_reply_data_append) { return give_bytes(argument, ic0_msg_reply_data_append); }
FUNCTION(msg_reject) { return give_text(argument, ic0_msg_reject); }
FUNCTION(accept_message) {
    ic0_accept_message();
    Py_RETURN_NONE;
}

/* Cycles */

AMOUNT(msg_cycles_available)
AMOUNT(msg_cycles_refunded)
AMOUNT(canister_cycle_balance)

FUNCTION(msg_cycles_accept) {
    struct amount wanted, accepted;
    if (!amount_from_int(argument, &wanted)) return NULL;
    ic0_msg_cycles_accept128(wanted.high, wanted.low, &accepted);
    return amount_to_int(accepted);
}

/* Canister and subnet */

BYTES(canister_self)
BYTES(subnet_self)
NUMBER(canister_status)
NUMBER(canister_version)

FUNCTION(in_replicated_execution) { return PyBool_FromLong(ic0_in_replicated_execution()); }

FUNCTION(is_controller) {
    Py_buffer principal;
    if (!PyArg_Parse(argument, "y*", &principal)) return NULL;
    int32_t result = ic0_is_controller(principal.buf, (int32_t)principal.len);
    PyBuffer_Release(&principal);
    return PyBool_FromLong(result);
}

/* Time, timer and measurement */

NUMBER(time)

FUNCTION(global_timer_set) {
    uint64_t timestamp = PyLong_AsUnsignedLongLong(argument);
    if (timestamp == (uint64_t)-1 && PyErr_Occurred()) return NULL;
    return PyLong_FromUnsignedLongLong((uint64_t)ic0_global_timer_set((int64_t)timestamp));
}

FUNCTION(performance_counter) {
    int kind = PyLong_AsInt(argument);
    if (kind == -1 && PyErr_Occurred()) return NULL;
    return PyLong_FromUnsignedLongLong((uint64_t)ic0_performance_counter(kind));
}

/* Diagnosis */

FUNCTION(trap) { return give_text(argument, ic0_trap); }
FUNCTION(debug_print) { return give_text(argument, ic0_debug_print); }

/* Certified data */

FUNCTION(certified_data_set) {
    if (PyBytes_Check(argument) && PyBytes_GET_SIZE(argument) > 32) {
        PyErr_Format(PyExc_ValueError, "certified data of %zd bytes: at most 32", PyBytes_GET_SIZE(argument));
        return NULL;
    }
    return give_bytes(argument, ic0_certified_data_set);
}

FUNCTION(data_certificate) {
    if (!ic0_data_certificate_present()) Py_RETURN_NONE;
    return copied_bytes(ic0_data_certificate_size, ic0_data_certificate_copy);
}

/* Calls */

static int32_t table_index(void (*callback)(int32_t)) { return (int32_t)(uintptr_t)callback; }

/* One-way calls give table indices that no response can reach. */
static void new_call(const Py_buffer *callee, const char *method, Py_ssize_t method_size, int callback) {
    bool one_way = callback < 0;
    ic0_call_new(callee->buf, (int32_t)callee->len, method, (int32_t)method_size,
                 one_way ? -1 : table_index(callback_reply), callback, one_way ? -1 : table_index(callback_reject),
                 callback);
    if (!one_way) ic0_call_on_cleanup(table_index(callback_cleanup), callback);
}

static bool parse_timeout(PyObject *timeout, int64_t *seconds) {
    *seconds = -1;
    if (timeout == Py_None) return true;
    *seconds = PyLong_AsLongLong(timeout);
    if (*seconds == -1 && PyErr_Occurred()) return false;
    if (*seconds >= 0 && *seconds <= UINT32_MAX) return true;
    PyErr_Format(PyExc_ValueError, "timeout of %lld seconds: must be 0 to 2**32 - 1", *seconds);
    return false;
}

static PyObject *py_call(PyObject *self, PyObject *args) {
    Py_buffer callee, data;
    const char *method;
    Py_ssize_t method_size;
    struct amount cycles;
    int callback;
    PyObject *timeout = Py_None;
    int64_t seconds;
    if (!PyArg_ParseTuple(args, "y*s#y*O&i|O:call", &callee, &method, &method_size, &data, amount_from_int, &cycles,
                          &callback, &timeout))
        return NULL;
    PyObject *result = NULL;
    if (parse_timeout(timeout, &seconds)) {
        new_call(&callee, method, method_size, callback);
        ic0_call_data_append(data.buf, (int32_t)data.len);
        if (cycles.low || cycles.high) ic0_call_cycles_add128(cycles.high, cycles.low);
        if (seconds >= 0) ic0_call_with_best_effort_response((int32_t)seconds);
        result = PyLong_FromLong(ic0_call_perform());
    }
    PyBuffer_Release(&callee);
    PyBuffer_Release(&data);
    return result;
}

/* Raw stable memory */

static bool refuse_raw_write(void) {
    if (!store_exists()) return false;
    PyErr_SetString(PyExc_RuntimeError, "stable memory belongs to the stable maps: it cannot be written raw");
    return true;
}

static bool check_range(uint64_t offset, uint64_t size) {
    uint64_t limit = (uint64_t)ic0_stable64_size() * 65536;
    if (offset <= limit && size <= limit - offset) return true;
    PyErr_Format(PyExc_ValueError, "stable memory: %llu bytes at %llu lie outside its %llu bytes", size, offset, limit);
    return false;
}

NUMBER(stable64_size)

FUNCTION(stable_grow) {
    long long pages = PyLong_AsLongLong(argument);
    if ((pages == -1 && PyErr_Occurred()) || refuse_raw_write()) return NULL;
    return PyLong_FromLongLong(ic0_stable64_grow(pages));
}

static PyObject *py_stable_read(PyObject *self, PyObject *args) {
    unsigned long long offset;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "Kn:stable_read", &offset, &size) || !check_range(offset, (uint64_t)size)) return NULL;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes) ic0_stable64_read((int64_t)(uintptr_t)PyBytes_AS_STRING(bytes), (int64_t)offset, size);
    return bytes;
}

static PyObject *py_stable_write(PyObject *self, PyObject *args) {
    unsigned long long offset;
    Py_buffer data;
    if (!PyArg_ParseTuple(args, "Ky*:stable_write", &offset, &data)) return NULL;
    bool allowed = !refuse_raw_write() && check_range(offset, (uint64_t)data.len);
    if (allowed) ic0_stable64_write((int64_t)offset, (int64_t)(uintptr_t)data.buf, data.len);
    PyBuffer_Release(&data);
    if (!allowed) return NULL;
    Py_RETURN_NONE;
}

#define NOARGS(name) {#name, py_##name, METH_NOARGS, NULL}
#define ONEARG(name) {#name, py_##name, METH_O, NULL}

static PyMethodDef methods[] = {
    NOARGS(msg_arg_data),
    NOARGS(msg_caller),
    ONEARG(msg_reply),
    ONEARG(msg_reply_data_append),
    ONEARG(msg_reject),
    NOARGS(msg_reject_code),
    NOARGS(msg_reject_msg),
    NOARGS(msg_deadline),
    NOARGS(msg_method_name),
    NOARGS(accept_message),
    NOARGS(msg_cycles_available),
    ONEARG(msg_cycles_accept),
    NOARGS(msg_cycles_refunded),
    NOARGS(canister_cycle_balance),
    NOARGS(canister_self),
    NOARGS(canister_status),
    NOARGS(canister_version),
    ONEARG(is_controller),
    NOARGS(in_replicated_execution),
    NOARGS(subnet_self),
    NOARGS(time),
    ONEARG(global_timer_set),
    ONEARG(performance_counter),
    ONEARG(debug_print),
    ONEARG(trap),
    ONEARG(certified_data_set),
    NOARGS(data_certificate),
    {"call", py_call, METH_VARARGS, NULL},
    {"stable_size", py_stable64_size, METH_NOARGS, NULL},
    ONEARG(stable_grow),
    {"stable_read", py_stable_read, METH_VARARGS, NULL},
    {"stable_write", py_stable_write, METH_VARARGS, NULL},
    {NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_ic0", NULL, -1, methods};

PyObject *PyInit__ic0(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module && PyModule_AddFunctions(module, system_methods) < 0) Py_CLEAR(module);
    return module;
}
