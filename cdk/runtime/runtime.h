/* What the files of the runtime offer one another. */
#ifndef LEASEHOLD_RUNTIME_H
#define LEASEHOLD_RUNTIME_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "ic0.h"

/* allocator.c: to be called between pre-initialisation and initialisation of Python. */
void allocator_install(void);

/* boot.c: start Python and import the application; afterwards `boot_dispatch` is the entry module's function. */
void boot(void);
extern PyObject *boot_dispatch;

/* failure.c: end the message with the pending Python exception as the reason. */
__attribute__((noreturn)) void fail(void);

/* module_ic0.c, module_stable.c */
PyObject *PyInit__ic0(void);
PyObject *PyInit__stable(void);

/* system_calls.c: more functions of `_ic0`, ended by an empty entry. */
extern PyMethodDef system_methods[];

/* values.c: what system calls give and take, as Python objects. */
typedef int32_t size_call(void);
typedef void copy_call(void *dst, int32_t offset, int32_t size);

/* 128-bit amounts are 16 bytes, little-endian, in memory. */
struct amount {
    int64_t low, high;
};

PyObject *copied_bytes(size_call *size, copy_call *copy);
PyObject *amount_to_int(struct amount amount);
int amount_from_int(PyObject *number, void *result); /* a converter of PyArg_Parse* */

/* entry.c: table entries for the callbacks of inter-canister calls. */
void callback_reply(int32_t env);
void callback_reject(int32_t env);
void callback_cleanup(int32_t env);

#endif
