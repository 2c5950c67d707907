/* What system calls give and take, as Python objects. */
#include "runtime.h"

PyObject *copied_bytes(size_call *size, copy_call *copy) {
    int32_t length = size();
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, length);
    if (bytes) copy(PyBytes_AS_STRING(bytes), 0, length);
    return bytes;
}

PyObject *amount_to_int(struct amount amount) {
    return PyLong_FromUnsignedNativeBytes(&amount, sizeof amount, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
}

int amount_from_int(PyObject *number, void *result) {
    if (!PyLong_Check(number)) {
        PyErr_Format(PyExc_TypeError, "cycles must be an int, not %.100s", Py_TYPE(number)->tp_name);
        return 0;
    }
    Py_ssize_t needed = PyLong_AsNativeBytes(number, result, sizeof(struct amount),
                                             Py_ASNATIVEBYTES_LITTLE_ENDIAN | Py_ASNATIVEBYTES_UNSIGNED_BUFFER |
                                                 Py_ASNATIVEBYTES_REJECT_NEGATIVE);
    if (needed < 0) return 0;
    if (needed <= (Py_ssize_t)sizeof(struct amount)) return 1;
    PyErr_SetString(PyExc_OverflowError, "cycles must be below 2**128");
    return 0;
}
