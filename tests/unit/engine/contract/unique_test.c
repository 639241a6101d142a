/* The exact set of ids against a naive list, its span, its bound, and many threads at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "engine/base/state_file.h"
#include "engine/base/thread.h"
#include "engine/contract/unique.h"

#define SPAN 1000

static struct unique *make(int64_t span_us, size_t max_bytes)
{
    struct unique *unique;
    struct unique_options options = {.span_us = span_us, .max_bytes = max_bytes};
    assert_int_equal(unique_create(&options, &unique, NULL), STATUS_OK);
    return unique;
}

static void tells_new_same_and_conflicting_ids_apart(void **state)
{
    (void)state;
    static const char *const ids[] = {"",
                                      "7",
                                      "a-short-id",
                                      "sixteen bytes id",
                                      "seventeen bytes..",
                                      "01ARZ3NDEKTSV4RRFFQ69G5FAV",
                                      "01arz3ndektsv4rrffq69g5fav",
                                      "01ARZ3NDEKTSV4RRFFQ69G5FAU" /* not a ULID */,
                                      "an id of more than a few bytes"};
    struct unique *unique = make(SPAN, 0);
    uint64_t index = 0;
    for (uint64_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct slice id = slice_of(ids[i]);
        assert_int_equal(unique_reserve(unique, id, i, 5, &index), UNIQUE_NEW);
        assert_int_equal(unique_reserve(unique, id, i, 6, &index), UNIQUE_SAME);
        assert_true(index == UNIQUE_PENDING);
        unique_assign(unique, id, 100 + i);
    }
    for (uint64_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        assert_int_equal(unique_reserve(unique, slice_of(ids[i]), i, 7, &index), UNIQUE_SAME);
        assert_true(index == 100 + i);
        assert_int_equal(unique_reserve(unique, slice_of(ids[i]), ~i, 7, &index), UNIQUE_CONFLICT);
        assert_true(index == 100 + i);
    }
    unique_destroy(unique);
}

static void forgets_an_id_that_was_refused_later_on(void **state)
{
    (void)state;
    struct unique *unique = make(SPAN, 0);
    uint64_t index;
    struct slice id = slice_of("an id of more than sixteen bytes");
    assert_int_equal(unique_reserve(unique, id, 1, 0, &index), UNIQUE_NEW);
    unique_forget(unique, id);
    assert_int_equal(unique_reserve(unique, id, 2, 1, &index), UNIQUE_NEW);
    unique_assign(unique, id, 9);
    assert_int_equal(unique_reserve(unique, id, 2, SPAN + 0, &index), UNIQUE_SAME);
    assert_int_equal(unique_reserve(unique, id, 2, SPAN + 1, &index), UNIQUE_NEW);
    unique_forget(unique, slice_of("never seen"));
    unique_assign(unique, slice_of("never seen"), 1);
    unique_destroy(unique);
}

static void remembers_for_the_span_and_no_longer(void **state)
{
    (void)state;
    struct unique *unique = make(SPAN, 0);
    uint64_t index;
    assert_int_equal(unique_reserve(unique, slice_of("a"), 1, 10, &index), UNIQUE_NEW);
    assert_int_equal(unique_reserve(unique, slice_of("a"), 1, 10 + SPAN - 1, &index), UNIQUE_SAME);
    assert_int_equal(unique_reserve(unique, slice_of("a"), 1, 10 + SPAN, &index), UNIQUE_NEW);
    assert_int_equal(unique_reserve(unique, slice_of("a"), 1, 5, &index), UNIQUE_SAME);
    unique_destroy(unique);
}

/* An hour back, and right again: ids of both are remembered for their span after the latest time.
 */
