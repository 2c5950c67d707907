/* The system calls of `_ic0` that tell of the canister's surroundings: who vouches for the caller, the subnet, the
 * root key, environment variables, and what other calls would cost. */
#include "runtime.h"

#define FUNCTION(name) static PyObject *py_##name(PyObject *self, PyObject *argument)

#define BYTES(name) \
    FUNCTION(name) { return copied_bytes(ic0_##name##_size, ic0_##name##_copy); }

BYTES(msg_caller_info_data)
BYTES(msg_caller_info_signer)
BYTES(root_key)

FUNCTION(subnet_self_node_count) { return PyLong_FromLong(ic0_subnet_self_node_count()); }

/* Cycles */

FUNCTION(canister_liquid_cycle_balance) {
    struct amount amount;
    ic0_canister_liquid_cycle_balance128(&amount);
    return amount_to_int(amount);
}

FUNCTION(cycles_burn) {
    struct amount wanted, burnt;
    if (!amount_from_int(argument, &wanted)) return NULL;
    ic0_cycles_burn128(wanted.high, wanted.low, &burnt);
    return amount_to_int(burnt);
}

/* Environment variables */

FUNCTION(env_var_count) { return PyLong_FromLong(ic0_env_var_count()); }

FUNCTION(env_var_name) {
    int index = PyLong_AsInt(argument);
    if (index == -1 && PyErr_Occurred()) return NULL;
    if (index < 0 || index >= ic0_env_var_count()) {
        PyErr_Format(PyExc_IndexError, "environment variable %d of %d", index, (int)ic0_env_var_count());
        return NULL;
    }
    int32_t size = ic0_env_var_name_size(index);
    char *name = PyMem_Malloc((size_t)size);
    if (!name) return PyErr_NoMemory();
    ic0_env_var_name_copy(index, name, 0, size);
    PyObject *text = PyUnicode_DecodeUTF8(name, size, "replace");
    PyMem_Free(name);
    return text;
}

FUNCTION(env_var_value) {
    Py_ssize_t name_size;
    const char *name = PyUnicode_AsUTF8AndSize(argument, &name_size);
    if (!name) return NULL;
    if (!ic0_env_var_name_exists(name, (int32_t)name_size)) Py_RETURN_NONE;
    int32_t size = ic0_env_var_value_size(name, (int32_t)name_size);
    char *value = PyMem_Malloc((size_t)size);
    if (!value) return PyErr_NoMemory();
    ic0_env_var_value_copy(name, (int32_t)name_size, value, 0, size);
    PyObject *text = PyUnicode_DecodeUTF8(value, size, "replace");
    PyMem_Free(value);
    return text;
}

/* What calls cost */

static PyObject *two_sizes(PyObject *args, void (*cost)(int64_t, int64_t, void *)) {
    unsigned long long first, second;
    struct amount amount;
    if (!PyArg_ParseTuple(args, "KK", &first, &second)) return NULL;
    cost((int64_t)first, (int64_t)second, &amount);
    return amount_to_int(amount);
}

FUNCTION(cost_call) { return two_sizes(argument, ic0_cost_call); }
FUNCTION(cost_http_request) { return two_sizes(argument, ic0_cost_http_request); }

FUNCTION(cost_create_canister) {
    struct amount amount;
    ic0_cost_create_canister(&amount);
    return amount_to_int(amount);
}

FUNCTION(cost_http_request_v2) {
    Py_buffer parameters;
    struct amount amount;
    if (PyObject_GetBuffer(argument, &parameters, PyBUF_SIMPLE) < 0) return NULL;
    ic0_cost_http_request_v2(parameters.buf, (int32_t)parameters.len, &amount);
    PyBuffer_Release(&parameters);
    return amount_to_int(amount);
}

enum { COST_KNOWN, COST_INVALID_ALGORITHM, COST_INVALID_KEY };

static PyObject *key_cost(PyObject *args, int32_t (*cost)(const void *, int32_t, int32_t, void *)) {
    const char *name;
    Py_ssize_t size;
    int algorithm;
    struct amount amount;
    if (!PyArg_ParseTuple(args, "s#i", &name, &size, &algorithm)) return NULL;
    switch (cost(name, (int32_t)size, algorithm, &amount)) {
    case COST_KNOWN:
        return amount_to_int(amount);
    case COST_INVALID_ALGORITHM:
        return PyErr_Format(PyExc_ValueError, "the network knows no curve or algorithm %d", algorithm);
    default:
        return PyErr_Format(PyExc_ValueError, "the network has no key '%s'", name);
    }
}

FUNCTION(cost_sign_with_ecdsa) { return key_cost(argument, ic0_cost_sign_with_ecdsa); }
FUNCTION(cost_sign_with_schnorr) { return key_cost(argument, ic0_cost_sign_with_schnorr); }
FUNCTION(cost_vetkd_derive_key) { return key_cost(argument, ic0_cost_vetkd_derive_key); }

#define METHOD(name, kind) {#name, py_##name, kind, NULL}

PyMethodDef system_methods[] = {
    METHOD(msg_caller_info_data, METH_NOARGS),
    METHOD(msg_caller_info_signer, METH_NOARGS),
    METHOD(root_key, METH_NOARGS),
    METHOD(subnet_self_node_count, METH_NOARGS),
    METHOD(canister_liquid_cycle_balance, METH_NOARGS),
    METHOD(cycles_burn, METH_O),
    METHOD(env_var_count, METH_NOARGS),
    METHOD(env_var_name, METH_O),
    METHOD(env_var_value, METH_O),
    METHOD(cost_call, METH_VARARGS),
    METHOD(cost_create_canister, METH_NOARGS),
    METHOD(cost_http_request, METH_VARARGS),
    METHOD(cost_http_request_v2, METH_O),
    METHOD(cost_sign_with_ecdsa, METH_VARARGS),
    METHOD(cost_sign_with_schnorr, METH_VARARGS),
    METHOD(cost_vetkd_derive_key, METH_VARARGS),
    {NULL},
};
