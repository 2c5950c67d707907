/* SQLite's file: one database in stable memory, from STORE_HEADER_SIZE on. See store.h for the layout. */
#include "ic0.h"
#include "store.h"

enum { WASM_PAGE = 65536, GROWTH_PAGES = 16 };

static int file_close(sqlite3_file *file) { return SQLITE_OK; }

static int file_read(sqlite3_file *file, void *buffer, int size, sqlite3_int64 offset) {
    int64_t left = store_file_size() - offset;
    int present = left <= 0 ? 0 : left < size ? (int)left : size;
    if (present) ic0_stable64_read((int64_t)(uintptr_t)buffer, offset + STORE_HEADER_SIZE, present);
    if (present == size) return SQLITE_OK;
    memset((char *)buffer + present, 0, (size_t)(size - present));
    return SQLITE_IOERR_SHORT_READ;
}

static bool ensure_room(int64_t end) {
    int64_t have = ic0_stable64_size(), need = (end + WASM_PAGE - 1) / WASM_PAGE;
    if (need <= have) return true;
    return ic0_stable64_grow(need - have + GROWTH_PAGES) != -1 || ic0_stable64_grow(need - have) != -1;
}

static int file_write(sqlite3_file *file, const void *buffer, int size, sqlite3_int64 offset) {
    if (!ensure_room(offset + size + STORE_HEADER_SIZE)) return SQLITE_FULL;
    ic0_stable64_write(offset + STORE_HEADER_SIZE, (int64_t)(uintptr_t)buffer, size);
    if (offset + size > store_file_size()) store_set_file_size(offset + size);
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    store_set_file_size(size);
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    *size = store_file_size();
    return SQLITE_OK;
}

static int file_sync(sqlite3_file *file, int flags) { return SQLITE_OK; }
static int file_lock(sqlite3_file *file, int level) { return SQLITE_OK; }
static int file_control(sqlite3_file *file, int operation, void *argument) { return SQLITE_NOTFOUND; }
static int file_sector_size(sqlite3_file *file) { return STORE_PAGE_SIZE; }
static int file_characteristics(sqlite3_file *file) { return 0; }

static int file_check_reserved(sqlite3_file *file, int *reserved) {
    *reserved = 0;
    return SQLITE_OK;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags) {
    file->pMethods = NULL;
    if (!(flags & SQLITE_OPEN_MAIN_DB)) return SQLITE_CANTOPEN; /* no journals, no temporary files */
    file->pMethods = &file_methods;
    if (out_flags) *out_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync) { return SQLITE_OK; }

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
    *result = 0;
    return SQLITE_OK;
}

static int vfs_full_pathname(sqlite3_vfs *vfs, const char *name, int size, char *out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
}

/* SQLite asks for randomness for journal names and random(), neither of which is used here. */
static int vfs_randomness(sqlite3_vfs *vfs, int size, char *out) {
    memset(out, 0, (size_t)size);
    return size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) { return 0; }

static int vfs_current_time(sqlite3_vfs *vfs, double *julian_day) {
    *julian_day = 2440587.5; /* 1970-01-01; no SQL here uses dates */
    return SQLITE_OK;
}

static sqlite3_vfs vfs = {
    .iVersion = 1,
    .szOsFile = sizeof(sqlite3_file),
    .mxPathname = 64,
    .zName = "stable",
    .xOpen = vfs_open,
    .xDelete = vfs_delete,
    .xAccess = vfs_access,
    .xFullPathname = vfs_full_pathname,
    .xRandomness = vfs_randomness,
    .xSleep = vfs_sleep,
    .xCurrentTime = vfs_current_time,
};

int sqlite3_os_init(void) { return sqlite3_vfs_register(&vfs, 1); }
int sqlite3_os_end(void) { return SQLITE_OK; }
