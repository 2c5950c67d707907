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

/* entry.c: table entries for the callbacks of inter-canister calls. */
void callback_reply(int32_t env);
void callback_reject(int32_t env);
void callback_cleanup(int32_t env);

#endif
