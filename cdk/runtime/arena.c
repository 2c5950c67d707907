/* Memory arenas for Python's small-object allocator, taken from `memory.grow` in their exact size.
 *
 * The C library rounds large allocations up to a power of two plus a header, which would double every arena. */
#include "runtime.h"

enum { WASM_PAGE = 65536 };

struct free_arena {
    struct free_arena *next;
    size_t size;
};

static struct free_arena *free_arenas;

static void *arena_alloc(void *context, size_t size) {
    for (struct free_arena **link = &free_arenas; *link; link = &(*link)->next) {
        if ((*link)->size == size) {
            struct free_arena *arena = *link;
            *link = arena->next;
            return arena;
        }
    }
    size_t first_page = __builtin_wasm_memory_grow(0, (size + WASM_PAGE - 1) / WASM_PAGE);
    return first_page == (size_t)-1 ? NULL : (void *)(first_page * WASM_PAGE);
}

static void arena_free(void *context, void *pointer, size_t size) {
    struct free_arena *arena = pointer;
    arena->next = free_arenas;
    arena->size = size;
    free_arenas = arena;
}

void arena_install(void) {
    PyObjectArenaAllocator allocator = {NULL, arena_alloc, arena_free};
    PyObject_SetArenaAllocator(&allocator);
}
