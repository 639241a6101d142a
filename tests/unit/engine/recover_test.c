/* A service that was stopped goes on as if it had not been: the same answers to what comes next,
 * whether it finds its checkpoints or only the ledger. */
#include "tests/unit/engine/fixture.h"

enum { USERS = 7, BEFORE = 300, AFTER = 60, LABELLED = 40 };

/* The n-th event of a stream in which everything follows from n; a few come late, a few twice. */
static struct slice stream_event(char text[256], int n)
{
    char id[16], user[16];
    int which = n % 50 == 49 && n > 60 ? n - 60 : n;
    snprintf(id, sizeof id, "e%d", which);
    snprintf(user, sizeof user, "u%d", which * 5 % USERS);
    int64_t late_us = which % 11 == 3 ? 40 * US_PER_MIN : 0;
    return event_text(text, id, user, 20 + which * 37 % 300,
                      T0 + which * 11 * US_PER_MIN - late_us);
}

static void process_stream(struct bench *bench, int from, int to)
{
    enum { BATCH = 16 };
    char texts[BATCH][256];
    struct raw_event events[BATCH];
    while (from < to) {
        int n = 0;
        for (; n < BATCH && from < to; n++, from++)
            events[n] = (struct raw_event){
                .bytes = stream_event(texts[n], from),
                .position = {engine_source(bench->engine, 0), 0, from + 1},
            };
        bench_process(bench, events, (size_t)n);
    }
}

static void label_some(struct bench *bench)
{
    struct error error = {0};
    for (int i = 0; i < LABELLED; i++) {
        char id[16];
        snprintf(id, sizeof id, "e%d", i);
        check(engine_label(bench->engine, slice_of(id), i % 3 == 0, T0 + US_PER_DAY, &error),
              &error);
    }
    check(ledger_flush(engine_ledger(bench->engine), 10000, &error), &error);
}

static uint64_t bits_of(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* What is answered to the rest of the stream, as text; the caller frees it. */
static char *answers_to_the_rest(struct bench *bench)
{
    struct buffer out;
    buffer_init(&out, 1u << 20);
    for (int i = BEFORE; i < BEFORE + AFTER; i++) {
        process_stream(bench, i, i + 1);
        const struct answer *answer = &bench->answers[0];
        buffer_printf(&out, "%d %d %llu", i, (int)answer->kind,
                      (unsigned long long)answer->ledger_index);
        for (int f = 0; answer->outcome && f < N_FEATURES; f++)
            buffer_printf(&out, " %08llx",
                          (unsigned long long)bits_of(answer->outcome->features.values[f]));
        buffer_append_char(&out, '\n');
    }
    char *text = strndup(out.data, out.size);
    buffer_free(&out);
    assert_non_null(text);
    return text;
}

static struct bench *up_to_the_stop(void)
{
    struct bench *bench = bench_create("7d");
    bench_start(bench);
    process_stream(bench, 0, BEFORE);
    label_some(bench);
    return bench;
}

static void restart(struct bench *bench, bool with_checkpoints)
{
    int64_t now_us = clock_now_us(bench->parts.clock);
    bench_stop(bench);
    if (!with_checkpoints)
        bench_forget_checkpoints(bench);
    bench_start(bench);
    assert_int_equal(clock_now_us(bench->parts.clock), now_us);
    assert_int_equal(engine_position(bench->engine, 0, 0), BEFORE);
}

static void goes_on_as_if_never_stopped(void **state)
{
    (void)state;
    struct bench *bench = up_to_the_stop();
    char *expected = answers_to_the_rest(bench);
    assert_non_null(strstr(expected, "349 1 285")); /* one is known from before the stop */
    bench_destroy(bench);
    for (int with_checkpoints = 0; with_checkpoints < 2; with_checkpoints++) {
        bench = up_to_the_stop();
        restart(bench, with_checkpoints);
        char *text = answers_to_the_rest(bench);
        assert_string_equal(text, expected);
        free(text);
        bench_destroy(bench);
    }
    free(expected);
}

static void knows_the_labels_of_before(void **state)
{
    (void)state;
    double risk[3];
    for (int i = 0; i < 3; i++) { /* never stopped, with checkpoints, without */
        struct bench *bench = bench_create("7d");
        struct error error = {0};
        bench_start(bench);
        bench_pay(bench, "e1", "ann", 1, T0);
        bench_pay(bench, "e2", "ann", 1, T0 + 1);
        check(engine_label(bench->engine, slice_of("e2"), 1, T0 + 2, &error), &error);
        bench_pay(bench, "e3", "bob", 1, T0 + US_PER_HOUR);
        if (i > 0) {
            bench_stop(bench);
            if (i == 2)
                bench_forget_checkpoints(bench);
            bench_start(bench);
        }
        bench_pay(bench, "e4", "ann", 1, T0 + US_PER_DAY + 1);
        risk[i] = (double)bench->answers[0].outcome->features.values[RISK];
        bench_destroy(bench);
    }
    for (int i = 0; i < 3; i++)
        assert_float_equal(risk[i], 0.5, 0);
}

static void the_clock_goes_on_where_it_stood_when_ids_are_not_kept(void **state)
{
    (void)state;
    for (int with_checkpoints = 0; with_checkpoints < 2; with_checkpoints++) {
        struct bench *bench = bench_create("0s");
        bench_start(bench);
        bench_pay(bench, "e1", "ann", 1, T0);
        bench_pay(bench, "e1", "ann", 1, T0 + US_PER_HOUR);
        bench_stop(bench);
        if (!with_checkpoints)
            bench_forget_checkpoints(bench);
        bench_start(bench);
        assert_int_equal(clock_now_us(bench->parts.clock), T0 + US_PER_HOUR);
        const struct answer *answer = bench_pay(bench, "e2", "ann", 1, T0 + 30 * US_PER_DAY);
        assert_int_equal(answer->kind, ANSWER_QUARANTINED);
        bench_destroy(bench);
    }
}

static void damage(const struct bench *bench, const char *name)
{
    char path[128];
    bench_checkpoint(bench, name, path);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 100, SEEK_SET), 0);
    assert_int_equal(fwrite("damaged!", 1, 8, file), 8);
    assert_int_equal(fclose(file), 0);
}

