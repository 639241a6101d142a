/* Checkpoints that are written while batches are decided: what a service finds after kill -9 is the
 * state of the row that they end with, whatever was decided meanwhile. */
#include "engine/base/clock.h"
#include "tests/unit/engine/fixture.h"

#include "engine/base/thread.h"
#include "engine/checkpoint.h"

enum { USERS = 11, DAY = 130 /* events a day */, EVENTS = 3 * DAY };

static struct slice stream_event(char text[256], int n)
{
    char id[16], user[16];
    snprintf(id, sizeof id, "e%d", n);
    snprintf(user, sizeof user, "u%d", n * 5 % USERS);
    return event_text(text, id, user, 20 + n * 37 % 300, T0 + n * 11 * US_PER_MIN);
}

static void decide(struct bench *bench, int from, int to)
{
    char text[256];
    for (int i = from; i < to; i++) {
        const struct raw_event event = {.bytes = stream_event(text, i), .position.source = -1};
        bench_process(bench, &event, 1);
    }
}

/* What a kill -9 leaves, as another bench; it shares what the first was made of. */
static struct bench *killed(const struct bench *bench)
{
    char command[512];
    struct bench *found = calloc(1, sizeof *found);
    assert_non_null(found);
    *found = *bench;
    buffer_init(&found->text, 1u << 20);
    snprintf(found->ledger_dir, sizeof found->ledger_dir, "/tmp/binnacle-killed-XXXXXX");
    assert_non_null(mkdtemp(found->ledger_dir));
    found->parts.ledger_dir = found->ledger_dir;
    snprintf(command, sizeof command, "cp -r '%s'/. '%s' && rm -f '%s'/*-shm", bench->ledger_dir,
             found->ledger_dir, found->ledger_dir);
    assert_int_equal(system(command), 0);
    return found;
}

static void remove_killed(struct bench *found)
{
    char command[128];
    bench_stop(found);
    snprintf(command, sizeof command, "rm -rf '%s'", found->ledger_dir);
    assert_int_equal(system(command), 0);
    buffer_free(&found->text);
    free(found);
}

/* Everything again, and what comes next. */
static char *describe(struct bench *bench)
{
    char text[256];
    struct buffer out;
    buffer_init(&out, 1u << 20);
    for (int i = 0; i < EVENTS + 30; i++) {
        stream_event(text, i);
        const struct answer *answer = bench_send(bench, text);
        buffer_printf(&out, "\n%d %d", i, (int)answer->kind);
        for (int f = 0; answer->outcome && f < N_FEATURES; f++)
            buffer_printf(&out, " %a", (double)answer->outcome->features.values[f]);
    }
    char *made = strndup(out.data, out.size);
    buffer_free(&out);
    assert_non_null(made);
    return made;
}

static void damage_day(const struct bench *bench, const char *day)
{
    char path[256], junk[4096];
    memset(junk, 0x5a, sizeof junk);
    snprintf(path, sizeof path, "%s/%s.db", bench->ledger_dir, day);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    for (long at = 16384; at + 4096 <= size; at += 4096) {
        assert_int_equal(fseek(file, at, SEEK_SET), 0);
        assert_int_equal(fwrite(junk, 1, sizeof junk, file), sizeof junk);
    }
    assert_int_equal(fclose(file), 0);
}

struct traffic_thread {
    struct bench bench; /* with a worker of its own */
    int from, to;
    atomic_int *done;
};

/* In batches, and without waiting for the disk: nearly all the time in the middle of one. */
static void run_traffic(void *context)
{
    enum { BATCH = 40 };
    struct traffic_thread *traffic = context;
    struct bench *bench = &traffic->bench;
    char texts[BATCH][256];
    struct raw_event events[BATCH];
    struct error error = {0};
    for (int at = traffic->from; at < traffic->to; at += BATCH) {
        for (int i = 0; i < BATCH; i++)
            events[i] =
                (struct raw_event){.bytes = stream_event(texts[i], at + i), .position.source = -1};
        check(worker_process(bench->worker, events, BATCH, bench->answers, &error), &error);
    }
    check(worker_wait(bench->worker, &error), &error);
    atomic_fetch_add(traffic->done, 1);
}

/* Two workers decide, each on users of its own, while checkpoints are written. */
static int checkpoint_under_load(struct bench *bench)
{
    enum { WORKERS = 2, EACH = 12000 };
    struct traffic_thread traffic[WORKERS];
    struct thread *threads[WORKERS];
    struct error error = {0};
    atomic_int done = 0;
    int written = 0;
    for (int i = 0; i < WORKERS; i++) {
        traffic[i] = (struct traffic_thread){*bench, i * EACH, (i + 1) * EACH, &done};
        check(worker_create(bench->engine, &bench->options, &traffic[i].bench.worker, &error),
              &error);
        check(thread_start("traffic", run_traffic, &traffic[i], &threads[i], &error), &error);
    }
    do {
        enum status status = checkpoint_write(bench->engine, CHECKPOINT_ASIDE, &error);
        if (status == STATUS_UNAVAILABLE)
            continue; /* a slow machine's batch took long: refused, and tried again */
        check(status, &error);
        written++;
    } while (atomic_load(&done) < WORKERS || written == 0);
    for (int i = 0; i < WORKERS; i++) {
        thread_join(threads[i]);
        worker_destroy(traffic[i].bench.worker);
    }
    return written;
}

