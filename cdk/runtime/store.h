/* Ordered byte maps in stable memory: SQLite over the layout below.
 *
 * Stable memory, version 1:
 *   offset   size    content
 *   0        8       magic "LHSTABLE"
 *   8        4       version, 1 (little-endian, as all numbers)
 *   12       4       reserved, 0
 *   16       8       size of the database file in bytes
 *   24       8       reserved, 0
 *   32       2048    for each map 0 to 255, 8 bytes: 0 if it has no table yet, else its number of entries + 1
 *   2080             reserved up to the end of the first 64 KiB page
 *   65536            the database file
 *
 * There is no journal. A message that traps rolls back heap and stable memory together, so whatever a message wrote
 * is either kept whole or gone; `store_commit` at each message's end brings the page cache into stable memory. For
 * the same reason every failure of the engine traps: nothing half-done can stay. */
#ifndef LEASEHOLD_STORE_H
#define LEASEHOLD_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "sqlite3.h"

enum {
    STORE_MAPS = 256,
    STORE_BLOB_MAX = 64 << 20, /* bytes of a key or value */
    STORE_INLINE_MAX = 900, /* bytes of key and value together that fit into an index page (4096 bytes) uncut */
    STORE_HEADER_SIZE = 65536, /* where the database file begins */
    STORE_PAGE_SIZE = 4096,
    STORE_CACHE_KIB = 8192, /* the allocator rounds pages up to 8 KiB, so this takes 16 MiB */
};

/* What a statement does. Of each map `n`:
 *   table m<n>(k, v) holds the entries in key order; v is a blob, or for a large value the integer id of its row in
 *   table b<n>(id, v). SQLite compares keys against whole index entries, so large ones must not be in an index. */
enum store_query {
    STORE_GET,
    STORE_CONTAINS,
    STORE_LARGE_GET,
    STORE_WRITES,
    STORE_PUT = STORE_WRITES,
    STORE_REMOVE,
    STORE_CLEAR,
    STORE_LARGE_INSERT,
    STORE_LARGE_UPDATE,
    STORE_LARGE_REMOVE,
    STORE_LARGE_CLEAR,
    STORE_RANGE, /* + STORE_BOUNDED, STORE_REVERSE, STORE_KEYS_ONLY */
    STORE_QUERIES = STORE_RANGE + 8,
};
enum { STORE_BOUNDED = 1, STORE_REVERSE = 2, STORE_KEYS_ONLY = 4 };

/* The size of the database file, as the header says. */
int64_t store_file_size(void);
void store_set_file_size(int64_t size);

/* True if stable memory holds our layout (it may then not be written raw). */
bool store_exists(void);

/* True if the map has a table; reading one that has not answers "nothing". */
bool store_has_map(int map);
uint64_t store_length(int map);
void store_set_length(int map, uint64_t length);

/* A prepared statement, ready to be bound. Writing statements begin a transaction and create the map's table. */
sqlite3_stmt *store_statement(int map, int query);

/* Step a statement: true if it has a row. Traps on failure. */
bool store_step(sqlite3_stmt *statement);

/* The id of the row that STORE_LARGE_INSERT made. */
int64_t store_last_id(void);

/* Bring what the message changed into stable memory. */
void store_commit(void);

#endif
