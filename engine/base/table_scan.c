/* Structural scan of CSV (RFC 4180): sixty-four bytes at a time become a mask of commas, line
 * breaks and quotes, of which only the set bits are looked at (the way of G. Langdale and D.
 * Lemire, "Parsing Gigabytes of JSON per Second", VLDB Journal 28, 2019). A quote opens a cell only
 * where one begins; the quoted cell is then walked by memchr. AVX2 where the processor has it. Any
 * thread.
 */
#include "engine/base/table_scan.h"

#include <string.h>

#ifdef __x86_64__
#include <immintrin.h>

__attribute__((target("avx2"))) static inline uint64_t marks_avx2(const char *text)
{
    uint64_t marks = 0;
    for (int half = 0; half < 2; half++) {
        __m256i bytes =
            _mm256_loadu_si256((const __m256i *)(const void *)(text + (size_t)half * 32));
        __m256i hits = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(','));
        hits = _mm256_or_si256(hits, _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\n')));
        hits = _mm256_or_si256(hits, _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"')));
        marks |= (uint64_t)(uint32_t)_mm256_movemask_epi8(hits) << (32 * half);
    }
    return marks;
}
#endif

static inline uint64_t marks_plain(const char *text)
{
    uint64_t marks = 0;
    for (int i = 0; i < 64; i++) {
        uint64_t hit = (text[i] == ',') | (text[i] == '\n') | (text[i] == '"');
        marks |= hit << i;
    }
    return marks;
}

/* Behind the closing quote of the cell that begins at `at`; 0 when it is not here, or when a second
 * quote might follow that is not here. */
static size_t find_closing(const struct table_scan *scan, size_t at, bool *doubled)
{
    *doubled = false;
    size_t from = at + 1;
    while (from < scan->size) {
        const char *quote = memchr(scan->text + from, '"', scan->size - from);
        if (!quote)
            return 0;
        from = (size_t)(quote - scan->text) + 1;
        if (from == scan->size)
            return scan->last ? from : 0;
        if (scan->text[from] != '"')
            return from;
        *doubled = true;
        from++;
    }
    return 0;
}

static void undouble(char *cell, char *behind)
{
    char *out = cell + 1;
    for (const char *in = cell + 1; in < behind; in++) {
        *out++ = *in;
        in += *in == '"' && in + 1 < behind;
    }
    memset(out, '\r', (size_t)(behind - out));
}

/* Behind the quoted cell at `from`; 0: it is not whole, or not well formed. A cell is whole once
 * what ends it is here: before that it must not be written over, for it is looked at again. */
static size_t pass_quoted(struct table_scan *scan)
{
    bool doubled;
    size_t behind = find_closing(scan, scan->from, &doubled);
    size_t next = behind;
    if (next > 0 && next < scan->size && scan->text[next] == '\r')
        next++;
    scan->open_quote = behind == 0 || (next == scan->size && !scan->last);
    if (scan->open_quote)
        return 0;
    scan->after_quote = next < scan->size && scan->text[next] != ',' && scan->text[next] != '\n';
    if (scan->after_quote)
        return 0;
    if (doubled)
        undouble(scan->text + scan->from, scan->text + behind);
    return behind;
}

static inline __attribute__((always_inline)) void run(struct table_scan *scan,
                                                      uint64_t (*marks_of)(const char *))
{
    size_t at = scan->from;
    uint32_t *ends = scan->ends + scan->n_ends;
    while (at < scan->size) {
        uint64_t marks = marks_of(scan->text + at);
        size_t next = at + 64;
        if (scan->size - at < 64)
            marks &= (UINT64_C(1) << (scan->size - at)) - 1;
        for (; marks; marks &= marks - 1) {
            size_t place = at + (size_t)__builtin_ctzll(marks);
            if (scan->text[place] != '"') {
                *ends++ = (uint32_t)place;
                scan->from = place + 1;
            } else if (place == scan->from) {
                next = pass_quoted(scan);
                break;
            }
        }
        if (next == 0)
            break;
        at = next;
    }
    scan->n_ends = (size_t)(ends - scan->ends);
}

void table_scan_plain(struct table_scan *scan)
{
    scan->open_quote = scan->after_quote = false;
    run(scan, marks_plain);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void run_avx2(struct table_scan *scan)
{
    scan->open_quote = scan->after_quote = false;
    run(scan, marks_avx2);
}
#endif

void table_scan(struct table_scan *scan)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        run_avx2(scan);
        return;
    }
#endif
    table_scan_plain(scan);
}
