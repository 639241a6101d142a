/* Whoever waits is told what became of their own change, whatever comes before and after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alerts/saver.h"
#include "engine/base/clock.h"
#include "engine/base/thread.h"
#include "tests/unit/folder.h"

static const struct store_rule RULE = {"deep", {PHASE_FIRING, 11, 22, 33}, {.by = "ann"}};

/* What the saver is to write, and how that goes. */
struct source {
    struct store *store;
    struct saver *saver;
    struct lock held; /* collect() waits for it, as for a disk that hangs */
    atomic_int calls; /* of collect() so far */
    atomic_bool refuses, has_news;
    atomic_bool turns; /* each attempt that succeeds is followed at once by one that fails */
};

static enum status collect(void *context, struct store_changes *changes, struct error *error)
{
    struct source *source = context;
    bool fails = source->turns ? source->calls % 2 == 1 : source->refuses;
    lock_take(&source->held);
    lock_release(&source->held);
    if (source->turns && !fails)
        saver_wake(source->saver);
    source->calls++;
    if (fails)
        return error_set(error, STATUS_FULL, "no room");
    *changes = (struct store_changes){.rules = &RULE, .n_rules = source->has_news};
    return STATUS_OK;
}

static void done(void *context, bool stored)
{
    struct source *source = context;
    if (stored)
        source->has_news = false;
}

static int set_up(void **state)
{
    struct source *source = calloc(1, sizeof *source);
    struct error error;
    char path[FOLDER_PATH];
    assert_non_null(source);
    assert_int_equal(make_folder(state), 0);
    lock_init(&source->held, "held");
    const struct saver_source callbacks = {collect, done, source};
    assert_int_equal(store_open(folder_path("alerts.db", path), &source->store, &error), STATUS_OK);
    assert_int_equal(saver_start(source->store, &callbacks, NULL, &source->saver, &error),
                     STATUS_OK);
    *state = source;
    return 0;
}

static int tear_down(void **state)
{
    struct source *source = *state;
    saver_stop(source->saver);
    store_close(source->store);
    lock_destroy(&source->held);
    free(source);
    return remove_folder(state);
}

static enum status await(struct source *source, int64_t timeout_ms, struct error *error)
{
    return saver_await(source->saver, monotonic_ns() + timeout_ms * 1000000, error);
}

static void what_is_written_stays_so_when_the_next_attempt_fails(void **state)
{
    struct source *source = *state;
    struct error error;
    source->turns = true;
    /* Often, as who waits must find the second attempt at its end, too. */
    for (int i = 1; i <= 20; i++) {
        assert_int_equal(await(source, 60000, &error), STATUS_OK);
        while (source->calls < 2 * i)
            pause_us(100);
    }
}

static void a_refusal_is_told_and_tried_again(void **state)
{
    struct source *source = *state;
    struct error error;
    source->has_news = true;
    source->refuses = true;
    assert_int_equal(await(source, 60000, &error), STATUS_FULL);
    assert_string_equal(error.message, "no room");
    source->refuses = false;
    while (source->has_news) /* nobody asks again */
        pause_us(1000);
}

static void who_waits_too_long_is_told_and_it_is_still_written(void **state)
{
    struct source *source = *state;
    struct error error;
    source->has_news = true;
    lock_take(&source->held);
    assert_int_equal(await(source, 20, &error), STATUS_UNAVAILABLE);
    lock_release(&source->held);
    while (source->has_news)
        pause_us(1000);
}

static void what_is_left_at_the_end_is_written(void **state)
{
    struct source *source = *state;
    struct error error;
    struct machine machine;
    struct hold hold;
    assert_int_equal(await(source, 60000, &error), STATUS_OK);
    source->has_news = true; /* and nobody says so */
    saver_stop(source->saver);
    source->saver = NULL;
    assert_int_equal(store_read(source->store, "deep", &machine, &hold, &error), STATUS_OK);
    assert_int_equal(machine.phase, PHASE_FIRING);
    assert_string_equal(hold.by, "ann");
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_stays_so_when_the_next_attempt_fails),
        TEST(a_refusal_is_told_and_tried_again),
        TEST(who_waits_too_long_is_told_and_it_is_still_written),
        TEST(what_is_left_at_the_end_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
