/* Slices over a restart: what was counted is there again where it means the same, and nowhere else;
 * the time in between is known to be unknown. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/observe/slices.h"

#define START_US INT64_C(1700000000000000)
#define SECOND   INT64_C(1000000)

static const char *const three[] = {"US", "CA", "DE"};
static const char *const two[] = {"US", "DE"};
static const struct field fields[] = {
    {.name = "id", .type = FIELD_STRING},
    {.name = "amount", .type = FIELD_FLOAT},
    {.name = "country", .type = FIELD_STRING},
    {.name = "channel", .type = FIELD_STRING},
};
static const struct schema schema = {
    .fields = fields, .n_fields = 3, .id = 0, .time = -1, .label = -1, .entity = 0};
static const struct schema wider = {
    .fields = fields, .n_fields = 4, .id = 0, .time = -1, .label = -1, .entity = 0};
static const struct slice_field shapes[] = {{NULL, 0}, {NULL, 0}, {three, 3}, {NULL, 0}};
static const struct slice_field fewer[] = {{NULL, 0}, {NULL, 0}, {two, 2}, {NULL, 0}};

static struct slices *make(const struct schema *of, const struct slice_field *as)
{
    struct slices *slices = slices_create(&(struct slices_options){of, as});
    assert_non_null(slices);
    return slices;
}

/* Ten a second; of `rule` "high" every fifth. */
static void feed(struct slices *slices, const struct schema *of, int from_s, int to_s)
{
    for (int i = from_s * 10; i < to_s * 10; i++) {
        char id[16];
        snprintf(id, sizeof id, "id-%d", i);
        struct value values[4] = {
            {.type = VALUE_STRING, .string = slice_of(id)},
            value_number(1 + i % 50),
            {.type = VALUE_STRING, .string = slice_of(two[i % 2])},
            value_null(),
        };
        int64_t at_us = START_US + i * SECOND / 10;
        struct event event = {.schema = of, .values = values, .time_us = at_us};
        struct outcome outcome = {.event = &event,
                                  .rule = i % 5 == 0 ? "high" : "default",
                                  .decision = i % 5 == 0 ? DECISION_DECLINE : DECISION_APPROVE,
                                  .decided_at_us = at_us,
                                  .latency_us = 10};
        const struct outcome *outcomes[] = {&outcome};
        slices_outcomes(slices, outcomes, 1);
    }
}

/* One at this second. */
static void decide_by(struct slices *slices, const char *rule, int second)
{
    struct event event = {.time_us = START_US + second * SECOND};
    struct outcome outcome = {.event = &event,
                              .rule = rule,
                              .decision = DECISION_DECLINE,
                              .decided_at_us = event.time_us,
                              .latency_us = 10};
    const struct outcome *outcomes[] = {&outcome};
    slices_outcomes(slices, outcomes, 1);
}

/* What is written of the one, read by a service that starts at `now_s`. */
static struct slices *restart(struct slices *slices, const struct schema *of,
                              const struct slice_field *as, int stopped_s, int now_s)
{
    struct buffer bytes;
    struct slices *next = make(of, as);
    buffer_init(&bytes, 1 << 24);
    slices_encode(slices, START_US + stopped_s * SECOND, &bytes);
    slices_destroy(slices);
    struct slice rest = buffer_slice(&bytes);
    assert_true(slices_decode(next, &rest, START_US + now_s * SECOND));
    assert_int_equal(rest.size, 0);
    buffer_free(&bytes);
    return next;
}

static uint64_t count(const struct slices_view *view, const char *name, enum series_kind kind,
                      int counter)
{
    uint64_t sum = 0;
    for (int i = 0; i < view->n_series; i++) {
        const struct slice_series *series = &view->series[i];
        for (int cell = 0;
             series->kind == kind && strcmp(series->name, name) == 0 && cell < view->n_cells;
             cell++)
            sum += view->rows[(size_t)cell * (size_t)view->n_counters + (size_t)series->first +
                              (size_t)counter];
    }
    return sum;
}

static struct slices_view view_there(struct slices *slices, int now_s)
{
    struct slices_view view;
    assert_true(slices_view_there(slices, START_US + now_s * SECOND, &view));
    return view;
}

