/* The ledger written: indexes without gaps, files by day, restarts, refusals, many threads. */
#include <poll.h>

#include "tests/unit/engine/record/fixture.h"

#include <math.h>
#include <pthread.h>
#include <sys/stat.h>

#include "engine/base/db.h"
#include "engine/record/tree.h"

static uint64_t tree_size_of(struct ledger *ledger)
{
    struct ledger_stats stats;
    ledger_stats(ledger, &stats);
    return stats.tree_size;
}

static void gives_consecutive_indexes_and_reads_every_field_back(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct error error;
    struct sample sample;
    int source;
    uint64_t ticket;
    assert_int_equal(ledger_source(ledger, "file", &source), STATUS_OK);
    for (uint64_t n = 0; n < 7; n++) {
        struct ledger_entry entry = sample_decision(&sample, n + 40, DAY_ONE + (int64_t)n, source);
        assert_int_equal(ledger_submit(ledger, &entry, 1, SUBMIT_REFUSE, &ticket, &error),
                         STATUS_OK);
        assert_int_equal(entry.index, n);
        assert_int_equal(sample.outcome.ledger_index, n);
    }
    assert_int_equal(ledger_wait(ledger, ticket, 10000, &error), STATUS_OK);
    struct reader *reader = open_reader(*state);
    struct ledger_row row;
    assert_int_equal(reader_row(reader, 5, &row, &error), STATUS_OK);
    assert_int_equal(row.kind, ROW_DECISION);
    assert_int_equal(row.at_us, DAY_ONE + 5);
    assert_int_equal(row.event_us, DAY_ONE);
    assert_true(slice_is(row.source, "file"));
    assert_int_equal(row.offset, 46);
    sample_decision(&sample, 45, DAY_ONE + 5, source);
    assert_true(slice_is(row.event_id, sample.id));
    assert_true(slice_is(row.entity, sample.entity));
    assert_true(slice_is(row.input, sample.input));
    assert_true(slice_is(row.contract, "payments"));
    assert_true(slice_is(row.contract_version, "7"));
    assert_int_equal(row.n_features, 3);
    assert_true(row.features[0] == 45.0f && isnan(row.features[2]));
    assert_string_equal(row.names->names[1], "count_1d");
    assert_true(row.score == sample.outcome.score && row.margin == sample.outcome.margin);
    assert_int_equal(row.decision, sample.outcome.decision);
    assert_true(slice_is(row.rule, sample.outcome.rule));
    assert_int_equal(row.n_reasons, 2);
    assert_true(slice_is(row.reasons[1].code, "R-ODD"));
    assert_true(row.reasons[1].contribution == -0.5f && isnan(row.reasons[1].value));
    assert_true(slice_is(row.model, "fraud") && slice_is(row.model_version, "3"));
    assert_int_equal(row.variant, VARIANT_CHAMPION);
    assert_int_equal(row.n_shadows, 1);
    assert_true(slice_is(row.shadows[0].version, "4") && row.shadows[0].score == 0.125f);
    assert_memory_equal(row.trace_id, sample.outcome.trace_id, 16);
    assert_int_equal(row.latency_us, 85);
    reader_close(reader);
    close_ledger(ledger);
    clock_destroy(clock);
}

static void tells_who_watches_of_every_commit(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct error error;
    struct sample sample;
    struct ledger_stats stats = {0};
    int fd = -1, again = -1;
    uint64_t ticket, count;
    assert_int_equal(ledger_watch(ledger, &fd, &error), STATUS_OK);
    assert_int_equal(ledger_watch(ledger, &again, &error), STATUS_OK);
    assert_int_equal(fd, again);
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&watched, 1, 0), 0);
    for (uint64_t n = 0; n < 3; n++) {
        struct ledger_entry entry = sample_decision(&sample, n, DAY_ONE + (int64_t)n, -1);
        assert_int_equal(ledger_submit(ledger, &entry, 1, SUBMIT_REFUSE, &ticket, &error),
                         STATUS_OK);
        while (stats.durable < ticket) {
            assert_int_equal(poll(&watched, 1, 10000), 1);
            assert_int_equal(read(fd, &count, sizeof count), sizeof count);
            ledger_stats(ledger, &stats);
        }
    }
    close_ledger(ledger);
    clock_destroy(clock);
}

