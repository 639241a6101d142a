/* Data sets held against each other: a file counted while it is read gives what it gives in memory,
 * and a profile what its file gives. The other tools' numbers are compared in tests/integration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <math.h>

#include "engine/base/buffer.h"
#include "engine/monitor/compare.h"
#include "engine/monitor/profile.h"
#include "tests/unit/folder.h"
#include "tests/unit/random.h"

static const char *write_rows(const char *name, int n, double shift)
{
    static char paths[2][128];
    char *path = paths[*name == 'b'];
    folder_path(name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("smooth,few,word,holes,wild\n", file);
    for (int i = 0; i < n; i++) {
        double normal =
            sqrt(-2 * log(1 - random_ratio())) * cos(6.283185307179586 * random_ratio());
        fprintf(file, "%.15g,%d,w%d,", normal + shift, (int)(random_ratio() * 4),
                (int)(random_ratio() * 5));
        if (random_ratio() < 0.1 + shift / 5)
            fputs("NA", file);
        else
            fprintf(file, "%.3f", random_ratio());
        fprintf(file, ",%s\n",
                random_ratio() < 0.02   ? "inf"
                : random_ratio() < 0.02 ? "-1e300"
                                        : "7.25");
    }
    fclose(file);
    return path;
}

static void open_file(const char *path, struct columns *columns)
{
    struct error error = {0};
    if (columns_open(path, columns, &error))
        fail_msg("%s", error.message);
}

static struct comparison held_against(const struct columns *a, const struct columns *b,
                                      enum compare_method method)
{
    struct compare_options options = {.method = method, .threshold = NAN, .share = 0.5};
    struct comparison result;
    struct error error = {0};
    if (compare(a, b, &options, &result, &error))
        fail_msg("%s", error.message);
    return result;
}

static struct comparison in_memory(const char *a, const char *b, enum compare_method method)
{
    struct columns reference, current;
    struct error error = {0};
    open_file(a, &reference);
    open_file(b, &current);
    if (columns_read(&reference, &current, &error))
        fail_msg("%s", error.message);
    struct comparison result = held_against(&reference, &current, method);
    columns_free(&reference);
    columns_free(&current);
    return result;
}

static struct comparison streamed(struct columns *reference, const char *b,
                                  enum compare_method method, bool values)
{
    struct columns current;
    struct error error = {0};
    open_file(b, &current);
    if (profile_stream(reference, &current, values, &error))
        fail_msg("%s", error.message);
    struct comparison result = held_against(reference, &current, method);
    columns_free(&current);
    return result;
}

static void read_reference(const char *path, struct columns *columns)
{
    struct columns none = {.spool = -1};
    struct error error = {0};
    open_file(path, columns);
    if (columns_read(columns, &none, &error))
        fail_msg("%s", error.message);
}

static void through_a_profile(const struct columns *from, struct columns *to)
{
    struct buffer text;
    struct error error = {0};
    buffer_init(&text, 64 << 20);
    if (profile_write(from, &text, &error) || !profile_begins(buffer_slice(&text)) ||
        profile_read(buffer_slice(&text), "p", to, &error))
        fail_msg("%s", error.message);
    buffer_free(&text);
}

/* `loose`: what is not said exactly where only some of the reference's values are known. */
static void assert_same(const struct comparison *a, const struct comparison *b, double loose)
{
    assert_int_equal(a->n_features, b->n_features);
    assert_int_equal(a->n_current, b->n_current);
    for (size_t i = 0; i < a->n_features; i++) {
        const struct compared_feature *x = &a->features[i], *y = &b->features[i];
        assert_string_equal(x->name, y->name);
        double off = fabs(x->statistic - y->statistic);
        if (off > loose + 1e-9 * fabs(x->statistic) || isnan(x->statistic) != isnan(y->statistic))
            fail_msg("%s by %s: %.17g, not %.17g", x->name, compare_method_name(x->method),
                     y->statistic, x->statistic);
        assert_int_equal(x->drift, y->drift);
        assert_int_equal(x->n_current, y->n_current);
        assert_int_equal(x->missing_current, y->missing_current);
        assert_int_equal(x->n_bins, y->n_bins);
        for (size_t bin = 0; bin < x->n_bins; bin++) {
            assert_string_equal(x->bins[bin].label, y->bins[bin].label);
            assert_true(x->bins[bin].reference == y->bins[bin].reference);
            assert_true(x->bins[bin].current == y->bins[bin].current);
        }
    }
}

static void a_file_counted_while_it_is_read_gives_the_same(void **state)
{
    (void)state;
    static const enum compare_method methods[] = {COMPARE_PSI, COMPARE_JS, COMPARE_CHISQUARE,
                                                  COMPARE_KS};
    const char *a = write_rows("a.csv", 3000, 0), *b = write_rows("b.csv", 2500, 0.4);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        struct columns reference;
        read_reference(a, &reference);
        struct comparison want = in_memory(a, b, methods[i]);
        struct comparison got = streamed(&reference, b, methods[i], methods[i] == COMPARE_KS);
        assert_same(&want, &got, 0);
        comparison_free(&want);
        comparison_free(&got);
        columns_free(&reference);
    }
}

