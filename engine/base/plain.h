/* Finding where plain text ends: what a JSON string holds without anything to look at. Sixteen
 * bytes at a time with SSE2, which every x86-64 has, else eight by arithmetic. Any thread. */
#ifndef BINNACLE_BASE_PLAIN_H
#define BINNACLE_BASE_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words have their first byte lowest");

/* Printable ASCII but for the quote and the backslash. */
static inline bool is_plain(char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* Marks, in their high bits, the bytes of a word that are not plain. The lowest mark is right;
 * those after it may be borrows. */
static inline uint64_t plain_marks(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\', erase = word ^ ones * 0x7f;
    return ((word - ones * 0x20) | (quote - ones) | (backslash - ones) | (erase - ones) | word) &
           ones * 0x80;
}

/* The first byte from `at` on that is not plain, or `end`. */
static inline const char *plain_end(const char *at, const char *end)
{
#ifdef __SSE2__
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        /* Signed, so bytes from 0x80 on are below the space too. */
        __m128i marks = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
        marks = _mm_or_si128(marks, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
        marks = _mm_or_si128(marks, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        marks = _mm_or_si128(marks, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
        unsigned mask = (unsigned)_mm_movemask_epi8(marks);
        if (mask)
            return at + __builtin_ctz(mask);
    }
#endif
    for (uint64_t word; end - at >= (ptrdiff_t)sizeof word; at += sizeof word) {
        memcpy(&word, at, sizeof word);
        uint64_t marks = plain_marks(word);
        if (marks)
            return at + __builtin_ctzll(marks) / 8;
    }
    while (at < end && is_plain(*at))
        at++;
    return at;
}

#endif
