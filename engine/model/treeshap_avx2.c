/* Contributions eight trees at a time (AVX2). */
#include "engine/model/treeshap_priv.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define LANES_OWN
#define TARGET     __attribute__((target("avx2")))
#define INLINE     static inline __attribute__((always_inline))
#define LANE_WIDTH 8

typedef __m256 lanes;
typedef __m256 lane_mask;

INLINE TARGET lanes lanes_load(const float *from)
{
    return _mm256_loadu_ps(from);
}

INLINE TARGET void lanes_store(float *to, lanes value)
{
    _mm256_storeu_ps(to, value);
}

INLINE TARGET lanes lanes_all(float value)
{
    return _mm256_set1_ps(value);
}

INLINE TARGET lane_mask lanes_less(lanes a, lanes b)
{
    return _mm256_cmp_ps(a, b, _CMP_LT_OQ);
}

INLINE TARGET lane_mask lanes_not_less(lanes a, lanes b)
{
    return _mm256_cmp_ps(a, b, _CMP_GE_OQ);
}

INLINE TARGET lane_mask lanes_nan(lanes a)
{
    return _mm256_cmp_ps(a, a, _CMP_UNORD_Q);
}

/* One by one: the instruction that gathers is no faster, and on some processors much slower. */
INLINE TARGET lanes lanes_pick(const struct shap_inputs *inputs, const uint16_t *slots)
{
    const float *values = inputs->values;
    return _mm256_setr_ps(values[slots[0]], values[slots[1]], values[slots[2]], values[slots[3]],
                          values[slots[4]], values[slots[5]], values[slots[6]], values[slots[7]]);
}

INLINE TARGET lane_mask lanes_bits(uint32_t bits)
{
    const __m256i each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    __m256i set = _mm256_and_si256(_mm256_set1_epi32((int)bits), each);
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, each));
}

INLINE TARGET lane_mask lanes_and(lane_mask a, lane_mask b)
{
    return _mm256_and_ps(a, b);
}

INLINE TARGET lane_mask lanes_or(lane_mask a, lane_mask b)
{
    return _mm256_or_ps(a, b);
}

INLINE TARGET lanes lanes_select(lane_mask mask, lanes yes, lanes no)
{
    return _mm256_blendv_ps(no, yes, mask);
}

#include "engine/model/treeshap_lanes.h"

static bool runs_here(void)
{
    return __builtin_cpu_supports("avx2");
}

#else

static bool runs_here(void)
{
    return false;
}

#define shap_explain NULL

#endif

const struct shap_kernel shap_avx2 = {"avx2", runs_here, shap_explain};