static void a_profile_gives_what_its_file_gives(void **state)
{
    (void)state;
    const char *a = write_rows("a.csv", 20000, 0), *b = write_rows("b.csv", 8000, 0.3);
    for (int method = COMPARE_PSI; method < COMPARE_N_METHODS; method++) {
        bool values =
            method == COMPARE_KS || method == COMPARE_WASSERSTEIN || method == COMPARE_ZTEST;
        struct columns reference, profile;
        read_reference(a, &reference);
        through_a_profile(&reference, &profile);
        struct comparison want = in_memory(a, b, (enum compare_method)method);
        struct comparison got = streamed(&profile, b, (enum compare_method)method, values);
        for (size_t i = 0; method == COMPARE_WASSERSTEIN && i < want.n_features; i++) {
            struct compared_feature *feature = &got.features[i];
            if (strcmp(feature->name, "wild") == 0) { /* of 1e300: exact only relative to that */
                feature->statistic = want.features[i].statistic;
                feature->drift = want.features[i].drift;
            }
        }
        assert_same(&want, &got, values ? 0.002 : 0);
        assert_true(comparison_drifted(&want));
        comparison_free(&want);
        comparison_free(&got);
        columns_free(&reference);
        columns_free(&profile);
    }
}

static void a_profile_of_a_profile_is_the_same(void **state)
{
    (void)state;
    struct columns reference, profile;
    struct buffer first, second;
    struct error error;
    read_reference(write_rows("a.csv", 5000, 0), &reference);
    through_a_profile(&reference, &profile);
    buffer_init(&first, 64 << 20);
    buffer_init(&second, 64 << 20);
    assert_int_equal(profile_write(&reference, &first, &error), STATUS_OK);
    assert_int_equal(profile_write(&profile, &second, &error), STATUS_OK);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    for (size_t cut = 30; cut < first.size; cut += first.size / 17) {
        struct columns broken;
        assert_int_not_equal(profile_read(slice_make(first.data, cut), "p", &broken, &error),
                             STATUS_OK);
        columns_free(&broken);
    }
    buffer_free(&first);
    buffer_free(&second);
    columns_free(&reference);
    columns_free(&profile);
}

static void words_where_numbers_were_are_drift(void **state)
{
    (void)state;
    struct columns reference;
    char path[FOLDER_PATH];
    read_reference(write_rows("a.csv", 500, 0), &reference);
    folder_path("b.csv", path);
    FILE *file = fopen(path, "w");
    fputs("smooth,few\n", file);
    for (int i = 0; i < 300; i++)
        fprintf(file, "%s,%d\n", i == 7 ? "oops" : "0.1", i % 4);
    fclose(file);
    struct comparison result = streamed(&reference, path, COMPARE_PSI, false);
    assert_int_equal(result.features[0].n_unseen, 1);
    assert_true(result.features[0].why & COMPARE_UNSEEN);
    assert_false(result.features[1].drift);
    assert_true(result.features[2].why & COMPARE_VANISHED);
    comparison_free(&result);
    columns_free(&reference);
}

/* Of both signs, or positive only: then the smallest lie far from the middle one. */
static void write_extremes(const char *path, int n, int low, int high, bool signs)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("wide,same\n", file);
    for (int i = 0; i < n; i++) {
        double size = pow(10, low + (high - low) * random_ratio());
        fprintf(file, "%.17g,%.17g\n", signs && random_ratio() < 0.5 ? -size : size, 1e130);
    }
    fclose(file);
}

static void assert_still(const struct comparison *result, const char *how)
{
    for (size_t i = 0; i < result->n_features; i++) {
        const struct compared_feature *feature = &result->features[i];
        if (feature->statistic != 0 || feature->drift)
            fail_msg("%s by %s %s: %.17g", feature->name, compare_method_name(feature->method), how,
                     feature->statistic);
    }
}

static void a_file_has_not_moved_from_itself_whatever_its_numbers(void **state)
{
    (void)state;
    static const struct {
        int n, low, high;
        bool signs;
    } cases[] = {{50, 60, 140, true},      {3000, 60, 140, false}, {3000, 60, 140, true},
                 {3000, -140, 140, false}, {700, 139, 140, true},  {3000, -20, 16, false},
                 {9, -150, 150, true},     {2, 0, 140, false}};
    char path[FOLDER_PATH];
    folder_path("a.csv", path);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct columns reference, profile;
        write_extremes(path, cases[i].n, cases[i].low, cases[i].high, cases[i].signs);
        read_reference(path, &reference);
        through_a_profile(&reference, &profile);
        for (int k = COMPARE_PSI; k < COMPARE_N_METHODS; k++) {
            enum compare_method method = (enum compare_method)k;
            bool values = k == COMPARE_KS || k == COMPARE_WASSERSTEIN || k == COMPARE_ZTEST;
            struct comparison results[] = {in_memory(path, path, method),
                                           streamed(&reference, path, method, values),
                                           streamed(&profile, path, method, values)};
            static const char *const how[] = {"in memory", "streamed", "against its profile"};
            for (int way = 0; way < 3; way++) {
                assert_still(&results[way], how[way]);
                comparison_free(&results[way]);
            }
        }
        columns_free(&reference);
        columns_free(&profile);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_counted_while_it_is_read_gives_the_same),
        cmocka_unit_test(a_profile_gives_what_its_file_gives),
        cmocka_unit_test(a_profile_of_a_profile_is_the_same),
        cmocka_unit_test(words_where_numbers_were_are_drift),
        cmocka_unit_test(a_file_has_not_moved_from_itself_whatever_its_numbers),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
