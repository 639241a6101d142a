/* Counters in a file: a restart goes on, and what is damaged is refused whole. */
#include "tests/unit/engine/observe/fixture.h"

static void a_restart_goes_on_where_it_was_saved(void **state)
{
    (void)state;
    char path[FOLDER_PATH];
    folder_path("observe.state", path);
    struct observe *first = create(100);
    const struct observe_arm arm = {VARIANT_CHAMPION, "fraud", "3", 1};
    observe_set_arms(first, &arm, 1);
    for (int i = 0; i < 3000; i++)
        tell(first, T0 + i * 97 * US_PER_S, (int64_t)(random_bits() % 300000),
             (enum decision)(i % 3), (float)(i % 100) / 100);
    observe_error(first, 0, T0 + 2999 * 97 * US_PER_S);
    int64_t now_us = T0 + 3000 * 97 * US_PER_S;
    struct snapshot *before = fill(first, now_us, 1);
    struct error error;
    struct buffer encoded;
    observe_encode(first, 4711, &encoded);
    assert_int_equal(observe_write(&encoded, path, &error), STATUS_OK);
    buffer_free(&encoded);

    struct observe *second = create(100);
    observe_set_arms(second, &arm, 1);
    uint64_t mark = 0;
    assert_int_equal(observe_load(second, path, &mark, &error), STATUS_OK);
    assert_int_equal(mark, 4711);
    struct snapshot *after = fill(second, now_us, 1);
    assert_memory_equal(before->decisions_usual, after->decisions_usual,
                        sizeof before->decisions_usual);
    assert_memory_equal(before->score_bins, after->score_bins, sizeof before->score_bins);
    assert_int_equal(after->n_arms, 1);
    assert_true(after->arms[0].share_wanted == 1);
    assert_int_equal(after->accepted_total, 0);
    static const int64_t windows[] = {5 * US_PER_MIN, US_PER_HOUR, US_PER_DAY, 30 * US_PER_DAY};
    for (size_t i = 0; i < 4; i++) {
        struct tally a, b;
        observe_sum(first, windows[i], &a);
        observe_sum(second, windows[i], &b);
        assert_memory_equal(&a, &b, sizeof a);
        assert_true(a.accepted > 0);
    }
    struct binning a, b;
    assert_true(observe_binning(first, 0, &a) && observe_binning(second, 0, &b));
    assert_memory_equal(&a, &b, sizeof a);
    static struct histogram x, y;
    observe_latency(first, 30 * US_PER_DAY, &x);
    observe_latency(second, 30 * US_PER_DAY, &y);
    assert_memory_equal(&x, &y, sizeof x);
    uint64_t bins_a[MAX_BINS], bins_b[MAX_BINS];
    observe_bins(first, 1, US_PER_DAY, bins_a);
    observe_bins(second, 1, US_PER_DAY, bins_b);
    assert_memory_equal(bins_a, bins_b, sizeof bins_a);
    snapshot_release(before);
    snapshot_release(after);
    observe_destroy(first);
    observe_destroy(second);
}

static void a_damaged_or_foreign_file_is_refused_whole(void **state)
{
    (void)state;
    char path[FOLDER_PATH];
    folder_path("observe.state", path);
    struct error error;
    uint64_t mark;
    struct observe_options options;
    observe_options_init(&options);
    options.reference_events = 0;
    struct observe *other = NULL;
    assert_int_equal(observe_create(&options, &other, &error), STATUS_OK);
    assert_int_equal(observe_load(other, path, &mark, &error), STATUS_CONFLICT);
    assert_int_equal(observe_load(other, "/nonexistent/file", &mark, &error), STATUS_NOT_FOUND);
    observe_destroy(other);

    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, 3000, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, 3000, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
    struct observe *observe = create(100);
    assert_int_equal(observe_load(observe, path, &mark, &error), STATUS_CORRUPT);
    assert_int_equal(truncate(path, 40), 0);
    assert_int_equal(observe_load(observe, path, &mark, &error), STATUS_CORRUPT);
    struct tally sum;
    observe_sum(observe, 30 * US_PER_DAY, &sum);
    assert_int_equal(sum.accepted, 0);
    observe_destroy(observe);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_goes_on_where_it_was_saved),
        cmocka_unit_test(a_damaged_or_foreign_file_is_refused_whole),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
