/* Room that is promised, and what may be reported before it is on the disk. */
#include "engine/base/clock.h"
#include "tests/unit/engine/record/fixture.h"

#define QUEUE 50

static struct clock *wall;

static int set_up(void **state)
{
    *state = folder_create();
    wall = clock_create_event(DAY_ONE);
    return 0;
}

static int tear_down(void **state)
{
    folder_remove(*state);
    clock_destroy(wall);
    return 0;
}

/* Its writer gathers for two seconds, so that nothing leaves the queue meanwhile. */
static struct ledger *open_slow(const char *dir, int64_t batch_us)
{
    struct ledger *ledger = NULL;
    struct error error;
    const struct ledger_options options = {
        .dir = dir, .clock = wall, .queue_rows = QUEUE, .group_ms = 2000, .batch_us = batch_us};
    assert_int_equal(ledger_open(&options, &ledger, &error), STATUS_OK);
    return ledger;
}

static enum status submit(struct ledger *ledger, size_t n, unsigned flags, uint64_t *ticket)
{
    struct ledger_entry entries[QUEUE];
    struct error error;
    memset(entries, 0, sizeof entries);
    for (size_t i = 0; i < n; i++) {
        entries[i].kind = ENTRY_POSITION;
        entries[i].position = (struct position){-1, 0, 0};
    }
    return ledger_submit(ledger, entries, n, flags, ticket, &error);
}

static void room_that_is_kept_is_nobody_elses(void **state)
{
    struct ledger *ledger = open_slow(*state, 0);
    struct error error;
    struct ledger_stats stats;
    assert_int_equal(ledger_reserve(ledger, 30, &error), STATUS_OK);
    assert_int_equal(ledger_reserve(ledger, 21, &error), STATUS_FULL);
    assert_int_equal(submit(ledger, 21, SUBMIT_REFUSE, NULL), STATUS_FULL);
    assert_int_equal(submit(ledger, 20, SUBMIT_REFUSE, NULL), STATUS_OK);
    assert_int_equal(submit(ledger, 10, SUBMIT_RESERVED, NULL), STATUS_OK); /* never waits */
    assert_int_equal(submit(ledger, 1, SUBMIT_REFUSE, NULL), STATUS_FULL);
    ledger_unreserve(ledger, 20);
    assert_int_equal(submit(ledger, 20, SUBMIT_REFUSE, NULL), STATUS_OK);
    assert_int_equal(submit(ledger, 1, SUBMIT_REFUSE, NULL), STATUS_FULL);
    ledger_stats(ledger, &stats);
    assert_int_equal(stats.queue_rows, QUEUE);
    assert_int_equal(stats.refused, 21 + 21 + 1 + 1);
    close_ledger(ledger);
}

static void with_durability_commit_nothing_is_reported_before_it_is_on_the_disk(void **state)
{
    struct ledger *ledger = open_slow(*state, 0);
    struct error error;
    uint64_t ticket;
    assert_int_equal(submit(ledger, 1, SUBMIT_REFUSE, &ticket), STATUS_OK);
    assert_int_equal(ledger_settle(ledger, ticket, 50, &error), STATUS_UNAVAILABLE);
    assert_int_equal(ledger_settle(ledger, ticket, 10000, &error), STATUS_OK);
    assert_int_equal(ledger_wait(ledger, ticket, 0, &error), STATUS_OK);
    close_ledger(ledger);
}

static void with_durability_batch_no_more_than_that_is_reported_early(void **state)
{
    struct ledger *ledger = open_slow(*state, 300000);
    struct error error;
    uint64_t first, second;
    assert_int_equal(submit(ledger, 1, SUBMIT_REFUSE, &first), STATUS_OK);
    assert_int_equal(ledger_settle(ledger, first, 0, &error), STATUS_OK);
    assert_int_equal(ledger_wait(ledger, first, 0, &error), STATUS_UNAVAILABLE);
    pause_us(400000);
    /* The first has waited too long: the second is new, and is not reported all the same. */
    assert_int_equal(submit(ledger, 1, SUBMIT_REFUSE, &second), STATUS_OK);
    assert_int_equal(ledger_settle(ledger, second, 50, &error), STATUS_UNAVAILABLE);
    flush_ledger(ledger);
    assert_int_equal(submit(ledger, 1, SUBMIT_REFUSE, &second), STATUS_OK);
    assert_int_equal(ledger_settle(ledger, second, 0, &error), STATUS_OK);
    close_ledger(ledger);
}

static void tells_how_long_a_group_takes(void **state)
{
    struct ledger *ledger = open_slow(*state, 0);
    struct ledger_stats stats;
    ledger_stats(ledger, &stats);
    assert_int_equal(stats.commit_us, 0);
    assert_int_equal(stats.wait_us, 0);
    assert_int_equal(submit(ledger, 1, SUBMIT_REFUSE, NULL), STATUS_OK);
    flush_ledger(ledger);
    ledger_stats(ledger, &stats);
    assert_true(stats.commit_us > 0);
    assert_int_equal(stats.wait_us, 0); /* nothing waits */
    assert_int_equal(stats.stops, 0);
    assert_int_equal(stats.stopped_us, 0);
    close_ledger(ledger);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(room_that_is_kept_is_nobody_elses),
        T(with_durability_commit_nothing_is_reported_before_it_is_on_the_disk),
        T(with_durability_batch_no_more_than_that_is_reported_early),
        T(tells_how_long_a_group_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