static void recomputed_leaves_equal_the_stored_hashes(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct error error;
    submit_decisions(ledger, 0, 500, DAY_ONE, 1000, -1);
    flush_ledger(ledger);
    struct reader *reader = open_reader(*state);
    for (uint64_t index = 0; index < 500; index += 37) {
        struct buffer leaf;
        uint8_t stored[SHA256_SIZE], hash[SHA256_SIZE];
        buffer_init(&leaf, 1 << 20);
        assert_int_equal(reader_leaf(reader, index, &leaf, stored, &error), STATUS_OK);
        assert_int_equal(tree_leaf_hash(buffer_slice(&leaf), hash), STATUS_OK);
        assert_memory_equal(stored, hash, SHA256_SIZE);
        buffer_free(&leaf);
    }
    reader_close(reader);
    close_ledger(ledger);
    assert_int_equal(scan_ledger(*state, NULL).decisions, 500);
    clock_destroy(clock);
}

static void goes_on_after_a_restart_where_it_stopped(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    uint8_t root[SHA256_SIZE];
    struct ledger_stats stats;
    for (int run = 0; run < 4; run++) {
        struct ledger *ledger = open_ledger(*state, clock);
        int source;
        assert_int_equal(ledger_source(ledger, "file", &source), STATUS_OK);
        assert_int_equal(ledger_position(ledger, "file", 0), run == 0 ? -1 : run * 250);
        ledger_stats(ledger, &stats);
        assert_int_equal(stats.tree_size, run * 250);
        assert_int_equal(stats.next_index, run * 250);
        if (run > 0)
            assert_memory_equal(stats.root, root, SHA256_SIZE);
        submit_decisions(ledger, (uint64_t)run * 250, 250, DAY_ONE + run * US_PER_MIN, 10, source);
        flush_ledger(ledger);
        assert_int_equal(ledger_position(ledger, "file", 0), (run + 1) * 250);
        ledger_stats(ledger, &stats);
        assert_int_equal(stats.high_us, DAY_ONE + run * US_PER_MIN + 249 * 10);
        memcpy(root, stats.root, SHA256_SIZE);
        close_ledger(ledger);
    }
    assert_int_equal(scan_ledger(*state, NULL).decisions, 1000);
    clock_destroy(clock);
}

static bool day_exists(const char *dir, const char *day)
{
    char path[4200];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s.db", dir, day);
    return stat(path, &info) == 0;
}

static void starts_a_file_per_day_of_the_rows_and_never_goes_back(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    int source;
    assert_int_equal(ledger_source(ledger, "file", &source), STATUS_OK);
    /* 900 rows over two and a half days, in groups that cross midnight. */
    submit_decisions(ledger, 0, 900, DAY_ONE + 1, US_PER_DAY / 360, source);
    submit_decisions(ledger, 900, 10, DAY_ONE + US_PER_HOUR, 1, source);
    flush_ledger(ledger);
    assert_int_equal(tree_size_of(ledger), 910);
    close_ledger(ledger);
    assert_true(day_exists(*state, "2018-08-08"));
    assert_true(day_exists(*state, "2018-08-09"));
    assert_true(day_exists(*state, "2018-08-10"));
    assert_false(day_exists(*state, "2018-08-07"));
    assert_int_equal(scan_ledger(*state, NULL).decisions, 910);
    ledger = open_ledger(*state, clock);
    assert_int_equal(ledger_position(ledger, "file", 0), 910);
    /* Events of an earlier day, and of each day, are still found. */
    struct reader *reader = open_reader(*state);
    struct ledger_row row;
    struct error error;
    for (uint64_t n = 0; n < 910; n += 101) {
        struct sample sample;
        sample_decision(&sample, n, 0, 0);
        assert_int_equal(reader_find_event(reader, slice_of(sample.id), &row, &error), STATUS_OK);
        assert_int_equal(row.index, n);
    }
    assert_int_equal(reader_find_event(reader, slice_of("EV-none"), &row, &error),
                     STATUS_NOT_FOUND);
    reader_close(reader);
    close_ledger(ledger);
    clock_destroy(clock);
}

