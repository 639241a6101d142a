/* Rounding whole rows. Compiled twice on x86-64, for what every processor has and for AVX2; both
 * give the same. Pure, any thread. */
#include "engine/feature/rounding_priv.h"

#include <float.h>

#define STEP ((size_t)8) /* numbers that compilers do at a time */

static inline __attribute__((always_inline)) void round_some(const double *restrict numbers,
                                                             float *restrict out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float number = (float)numbers[i];
        number = FLT_MAX < number ? FLT_MAX : number;
        out[i] = -FLT_MAX > number ? -FLT_MAX : number;
    }
}

/* In whole steps: the last one may do some numbers again. */
static inline __attribute__((always_inline)) void round_row(const double *numbers, float *out,
                                                            size_t n)
{
    size_t done = 0;
    for (; done + STEP <= n; done += STEP)
        round_some(numbers + done, out + done, STEP);
    if (done < n && n >= STEP)
        round_some(numbers + n - STEP, out + n - STEP, STEP);
    else
        round_some(numbers + done, out + done, n - done);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void round_row_avx2(const double *numbers, float *out,
                                                           size_t n)
{
    round_row(numbers, out, n);
}
#endif

void round_floats(const double *numbers, float *out, size_t n)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        round_row_avx2(numbers, out, n);
        return;
    }
#endif
    round_row(numbers, out, n);
}
