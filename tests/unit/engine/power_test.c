/* The whole engine when the power fails: on a disk that forgets what was not synced, at any moment
 * of a run that decides, takes labels and writes checkpoints as it goes. What is found is taken up,
 * the stream goes on where the ledger says, and it all ends as the run that was not interrupted:
 * the same rows under the same root (windows and answers are in the rows), the same ids, the same
 * monitors. */
#include "tests/unit/disk/disk.h"
#include "tests/unit/engine/fixture.h"

#include <errno.h>

#include "engine/checkpoint.h"

enum { USERS = 7, BATCH = 16, STEPS = 20, CHECKPOINT_STEPS = 3, REPEATS = 20 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { FAILURES = 12 };
#else
enum { FAILURES = 60 };
#endif

struct report {
    size_t moment;
    uint64_t events;
};

struct run {
    struct bench *bench;
    struct report reports[STEPS];
    uint64_t decided[STEPS], labelled[STEPS]; /* rows after the step's batch, and after its label */
    size_t end;
    char *found; /* what the end looks like */
};

/* A few come late, a few twice, a few break the contract. */
static struct slice stream_event(char text[256], int n)
{
    char id[16], user[16];
    int which = n % 50 == 49 ? n - 40 : n;
    snprintf(id, sizeof id, "e%d", which);
    snprintf(user, sizeof user, "u%d", which * 5 % USERS);
    int64_t late_us = which % 11 == 3 ? 40 * US_PER_MIN : 0;
    return event_text(text, id, user, n % 37 == 5 ? -1 : 20 + which * 37 % 300,
                      T0 + which * 11 * US_PER_MIN - late_us);
}

static void decide(struct bench *bench, int from, int to)
{
    char texts[BATCH][256];
    struct raw_event events[BATCH];
    size_t n = 0;
    for (int i = from; i < to; i++, n++)
        events[n] = (struct raw_event){.bytes = stream_event(texts[n], i),
                                       .position = {engine_source(bench->engine, 0), 0, i + 1}};
    bench_process(bench, events, n);
}

static uint64_t rows(const struct bench *bench)
{
    struct ledger_stats stats;
    ledger_stats(engine_ledger(bench->engine), &stats);
    return stats.tree_size;
}

static void label_one(struct bench *bench, int step)
{
    struct error error = {0};
    char id[16];
    int which = step * BATCH;
    snprintf(id, sizeof id, "e%d", which % 37 == 5 ? which + 2 : which);
    check(engine_label(bench->engine, slice_of(id), step % 2, T0 + US_PER_DAY, &error), &error);
    check(ledger_flush(engine_ledger(bench->engine), 10000, &error), &error);
}

static void save(struct bench *bench)
{
    struct error error = {0};
    check(checkpoint_write(bench->engine, CHECKPOINT_HERE, &error), &error);
}

static void describe_monitors(struct bench *bench, struct buffer *out)
{
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    assert_non_null(snapshot);
    engine_fill(bench->engine, snapshot);
    for (int i = 0; i < snapshot->n_drift; i++)
        buffer_printf(out, "%s %.17g %llu\n", snapshot->drift[i].feature, snapshot->drift[i].psi,
                      (unsigned long long)snapshot->drift[i].n);
    for (int i = 0; i < snapshot->n_slos; i++)
        buffer_printf(out, "%s %.17g\n", snapshot->slos[i].name, snapshot->slos[i].attainment);
    for (int i = 0; i < 32; i++)
        buffer_printf(out, "%02x", snapshot->root[i]);
    free(snapshot);
}

/* Ids of everything, and the windows once more: events again, then new ones. */
static void describe_answers(struct bench *bench, struct buffer *out)
{
    char text[256];
    for (int i = 0; i < STEPS * BATCH + REPEATS; i++) {
        const struct raw_event event = {.bytes = stream_event(text, i), .position.source = -1};
        bench_process(bench, &event, 1);
        const struct answer *answer = &bench->answers[0];
        buffer_printf(out, "\n%d %llu", (int)answer->kind,
                      (unsigned long long)answer->ledger_index);
        for (int f = 0; answer->outcome && f < N_FEATURES; f++)
            buffer_printf(out, " %a", (double)answer->outcome->features.values[f]);
    }
}

static char *describe(struct bench *bench)
{
    struct buffer out;
    buffer_init(&out, 1u << 20);
    describe_monitors(bench, &out);
    describe_answers(bench, &out);
    describe_monitors(bench, &out);
    char *text = strndup(out.data, out.size);
    buffer_free(&out);
    assert_non_null(text);
    return text;
}

static struct run *run_create(enum disk_syncing syncing)
{
    struct run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    struct bench *bench = run->bench = bench_create("7d");
    bench_start(bench);
    bench_stop(bench); /* has made the keys */
    bench_forget_checkpoints(bench);
    disk_watch(bench->ledger_dir);
    disk_set_syncing(syncing);
    bench_start(bench);
    for (int step = 0; step < STEPS; step++) {
        decide(bench, step * BATCH, (step + 1) * BATCH);
        run->reports[step] = (struct report){disk_moment(), (uint64_t)(step + 1) * BATCH};
        run->decided[step] = rows(bench);
        label_one(bench, step);
        run->labelled[step] = rows(bench);
        if (step % CHECKPOINT_STEPS == 1)
            save(bench);
    }
    run->end = disk_moment();
    run->found = describe(bench);
    return run;
}

static int run_destroy(void **state)
{
    struct run *run = *state;
    disk_end();
    bench_destroy(run->bench);
    free(run->found);
    free(run);
    return 0;
}

static uint64_t reported(const struct run *run, size_t moment)
{
    uint64_t events = 0;
    for (size_t i = 0; i < STEPS && run->reports[i].moment <= moment; i++)
        events = run->reports[i].events;
    return events;
}

/* The rest of the stream, and the label that a batch may still wait for. */
static void go_on(const struct run *run, struct bench *bench)
{
    int64_t position = engine_position(bench->engine, 0, 0);
    int done = position > 0 ? (int)position : 0;
    for (int step = done > 0 ? (done - 1) / BATCH : 0; step < STEPS; step++) {
        int end = (step + 1) * BATCH;
        if (done < end)
            decide(bench, done > step * BATCH ? done : step * BATCH, end);
        if (rows(bench) == run->decided[step])
            label_one(bench, step);
    }
}

/* How many bytes are the same, from the beginning of the line that the first other one is in. */
static size_t equal_lines(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] && a[n] == b[n])
        n++;
    while (n > 0 && (a[n] || b[n]) && a[n - 1] != '\n')
        n--;
    return n;
}

