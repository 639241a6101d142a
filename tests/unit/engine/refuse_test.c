/* A ledger that cannot take more: events are refused whole, counted as answers that nobody got, and
 * decided when they are sent again. The disk is made to refuse by holding the day file's lock. */
#include "engine/base/clock.h"
#include "tests/unit/engine/fixture.h"

#include "engine/base/db.h"

static struct bench *start(int64_t queue_rows)
{
    struct bench *bench = bench_create("7d");
    bench->parts.queue_rows = queue_rows;
    bench->options.wait_for_room = false;
    bench_start(bench);
    return bench;
}

/* Whoever holds this keeps the writer from committing to the first day's file. */
static struct db *lock_day(const struct bench *bench)
{
    char path[128];
    struct error error = {0};
    struct db *db;
    snprintf(path, sizeof path, "%s/2018-08-08.db", bench->ledger_dir);
    check(db_open(path, DB_WRITE, DB_SYNC_OFF, &db, &error), &error);
    check(db_begin(db, &error), &error);
    return db;
}

static void unlock_day(struct db *db)
{
    db_rollback(db);
    db_close(db);
}

static void wait_until_written(struct bench *bench)
{
    struct error error = {0};
    enum status status = STATUS_IO;
    for (int tries = 0; tries < 400 && status != STATUS_OK; tries++) {
        status = ledger_flush(engine_ledger(bench->engine), 1000, &error);
        if (status != STATUS_OK)
            pause_us(50000);
    }
    check(status, &error);
}

/* Without waiting for the disk. */
static enum answer_kind pay(struct bench *bench, const char *id)
{
    char text[256];
    struct error error = {0};
    const struct raw_event event = {.bytes = event_text(text, id, "ann", 1, T0),
                                    .position.source = -1};
    check(worker_process(bench->worker, &event, 1, bench->answers, &error), &error);
    return bench->answers[0].kind;
}

static uint64_t errors_counted(struct bench *bench)
{
    struct snapshot *snapshot = snapshot_create();
    assert_non_null(snapshot);
    engine_fill(bench->engine, snapshot);
    uint64_t n = snapshot->error_total;
    snapshot_release(snapshot);
    return n;
}

static void the_smallest_queue_that_can_be_configured_takes_events(void **state)
{
    (void)state;
    struct bench *bench = start(1024);
    assert_int_equal(pay(bench, "e1"), ANSWER_DECIDED);
    bench_destroy(bench);
}

static void a_full_queue_refuses_whole_and_takes_the_event_when_there_is_room(void **state)
{
    (void)state;
    struct error error = {0};
    struct ledger_stats stats;
    struct bench *bench = start(1024);
    assert_int_equal(pay(bench, "first"), ANSWER_DECIDED);
    check(worker_wait(bench->worker, &error), &error);
    struct db *db = lock_day(bench);
    int n = 0;
    enum answer_kind kind = ANSWER_DECIDED;
    while (kind == ANSWER_DECIDED) {
        char id[16];
        snprintf(id, sizeof id, "e%d", n);
        kind = pay(bench, id);
        n += kind == ANSWER_DECIDED;
        assert_in_range(n, 0, 1024);
    }
    assert_int_equal(kind, ANSWER_REFUSED);
    ledger_stats(engine_ledger(bench->engine), &stats);
    assert_true(stats.queue_rows >= 512 || stats.health != LEDGER_OK);
    assert_true(bench->answers[0].ledger_index == UINT64_MAX);
    assert_null(bench->answers[0].outcome);
    struct json *json = bench_answer(bench, &bench->answers[0]);
    assert_int_equal((int)json_as_number(json_get(json, "status"), 0), 503);
    json_destroy(json);
    assert_int_equal(errors_counted(bench), 1);

    unlock_day(db);
    wait_until_written(bench);
    char id[16];
    snprintf(id, sizeof id, "e%d", n);
    assert_int_equal(pay(bench, id), ANSWER_DECIDED); /* not known, not in any window */
    assert_feature(&bench->answers[0], COUNT_1H, n + 2);
    assert_int_equal(bench->answers[0].ledger_index, n + 1);
    check(worker_wait(bench->worker, &error), &error);
    bench_destroy(bench);
}

static void wait_until_unhealthy(struct bench *bench)
{
    struct ledger_stats stats = {0};
    for (int tries = 0; tries < 400 && stats.health == LEDGER_OK; tries++) {
        pause_us(50000);
        ledger_stats(engine_ledger(bench->engine), &stats);
    }
    assert_int_equal(stats.health, LEDGER_RETRYING);
}

/* As the snapshot has it; the alert about it asks for 0 to be over. */
static double not_written_s(struct bench *bench)
{
    struct snapshot *snapshot = snapshot_create();
    assert_non_null(snapshot);
    engine_fill(bench->engine, snapshot);
    double seconds = snapshot->record.not_written_s;
    snapshot_release(snapshot);
    return seconds;
}

static void a_disk_that_refuses_is_told_to_callers_and_gets_over_it(void **state)
{
    (void)state;
    struct error error = {0};
    struct bench *bench = start(65536);
    assert_int_equal(pay(bench, "e1"), ANSWER_DECIDED);
    check(worker_wait(bench->worker, &error), &error);
    assert_float_equal(not_written_s(bench), 0, 0);
    struct db *db = lock_day(bench);
    assert_int_equal(pay(bench, "e2"), ANSWER_DECIDED); /* queued; nobody could know yet */
    wait_until_unhealthy(bench);
    assert_int_equal(worker_wait(bench->worker, &error), STATUS_IO);
    assert_int_equal(pay(bench, "e3"), ANSWER_REFUSED);
    assert_true(not_written_s(bench) > 0);
    unlock_day(db);
    wait_until_written(bench);
    assert_float_equal(not_written_s(bench), 0, 0);       /* known to be over, not unknown */
    assert_int_equal(pay(bench, "e2"), ANSWER_DUPLICATE); /* it was kept and is written now */
    assert_int_equal(bench->answers[0].ledger_index, 1);
    assert_int_equal(pay(bench, "e3"), ANSWER_DECIDED);
    assert_int_equal(bench->answers[0].ledger_index, 2);
    assert_feature(&bench->answers[0], COUNT_1H, 3);
    check(worker_wait(bench->worker, &error), &error);
    bench_destroy(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_queue_that_can_be_configured_takes_events),
        cmocka_unit_test(a_full_queue_refuses_whole_and_takes_the_event_when_there_is_room),
        cmocka_unit_test(a_disk_that_refuses_is_told_to_callers_and_gets_over_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
