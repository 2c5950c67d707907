/* The database behind the maps: header, tables, prepared statements, one transaction a message. See store.h. */
#include "store.h"

#include "ic0.h"

static const char MAGIC[8] = "LHSTABLE";
enum { VERSION = 1 };

/* The header as it lies at offset 0. */
static struct header {
    char magic[8];
    uint32_t version;
    uint32_t reserved0;
    uint64_t file_size;
    uint64_t reserved1;
    uint64_t maps[STORE_MAPS];
} header;
_Static_assert(sizeof header == 2080, "the layout in store.h");

static sqlite3 *database;
static bool header_changed;
static bool in_transaction;
static sqlite3_stmt *begin_statement, *commit_statement;
static sqlite3_stmt *statements[STORE_MAPS][STORE_QUERIES];

__attribute__((noreturn)) static void trap_engine(const char *what) {
    char text[256];
    sqlite3_snprintf(sizeof text, text, "stable storage: %s: %s (SQLite code %d)", what, sqlite3_errmsg(database),
                     sqlite3_extended_errcode(database));
    trap(text);
}

/* Header */

static void read_header(void) { ic0_stable64_read((int64_t)(uintptr_t)&header, 0, sizeof header); }

static void write_header(void) {
    ic0_stable64_write(0, (int64_t)(uintptr_t)&header, sizeof header);
    header_changed = false;
}

bool store_exists(void) {
    if (database) return true;
    if (ic0_stable64_size() == 0) return false;
    char magic[sizeof MAGIC];
    ic0_stable64_read((int64_t)(uintptr_t)magic, 0, sizeof magic);
    return memcmp(magic, MAGIC, sizeof MAGIC) == 0;
}

static void create_header(void) {
    if (ic0_stable64_size() != 0) trap("stable storage: stable memory already holds other data");
    if (ic0_stable64_grow(1) == -1) trap("stable storage: stable memory cannot grow");
    memcpy(header.magic, MAGIC, sizeof MAGIC);
    header.version = VERSION;
    write_header();
}

static void load_header(void) {
    if (!store_exists()) return create_header();
    read_header();
    if (header.version != VERSION) trap("stable storage: written by an unknown version of the runtime");
}

int64_t store_file_size(void) { return (int64_t)header.file_size; }

void store_set_file_size(int64_t size) {
    header.file_size = (uint64_t)size;
    header_changed = true;
}

/* Engine */

static void execute(const char *sql) {
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK) trap_engine(sql);
}

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
        trap_engine(sql);
    return statement;
}

static void open_database(void) {
    if (database) return;
    load_header();
    if (sqlite3_initialize() != SQLITE_OK) trap("stable storage: out of memory");
    if (sqlite3_open("main", &database) != SQLITE_OK) trap_engine("open");
    execute("PRAGMA page_size=4096");
    execute("PRAGMA journal_mode=OFF");
    execute("PRAGMA synchronous=OFF");
    execute("PRAGMA locking_mode=EXCLUSIVE");
    char cache[40];
    sqlite3_snprintf(sizeof cache, cache, "PRAGMA cache_size=-%d", STORE_CACHE_KIB);
    execute(cache);
    begin_statement = prepare("BEGIN");
    commit_statement = prepare("COMMIT");
}

bool store_step(sqlite3_stmt *statement) {
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) trap_engine(sqlite3_sql(statement));
    return code == SQLITE_ROW;
}

static void begin(void) {
    if (in_transaction) return;
    store_step(begin_statement);
    sqlite3_reset(begin_statement);
    in_transaction = true;
}

int64_t store_last_id(void) { return sqlite3_last_insert_rowid(database); }

void store_commit(void) {
    if (!database) return;
    if (in_transaction) {
        store_step(commit_statement);
        sqlite3_reset(commit_statement);
        in_transaction = false;
    }
    if (header_changed) write_header();
}

/* Maps */

bool store_has_map(int map) {
    if (!database && !store_exists()) return false;
    open_database();
    return header.maps[map] != 0;
}

uint64_t store_length(int map) { return store_has_map(map) ? header.maps[map] - 1 : 0; }

void store_set_length(int map, uint64_t length) {
    header.maps[map] = length + 1;
    header_changed = true;
}

static void create_map(int map) {
    char sql[120];
    sqlite3_snprintf(sizeof sql, sql,
                     "CREATE TABLE m%d(k BLOB PRIMARY KEY,v)WITHOUT ROWID;"
                     "CREATE TABLE b%d(id INTEGER PRIMARY KEY,v BLOB)",
                     map, map);
    execute(sql);
    store_set_length(map, 0);
}

static sqlite3_stmt *prepare_query(int map, int query) {
    char sql[120];
    if (query >= STORE_RANGE) {
        int flags = query - STORE_RANGE;
        sqlite3_snprintf(sizeof sql, sql, "SELECT k%s FROM m%d WHERE k>=?1%s ORDER BY k%s LIMIT ?3",
                         flags & STORE_KEYS_ONLY ? "" : ",v", map, flags & STORE_BOUNDED ? " AND k<?2" : "",
                         flags & STORE_REVERSE ? " DESC" : "");
        return prepare(sql);
    }
    static const char *const forms[] = {
        [STORE_GET] = "SELECT v FROM m%d WHERE k=?1",
        [STORE_CONTAINS] = "SELECT 1 FROM m%d WHERE k=?1",
        [STORE_PUT] = "REPLACE INTO m%d VALUES(?1,?2)",
        [STORE_REMOVE] = "DELETE FROM m%d WHERE k=?1",
        [STORE_CLEAR] = "DELETE FROM m%d",
        [STORE_LARGE_GET] = "SELECT v FROM b%d WHERE id=?1",
        [STORE_LARGE_INSERT] = "INSERT INTO b%d(v)VALUES(?1)",
        [STORE_LARGE_UPDATE] = "UPDATE b%d SET v=?2 WHERE id=?1",
        [STORE_LARGE_REMOVE] = "DELETE FROM b%d WHERE id=?1",
        [STORE_LARGE_CLEAR] = "DELETE FROM b%d",
    };
    sqlite3_snprintf(sizeof sql, sql, forms[query], map);
    return prepare(sql);
}

sqlite3_stmt *store_statement(int map, int query) {
    open_database();
    if (query >= STORE_WRITES && query < STORE_RANGE) {
        begin();
        if (header.maps[map] == 0) create_map(map);
    }
    sqlite3_stmt **statement = &statements[map][query];
    if (!*statement) *statement = prepare_query(map, query);
    return *statement;
}