static void a_damaged_checkpoint_costs_time_only(void **state)
{
    (void)state;
    struct bench *bench = up_to_the_stop();
    char *expected = answers_to_the_rest(bench);
    bench_destroy(bench);
    for (int i = 0; i < N_CHECKPOINTS; i++) {
        bench = up_to_the_stop();
        bench_stop(bench);
        damage(bench, checkpoints[i]);
        bench_start(bench);
        char *text = answers_to_the_rest(bench);
        assert_string_equal(text, expected);
        free(text);
        bench_destroy(bench);
    }
    free(expected);
}

static void run_command(const char *command)
{
    assert_int_equal(system(command), 0);
}

/* The record is put back as it was after half of the events, the checkpoints are of the end. */
static void checkpoints_of_rows_that_the_ledger_does_not_have_are_not_used(void **state)
{
    (void)state;
    enum { HALF = BEFORE / 2 };
    struct bench *bench = bench_create("7d");
    bench_start(bench);
    process_stream(bench, 0, BEFORE);
    char *expected = answers_to_the_rest(bench);
    bench_destroy(bench);
    bench = bench_create("7d");
    char command[512];
    bench_start(bench);
    process_stream(bench, 0, HALF);
    bench_stop(bench);
    snprintf(command, sizeof command, "cp -r %s %s-copy", bench->ledger_dir, bench->ledger_dir);
    run_command(command);
    bench_start(bench);
    process_stream(bench, HALF, BEFORE);
    bench_stop(bench);
    snprintf(command, sizeof command, "rm %s/*.db* && cp %s-copy/*.db %s", bench->ledger_dir,
             bench->ledger_dir, bench->ledger_dir);
    run_command(command);
    bench_start(bench);
    assert_int_equal(engine_position(bench->engine, 0, 0), HALF);
    process_stream(bench, HALF, BEFORE);
    char *text = answers_to_the_rest(bench);
    assert_string_equal(text, expected);
    free(text);
    bench_destroy(bench);
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_as_if_never_stopped),
        cmocka_unit_test(knows_the_labels_of_before),
        cmocka_unit_test(the_clock_goes_on_where_it_stood_when_ids_are_not_kept),
        cmocka_unit_test(a_damaged_checkpoint_costs_time_only),
        cmocka_unit_test(checkpoints_of_rows_that_the_ledger_does_not_have_are_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
