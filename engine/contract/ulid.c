/* ULIDs (the ulid specification: 48 bits of milliseconds and 80 random ones in Crockford's base
 * 32, most significant first). 26 characters hold 130 bits, so the first one is at most 7. */
#include "engine/contract/contract.h"

#define ULID_SIZE 26

#define HAS_VALUE 0x20 /* beside the value's five bits */

/* The value of the character; 0 for one that is not in the alphabet: I, L, O, U are not. */
static const unsigned char crockford[256] = {
    ['0'] = 32, ['1'] = 33, ['2'] = 34, ['3'] = 35, ['4'] = 36, ['5'] = 37, ['6'] = 38, ['7'] = 39,
    ['8'] = 40, ['9'] = 41, ['A'] = 42, ['B'] = 43, ['C'] = 44, ['D'] = 45, ['E'] = 46, ['F'] = 47,
    ['G'] = 48, ['H'] = 49, ['J'] = 50, ['K'] = 51, ['M'] = 52, ['N'] = 53, ['P'] = 54, ['Q'] = 55,
    ['R'] = 56, ['S'] = 57, ['T'] = 58, ['V'] = 59, ['W'] = 60, ['X'] = 61, ['Y'] = 62, ['Z'] = 63,
};

/* The bits of n characters; what is none of the alphabet takes HAS_VALUE from *seen. */
static inline uint64_t take_bits(const char *text, int n, unsigned *seen)
{
    uint64_t bits = 0;
    for (int i = 0; i < n; i++) {
        unsigned value = crockford[(unsigned char)text[i]];
        *seen &= value;
        bits = bits << 5 | (value & 31);
    }
    return bits;
}

/* 2 characters, then twice 12, which are 60 bits each. */
bool ulid_pack(struct slice text, uint64_t out[2])
{
    unsigned seen = HAS_VALUE;
    if (text.size != ULID_SIZE || text.data[0] > '7')
        return false;
    uint64_t top = take_bits(text.data, 2, &seen);
    uint64_t middle = take_bits(text.data + 2, 12, &seen);
    uint64_t low = take_bits(text.data + 14, 12, &seen);
    out[0] = top << 56 | middle >> 4;
    out[1] = middle << 60 | low;
    return seen & HAS_VALUE;
}

bool ulid_is_valid(struct slice text)
{
    uint64_t bits[2];
    return ulid_pack(text, bits);
}
