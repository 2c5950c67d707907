/* Start Python without files, and import the application that the specialiser embedded. */
#include "runtime.h"

/* The application bundle: a marshalled dict (see python/_leasehold.py). The specialiser appends a data segment that
 * overwrites this record, found through the exported global `leasehold_bundle`. */
struct bundle {
    const char *data;
    uint32_t size;
};
__attribute__((used)) volatile struct bundle leasehold_bundle = {0, 0};

PyObject *boot_dispatch;

extern void __wasm_call_ctors(void);

static void check(PyStatus status) {
    if (PyStatus_Exception(status)) trap(status.err_msg ? status.err_msg : "Python did not start");
}

static void set(PyConfig *config, wchar_t **field, const wchar_t *value) { check(PyConfig_SetString(config, field, value)); }

/* Every path is given, so that Python computes none by looking at files. */
static void set_paths(PyConfig *config) {
    set(config, &config->program_name, L"canister");
    set(config, &config->executable, L"/canister");
    set(config, &config->base_executable, L"/canister");
    set(config, &config->home, L"/");
    set(config, &config->prefix, L"/");
    set(config, &config->base_prefix, L"/");
    set(config, &config->exec_prefix, L"/");
    set(config, &config->base_exec_prefix, L"/");
    set(config, &config->stdlib_dir, L"/lib");
    set(config, &config->platlibdir, L"lib");
    config->module_search_paths_set = 1;
    config->pathconfig_warnings = 0;
}

static void start_python(void) {
    PyPreConfig preconfig;
    PyPreConfig_InitIsolatedConfig(&preconfig);
    preconfig.utf8_mode = 1;
    preconfig.configure_locale = 0;
    check(Py_PreInitialize(&preconfig));
    allocator_install();

    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.use_hash_seed = 1; /* every node must iterate sets in the same order */
    config.hash_seed = 0;
    config.install_signal_handlers = 0;
    config.write_bytecode = 0;
    config.buffered_stdio = 0;
    config.optimization_level = 2;
    set_paths(&config);
    check(Py_InitializeFromConfig(&config));
    PyConfig_Clear(&config);
}

static void import_application(void) {
    if (!leasehold_bundle.data) trap("this is the generic runtime: no application is embedded");
    PyObject *loader = PyImport_ImportModule("_leasehold");
    if (!loader) fail();
    PyObject *view = PyMemoryView_FromMemory((char *)leasehold_bundle.data, leasehold_bundle.size, PyBUF_READ);
    if (!view) fail();
    boot_dispatch = PyObject_CallMethod(loader, "start", "N", view);
    Py_DECREF(loader);
    if (!boot_dispatch) fail();
}

void boot(void) {
    __wasm_call_ctors();
    if (PyImport_AppendInittab("_ic0", PyInit__ic0) < 0 || PyImport_AppendInittab("_stable", PyInit__stable) < 0)
        trap("out of memory");
    start_python();
    import_application();
}
