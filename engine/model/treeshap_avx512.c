/* Contributions sixteen trees at a time (AVX-512). */
#include "engine/model/treeshap_priv.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define LANES_OWN
#define TARGET     __attribute__((target("avx512f")))
#define INLINE     static inline __attribute__((always_inline))
#define LANE_WIDTH 16

typedef __m512 lanes;
typedef __mmask16 lane_mask;

INLINE TARGET lanes lanes_load(const float *from)
{
    return _mm512_loadu_ps(from);
}

INLINE TARGET void lanes_store(float *to, lanes value)
{
    _mm512_storeu_ps(to, value);
}

INLINE TARGET lanes lanes_all(float value)
{
    return _mm512_set1_ps(value);
}

INLINE TARGET lane_mask lanes_less(lanes a, lanes b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}

INLINE TARGET lane_mask lanes_not_less(lanes a, lanes b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ);
}

INLINE TARGET lane_mask lanes_nan(lanes a)
{
    return _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
}

/* Up to 32 values are picked within two registers. */
INLINE TARGET lanes lanes_pick(const struct shap_inputs *inputs, const uint16_t *slots)
{
    const float *values = inputs->values;
    __m512i at = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)slots));
    if (inputs->n <= 32)
        return _mm512_permutex2var_ps(_mm512_loadu_ps(values), at, _mm512_loadu_ps(values + 16));
    return _mm512_i32gather_ps(at, values, 4);
}

INLINE TARGET lane_mask lanes_bits(uint32_t bits)
{
    return (lane_mask)bits;
}

INLINE TARGET lane_mask lanes_and(lane_mask a, lane_mask b)
{
    return (lane_mask)(a & b);
}

INLINE TARGET lane_mask lanes_or(lane_mask a, lane_mask b)
{
    return (lane_mask)(a | b);
}

INLINE TARGET lanes lanes_select(lane_mask mask, lanes yes, lanes no)
{
    return _mm512_mask_blend_ps(mask, no, yes);
}

#include "engine/model/treeshap_lanes.h"

static bool runs_here(void)
{
    return __builtin_cpu_supports("avx512f");
}

#else

static bool runs_here(void)
{
    return false;
}

#define shap_explain NULL

#endif

const struct shap_kernel shap_avx512 = {"avx512", runs_here, shap_explain};