static void keeps_labels_and_actions_in_the_same_sequence(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct error error;
    struct sample sample;
    struct ledger_entry entries[3] = {sample_decision(&sample, 1, DAY_ONE, -1),
                                      {.kind = ENTRY_LABEL, .position = {-1, 0, 0}},
                                      {.kind = ENTRY_ACTION, .position = {-1, 0, 0}}};
    entries[1].label.event_id = slice_of(sample.id);
    entries[1].label.label = 1;
    entries[1].label.observed_us = DAY_ONE - 1;
    entries[1].label.at_us = DAY_ONE + 1;
    entries[2].action.who = "anna";
    entries[2].action.what = "traffic.set";
    entries[2].action.arguments = slice_of("{\"canary\":5}");
    entries[2].action.at_us = DAY_ONE + 2;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(ledger_submit(ledger, entries, 3, SUBMIT_REFUSE, NULL, &error), STATUS_OK);
        assert_int_equal(entries[2].index, i * 3 + 2);
    }
    flush_ledger(ledger);
    struct scan scan = scan_ledger(*state, NULL);
    assert_int_equal(scan.labels, 10);
    assert_int_equal(scan.actions, 10);
    struct reader *reader = open_reader(*state);
    struct ledger_row row;
    assert_int_equal(reader_row(reader, 4, &row, &error), STATUS_OK);
    assert_int_equal(row.kind, ROW_LABEL);
    assert_int_equal(row.label, 1);
    assert_int_equal(row.observed_us, DAY_ONE - 1);
    assert_true(slice_is(row.event_id, sample.id));
    assert_int_equal(reader_row(reader, 5, &row, &error), STATUS_OK);
    assert_true(slice_is(row.who, "anna") && slice_is(row.what, "traffic.set"));
    assert_true(slice_is(row.arguments, "{\"canary\":5}"));
    assert_int_equal(reader_row(reader, 30, &row, &error), STATUS_NOT_FOUND);
    entries[1].label.label = 2;
    assert_int_equal(ledger_submit(ledger, entries, 3, SUBMIT_REFUSE, NULL, &error),
                     STATUS_INVALID);
    reader_close(reader);
    close_ledger(ledger);
    clock_destroy(clock);
}

static void refuses_a_second_process_and_says_which_has_it(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock), *second = NULL;
    struct error error;
    char pid[32];
    struct ledger_options options = {.dir = *state, .clock = clock};
    assert_int_equal(ledger_open(&options, &second, &error), STATUS_CONFLICT);
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    assert_non_null(strstr(error.message, pid));
    close_ledger(ledger);
    ledger = open_ledger(*state, clock);
    close_ledger(ledger);
    clock_destroy(clock);
}

static void refuses_files_of_a_newer_format_and_a_state_that_was_edited(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct error error;
    struct ledger_options options = {.dir = *state, .clock = clock};
    submit_decisions(ledger, 0, 10, DAY_ONE, 1, -1);
    close_ledger(ledger);
    change_day(*state, "PRAGMA user_version = 99");
    assert_int_equal(ledger_open(&options, &ledger, &error), STATUS_UNSUPPORTED);
    struct reader *reader = open_reader(*state);
    struct ledger_row row;
    assert_int_equal(reader_row(reader, 0, &row, &error), STATUS_UNSUPPORTED);
    reader_close(reader);
    change_day(*state, "PRAGMA user_version = 3; UPDATE state SET tree_size = 11");
    assert_int_equal(ledger_open(&options, &ledger, &error), STATUS_CORRUPT);
    change_day(*state, "UPDATE state SET tree_size = 10");
    ledger = open_ledger(*state, clock);
    close_ledger(ledger);
    clock_destroy(clock);
}