static void written_under_load_they_are_of_one_moment(void **state)
{
    (void)state;
    struct bench *bench = bench_create("30d");
    char *texts[2];
    bench->parts.event_time = false;
    bench->options.wait_for_room = true;
    bench_start(bench);
    clock_advance(bench->parts.clock, T0 + 30 * US_PER_DAY);
    assert_true(checkpoint_under_load(bench) > 1);
    for (int without = 0; without < 2; without++) {
        struct bench *found = killed(bench);
        if (without)
            bench_forget_checkpoints(found);
        bench_start(found);
        clock_advance(found->parts.clock, T0 + 30 * US_PER_DAY);
        texts[without] = describe(found);
        remove_killed(found);
    }
    assert_string_equal(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
    bench_destroy(bench);
}

static struct bench *with_a_checkpoint(void)
{
    struct error error = {0};
    struct bench *bench = bench_create("7d");
    bench_start(bench);
    decide(bench, 0, EVENTS - 20);
    check(checkpoint_write(bench->engine, CHECKPOINT_ASIDE, &error), &error);
    decide(bench, EVENTS - 20, EVENTS);
    return bench;
}

/* So the start after kill -9 has not looked at what is before the checkpoint. */
static void a_start_does_not_need_the_rows_before_it(void **state)
{
    (void)state;
    struct bench *bench = with_a_checkpoint();
    struct bench *whole = killed(bench), *damaged = killed(bench);
    bench_start(whole);
    char *expected = describe(whole);
    remove_killed(whole);
    damage_day(damaged, "2018-08-08");
    bench_start(damaged);
    char *text = describe(damaged);
    assert_string_equal(text, expected);
    remove_killed(damaged);
    free(text);
    free(expected);
    bench_destroy(bench);
}

/* Without a checkpoint the rows of the damaged day are missed, which is told; the rest is there. */
static void a_start_goes_on_past_a_damaged_day(void **state)
{
    (void)state;
    struct bench *bench = with_a_checkpoint();
    struct bench *found = killed(bench);
    struct ledger_stats stats;
    char note[128];
    bench_forget_checkpoints(found);
    damage_day(found, "2018-08-09");
    bench_start(found);
    ledger_stats(engine_ledger(found->engine), &stats);
    assert_int_equal(stats.tree_size, EVENTS);
    assert_int_equal(stats.damaged_files, 1);
    assert_true(stats.lost_rows > DAY / 2 && stats.lost_rows <= DAY + 1);
    assert_non_null(strstr(stats.damage, "2018-08-09"));
    snprintf(note, sizeof note, "%s/2018-08-09.db.damaged", found->ledger_dir);
    assert_int_equal(access(note, F_OK), 0);
    char text[256];
    for (int i = 0; i < 2; i++) { /* of the first day, and of the last */
        stream_event(text, i == 0 ? 3 : EVENTS - 3);
        assert_int_equal(bench_send(found, text)->kind, ANSWER_DUPLICATE);
    }
    stream_event(text, EVENTS + 1);
    assert_int_equal(bench_send(found, text)->kind, ANSWER_DECIDED);
    remove_killed(found);
    bench_destroy(bench);
}

static void one_that_is_given_up_leaves_the_one_before(void **state)
{
    (void)state;
    struct error error = {0};
    struct checkpoint_mark before, after;
    struct bench *bench = with_a_checkpoint();
    check(checkpoint_load_mark(bench->engine, &before, &error), &error);
    atomic_store(&bench->engine->ending, true);
    assert_int_equal(checkpoint_write(bench->engine, CHECKPOINT_ASIDE, &error), STATUS_UNAVAILABLE);
    atomic_store(&bench->engine->ending, false);
    check(checkpoint_load_mark(bench->engine, &after, &error), &error);
    assert_memory_equal(&before, &after, sizeof before);
    struct bench *found = killed(bench);
    damage_day(found, "2018-08-08");
    bench_start(found);
    remove_killed(found);
    check(checkpoint_write(bench->engine, CHECKPOINT_ASIDE, &error), &error);
    check(checkpoint_load_mark(bench->engine, &after, &error), &error);
    assert_true(after.tree_size == EVENTS && after.set != before.set);
    bench_destroy(bench);
}

static void a_batch_that_takes_long_is_not_waited_for(void **state)
{
    (void)state;
    struct error error = {0};
    struct bench *bench = with_a_checkpoint();
    gate_enter(&bench->engine->gate);
    assert_int_equal(checkpoint_write(bench->engine, CHECKPOINT_ASIDE, &error), STATUS_UNAVAILABLE);
    gate_leave(&bench->engine->gate);
    check(checkpoint_write(bench->engine, CHECKPOINT_ASIDE, &error), &error);
    bench_destroy(bench);
}

static void they_are_written_by_themselves(void **state)
{
    (void)state;
    struct error error = {0};
    struct checkpoint_mark mark = {.tree_size = 0};
    struct bench *bench = bench_create("7d");
    bench->parts.checkpoint_rows = 100;
    bench->parts.checkpoint_us = US_PER_DAY;
    bench_start(bench);
    decide(bench, 0, 99);
    pause_us(1300000);
    assert_int_equal(checkpoint_load_mark(bench->engine, &mark, &error), STATUS_NOT_FOUND);
    decide(bench, 99, 150);
    for (int i = 0; i < 1000 && mark.tree_size < 100; i++) {
        pause_us(20000);
        if (checkpoint_load_mark(bench->engine, &mark, &error) != STATUS_OK)
            mark.tree_size = 0;
    }
    assert_in_range(mark.tree_size, 100, 150);
    bench_destroy(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_under_load_they_are_of_one_moment),
        cmocka_unit_test(a_start_does_not_need_the_rows_before_it),
        cmocka_unit_test(a_start_goes_on_past_a_damaged_day),
        cmocka_unit_test(one_that_is_given_up_leaves_the_one_before),
        cmocka_unit_test(a_batch_that_takes_long_is_not_waited_for),
        cmocka_unit_test(they_are_written_by_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
