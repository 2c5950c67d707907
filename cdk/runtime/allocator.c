/* Python's object allocator: segregated free lists over whole WebAssembly pages.
 *
 * A canister pays for instructions, and Python allocates an object for almost everything it does. Each page of 64 KiB
 * holds blocks of one size, so that the size of a block is found from its address; allocating and freeing are then a
 * few instructions each, a third of what CPython's own allocator takes. A page stays with its size for good. Larger
 * requests, and whatever was allocated before this was installed, belong to the C library. */
#include "runtime.h"

#include <stdbool.h>
#include <stdlib.h>

enum {
    WASM_PAGE = 65536,
    PAGES = 65536, /* of a 32-bit memory */
    STEP = 16,     /* sizes are multiples of it, which is also the alignment */
    SMALL_MAX = 512,
    SIZES = SMALL_MAX / STEP + 1,
    GROWTH_PAGES = 4,
};

struct block {
    struct block *next;
};

static uint8_t size_of_page[PAGES]; /* in steps; 0: the page is not ours */
static struct block *free_blocks[SIZES];
static char *fresh[SIZES], *fresh_end[SIZES]; /* never used blocks of the size's latest page */
static size_t spare_page, spare_end;          /* pages taken from the system and not yet given to a size */

/* Give another page to a size; false if memory is exhausted. */
static bool add_page(size_t index) {
    if (spare_page == spare_end) {
        size_t pages = GROWTH_PAGES, first = __builtin_wasm_memory_grow(0, pages);
        if (first == (size_t)-1) first = __builtin_wasm_memory_grow(0, pages = 1);
        if (first == (size_t)-1) return false;
        spare_page = first;
        spare_end = first + pages;
    }
    size_of_page[spare_page] = (uint8_t)index;
    fresh[index] = (char *)(spare_page++ * WASM_PAGE);
    fresh_end[index] = fresh[index] + WASM_PAGE / (index * STEP) * (index * STEP);
    return true;
}

static void *small_alloc(size_t index) {
    struct block *block = free_blocks[index];
    if (block) {
        free_blocks[index] = block->next;
        return block;
    }
    if (fresh[index] == fresh_end[index] && !add_page(index)) return NULL;
    void *result = fresh[index];
    fresh[index] += index * STEP;
    return result;
}

static size_t index_of(size_t size) { return size ? (size + STEP - 1) / STEP : 1; }

static size_t index_at(const void *pointer) { return size_of_page[(uintptr_t)pointer / WASM_PAGE]; }

static void *object_malloc(void *context, size_t size) {
    return size <= SMALL_MAX ? small_alloc(index_of(size)) : malloc(size);
}

static void *object_calloc(void *context, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return NULL;
    if (bytes > SMALL_MAX) return calloc(1, bytes);
    void *result = small_alloc(index_of(bytes));
    return result ? memset(result, 0, bytes) : NULL;
}

static void object_free(void *context, void *pointer) {
    size_t index = index_at(pointer);
    if (!index) {
        free(pointer); /* also of NULL: page 0 is never ours */
        return;
    }
    struct block *block = pointer;
    block->next = free_blocks[index];
    free_blocks[index] = block;
}

static void *object_realloc(void *context, void *pointer, size_t size) {
    if (!pointer) return object_malloc(NULL, size);
    size_t index = index_at(pointer);
    /* A block of the C library stays there even when it becomes small: its old size is not known here. */
    if (!index) return realloc(pointer, size ? size : 1);
    if (size <= SMALL_MAX && index == index_of(size)) return pointer;
    void *result = object_malloc(NULL, size);
    if (!result) return NULL;
    memcpy(result, pointer, size < index * STEP ? size : index * STEP);
    object_free(NULL, pointer);
    return result;
}

void allocator_install(void) {
    PyMemAllocatorEx allocator = {NULL, object_malloc, object_calloc, object_realloc, object_free};
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &allocator);
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &allocator);
}