static void a_clock_that_is_set_back_lets_no_id_expire_early(void **state)
{
    (void)state;
    enum { IDS = 64 }; /* some in every shard */
    const int64_t hour_us = INT64_C(3600000000), span_us = hour_us / 2, now_us = 100 * hour_us;
    struct unique *unique = make(span_us, 0);
    uint64_t index;
    char id[16];
    assert_int_equal(unique_reserve(unique, slice_of("first"), 1, now_us, &index), UNIQUE_NEW);
    for (int i = 0; i < IDS; i++) {
        snprintf(id, sizeof id, "back-%d", i);
        assert_int_equal(unique_reserve(unique, slice_of(id), 1, now_us - hour_us + i, &index),
                         UNIQUE_NEW);
    }
    assert_int_equal(unique_reserve(unique, slice_of("first"), 1, now_us - hour_us, &index),
                     UNIQUE_SAME);
    for (int i = 0; i < IDS; i++) {
        snprintf(id, sizeof id, "back-%d", i);
        assert_int_equal(unique_reserve(unique, slice_of(id), 1, now_us + span_us - 1, &index),
                         UNIQUE_SAME);
    }
    assert_int_equal(unique_reserve(unique, slice_of("first"), 1, now_us + span_us, &index),
                     UNIQUE_NEW);
    unique_destroy(unique);
}

static void gives_memory_back_as_ids_expire(void **state)
{
    (void)state;
    struct unique *unique = make(SPAN, 0);
    struct unique_stats stats;
    uint64_t index;
    char id[100];
    uint64_t most = 0;
    for (int64_t i = 0; i < 300000; i++) { /* 5000 alive at a time */
        (void)snprintf(id, sizeof id, "transaction-number-%040lld", (long long)i);
        assert_int_equal(unique_reserve(unique, slice_of(id), 0, i / 5, &index), UNIQUE_NEW);
        if (i % 1000 == 0) {
            unique_stats(unique, &stats);
            most = stats.bytes > most ? stats.bytes : most;
            assert_in_range(stats.n_ids, 0, 5 * SPAN + 1000);
        }
    }
    assert_true(most < 5000000);
    unique_destroy(unique);
}

static void refuses_beyond_its_memory_and_recovers(void **state)
{
    (void)state;
    enum { BOUND = 4 << 20 };
    struct unique *unique = make(SPAN, BOUND);
    struct unique_stats stats;
    uint64_t index;
    char id[100];
    int accepted = 0;
    int refused = 0;
    for (int i = 0; i < 200000; i++) {
        (void)snprintf(id, sizeof id, "id-%d", i);
        enum unique_result result = unique_reserve(unique, slice_of(id), 0, 0, &index);
        assert_true(result == UNIQUE_NEW || result == UNIQUE_FULL);
        accepted += result == UNIQUE_NEW;
        refused += result == UNIQUE_FULL;
    }
    unique_stats(unique, &stats);
    assert_true(stats.bytes <= BOUND + 8192);
    assert_int_equal(stats.n_ids, accepted);
    assert_int_equal(stats.refused, refused);
    assert_true(accepted > 20000 && refused > 0);
    assert_int_equal(unique_reserve(unique, slice_of("id-0"), 0, SPAN - 1, &index), UNIQUE_SAME);
    assert_int_equal(unique_reserve(unique, slice_of("new"), 0, SPAN, &index), UNIQUE_NEW);
    static char huge[70000];
    memset(huge, 'x', sizeof huge - 1);
    assert_int_equal(unique_reserve(unique, slice_of(huge), 0, SPAN, &index), UNIQUE_FULL);
    unique_destroy(unique);
}

/* Every id there may be, with what a naive set would know of it. */
struct known {
    char id[48];
    uint64_t content, index;
    int64_t at_us;
    bool present;
};

static void name_known(struct known *known, int number)
{
    switch (number % 3) {
    case 0:
        (void)snprintf(known->id, sizeof known->id, "%d", number);
        break;
    case 1: /* a ULID: digits are in its alphabet */
        (void)snprintf(known->id, sizeof known->id, "%026d", number);
        break;
    default:
        (void)snprintf(known->id, sizeof known->id, "%0*d", 17 + number % 20, number);
        break;
    }
}

