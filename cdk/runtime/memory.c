/* Comparing and searching memory eight bytes at a time: the C library's versions go byte by byte, and instructions are
 * what a canister pays for. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static uint64_t load(const unsigned char *bytes) {
    uint64_t word;
    __builtin_memcpy(&word, bytes, sizeof word);
    return word;
}

int memcmp(const void *left, const void *right, size_t size) {
    const unsigned char *a = left, *b = right;
    for (; size >= 8; a += 8, b += 8, size -= 8) {
        uint64_t x = load(a), y = load(b);
        if (x != y) return __builtin_bswap64(x) < __builtin_bswap64(y) ? -1 : 1;
    }
    for (; size; a++, b++, size--)
        if (*a != *b) return *a - *b;
    return 0;
}

/* A word has a zero byte if and only if this is not 0 (Hacker's Delight, 6-1). */
static uint64_t zero_bytes(uint64_t word) { return (word - 0x0101010101010101u) & ~word & 0x8080808080808080u; }

void *memchr(const void *memory, int value, size_t size) {
    const unsigned char *bytes = memory, wanted = (unsigned char)value;
    uint64_t pattern = 0x0101010101010101u * wanted;
    for (; size >= 8 && !zero_bytes(load(bytes) ^ pattern); bytes += 8, size -= 8)
        ;
    for (; size; bytes++, size--)
        if (*bytes == wanted) return (void *)bytes;
    return NULL;
}