static void refuses_what_does_not_fit_the_queue(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger;
    struct error error;
    struct ledger_options options = {
        .dir = *state, .clock = clock, .queue_rows = 50, .group_ms = 2000};
    assert_int_equal(ledger_open(&options, &ledger, &error), STATUS_OK);
    struct ledger_entry entries[51];
    memset(entries, 0, sizeof entries);
    for (int i = 0; i < 51; i++) {
        entries[i].kind = ENTRY_POSITION;
        entries[i].position = (struct position){-1, 0, 0};
    }
    assert_int_equal(ledger_submit(ledger, entries, 51, SUBMIT_REFUSE, NULL, &error),
                     STATUS_INVALID);
    assert_int_equal(ledger_submit(ledger, entries, 40, SUBMIT_REFUSE, NULL, &error), STATUS_OK);
    assert_int_equal(ledger_submit(ledger, entries, 11, SUBMIT_REFUSE, NULL, &error), STATUS_FULL);
    struct ledger_stats stats;
    ledger_stats(ledger, &stats);
    assert_int_equal(stats.refused, 11);
    assert_int_equal(stats.queue_rows, 40);
    flush_ledger(ledger);
    assert_int_equal(ledger_submit(ledger, entries, 50, SUBMIT_REFUSE, NULL, &error), STATUS_OK);
    close_ledger(ledger);
    clock_destroy(clock);
}

struct submitter {
    struct ledger *ledger;
    uint64_t first;
    int source;
};

static void *submit_some(void *context)
{
    struct submitter *submitter = context;
    for (uint64_t i = 0; i < 20; i++) {
        struct sample samples[25];
        struct ledger_entry entries[25];
        struct error error = {0};
        uint64_t ticket;
        for (uint64_t j = 0; j < 25; j++)
            entries[j] = sample_decision(&samples[j], submitter->first + i * 25 + j,
                                         DAY_ONE + (int64_t)(i * US_PER_HOUR), submitter->source);
        if (ledger_submit(submitter->ledger, entries, 25, SUBMIT_WAIT, &ticket, &error) ||
            (i % 4 == 0 && ledger_wait(submitter->ledger, ticket, 20000, &error)))
            fprintf(stderr, "%s\n", error.message);
        for (uint64_t j = 1; j < 25; j++)
            if (entries[j].index != entries[0].index + j)
                abort();
    }
    return NULL;
}

static void takes_rows_from_many_threads_without_losing_one(void **state)
{
    enum { THREADS = 4 };
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    pthread_t threads[THREADS];
    struct submitter submitters[THREADS];
    for (int i = 0; i < THREADS; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", i);
        submitters[i] = (struct submitter){ledger, (uint64_t)i * 1000, 0};
        assert_int_equal(ledger_source(ledger, name, &submitters[i].source), STATUS_OK);
        assert_int_equal(pthread_create(&threads[i], NULL, submit_some, &submitters[i]), 0);
    }
    for (int i = 0; i < 50; i++) {
        struct reader *reader = open_reader(*state);
        struct ledger_row row;
        struct error error;
        enum status status = reader_row(reader, 0, &row, &error);
        assert_true(status == STATUS_OK || status == STATUS_NOT_FOUND);
        reader_close(reader);
        (void)tree_size_of(ledger);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    flush_ledger(ledger);
    for (int i = 0; i < THREADS; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", i);
        assert_int_equal(ledger_position(ledger, name, 0), i * 1000 + 500);
    }
    close_ledger(ledger);
    assert_int_equal(scan_ledger(*state, NULL).decisions, THREADS * 500);
    clock_destroy(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(gives_consecutive_indexes_and_reads_every_field_back),
        IN_FOLDER(tells_who_watches_of_every_commit),
        IN_FOLDER(recomputed_leaves_equal_the_stored_hashes),
        IN_FOLDER(goes_on_after_a_restart_where_it_stopped),
        IN_FOLDER(starts_a_file_per_day_of_the_rows_and_never_goes_back),
        IN_FOLDER(keeps_labels_and_actions_in_the_same_sequence),
        IN_FOLDER(refuses_a_second_process_and_says_which_has_it),
        IN_FOLDER(refuses_files_of_a_newer_format_and_a_state_that_was_edited),
        IN_FOLDER(refuses_what_does_not_fit_the_queue),
        IN_FOLDER(takes_rows_from_many_threads_without_losing_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