static void agrees_with_a_naive_set_over_random_calls(void **state)
{
    (void)state;
    enum { IDS = 3000, CALLS = 400000 };
    struct known *all = calloc(IDS, sizeof *all);
    struct unique *unique = make(SPAN, 0);
    for (int i = 0; i < IDS; i++)
        name_known(&all[i], i);
    uint64_t random = 12345;
    int64_t now = 0;
    int results[4] = {0};
    for (int i = 0; i < CALLS; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        struct known *known = &all[(random >> 33) % IDS];
        struct slice id = slice_of(known->id);
        uint64_t content = (random >> 20) % 8 == 0;
        uint64_t index = 0;
        now += (random >> 40) % 4 == 0;
        if (known->present && now - known->at_us >= SPAN)
            known->present = false;
        enum unique_result wanted = !known->present             ? UNIQUE_NEW
                                    : known->content == content ? UNIQUE_SAME
                                                                : UNIQUE_CONFLICT;
        enum unique_result result = unique_reserve(unique, id, content, now, &index);
        assert_int_equal(result, wanted);
        results[result]++;
        if (result != UNIQUE_NEW) {
            assert_true(index == known->index);
            continue;
        }
        known->content = content;
        known->at_us = now;
        known->present = true;
        if ((random >> 50) % 4 == 0) {
            unique_forget(unique, slice_of(known->id));
            known->present = false;
        } else {
            known->index = (uint64_t)i;
            unique_assign(unique, slice_of(known->id), known->index);
        }
    }
    assert_true(results[UNIQUE_NEW] > 10000 && results[UNIQUE_SAME] > 10000 &&
                results[UNIQUE_CONFLICT] > 1000);
    unique_destroy(unique);
    free(all);
}

static void restores_from_the_ledger(void **state)
{
    (void)state;
    struct unique *unique = make(SPAN, 0);
    uint64_t index;
    assert_int_equal(unique_restore(unique, slice_of("a"), 7, 10, 0), STATUS_OK);
    assert_int_equal(unique_restore(unique, slice_of("a"), 7, 10, 0), STATUS_OK);
    assert_int_equal(unique_restore(unique, slice_of("a"), 7, 10, 1), STATUS_CONFLICT);
    assert_int_equal(unique_restore(unique, slice_of("a"), 8, 10, 0), STATUS_CONFLICT);
    assert_int_equal(unique_reserve(unique, slice_of("a"), 7, 11, &index), UNIQUE_SAME);
    assert_true(index == 0);
    unique_destroy(unique);
}

enum { THREADS = 4, SHARED_IDS = 20000 };

struct racer {
    struct unique *unique;
    int won;
};

static void race(void *context)
{
    struct racer *racer = context;
    char id[32];
    uint64_t index;
    for (int i = 0; i < SHARED_IDS; i++) {
        (void)snprintf(id, sizeof id, "%026d", i);
        if (unique_reserve(racer->unique, slice_of(id), 1, i, &index) == UNIQUE_NEW) {
            racer->won++;
            unique_assign(racer->unique, slice_of(id), (uint64_t)i);
        }
    }
}

static void lets_one_thread_win_each_id(void **state)
{
    (void)state;
    struct unique *unique = make(INT64_MAX, 0);
    struct racer racers[THREADS];
    struct thread *threads[THREADS];
    int won = 0;
    for (int i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){.unique = unique};
        assert_int_equal(thread_start("race", race, &racers[i], &threads[i], NULL), STATUS_OK);
    }
    for (int i = 0; i < THREADS; i++) {
        thread_join(threads[i]);
        won += racers[i].won;
    }
    assert_int_equal(won, SHARED_IDS);
    struct unique_stats stats;
    unique_stats(unique, &stats);
    assert_int_equal(stats.n_ids, SHARED_IDS);
    unique_destroy(unique);
}

/* ---- checkpoint ---- */

#define CHECKPOINT "/tmp/binnacle-ids-XXXXXX"

/* Ids of every kind; the n-th at time n. */
static struct slice nth_id(char text[64], int n)
{
    static const char *const forms[] = {"%d", "01ARZ3NDEKTSV4RRFFQ%07d", "a longer id, number %d"};
    snprintf(text, 64, forms[n % 3], n);
    return slice_of(text);
}

static void fill_set(struct unique *unique, int n)
{
    char text[64];
    for (int i = 0; i < n; i++) {
        enum status status =
            unique_restore(unique, nth_id(text, i), (uint64_t)i, i, (uint64_t)(10 * i));
        assert_int_equal(status, STATUS_OK);
    }
}

static void make_path(char path[sizeof CHECKPOINT])
{
    memcpy(path, CHECKPOINT, sizeof CHECKPOINT);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
}

