/* The ledger read: events found by their id, rows by every filter, and how a row is written out. */
#include <poll.h>

#include "tests/unit/engine/record/fixture.h"

#include <math.h>
#include <pthread.h>
#include <sys/stat.h>

#include "engine/base/db.h"
#include "engine/record/tree.h"

static void finds_events_in_index_runs_and_in_the_tail_after_them(void **state)
{
    enum { N = 40000 };
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    submit_decisions(ledger, 0, N, DAY_ONE, 10, -1);
    flush_ledger(ledger);
    close_ledger(ledger);
    ledger = open_ledger(*state, clock);
    submit_decisions(ledger, N, 300, DAY_ONE + US_PER_HOUR, 10, -1);
    close_ledger(ledger);
    ledger = open_ledger(*state, clock);
    submit_decisions(ledger, 17, 1, DAY_ONE + 2 * US_PER_HOUR, 1, -1); /* decided once more */
    flush_ledger(ledger);
    struct reader *reader = open_reader(*state);
    struct ledger_row row;
    struct error error;
    struct sample sample;
    for (uint64_t n = 0; n < N + 300; n += 1111) {
        sample_decision(&sample, n, 0, 0);
        assert_int_equal(reader_find_event(reader, slice_of(sample.id), &row, &error), STATUS_OK);
        assert_int_equal(row.index, n);
    }
    sample_decision(&sample, 17, 0, 0);
    assert_int_equal(reader_find_event(reader, slice_of(sample.id), &row, &error), STATUS_OK);
    assert_int_equal(row.index, N + 300);
    reader_close(reader);
    close_ledger(ledger);
    clock_destroy(clock);
}

static uint64_t count_query(const char *dir, const struct query_filter *filter)
{
    struct reader *reader = open_reader(dir);
    struct query *query;
    struct error error = {0};
    struct ledger_row row;
    uint64_t n = 0, last = 0;
    assert_int_equal(query_open(reader, filter, &query, &error), STATUS_OK);
    enum status status;
    while ((status = query_next(query, &row, &error)) == STATUS_OK) {
        assert_true(n == 0 || (filter->newest_first ? row.index < last : row.index > last));
        last = row.index;
        n++;
    }
    if (status != STATUS_END)
        fail_msg("%s", error.message);
    query_close(query);
    reader_close(reader);
    return n;
}

static void answers_queries_by_every_filter(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    submit_decisions(ledger, 0, 3000, DAY_ONE, US_PER_MIN, -1);
    close_ledger(ledger);
    struct query_filter filter;
    struct sample sample;
#define EXPECT(count, set)                                                                         \
    do {                                                                                           \
        query_filter_init(&filter);                                                                \
        set;                                                                                       \
        assert_int_equal(count_query(*state, &filter), count);                                     \
    } while (0)
    EXPECT(3000, (void)0);
    EXPECT(1000, filter.decision = DECISION_DECLINE);
    EXPECT(300, filter.variant = VARIANT_CANARY);
    EXPECT(1500, filter.reason = slice_of("R-ODD"));
    EXPECT(300, filter.min_score = 0.9);
    EXPECT(30, filter.max_score = 0.0);
    EXPECT(90, (filter.min_score = 0.1, filter.max_score = 0.12));
    EXPECT(31, (sample_decision(&sample, 5, 0, 0), filter.entity = slice_of(sample.entity)));
    EXPECT(1, (sample_decision(&sample, 2999, 0, 0), filter.event_id = slice_of(sample.id)));
    EXPECT(0, filter.event_id = slice_of("nobody"));
    EXPECT(60, (filter.from_us = DAY_ONE + US_PER_DAY - 30 * US_PER_MIN,
                filter.to_us = DAY_ONE + US_PER_DAY + 30 * US_PER_MIN));
    EXPECT(0, filter.to_us = DAY_ONE);
    EXPECT(0, filter.from_us = DAY_ONE + 3 * US_PER_DAY);
    EXPECT(7, filter.limit = 7);
    EXPECT(0, filter.limit = 0);
    EXPECT(10, filter.cursor = 2989);
    EXPECT(3000, filter.newest_first = true);
    EXPECT(10, (filter.newest_first = true, filter.cursor = 10));
    EXPECT(0, (filter.newest_first = true, filter.cursor = 0));
    EXPECT(7, (filter.newest_first = true, filter.limit = 7));
    EXPECT(60, (filter.newest_first = true, filter.from_us = DAY_ONE + US_PER_DAY - 30 * US_PER_MIN,
                filter.to_us = DAY_ONE + US_PER_DAY + 30 * US_PER_MIN));
#undef EXPECT
    clock_destroy(clock);
}

static void writes_the_answer_and_the_query_line_as_documented(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    struct error error;
    submit_decisions(ledger, 30, 1, DAY_ONE + 250000, 1, -1);
    flush_ledger(ledger);
    struct reader *reader = open_reader(*state);
    struct ledger_row row;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    assert_int_equal(reader_row(reader, 0, &row, &error), STATUS_OK);
    row_answer_json(&row, true, 1, &out);
    assert_string_equal(
        out.data, "{\"event_id\":\"EV000000000000000000000030\",\"decision\":\"approve\","
                  "\"score\":0.300000012,\"reasons\":[{\"code\":\"R-AMOUNT\",\"feature\":"
                  "\"amount\",\"value\":30,\"contribution\":0.25}],\"rule\":\"default\",\"model\":"
                  "{\"name\":\"fraud\",\"version\":\"3\",\"variant\":\"canary\"},\"trace_id\":"
                  "\"1e000000000000000000000000000000\",\"latency_us\":85,\"ledger_index\":0,"
                  "\"duplicate\":true}");
    buffer_reset(&out);
    row_query_json(&row, &out);
    assert_non_null(strstr(out.data, "\"event_ts\":\"2018-08-08T00:00:00.249995Z\","
                                     "\"decided_at\":\"2018-08-08T00:00:00.250000Z\""));
    assert_non_null(strstr(out.data, "\"features\":{\"amount\":30,\"count_1d\":1.5,\"mean_1d\":"
                                     "null},\"input\":{\"event_id\":"));
    buffer_free(&out);
    reader_close(reader);
    close_ledger(ledger);
    clock_destroy(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(finds_events_in_index_runs_and_in_the_tail_after_them),
        IN_FOLDER(answers_queries_by_every_filter),
        IN_FOLDER(writes_the_answer_and_the_query_line_as_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
