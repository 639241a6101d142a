/* Quarantined events: what each filter finds of them, how one is written out, and their ids. */
#include "tests/unit/engine/record/fixture.h"

struct seen {
    int n;
    char last[2000];
};

static enum status remember(void *context, const struct quarantine_row *row, struct error *error)
{
    (void)error;
    struct seen *seen = context;
    struct buffer line;
    buffer_init(&line, 2000);
    quarantine_json(row, &line);
    snprintf(seen->last, sizeof seen->last, "%s", line.data);
    buffer_free(&line);
    seen->n++;
    return STATUS_OK;
}

static int list(const char *dir, const struct quarantine_filter *filter, bool raw, char last[2000])
{
    struct seen seen = {0};
    struct error error = {0};
    struct reader *reader = open_reader(dir);
    if (quarantine_scan(reader, filter, raw, remember, &seen, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    reader_close(reader);
    memcpy(last, seen.last, sizeof seen.last);
    return seen.n;
}

/* Six, eight hours apart: the fifth is a CSV record, the last is not JSON. */
static void put_bad_events(struct ledger *ledger)
{
    struct error error;
    struct event event;
    int source;
    assert_int_equal(ledger_source(ledger, "kafka", &source), STATUS_OK);
    for (int i = 0; i < 6; i++) {
        struct ledger_entry entry = bad_event(&event, "{\"amount\":-1}");
        event.position = (struct position){source, 3, i};
        event.received_us = DAY_ONE + i * US_PER_DAY / 3;
        event.n_violations = i == 5 ? 1 : 3;
        if (i == 5)
            event.violations[0] = (struct violation){VIOLATION_NOT_JSON, -1, NULL};
        entry.quarantine.document = i == 4 ? slice_of("user_id,amount\nx,-1") : slice_make(NULL, 0);
        assert_int_equal(ledger_submit(ledger, &entry, 1, SUBMIT_REFUSE, NULL, &error), STATUS_OK);
        assert_int_equal(entry.index, i + 1);
    }
}

/* The last mark counts. */
static void retry_and_resolve(struct ledger *ledger, uint64_t id)
{
    struct error error;
    struct ledger_entry mark = {.kind = ENTRY_QUARANTINE_MARK, .position = {-1, 0, 0}};
    mark.mark.id = id;
    mark.mark.at_us = DAY_ONE + 2 * US_PER_DAY;
    mark.mark.status = QUARANTINE_RETRIED;
    assert_int_equal(ledger_submit(ledger, &mark, 1, SUBMIT_REFUSE, NULL, &error), STATUS_OK);
    mark.mark.status = QUARANTINE_RESOLVED;
    assert_int_equal(ledger_submit(ledger, &mark, 1, SUBMIT_REFUSE, NULL, &error), STATUS_OK);
}

static const struct {
    const char *reason, *field; /* NULL: any */
    bool by_status;
    enum quarantine_status status;
    uint64_t id, before;
    bool newest_first;
    int64_t from_us, to_us, limit; /* 0: none */
    bool raw;
    int n;
    const char *last; /* what the last line has */
} filters[] = {
    {.n = 6, .last = "\"reason\":\"not_json\""},
    {.before = 4, .newest_first = true, .n = 3, .last = "\"quarantine_id\":1,"},
    {.by_status = true, .status = QUARANTINE_OPEN, .n = 5},
    {.by_status = true,
     .status = QUARANTINE_RESOLVED,
     .raw = true,
     .n = 1,
     .last = "{\"quarantine_id\":2,\"received_at\":\"2018-08-08T08:00:00Z\",\"status\":"
             "\"resolved\",\"errors\":[{\"field\":\"amount\",\"reason\":\"range\"},{\"field\":"
             "null,\"reason\":\"check\",\"check\":\"not_weekend\"},{\"field\":\"amount\","
             "\"reason\":\"range\"}],\"contract\":\"payments\",\"contract_version\":\"7\","
             "\"source\":\"kafka\",\"part\":3,\"offset\":1,\"raw\":\"{\\\"amount\\\":-1}\"}"},
    {.by_status = true, .status = QUARANTINE_RETRIED, .n = 0},
    {.reason = "not_json", .n = 1},
    {.reason = "range", .n = 5},
    {.reason = "ulid", .n = 0},
    {.field = "amount", .n = 5},
    {.id = 5, .raw = true, .n = 1, .last = "\"raw\":\"user_id,amount\\nx,-1\""},
    {.from_us = DAY_ONE + US_PER_DAY / 3, .to_us = DAY_ONE + US_PER_DAY, .n = 2},
    {.from_us = DAY_ONE + US_PER_DAY / 3, .to_us = DAY_ONE + US_PER_DAY, .limit = 1, .n = 1},
};

static void each_filter_finds_what_it_names(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    put_bad_events(ledger);
    retry_and_resolve(ledger, 2);
    flush_ledger(ledger);
    assert_int_equal(ledger_position(ledger, "kafka", 3), 5);
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        struct quarantine_filter filter;
        char line[2000];
        quarantine_filter_init(&filter);
        filter.reason = filters[i].reason ? slice_of(filters[i].reason) : filter.reason;
        filter.field = filters[i].field ? slice_of(filters[i].field) : filter.field;
        filter.status = filters[i].by_status ? (int)filters[i].status : -1;
        filter.id = filters[i].id;
        filter.before = filters[i].before;
        filter.newest_first = filters[i].newest_first;
        filter.from_us = filters[i].from_us ? filters[i].from_us : filter.from_us;
        filter.to_us = filters[i].to_us ? filters[i].to_us : filter.to_us;
        filter.limit = filters[i].limit ? filters[i].limit : filter.limit;
        int n = list(*state, &filter, filters[i].raw, line);
        if (n != filters[i].n || (filters[i].last && !strstr(line, filters[i].last)))
            fail_msg("filter %zu: %d, the last %s", i, n, line);
        assert_true(filters[i].raw || !strstr(line, "\"raw\""));
    }
    close_ledger(ledger);
    clock_destroy(clock);
}

static void ids_go_on_after_a_restart(void **state)
{
    struct clock *clock = clock_create_event(DAY_ONE);
    struct ledger *ledger = open_ledger(*state, clock);
    put_bad_events(ledger);
    close_ledger(ledger);
    ledger = open_ledger(*state, clock);
    struct error error;
    struct event event;
    struct ledger_entry entry = bad_event(&event, "{}");
    assert_int_equal(ledger_submit(ledger, &entry, 1, SUBMIT_REFUSE, NULL, &error), STATUS_OK);
    assert_int_equal(entry.index, 7);
    close_ledger(ledger);
    clock_destroy(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(each_filter_finds_what_it_names),
        IN_FOLDER(ids_go_on_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
