/* 64 rows in two registers of bytes (AVX2). A split is one compare, two subtrees are joined by a
 * blend; leaf values are gathered. */
#include "engine/model/wide.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))
#define WIDE_KERNEL
#define INLINE TARGET static inline __attribute__((always_inline))
#define HALF   (WIDE_ROWS / 2)

static bool runs_here(void)
{
    return __builtin_cpu_supports("avx2");
}

#define LANES     8
#define TOP_STEPS 3 /* of the search: 7 thresholds fit into a register */

/* What the first TOP_STEPS steps look at. */
INLINE __m256 top_thresholds(const float *thresholds, int steps)
{
    __m256i number = _mm256_set_epi32(8, 7, 6, 5, 4, 3, 2, 1);
    __m256i at = _mm256_sll_epi32(number, _mm_cvtsi32_si128(steps - TOP_STEPS));
    at = _mm256_min_epi32(at, _mm256_set1_epi32((1 << steps) - 1)); /* the 8th is never looked at */
    return _mm256_i32gather_ps(thresholds, _mm256_sub_epi32(at, _mm256_set1_epi32(1)), 4);
}

INLINE __m256i add_step(__m256i at, __m256 threshold, __m256 value, int32_t step)
{
    __m256i not_above = _mm256_castps_si256(_mm256_cmp_ps(threshold, value, _CMP_LE_OQ));
    return _mm256_add_epi32(at, _mm256_and_si256(not_above, _mm256_set1_epi32(step)));
}

/* A binary search for eight values side by side. Gathers are what it costs: the first steps go
 * without them. */
TARGET static void rank(const struct wide *wide, const struct wide_feature *feature,
                        const float values[WIDE_ROWS], int32_t ranks[WIDE_ROWS])
{
    const float *thresholds = wide->thresholds + feature->first_threshold;
    int steps_left = feature->steps - TOP_STEPS;
    __m256 top = top_thresholds(thresholds, feature->steps);
    for (size_t i = 0; i < WIDE_ROWS; i += LANES) {
        __m256 value = _mm256_loadu_ps(values + i);
        __m256i at = _mm256_setzero_si256();
        for (int32_t step = 1 << TOP_STEPS >> 1; step > 0; step >>= 1) {
            __m256i probe = _mm256_add_epi32(at, _mm256_set1_epi32(step - 1));
            at = add_step(at, _mm256_permutevar8x32_ps(top, probe), value, step);
        }
        at = _mm256_sll_epi32(at, _mm_cvtsi32_si128(steps_left));
        for (int32_t step = 1 << steps_left >> 1; step > 0; step >>= 1) {
            __m256i probe = _mm256_add_epi32(at, _mm256_set1_epi32(step - 1));
            at = add_step(at, _mm256_i32gather_ps(thresholds, probe, 4), value, step);
        }
        _mm256_storeu_si256((__m256i *)(ranks + i), at);
    }
}

/* All ones where right. */
INLINE __m256i goes_right(const struct wide_node *node, const int8_t *columns)
{
    const int8_t *column = columns + (size_t)node->column * WIDE_ROWS;
    return _mm256_cmpgt_epi8(_mm256_loadu_si256((const __m256i *)column),
                             _mm256_set1_epi8(node->rank));
}

typedef __m256i leaf_numbers;

INLINE leaf_numbers no_leaves(void)
{
    return _mm256_setzero_si256();
}

INLINE leaf_numbers leaves1(const struct wide_node *node, const int8_t *columns)
{
    return _mm256_and_si256(goes_right(node, columns), _mm256_set1_epi8(1));
}

/* Rows that go right take the right subtree's number, behind the n_left leaves of the left one. */
INLINE leaf_numbers join(const struct wide_node *node, const int8_t *columns, leaf_numbers left,
                         leaf_numbers right, char n_left)
{
    return _mm256_blendv_epi8(left, _mm256_add_epi8(right, _mm256_set1_epi8(n_left)),
                              goes_right(node, columns));
}

#include "engine/model/wide_leaves.h"

TARGET static void add(const struct wide *wide, const struct wide_tree *tree, const int8_t *columns,
                       float margins[WIDE_ROWS])
{
    _Alignas(32) uint8_t numbers[WIDE_ROWS];
    const struct wide_node *root = wide->nodes + tree->first_node;
    const float *values = wide->leaves + tree->first_leaf;
    for (size_t i = 0; i < WIDE_ROWS; i += HALF)
        _mm256_storeu_si256((__m256i *)(numbers + i), leaves_of(root, tree->depth, columns + i));
    for (size_t i = 0; i < WIDE_ROWS; i += 8) {
        __m256i number = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(numbers + i)));
        __m256 leaf = _mm256_i32gather_ps(values, number, 4);
        _mm256_storeu_ps(margins + i, _mm256_add_ps(_mm256_loadu_ps(margins + i), leaf));
    }
}

#else

static bool runs_here(void)
{
    return false;
}

#define rank NULL
#define add  NULL

#endif

const struct wide_kernel wide_avx2 = {"avx2", runs_here, rank, add};
