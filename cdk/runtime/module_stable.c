/* Python's module `_stable` (see _stable.pyi): ordered byte maps over store.h. */
#include "runtime.h"
#include "store.h"

/* Arguments */

static bool check_map(int map) {
    if (map >= 0 && map < STORE_MAPS) return true;
    PyErr_Format(PyExc_ValueError, "stable map %d: must be 0 to %d", map, STORE_MAPS - 1);
    return false;
}

static bool check_size(const Py_buffer *blob, const char *what) {
    if (blob->len <= STORE_BLOB_MAX) return true;
    PyErr_Format(PyExc_ValueError, "stable map: %s of %zd bytes, at most %d are allowed", what, blob->len,
                 STORE_BLOB_MAX);
    return false;
}

/* "map, key" as every keyed function takes them. On success the caller releases `key`. */
static bool parse_key(PyObject *const *args, Py_ssize_t count, Py_ssize_t expected, int *map, Py_buffer *key) {
    if (count != expected) {
        PyErr_Format(PyExc_TypeError, "stable map: expected %zd arguments, got %zd", expected, count);
        return false;
    }
    *map = PyLong_AsInt(args[0]);
    if (*map == -1 && PyErr_Occurred()) return false;
    if (!check_map(*map) || PyObject_GetBuffer(args[1], key, PyBUF_SIMPLE) < 0) return false;
    if (check_size(key, "key")) return true;
    PyBuffer_Release(key);
    return false;
}

static void bind(sqlite3_stmt *statement, int index, const Py_buffer *blob) {
    /* A null pointer would bind SQL NULL instead of an empty blob. */
    sqlite3_bind_blob(statement, index, blob->len ? blob->buf : "", (int)blob->len, SQLITE_STATIC);
}

static PyObject *column(sqlite3_stmt *statement, int index) {
    const void *data = sqlite3_column_blob(statement, index); /* before the size, as SQLite asks */
    return PyBytes_FromStringAndSize(data, sqlite3_column_bytes(statement, index));
}

