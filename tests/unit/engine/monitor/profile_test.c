/* The profile of training rows against the bins that the rows themselves give. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/monitor/profile.h"
#include "tests/unit/random.h"

#define N     5000 /* a multiple of the points that a profile keeps: deciles are among them */
#define WIDTH 6

static const char *const names[WIDTH] = {"uniform", "flag", "holes", "same", "none", "wild"};

static float chance(void) /* as many bits as a float has */
{
    return (float)(random_bits() >> 40) / (float)(1 << 24);
}

static void fill(float *rows, float *scores)
{
    for (int i = 0; i < N; i++) {
        float *row = rows + (size_t)i * WIDTH;
        row[0] = chance() * 100 - 50;
        row[1] = chance() < 0.1f;
        row[2] = chance() < 0.3f ? NAN : roundf(chance() * 40);
        row[3] = 0.1f;
        row[4] = NAN;
        row[5] = i == 7 ? INFINITY : i == 8 ? -INFINITY : roundf(chance() * 200);
        scores[i] = chance() * chance();
    }
}

static void profile_of(const float *rows, const float *scores, struct columns *profile)
{
    struct buffer text;
    struct error error = {0};
    struct profile_rows all = {names, rows, scores, N, WIDTH};
    buffer_init(&text, 64 << 20);
    assert_true(profile_write_rows(&all, &text));
    assert_true(profile_begins(buffer_slice(&text)));
    if (profile_read(buffer_slice(&text), "p", profile, &error))
        fail_msg("%s", error.message);
    buffer_free(&text);
}

static void assert_same(const struct column *column, const float *values, size_t stride, int n_bins)
{
    static float copy[N];
    struct binning want, got;
    for (size_t i = 0; i < N; i++)
        copy[i] = values[i * stride];
    binning_make(&want, copy, N, n_bins);
    profile_binning(column, n_bins, &got);
    assert_int_equal(got.n_edges, want.n_edges);
    assert_int_equal(got.few, want.few);
    assert_int_equal(got.n_reference, N);
    for (int i = 0; i < want.n_edges; i++)
        assert_true(got.edges[i] == want.edges[i]);
    for (int i = 0; i < MAX_BINS; i++)
        assert_int_equal(got.reference[i], want.reference[i]);
}

static void a_profile_is_cut_as_its_rows_are(void **state)
{
    (void)state;
    static float rows[N * WIDTH], scores[N];
    struct columns profile;
    fill(rows, scores);
    profile_of(rows, scores, &profile);
    assert_int_equal(profile.n, WIDTH);
    assert_non_null(profile.score);
    static const int bins[] = {2, 4, 5, 10};
    for (size_t k = 0; k < sizeof bins / sizeof *bins; k++) {
        for (size_t i = 0; i < WIDTH; i++)
            assert_same(columns_find(&profile, names[i]), rows + i, WIDTH, bins[k]);
        assert_same(profile.score, scores, 1, bins[k]);
    }
    columns_free(&profile);
}

static void numbers_of_a_profile_are_floats_however_a_file_writes_them(void **state)
{
    (void)state;
    static float rows[N * WIDTH], scores[N];
    static const char text[] = "same\n0.1\n0.100000001\n0.10000000149011612\n0.2\n";
    char path[] = "/tmp/profile-XXXXXX";
    struct columns profile, current;
    struct error error = {0};
    fill(rows, scores);
    profile_of(rows, scores, &profile);
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
    close(fd);
    if (columns_open(path, &current, &error) || profile_stream(&profile, &current, true, &error))
        fail_msg("%s", error.message);
    const struct column *same = columns_find(&current, "same");
    assert_true(column_not_above(same, (double)0.1f) == 3);
    assert_true(column_below(same, (double)0.1f) == 0);
    columns_free(&current);
    columns_free(&profile);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_is_cut_as_its_rows_are),
        cmocka_unit_test(numbers_of_a_profile_are_floats_however_a_file_writes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
