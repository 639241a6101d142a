/* Personal values met for the first time, while the disk does not take them: who must answer is
 * refused, who may wait waits, both are counted, and nothing is lost. */
#include "tests/unit/disk/disk.h"
#include "tests/unit/engine/record/fixture.h"

#include <unistd.h>

static bool is_over(void *context)
{
    return *(bool *)context;
}

/* New persons from number *next on, until `waiting` of them wait. */
static void meet(struct ledger *ledger, uint64_t *next, size_t waiting)
{
    char value[32], pseudonym[PSEUDONYM_SIZE];
    struct ledger_stats stats;
    for (ledger_stats(ledger, &stats); stats.subjects_waiting < waiting;
         ledger_stats(ledger, &stats)) {
        snprintf(value, sizeof value, "user-%llu", (unsigned long long)(*next)++);
        assert_int_equal(pseudonym_of(ledger_pseudonyms(ledger), slice_of(value), pseudonym),
                         STATUS_OK);
    }
}

static void what_finds_no_room_is_refused_or_waits_and_is_counted(void **state)
{
    bool over = false;
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger_options options = {.dir = *state,
                                     .clock = clock,
                                     .most_subjects = 1000,
                                     .interrupted = is_over,
                                     .context = &over};
    struct ledger *ledger = NULL;
    struct ledger_stats stats;
    struct error error = {0};
    char pseudonym[PSEUDONYM_SIZE];
    disk_watch(*state);
    assert_int_equal(ledger_open(&options, &ledger, &error), STATUS_OK);
    assert_int_equal(ledger_use_features(ledger, &FEATURES, &error), STATUS_OK);
    disk_hold_syncs("subjects.db-wal");
    ledger_stats(ledger, &stats);
    assert_int_equal(stats.subjects_capacity, 1000);
    assert_int_equal(stats.subjects_full, 0);
    uint64_t next = 0;
    meet(ledger, &next, 1);
    submit_decisions(ledger, 0, 1, DAY_ONE, 0, -1); /* the writer begins with them, and is held */
    while (disk_held() == 0)
        usleep(1000);
    meet(ledger, &next, stats.subjects_capacity / 2 + 1);
    assert_int_equal(ledger_reserve(ledger, 5, &error), STATUS_FULL);
    assert_non_null(strstr(error.message, "personal values"));
    ledger_stats(ledger, &stats);
    assert_int_equal(stats.subjects_full, 5);

    meet(ledger, &next, stats.subjects_capacity);
    over = true; /* a source that is told to end does not wait */
    assert_int_equal(pseudonym_of(ledger_pseudonyms(ledger), slice_of("one more"), pseudonym),
                     STATUS_END);
    ledger_stats(ledger, &stats);
    assert_int_equal(stats.subjects_full, 6);
    assert_int_equal(stats.subjects_waiting, stats.subjects_capacity);

    disk_hold_syncs(NULL);
    over = false;
    assert_int_equal(pseudonym_of(ledger_pseudonyms(ledger), slice_of("one more"), pseudonym),
                     STATUS_OK);
    flush_ledger(ledger);
    ledger_stats(ledger, &stats);
    assert_int_equal(stats.subjects_waiting, 0);
    assert_int_equal(ledger_reserve(ledger, 5, &error), STATUS_OK);
    ledger_unreserve(ledger, 5);
    close_ledger(ledger);
    disk_end();
    clock_destroy(clock);
}

int main(void)
{
    disk_register();
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_finds_no_room_is_refused_or_waits_and_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