/* Takes up what is in the folder and goes on to the end. NULL, or what is not as it should be, to
 * be freed. */
static char *go_on_in(struct run *run, const char *at, uint64_t least)
{
    struct bench found = *run->bench;
    char *wrong = NULL;
    snprintf(found.ledger_dir, sizeof found.ledger_dir, "%s", at);
    found.parts.ledger_dir = found.ledger_dir;
    buffer_init(&found.text, 1u << 20);
    bench_start(&found);
    uint64_t position = (uint64_t)(engine_position(found.engine, 0, 0) + 1);
    if (position < least + (position > 0)) {
        assert_true(asprintf(&wrong, "%llu events of %llu that were reported",
                             (unsigned long long)position, (unsigned long long)least) > 0);
    } else {
        go_on(run, &found);
        char *text = describe(&found);
        size_t at_byte = equal_lines(text, run->found);
        if (text[at_byte] || run->found[at_byte])
            assert_true(asprintf(&wrong,
                                 "%llu events were there; in the end, byte %zu: %.150s ... %.150s",
                                 (unsigned long long)position, at_byte, text + at_byte,
                                 run->found + at_byte) > 0);
        free(text);
    }
    bench_stop(&found);
    buffer_free(&found.text);
    return wrong;
}

static void make_image(size_t moment, enum disk_crash crash, uint64_t seed, char at[80])
{
    snprintf(at, 80, "/dev/shm/binnacle-engine-XXXXXX");
    assert_non_null(mkdtemp(at));
    disk_image(moment, crash, seed, at);
}

static void remove_image(const char *at)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", at);
    assert_int_equal(system(command), 0);
}

static char *fail_at(struct run *run, size_t moment, enum disk_crash crash, uint64_t seed)
{
    char at[80];
    make_image(moment, crash, seed, at);
    char *wrong = go_on_in(run, at, reported(run, moment));
    remove_image(at);
    return wrong;
}

static size_t moment_of(const struct run *run, size_t i, size_t n)
{
    return (size_t)((double)run->end * ((double)i + 0.5) / (double)n);
}

static void whenever_the_power_fails_it_ends_as_if_it_had_not(void **state)
{
    struct run *run = *state = run_create(SYNCING_WORKS);
    for (size_t i = 0; i < FAILURES; i++) {
        enum disk_crash crash = (enum disk_crash)(i % 3);
        char *wrong = fail_at(run, moment_of(run, i, FAILURES), crash, i);
        if (wrong)
            fail_msg("failure %zu at %zu of %zu: %s", i, moment_of(run, i, FAILURES), run->end,
                     wrong);
    }
}

