/* 64 rows in one register of bytes (AVX-512 BW). A split is one compare into a mask, two subtrees
 * are joined by one masked add; leaf values come out of registers for trees up to 6 deep. */
#include "engine/model/wide.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define WIDE_KERNEL
#define INLINE TARGET static inline __attribute__((always_inline))

static bool runs_here(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

#define LANES     16
#define REGISTERS (WIDE_ROWS / LANES)
#define TOP_STEPS 5 /* of the search: 31 thresholds fit into two registers */

/* 16 of the thresholds that the first TOP_STEPS steps look at, from the `first`. */
INLINE __m512 top_thresholds(const float *thresholds, int steps, int first)
{
    __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i number = _mm512_add_epi32(lane, _mm512_set1_epi32(first + 1));
    __m512i at = _mm512_slli_epi32(number, (unsigned)(steps - TOP_STEPS));
    at =
        _mm512_min_epi32(at, _mm512_set1_epi32((1 << steps) - 1)); /* the 32nd is never looked at */
    return _mm512_i32gather_ps(_mm512_sub_epi32(at, _mm512_set1_epi32(1)), thresholds, 4);
}

/* A binary search for 64 values side by side. Gathers are what it costs: the first steps go without
 * them. */
TARGET static void rank(const struct wide *wide, const struct wide_feature *feature,
                        const float values[WIDE_ROWS], int32_t ranks[WIDE_ROWS])
{
    const float *thresholds = wide->thresholds + feature->first_threshold;
    unsigned steps_left = (unsigned)(feature->steps - TOP_STEPS);
    __m512 low = top_thresholds(thresholds, feature->steps, 0);
    __m512 high = top_thresholds(thresholds, feature->steps, LANES);
    __m512i at[REGISTERS] = {0};
    for (int32_t step = 1 << TOP_STEPS >> 1; step > 0; step >>= 1) {
#pragma GCC unroll 4
        for (size_t i = 0; i < REGISTERS; i++) {
            __m512i probe = _mm512_add_epi32(at[i], _mm512_set1_epi32(step - 1));
            __m512 threshold = _mm512_permutex2var_ps(low, probe, high);
            __mmask16 not_above =
                _mm512_cmp_ps_mask(threshold, _mm512_loadu_ps(values + i * LANES), _CMP_LE_OQ);
            at[i] = _mm512_mask_add_epi32(at[i], not_above, at[i], _mm512_set1_epi32(step));
        }
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < REGISTERS; i++)
        at[i] = _mm512_slli_epi32(at[i], steps_left);
    for (int32_t step = 1 << steps_left >> 1; step > 0; step >>= 1) {
#pragma GCC unroll 4
        for (size_t i = 0; i < REGISTERS; i++) {
            __m512i probe = _mm512_add_epi32(at[i], _mm512_set1_epi32(step - 1));
            __m512 threshold = _mm512_i32gather_ps(probe, thresholds, 4);
            __mmask16 not_above =
                _mm512_cmp_ps_mask(threshold, _mm512_loadu_ps(values + i * LANES), _CMP_LE_OQ);
            at[i] = _mm512_mask_add_epi32(at[i], not_above, at[i], _mm512_set1_epi32(step));
        }
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < REGISTERS; i++)
        _mm512_storeu_si512(ranks + i * LANES, at[i]);
}

INLINE __mmask64 goes_right(const struct wide_node *node, const int8_t *columns)
{
    __m512i values = _mm512_loadu_si512(columns + (size_t)node->column * WIDE_ROWS);
    return _mm512_cmpgt_epi8_mask(values, _mm512_set1_epi8(node->rank));
}

typedef __m512i leaf_numbers;

INLINE leaf_numbers no_leaves(void)
{
    return _mm512_setzero_si512();
}

INLINE leaf_numbers leaves1(const struct wide_node *node, const int8_t *columns)
{
    return _mm512_maskz_set1_epi8(goes_right(node, columns), 1);
}

/* Rows that go right take the right subtree's number, behind the n_left leaves of the left one. */
INLINE leaf_numbers join(const struct wide_node *node, const int8_t *columns, leaf_numbers left,
                         leaf_numbers right, char n_left)
{
    return _mm512_mask_add_epi8(left, goes_right(node, columns), right, _mm512_set1_epi8(n_left));
}

#include "engine/model/wide_leaves.h"

/* Up to 64 values: out of four registers. */
INLINE __m512 pick64(const float *values, __m512i number)
{
    __m512 low =
        _mm512_permutex2var_ps(_mm512_loadu_ps(values), number, _mm512_loadu_ps(values + 16));
    __m512 high =
        _mm512_permutex2var_ps(_mm512_loadu_ps(values + 32), number, _mm512_loadu_ps(values + 48));
    return _mm512_mask_blend_ps(_mm512_test_epi32_mask(number, _mm512_set1_epi32(32)), low, high);
}

/* For the 16 rows whose leaf numbers these are. */
INLINE void add16(const float *values, int depth, __m128i numbers, float *margins)
{
    __m512i number = _mm512_cvtepu8_epi32(numbers);
    __m512 leaf = depth <= 6 ? pick64(values, number) : _mm512_i32gather_ps(number, values, 4);
    _mm512_storeu_ps(margins, _mm512_add_ps(_mm512_loadu_ps(margins), leaf));
}

/* The numbers never leave the registers: GCC would align an array of them to 64 bytes, which its
 * own address sanitizer's stack does not give. */
TARGET static void add(const struct wide *wide, const struct wide_tree *tree, const int8_t *columns,
                       float margins[WIDE_ROWS])
{
    const float *values = wide->leaves + tree->first_leaf;
    __m512i numbers = leaves_of(wide->nodes + tree->first_node, tree->depth, columns);
    add16(values, tree->depth, _mm512_extracti32x4_epi32(numbers, 0), margins);
    add16(values, tree->depth, _mm512_extracti32x4_epi32(numbers, 1), margins + 16);
    add16(values, tree->depth, _mm512_extracti32x4_epi32(numbers, 2), margins + 32);
    add16(values, tree->depth, _mm512_extracti32x4_epi32(numbers, 3), margins + 48);
}

#else

static bool runs_here(void)
{
    return false;
}

#define rank NULL
#define add  NULL

#endif

const struct wide_kernel wide_avx512 = {"avx512", runs_here, rank, add};