static void all_of_it_is_there_after_a_restart(void **state)
{
    (void)state;
    struct slices *slices = make(&schema, shapes);
    feed(slices, &schema, 0, 60);
    struct slices_view before = view_there(slices, 59), after;
    double distinct = slices_distinct(&before, 0, 0, 30), low, high;
    slices = restart(slices, &schema, shapes, 60, 60);
    after = view_there(slices, 59);
    assert_int_equal(before.n_cells, after.n_cells);
    assert_memory_equal(before.rows, after.rows,
                        (size_t)before.n_cells * (size_t)before.n_counters * sizeof *before.rows);
    assert_memory_equal(before.amounts, after.amounts,
                        (size_t)before.n_cells * sizeof *before.amounts);
    assert_true(slices_distinct(&after, 0, 0, 30) == distinct);
    slices_range(&after, 1, 0, after.n_cells, &low, &high);
    assert_true(low == 1 && high == 50);
    assert_true(after.newest_event_us == before.newest_event_us);
    slices_view_free(&before);
    slices_view_free(&after);
    slices_destroy(slices);
}

/* Down for two minutes: they are left out for explanations, and told for everybody else. */
static void time_without_the_service_is_unknown(void **state)
{
    (void)state;
    struct slices *slices = make(&schema, shapes);
    struct slices_view all, there;
    feed(slices, &schema, 0, 60);
    slices = restart(slices, &schema, shapes, 60, 180);
    feed(slices, &schema, 180, 200);
    assert_true(slices_view(slices, START_US + 199 * SECOND, &all));
    there = view_there(slices, 199);
    assert_int_equal(all.n_cells, 100);
    assert_int_equal(slices_cells_there(&all, 0, 100), 38); /* the first two of a start are not */
    assert_int_equal(there.n_cells, 38);
    assert_true(slices_cell_us(&there, 29) == START_US + 58 * SECOND);
    assert_true(slices_cell_us(&there, 30) == START_US + 184 * SECOND);
    assert_true(slices_cell_us(&there, 38) == START_US + 200 * SECOND);
    assert_int_equal(count(&all, "events", SERIES_EVENTS, SLICED_ACCEPTED), 800);
    assert_int_equal(count(&there, "events", SERIES_EVENTS, SLICED_ACCEPTED), 760);
    slices_view_free(&all);
    slices_view_free(&there);
    slices_destroy(slices);
}

static void what_means_something_else_by_now_is_left_out(void **state)
{
    (void)state;
    struct slices *slices = make(&schema, shapes);
    feed(slices, &schema, 0, 60);
    slices = restart(slices, &wider, fewer, 60, 60);
    struct slices_view view = view_there(slices, 59);
    assert_int_equal(count(&view, "events", SERIES_EVENTS, SLICED_ACCEPTED), 600);
    assert_int_equal(count(&view, "country", SERIES_FIELD, FIELD_BINS), 0);
    assert_int_equal(count(&view, "country=DE", SERIES_SLICE, SLICE_DECISION), 240);
    uint64_t amounts = 0;
    for (int i = 0; i < FIELD_COUNTERS; i++)
        amounts += count(&view, "amount", SERIES_FIELD, i);
    assert_int_equal(amounts, 600);
    assert_int_equal(count(&view, "channel", SERIES_FIELD, FIELD_MISSING), 0);
    slices_view_free(&view);
    slices_destroy(slices);
}

/* How many decisions a view has by this rule; 0: it has no place. */
static uint64_t count_rule(const struct slices_view *view, const char *rule)
{
    for (int i = 0; i < 31 && view->rules[i]; i++) {
        if (strcmp(view->rules[i], rule) == 0)
            return count(view, "rule", SERIES_RULE, i);
    }
    return 0;
}

static int count_names(const struct slices_view *view)
{
    int n = 0;
    while (n < 31 && view->rules[n])
        n++;
    return n;
}

/* Bug: the name of a rule that was gone held its place over any number of restarts. */
static void rules_are_known_by_name_as_long_as_they_decided_lately(void **state)
{
    (void)state;
    struct slices *slices = make(&schema, shapes), *next = make(&schema, shapes);
    struct buffer bytes;
    decide_by(slices, "gone", 0);
    feed(slices, &schema, 1000, 1060);
    buffer_init(&bytes, 1 << 24);
    slices_encode(slices, START_US + 1060 * SECOND, &bytes);
    slices_destroy(slices);
    decide_by(next, "new", 1059); /* has the place that another one had */
    struct slice rest = buffer_slice(&bytes);
    assert_true(slices_decode(next, &rest, START_US + 1060 * SECOND));
    struct slices_view view = view_there(next, 1059);
    assert_int_equal(count_names(&view), 3);
    assert_int_equal(count_rule(&view, "new"), 1);
    assert_int_equal(count_rule(&view, "high"), 120);
    assert_int_equal(count_rule(&view, "default"), 480);
    slices_view_free(&view);
    slices_destroy(next);
    buffer_free(&bytes);
}