/* The log of the newest day. */
static FILE *open_log(const char *at, long *size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/2018-08-10.db-wal", at);
    FILE *log = fopen(path, "r+");
    assert_non_null(log);
    assert_int_equal(fseek(log, 0, SEEK_END), 0);
    *size = ftell(log);
    return log;
}

static void flip_bit(const char *at, double place)
{
    long size;
    FILE *log = open_log(at, &size);
    long offset = (long)((double)size * place);
    assert_int_equal(fseek(log, offset, SEEK_SET), 0);
    int byte = fgetc(log);
    assert_int_equal(fseek(log, offset, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 8, log), byte ^ 8);
    assert_int_equal(fclose(log), 0);
}

/* What comes after the flipped bit is not believed; the source has it still, and it is decided
 * again as it was. */
static void a_flipped_bit_in_the_log_costs_no_more_than_what_came_after_it(void **state)
{
    enum { PLACES = 12 };
    struct run *run = *state = run_create(SYNCING_WORKS);
    for (int i = 0; i < PLACES; i++) {
        char at[80];
        make_image(run->end, CRASH_KEPT, 0, at);
        flip_bit(at, ((double)i + 0.5) / PLACES);
        char *wrong = go_on_in(run, at, 0);
        if (wrong)
            fail_msg("place %d of %d: %s", i, PLACES, wrong);
        remove_image(at);
    }
}

static void a_torn_last_page_is_as_if_never_written(void **state)
{
    static const long cut[] = {1, 23, 24, 100, 8191, 16383, 16407, 16408, 20000};
    struct run *run = *state = run_create(SYNCING_WORKS);
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        char at[80];
        long size;
        make_image(run->end, CRASH_KEPT, 0, at);
        FILE *log = open_log(at, &size);
        assert_true(size > cut[i]);
        assert_int_equal(ftruncate(fileno(log), size - cut[i]), 0);
        assert_int_equal(fclose(log), 0);
        char *wrong = go_on_in(run, at, 0);
        if (wrong)
            fail_msg("%ld bytes less: %s", cut[i], wrong);
        remove_image(at);
    }
}

/* An engine cannot start on a file that cannot be read, says which it is, and starts when it can.
 */
static void a_newest_file_that_cannot_be_read_is_named(void **state)
{
    struct run *run = *state = run_create(SYNCING_WORKS);
    struct engine_parts parts = run->bench->parts;
    struct error error = {0};
    struct engine *engine = NULL;
    char at[80];
    make_image(run->end, CRASH_KEPT, 0, at);
    disk_end();
    disk_watch(at);
    disk_fail(&(struct disk_fault){
        .call = CALL_READ, .name = "2018-08-10.db", .times = 1000000, .error = EIO});
    parts.ledger_dir = at;
    parts.clock = clock_create_event(0);
    assert_int_not_equal(engine_create(&parts, &engine, &error), STATUS_OK);
    assert_non_null(strstr(error.message, "2018-08-10.db"));
    clock_destroy(parts.clock);
    disk_end();
    char *wrong = go_on_in(run, at, (uint64_t)STEPS * BATCH);
    if (wrong)
        fail_msg("%s", wrong);
    remove_image(at);
}

/* The control: on a disk that does not sync, rows that were reported are found to be lost. */
static void with_synchronous_off_it_is_noticed(void **state)
{
    enum { TRIES = 8 };
    struct run *run = *state = run_create(SYNCING_OFF);
    size_t noticed = 0;
    for (size_t i = 0; i < TRIES; i++) {
        char *wrong = fail_at(run, moment_of(run, i, TRIES), CRASH_LOST, i);
        noticed += wrong != NULL;
        free(wrong);
    }
    assert_true(noticed >= TRIES / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(whenever_the_power_fails_it_ends_as_if_it_had_not, run_destroy),
        cmocka_unit_test_teardown(a_flipped_bit_in_the_log_costs_no_more_than_what_came_after_it,
                                  run_destroy),
        cmocka_unit_test_teardown(a_torn_last_page_is_as_if_never_written, run_destroy),
        cmocka_unit_test_teardown(a_newest_file_that_cannot_be_read_is_named, run_destroy),
        cmocka_unit_test_teardown(with_synchronous_off_it_is_noticed, run_destroy),
    };
    disk_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
