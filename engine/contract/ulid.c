/* ULIDs (the ulid specification: 48 bits of milliseconds and 80 random ones in Crockford's base
 * 32, most significant first). 26 characters hold 130 bits, so the first one is at most 7. Sixteen
 * at a time with SSE2, which every x86-64 has, else one by one. */
#include "engine/contract/contract.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

#define ULID_SIZE 26

#ifdef __SSE2__

/* The values of sixteen characters, five bits in a byte each; a byte of *bad is set for each that
 * is not in the alphabet. */
static inline __m128i values_of(const char *text, __m128i *bad)
{
    __m128i c = _mm_loadu_si128((const __m128i *)(const void *)text);
    __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(c, _mm_set1_epi8('0' - 1)),
                                  _mm_cmplt_epi8(c, _mm_set1_epi8('9' + 1)));
    __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(c, _mm_set1_epi8('A' - 1)),
                                   _mm_cmplt_epi8(c, _mm_set1_epi8('Z' + 1)));
    __m128i value = _mm_add_epi8(_mm_sub_epi8(c, _mm_set1_epi8('A' - 10)),
                                 _mm_and_si128(digit, _mm_set1_epi8('A' - 10 - '0')));
    static const char left_out[] = {'I', 'L', 'O', 'U'};
    for (size_t i = 0; i < sizeof left_out; i++) {
        __m128i one = _mm_set1_epi8(left_out[i]);
        value = _mm_add_epi8(value, _mm_cmpgt_epi8(c, one)); /* those behind it are one less */
        letter = _mm_andnot_si128(_mm_cmpeq_epi8(c, one), letter);
    }
    *bad = _mm_or_si128(*bad, _mm_cmpeq_epi8(_mm_or_si128(digit, letter), _mm_setzero_si128()));
    return value;
}

/* Eight values in a row are forty bits: the first eight in out[0], the others in out[1]. */
static inline void join(__m128i values, uint64_t out[2])
{
    uint64_t halves[2];
    __m128i tens = _mm_or_si128(_mm_slli_epi16(_mm_and_si128(values, _mm_set1_epi16(0xFF)), 5),
                                _mm_srli_epi16(values, 8));
    __m128i twenties = _mm_madd_epi16(tens, _mm_set1_epi32(1 << 16 | 1 << 10));
    _mm_storeu_si128((__m128i *)(void *)halves, twenties);
    for (int i = 0; i < 2; i++)
        out[i] = (halves[i] & UINT32_MAX) << 20 | halves[i] >> 32;
}

/* The first ten characters are 50 bits, the first two of which are zero, the other sixteen are 80.
 */
bool ulid_pack(struct slice text, uint64_t out[2])
{
    if (text.size != ULID_SIZE || text.data[0] > '7')
        return false;
    __m128i bad = _mm_setzero_si128();
    uint64_t first[2], rest[2];
    join(values_of(text.data, &bad), first);
    join(values_of(text.data + ULID_SIZE - 16, &bad), rest);
    out[0] = first[0] << 26 | first[1] >> 30 << 16 | rest[0] >> 24;
    out[1] = rest[0] << 40 | rest[1];
    return _mm_movemask_epi8(bad) == 0;
}

#else

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

#endif

bool ulid_is_valid(struct slice text)
{
    uint64_t bits[2];
    return ulid_pack(text, bits);
}
