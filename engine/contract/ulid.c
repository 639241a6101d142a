/* ULIDs (the ulid specification: 48 bits of milliseconds and 80 random ones in Crockford's base
 * 32, most significant first). 26 characters hold 130 bits, so the first one is at most 7. */
#include "engine/contract/contract.h"

#define ULID_SIZE 26

/* 1 + the value of the character; 0 for one that is not in the alphabet: I, L, O, U are not. */
static const unsigned char crockford[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
    ['G'] = 17, ['H'] = 18, ['J'] = 19, ['K'] = 20, ['M'] = 21, ['N'] = 22, ['P'] = 23, ['Q'] = 24,
    ['R'] = 25, ['S'] = 26, ['T'] = 27, ['V'] = 28, ['W'] = 29, ['X'] = 30, ['Y'] = 31, ['Z'] = 32,
};

bool ulid_pack(struct slice text, uint64_t out[2])
{
    uint64_t high = 0;
    uint64_t low = 0;
    if (text.size != ULID_SIZE || text.data[0] > '7')
        return false;
    for (size_t i = 0; i < ULID_SIZE; i++) {
        unsigned value = crockford[(unsigned char)text.data[i]];
        if (value == 0)
            return false;
        high = high << 5 | low >> 59;
        low = low << 5 | (value - 1);
    }
    out[0] = high;
    out[1] = low;
    return true;
}

bool ulid_is_valid(struct slice text)
{
    uint64_t bits[2];
    return ulid_pack(text, bits);
}
