/* Decimal numbers of up to sixteen characters without a loop. Private to number.c and table.c. */
#ifndef BINNACLE_BASE_NUMBER_SHORT_H
#define BINNACLE_BASE_NUMBER_SHORT_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

/* Digits stand in a word as they do in text: the first in the lowest byte, each less '0', those
 * that are not there zero. So arithmetic within the word (D. Lemire, "Number Parsing at a Gigabyte
 * per Second", Software: Practice and Experience 51, 2021, section 7) takes eight at once, and a
 * point is taken out by moving what is before it. */

#define NUMBER_SHORT_MOST   16
#define NUMBER_EVERY_BYTE   UINT64_C(0x0101010101010101)
#define NUMBER_HIGHEST_BITS (0x80 * NUMBER_EVERY_BYTE)

static inline uint64_t number_load_digits(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return le64toh(word) ^ ('0' * NUMBER_EVERY_BYTE);
}

static inline bool number_are_digits(uint64_t word)
{
    return (((word + 0x76 * NUMBER_EVERY_BYTE) | word) & NUMBER_HIGHEST_BITS) == 0;
}

/* Of a word of digits: by pairs, then fours, then eight. */
static inline uint64_t number_of_digits(uint64_t word)
{
    const uint64_t pair = UINT64_C(0x000000ff000000ff);
    word = word * 10 + (word >> 8);
    return ((word & pair) * (100 + (UINT64_C(1000000) << 32)) +
            (word >> 16 & pair) * (1 + (UINT64_C(10000) << 32))) >>
           32;
}

/* The highest bit of the first byte that is a point; 0: there is none. */
static inline uint64_t number_point(uint64_t word)
{
    const uint64_t low_bits = 0x7f * NUMBER_EVERY_BYTE;
    uint64_t other = word ^ (('.' ^ '0') * NUMBER_EVERY_BYTE);
    uint64_t points = ~(((other & low_bits) + low_bits) | other | low_bits);
    return points & -points;
}

/* Takes the point out: what is before it moves up by a byte, zero follows. Whether there is a point
 * differs from cell to cell, so it must not become a jump here nor below. */
static inline uint64_t number_without_point(uint64_t word, uint64_t point)
{
    uint64_t before = (point >> 7) - 1, after = ~((point << 1) - 1);
    return (word & after) | (word & before) << (8 * (point != 0));
}

/* Digits behind the point. */
static inline unsigned number_decimals(uint64_t point)
{
    return (unsigned)__builtin_clzll(point | 1) >> 3 & -(unsigned)(point != 0);
}

/* From one character to eight. */
static inline bool number_take_eight(const char *text, size_t size, uint64_t *significand,
                                     unsigned *decimals)
{
    uint64_t word = number_load_digits(text) << (8 * (8 - size));
    uint64_t point = number_point(word);
    word = number_without_point(word, point);
    *significand = number_of_digits(word);
    *decimals = number_decimals(point);
    return number_are_digits(word) && size > (point != 0);
}

/* From nine to sixteen. */
static inline bool number_take_sixteen(const char *text, size_t size, uint64_t *significand,
                                       unsigned *decimals)
{
    uint64_t high = number_load_digits(text) << (8 * (16 - size));
    uint64_t low = number_load_digits(text + size - 8);
    uint64_t high_point = number_point(high), low_point = number_point(low);
    unsigned in_high = high_point != 0, in_low = low_point != 0;
    uint64_t moved = high >> 56 & -(uint64_t)in_low;
    high = number_without_point(high, high_point) << (8 * in_low);
    low = number_without_point(low, low_point) | moved;
    *significand = number_of_digits(high) * 100000000 + number_of_digits(low);
    *decimals = number_decimals(high_point) + 8 * in_high + number_decimals(low_point);
    return number_are_digits(high) && number_are_digits(low) && in_high + in_low < 2 &&
           *significand <= UINT64_C(1) << 53;
}

static inline double number_signed(double number, uint64_t negative)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    bits |= negative << 63;
    memcpy(&number, &bits, sizeof bits);
    return number;
}

/* A number written with at most sixteen digits, a point and '-' before it, correctly rounded: its
 * significand is at most 2^53 and its power of ten at most 10^16, both exact, so one division
 * rounds once (W. D. Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990). False
 * for anything else, number or not. The sixteen bytes from `text` on must be there, whatever
 * they hold. */
static inline bool number_short(const char *text, size_t size, double *out)
{
    static const double powers_of_ten[NUMBER_SHORT_MOST] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    uint64_t negative = size > 0 && *text == '-';
    text += negative;
    size -= negative;
    if (size - 1 >= NUMBER_SHORT_MOST)
        return false;
    uint64_t significand;
    unsigned decimals;
    bool digits = size <= 8 ? number_take_eight(text, size, &significand, &decimals)
                            : number_take_sixteen(text, size, &significand, &decimals);
    if (!digits)
        return false;
    *out = number_signed((double)(int64_t)significand / powers_of_ten[decimals], negative);
    return true;
}

#ifdef __x86_64__
/* The same with the sixteen characters in one register, which two shuffles bring into their places:
 * first so that the last one is at the end, then what is before the point up by one. */
__attribute__((target("avx2"))) static inline bool number_short_avx2(const char *text, size_t size,
                                                                     double *out)
{
    /* The last: there is no point. */
    static const double powers_of_ten[NUMBER_SHORT_MOST + 1] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e0};
    const __m128i places = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m128i decimals_at = _mm_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    uint64_t negative = size > 0 && *text == '-';
    text += negative;
    size -= negative;
    if (size - 1 >= NUMBER_SHORT_MOST)
        return false;
    __m128i digits =
        _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)text), _mm_set1_epi8('0'));
    /* A place below zero gives zero. */
    digits = _mm_shuffle_epi8(
        digits, _mm_add_epi8(places, _mm_set1_epi8((char)(size - NUMBER_SHORT_MOST))));
    __m128i points = _mm_cmpeq_epi8(digits, _mm_set1_epi8('.' - '0'));
    /* Characters behind the point; all sixteen where there is none. */
    unsigned behind =
        (unsigned)__builtin_clz((unsigned)_mm_movemask_epi8(points) << 16 | UINT32_C(0x8000));
    __m128i keeps = _mm_cmpgt_epi8(_mm_set1_epi8((char)behind), decimals_at);
    digits = _mm_blendv_epi8(_mm_slli_si128(digits, 1), digits, keeps);
    __m128i beyond = _mm_subs_epu8(digits, _mm_set1_epi8(9));
    if (!_mm_testz_si128(beyond, beyond) || size + behind / NUMBER_SHORT_MOST < 2)
        return false;
    __m128i pairs = _mm_maddubs_epi16(digits, _mm_set1_epi16(10 | 1 << 8));
    __m128i fours = _mm_madd_epi16(pairs, _mm_set1_epi32(100 | 1 << 16));
    fours = _mm_packus_epi32(fours, fours);
    uint64_t eights =
        (uint64_t)_mm_cvtsi128_si64(_mm_madd_epi16(fours, _mm_set1_epi32(10000 | 1 << 16)));
    uint64_t significand = (eights & UINT32_MAX) * 100000000 + (eights >> 32);
    if (significand > UINT64_C(1) << 53)
        return false;
    *out = number_signed((double)(int64_t)significand / powers_of_ten[behind], negative);
    return true;
}
#endif

#endif