static enum status save(struct unique *unique, const char *path, uint64_t upto_index,
                        struct error *error)
{
    struct state_file *file = NULL;
    enum status status = unique_create_file(path, &file, error);
    if (status == STATUS_OK)
        status = unique_write(unique, file, upto_index, error);
    if (status == STATUS_OK)
        return state_file_commit(file, error);
    state_file_abandon(file);
    return status;
}

static void is_after_a_restart_what_it_was(void **state)
{
    (void)state;
    enum { N = 30000, KEPT = 20000 };
    char path[sizeof CHECKPOINT], text[64];
    struct error error;
    uint64_t upto = 0, index;
    struct unique_stats before, after;
    make_path(path);
    struct unique *unique = make(KEPT, 0);
    fill_set(unique, N);
    unique_stats(unique, &before);
    assert_int_equal(save(unique, path, 777, &error), STATUS_OK);
    unique_destroy(unique);
    unique = make(KEPT, 0);
    assert_int_equal(unique_load(unique, path, &upto, &error), STATUS_OK);
    unique_stats(unique, &after);
    assert_int_equal(upto, 777);
    assert_int_equal(after.n_ids, before.n_ids);
    for (int i = 0; i < N; i++) { /* at the time of the last one: the oldest are forgotten */
        enum unique_result result =
            unique_reserve(unique, nth_id(text, i), (uint64_t)i, N - 1, &index);
        assert_int_equal(result, i < N - KEPT ? UNIQUE_NEW : UNIQUE_SAME);
        assert_true(result == UNIQUE_NEW || index == (uint64_t)(10 * i));
    }
    for (int i = N; i < 2 * N; i++) /* and it goes on growing and shrinking */
        assert_int_equal(unique_reserve(unique, nth_id(text, i), 1, 5 * N, &index), UNIQUE_NEW);
    unique_stats(unique, &after);
    assert_int_equal(after.n_ids, N);
    unique_destroy(unique);
    unlink(path);
}

static void a_checkpoint_it_cannot_use_leaves_it_empty(void **state)
{
    (void)state;
    char path[sizeof CHECKPOINT], text[64];
    struct error error;
    uint64_t upto, index;
    struct unique_stats stats;
    make_path(path);
    struct unique *unique = make(SPAN, 0);
    fill_set(unique, 500);
    assert_int_equal(unique_reserve(unique, slice_of("waits"), 1, 500, &index), UNIQUE_NEW);
    assert_int_equal(save(unique, path, 1, &error), STATUS_UNAVAILABLE);
    unique_forget(unique, slice_of("waits"));
    assert_int_equal(save(unique, path, 1, &error), STATUS_OK);
    unique_destroy(unique);

    unique = make(SPAN + 1, 0);
    assert_int_equal(unique_load(unique, path, &upto, &error), STATUS_CONFLICT);
    unique_destroy(unique);
    unique = make(SPAN, 64 * 1024);
    assert_int_equal(unique_load(unique, path, &upto, &error), STATUS_FULL);
    unique_destroy(unique);

    unique = make(SPAN, 0);
    assert_int_equal(truncate(path, 4000), 0);
    assert_int_equal(unique_load(unique, path, &upto, &error), STATUS_CORRUPT);
    unique_stats(unique, &stats);
    assert_int_equal(stats.n_ids, 0);
    unlink(path);
    assert_int_equal(unique_load(unique, path, &upto, &error), STATUS_NOT_FOUND);
    fill_set(unique, 10);
    assert_int_equal(unique_reserve(unique, nth_id(text, 4), 4, 10, &index), UNIQUE_SAME);
    unique_destroy(unique);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_new_same_and_conflicting_ids_apart),
        cmocka_unit_test(forgets_an_id_that_was_refused_later_on),
        cmocka_unit_test(remembers_for_the_span_and_no_longer),
        cmocka_unit_test(a_clock_that_is_set_back_lets_no_id_expire_early),
        cmocka_unit_test(gives_memory_back_as_ids_expire),
        cmocka_unit_test(refuses_beyond_its_memory_and_recovers),
        cmocka_unit_test(agrees_with_a_naive_set_over_random_calls),
        cmocka_unit_test(restores_from_the_ledger),
        cmocka_unit_test(lets_one_thread_win_each_id),
        cmocka_unit_test(is_after_a_restart_what_it_was),
        cmocka_unit_test(a_checkpoint_it_cannot_use_leaves_it_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