/* It was met after the names had been written. */
static void counts_of_a_rule_without_a_name_are_left_out(void **state)
{
    (void)state;
    struct slices *slices = make(&schema, shapes), *next = make(&schema, shapes);
    struct buffer bytes;
    feed(slices, &schema, 0, 60);
    buffer_init(&bytes, 1 << 24);
    slices_encode(slices, START_US + 60 * SECOND, &bytes);
    slices_destroy(slices);
    char *name = memmem(bytes.data, bytes.size, "\4high", 5);
    assert_non_null(name);
    name[0] = '\0';
    memmove(name + 1, name + 5, (size_t)(bytes.data + bytes.size - (name + 5)));
    struct slice rest = slice_make(bytes.data, bytes.size - 4);
    decide_by(next, "other", 59);
    assert_true(slices_decode(next, &rest, START_US + 60 * SECOND));
    struct slices_view view = view_there(next, 59);
    assert_int_equal(count_names(&view), 2);
    assert_int_equal(count_rule(&view, "other"), 1);
    assert_int_equal(count_rule(&view, "default"), 480);
    slices_view_free(&view);
    slices_destroy(next);
    buffer_free(&bytes);
}

static void what_is_too_long_ago_or_to_come_is_left_out(void **state)
{
    const int starts[] = {1500, -600};
    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct slices *slices = make(&schema, shapes);
        struct slices_view view;
        feed(slices, &schema, 0, 60);
        slices = restart(slices, &schema, shapes, 60, starts[i]);
        assert_false(slices_view(slices, START_US + starts[i] * SECOND, &view));
        slices_destroy(slices);
    }
}

static void a_second_restart_knows_of_the_first(void **state)
{
    (void)state;
    struct slices *slices = make(&schema, shapes);
    feed(slices, &schema, 0, 60);
    slices = restart(slices, &schema, shapes, 60, 100);
    feed(slices, &schema, 100, 160);
    slices = restart(slices, &schema, shapes, 160, 200);
    feed(slices, &schema, 200, 260);
    struct slices_view view = view_there(slices, 259);
    assert_int_equal(view.n_cells, 30 + 28 + 28);
    slices_view_free(&view);
    slices_destroy(slices);
}

static void bytes_that_were_cut_leave_nothing(void **state)
{
    (void)state;
    struct slices *slices = make(&schema, shapes);
    struct buffer bytes;
    feed(slices, &schema, 0, 10);
    buffer_init(&bytes, 1 << 24);
    slices_encode(slices, START_US + 10 * SECOND, &bytes);
    slices_destroy(slices);
    for (size_t size = 0; size < bytes.size; size += 97) {
        struct slices_view view;
        struct slice rest = slice_make(bytes.data, size);
        slices = make(&schema, shapes);
        assert_false(slices_decode(slices, &rest, START_US + 10 * SECOND));
        assert_false(slices_view(slices, START_US + 10 * SECOND, &view));
        slices_destroy(slices);
    }
    buffer_free(&bytes);
}

static void rules_of_bytes_that_were_cut_take_no_place(void **state)
{
    (void)state;
    struct slices *slices = make(&schema, shapes), *next = make(&schema, shapes);
    struct slices_view view;
    struct buffer bytes;
    feed(slices, &schema, 0, 10);
    buffer_init(&bytes, 1 << 24);
    slices_encode(slices, START_US + 10 * SECOND, &bytes);
    slices_destroy(slices);
    struct slice rest = slice_make(bytes.data, bytes.size - 1);
    assert_false(slices_decode(next, &rest, START_US + 10 * SECOND));
    decide_by(next, "other", 11);
    view = view_there(next, 11);
    assert_int_equal(count_names(&view), 1);
    slices_view_free(&view);
    slices_destroy(next);
    buffer_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_is_there_after_a_restart),
        cmocka_unit_test(time_without_the_service_is_unknown),
        cmocka_unit_test(what_means_something_else_by_now_is_left_out),
        cmocka_unit_test(rules_are_known_by_name_as_long_as_they_decided_lately),
        cmocka_unit_test(counts_of_a_rule_without_a_name_are_left_out),
        cmocka_unit_test(what_is_too_long_ago_or_to_come_is_left_out),
        cmocka_unit_test(a_second_restart_knows_of_the_first),
        cmocka_unit_test(bytes_that_were_cut_leave_nothing),
        cmocka_unit_test(rules_of_bytes_that_were_cut_take_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