/* Reset for the next use, and let go of the caller's memory. */
static void finish(sqlite3_stmt *statement) {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

/* The value in a row of m<n>: the blob itself, or what its id refers to. `id` is set to the id, or 0. */
static PyObject *row_value(int map, sqlite3_stmt *row, int index, int64_t *id) {
    *id = 0;
    if (sqlite3_column_type(row, index) != SQLITE_INTEGER) return column(row, index);
    *id = sqlite3_column_int64(row, index);
    sqlite3_stmt *statement = store_statement(map, STORE_LARGE_GET);
    sqlite3_bind_int64(statement, 1, *id);
    if (!store_step(statement)) trap("stable storage: a large value is missing");
    PyObject *value = column(statement, 0);
    finish(statement);
    return value;
}

/* The value under `key`; NULL with no exception set if there is none. */
static PyObject *find(int map, const Py_buffer *key, int64_t *id) {
    *id = 0;
    if (!store_has_map(map)) return NULL;
    sqlite3_stmt *statement = store_statement(map, STORE_GET);
    bind(statement, 1, key);
    PyObject *value = store_step(statement) ? row_value(map, statement, 0, id) : NULL;
    finish(statement);
    return value;
}

static PyObject *value_or_none(PyObject *value) {
    if (value || PyErr_Occurred()) return value;
    Py_RETURN_NONE;
}

/* Functions */

static PyObject *stable_get(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    int map;
    Py_buffer key;
    if (!parse_key(args, count, 2, &map, &key)) return NULL;
    int64_t id;
    PyObject *value = find(map, &key, &id);
    PyBuffer_Release(&key);
    return value_or_none(value);
}

static PyObject *stable_contains(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    int map;
    Py_buffer key;
    if (!parse_key(args, count, 2, &map, &key)) return NULL;
    bool found = false;
    if (store_has_map(map)) {
        sqlite3_stmt *statement = store_statement(map, STORE_CONTAINS);
        bind(statement, 1, &key);
        found = store_step(statement);
        finish(statement);
    }
    PyBuffer_Release(&key);
    return PyBool_FromLong(found);
}

static void remove_large(int map, int64_t id) {
    sqlite3_stmt *statement = store_statement(map, STORE_LARGE_REMOVE);
    sqlite3_bind_int64(statement, 1, id);
    store_step(statement);
    finish(statement);
}

/* Store a large value in row `id`, or in a new row if `id` is 0; answer the row's id. */
static int64_t store_large(int map, int64_t id, const Py_buffer *value) {
    sqlite3_stmt *statement = store_statement(map, id ? STORE_LARGE_UPDATE : STORE_LARGE_INSERT);
    if (id) sqlite3_bind_int64(statement, 1, id);
    bind(statement, id ? 2 : 1, value);
    store_step(statement);
    finish(statement);
    return id ? id : store_last_id();
}

static PyObject *store_value(int map, const Py_buffer *key, const Py_buffer *value) {
    int64_t id;
    PyObject *former = find(map, key, &id);
    if (!former && PyErr_Occurred()) return NULL;
    bool large = key->len + value->len > STORE_INLINE_MAX;
    if (id && !large) remove_large(map, id);
    int64_t new_id = large ? store_large(map, id, value) : 0;
    if (!large || new_id != id) {
        sqlite3_stmt *statement = store_statement(map, STORE_PUT);
        bind(statement, 1, key);
        if (large) sqlite3_bind_int64(statement, 2, new_id);
        else bind(statement, 2, value);
        store_step(statement);
        finish(statement);
    }
    if (!former) store_set_length(map, store_length(map) + 1);
    return value_or_none(former);
}

static PyObject *stable_put(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    int map;
    Py_buffer key, value;
    if (!parse_key(args, count, 3, &map, &key)) return NULL;
    PyObject *former = NULL;
    if (PyObject_GetBuffer(args[2], &value, PyBUF_SIMPLE) == 0) {
        if (check_size(&value, "value")) former = store_value(map, &key, &value);
        PyBuffer_Release(&value);
    }
    PyBuffer_Release(&key);
    return former;
}

static PyObject *stable_remove(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    int map;
    Py_buffer key;
    if (!parse_key(args, count, 2, &map, &key)) return NULL;
    int64_t id;
    PyObject *former = find(map, &key, &id);
    if (former) {
        if (id) remove_large(map, id);
        sqlite3_stmt *statement = store_statement(map, STORE_REMOVE);
        bind(statement, 1, &key);
        store_step(statement);
        finish(statement);
        store_set_length(map, store_length(map) - 1);
    }
    PyBuffer_Release(&key);
    return value_or_none(former);
}

static PyObject *stable_length(PyObject *self, PyObject *argument) {
    int map = PyLong_AsInt(argument);
    if ((map == -1 && PyErr_Occurred()) || !check_map(map)) return NULL;
    return PyLong_FromUnsignedLongLong(store_length(map));
}

static PyObject *stable_clear(PyObject *self, PyObject *argument) {
    int map = PyLong_AsInt(argument);
    if ((map == -1 && PyErr_Occurred()) || !check_map(map)) return NULL;
    if (store_length(map) > 0) {
        store_step(store_statement(map, STORE_CLEAR));
        finish(store_statement(map, STORE_CLEAR));
        store_step(store_statement(map, STORE_LARGE_CLEAR));
        finish(store_statement(map, STORE_LARGE_CLEAR));
        store_set_length(map, 0);
    }
    Py_RETURN_NONE;
}

/* Append the statement's rows to a new list. */
static PyObject *rows(int map, sqlite3_stmt *statement, bool keys_only) {
    int64_t id;
    PyObject *list = PyList_New(0);
    while (list && store_step(statement)) {
        PyObject *key = column(statement, 0), *row = key;
        if (key && !keys_only) {
            PyObject *value = row_value(map, statement, 1, &id);
            row = value ? PyTuple_Pack(2, key, value) : NULL;
            Py_DECREF(key);
            Py_XDECREF(value);
        }
        if (!row || PyList_Append(list, row) < 0) Py_CLEAR(list);
        Py_XDECREF(row);
    }
    finish(statement);
    return list;
}

/* A bound of a range: None (which leaves `bound` empty, with no buffer) or bytes-like. */
static int parse_bound(PyObject *argument, void *bound) {
    if (argument == Py_None) return 1;
    return PyObject_GetBuffer(argument, bound, PyBUF_SIMPLE) == 0;
}

static PyObject *range(PyObject *args, bool keys_only) {
    int map, reverse = 0;
    long long limit = -1;
    Py_buffer start = {0}, stop = {0};
    bool parsed = PyArg_ParseTuple(args, "i|O&O&Lp", &map, parse_bound, &start, parse_bound, &stop, &limit, &reverse);
    PyObject *list = NULL;
    if (parsed && check_map(map)) {
        if (store_has_map(map) && limit != 0) {
            int flags = (stop.obj ? STORE_BOUNDED : 0) | (reverse ? STORE_REVERSE : 0) | (keys_only ? STORE_KEYS_ONLY : 0);
            sqlite3_stmt *statement = store_statement(map, STORE_RANGE + flags);
            bind(statement, 1, &start);
            if (stop.obj) bind(statement, 2, &stop);
            sqlite3_bind_int64(statement, 3, limit);
            list = rows(map, statement, keys_only);
        } else {
            list = PyList_New(0);
        }
    }
    if (start.obj) PyBuffer_Release(&start);
    if (stop.obj) PyBuffer_Release(&stop);
    return list;
}

static PyObject *stable_items(PyObject *self, PyObject *args) { return range(args, false); }
static PyObject *stable_keys(PyObject *self, PyObject *args) { return range(args, true); }

static PyMethodDef methods[] = {
    {"get", _PyCFunction_CAST(stable_get), METH_FASTCALL, NULL},
    {"put", _PyCFunction_CAST(stable_put), METH_FASTCALL, NULL},
    {"remove", _PyCFunction_CAST(stable_remove), METH_FASTCALL, NULL},
    {"contains", _PyCFunction_CAST(stable_contains), METH_FASTCALL, NULL},
    {"length", stable_length, METH_O, NULL},
    {"items", stable_items, METH_VARARGS, NULL},
    {"keys", stable_keys, METH_VARARGS, NULL},
    {"clear", stable_clear, METH_O, NULL},
    {NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_stable", NULL, -1, methods};

PyObject *PyInit__stable(void) { return PyModule_Create(&definition); }
