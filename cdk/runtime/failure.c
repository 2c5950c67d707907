/* An uncaught exception ends the message: the traceback goes to the log, type, message and place into the trap. */
#include "runtime.h"

enum { REPORT_MAX = 4096 }; /* bytes of either text; python/_leasehold.py keeps well below */

static size_t bounded(Py_ssize_t size) { return size < REPORT_MAX ? (size_t)size : REPORT_MAX; }

/* The texts (summary, traceback) that python/_leasehold.py makes of an exception, or NULL. */
static PyObject *describe(PyObject *exception) {
    PyObject *module = PyImport_ImportModule("_leasehold");
    if (!module) return NULL;
    PyObject *texts = PyObject_CallMethod(module, "describe", "O", exception);
    Py_DECREF(module);
    return texts;
}

__attribute__((noreturn)) void fail(void) {
    PyObject *exception = PyErr_GetRaisedException();
    if (!exception) trap("the runtime failed without an exception");
    PyObject *texts = describe(exception);
    const char *summary, *traceback;
    Py_ssize_t summary_size, traceback_size;
    if (!texts || !PyArg_ParseTuple(texts, "s#s#", &summary, &summary_size, &traceback, &traceback_size))
        trap(Py_TYPE(exception)->tp_name); /* describing it failed too, e.g. no memory is left */
    ic0_debug_print(traceback, (int32_t)bounded(traceback_size));
    trap_bytes(summary, bounded(summary_size));
}
