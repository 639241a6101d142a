/* Adding is compiled twice on x86-64, for what every processor has and for AVX2. Pure. */
#include "engine/observe/bin_stage.h"

#include <string.h>

typedef uint8_t step_bytes __attribute__((vector_size(BIN_STAGE_STEP), aligned(1)));

/* A comparison that holds is 255, and so one less than nothing. */
static inline __attribute__((always_inline)) void add_row(uint8_t *stage, const uint8_t *codes,
                                                          size_t width)
{
    for (size_t first = 0; first < width; first += BIN_STAGE_STEP) {
        step_bytes row = *(const step_bytes *)(const void *)(codes + first);
        for (size_t bin = 0; bin < MAX_BINS; bin++) {
            step_bytes *counts = (step_bytes *)(void *)(stage + bin * width + first);
            *counts -= (step_bytes)(row == (uint8_t)bin);
        }
    }
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void add_row_avx2(uint8_t *stage, const uint8_t *codes,
                                                         size_t width)
{
    add_row(stage, codes, width);
}
#endif

void bin_stage_add(uint8_t *stage, const uint8_t *codes, int n_columns)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        add_row_avx2(stage, codes, bin_stage_width(n_columns));
        return;
    }
#endif
    add_row(stage, codes, bin_stage_width(n_columns));
}

void bin_stage_pour(uint8_t *stage, int n_columns, uint64_t *counts)
{
    size_t width = bin_stage_width(n_columns);
    for (size_t column = 0; column < (size_t)n_columns; column++) {
        for (size_t bin = 0; bin < MAX_BINS; bin++)
            counts[column * MAX_BINS + bin] += stage[bin * width + column];
    }
    memset(stage, 0, MAX_BINS * width);
}

void bin_stage_pour32(uint8_t *stage, int n_columns, uint32_t (*counts)[MAX_BINS])
{
    size_t width = bin_stage_width(n_columns);
    for (size_t column = 0; column < (size_t)n_columns; column++) {
        for (size_t bin = 0; bin < MAX_BINS; bin++)
            counts[column][bin] += stage[bin * width + column];
    }
    memset(stage, 0, MAX_BINS * width);
}
