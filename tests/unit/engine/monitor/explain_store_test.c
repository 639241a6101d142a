/* What explanations know over a restart: all of it, or, from a file that is no such thing, nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <math.h>

#include "engine/base/state_file.h"
#include "engine/monitor/explain.h"

#define NOW_US   INT64_C(1700000000000000)
#define MINUTE   INT64_C(60000000)
#define MAX_FILE ((size_t)1 << 24)

static const struct state_file_kind kind = {"BNRECENT", 4};
static const struct schema schema = {.n_fields = 0, .id = -1, .time = -1, .label = -1};

struct bench {
    char path[64];
    struct slices *slices;
    struct explain_memory memory;
};

/* An incident that goes on, every member another value. */
static struct explain_memory incident(enum symptom_kind of)
{
    struct explain_memory memory = {
        .troubles = {{NOW_US - 9 * MINUTE, NOW_US - 8 * MINUTE}, {NOW_US - MINUTE, NOW_US}},
        .n_troubles = 2,
        .last = {.incident = "country is missing",
                 .since_us = NOW_US - MINUTE,
                 .at_us = NOW_US - 1,
                 .causes = {{"upstream", "country", 0.75, NOW_US - MINUTE, NOW_US - 7, "nulls"},
                            {"split", "variant=canary", (double)NAN, 1, 2, "more of them"}},
                 .n_causes = 2,
                 .requests = 11,
                 .users = 12,
                 .errors = 13,
                 .money = (double)NAN,
                 .decisions = 15,
                 .money_field = "amount",
                 .action = "ask who sends it"},
        .symptom = {.kind = of,
                    .from = 3,
                    .to = 44,
                    .since_change = true,
                    .strength = 0.5,
                    .base = 0.01,
                    .now = 0.3,
                    .n_base = 1000,
                    .n_now = 2000},
        .series = "country",
        .counted_us = NOW_US - 3,
        .basis = {.usual = {.events = {900, 20, 3, 1}, .decisions = {800, 70, 30}, .amount = 12.5},
                  .since = {.events = {90, 40, 0, 7}, .decisions = {50, 30, 10}, .amount = 1e6}},
    };
    return memory;
}

static struct slices *no_slices(void)
{
    struct slices *slices = slices_create(&(struct slices_options){&schema, NULL});
    assert_non_null(slices);
    return slices;
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    snprintf(bench->path, sizeof bench->path, "/tmp/explain-store-XXXXXX");
    int fd = mkstemp(bench->path);
    assert_true(fd >= 0);
    close(fd);
    bench->slices = no_slices();
    bench->memory = incident(SYMPTOM_MISSING);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    unlink(bench->path);
    slices_destroy(bench->slices);
    free(bench);
    return 0;
}

static void save(struct bench *bench)
{
    struct error error;
    slices_count(bench->slices, SLICED_ERRORS, NOW_US);
    assert_int_equal(explain_save(bench->slices, &bench->memory, NOW_US, bench->path, &error),
                     STATUS_OK);
}

/* By a service that starts at `now_us`, whose slices are empty. */
static enum status load(struct bench *bench, int64_t now_us)
{
    struct error error;
    slices_destroy(bench->slices);
    bench->slices = no_slices();
    memset(&bench->memory, 0, sizeof bench->memory);
    return explain_load(bench->slices, &bench->memory, now_us, bench->path, &error);
}

static void assert_nothing_known(struct bench *bench)
{
    struct slices_view view;
    assert_int_equal(bench->memory.n_troubles, 0);
    assert_int_equal(bench->memory.last.n_causes, 0);
    assert_int_equal(bench->memory.counted_us, 0);
    assert_false(slices_view(bench->slices, NOW_US, &view));
}

static void assert_same_number(double a, double b)
{
    assert_true(a == b || (isnan(a) && isnan(b)));
}

static void assert_same_cause(const struct explained_cause *a, const struct explained_cause *b)
{
    assert_string_equal(a->cause, b->cause);
    assert_string_equal(a->slice, b->slice);
    assert_same_number(a->share_of_excess, b->share_of_excess);
    assert_true(a->changed_at_us == b->changed_at_us && a->recovered_at_us == b->recovered_at_us);
    assert_string_equal(a->evidence, b->evidence);
}

static void assert_same_explanation(const struct explanation *a, const struct explanation *b)
{
    assert_string_equal(a->incident, b->incident);
    assert_true(a->since_us == b->since_us && a->until_us == b->until_us && a->at_us == b->at_us);
    assert_int_equal(a->n_causes, b->n_causes);
    for (int i = 0; i < a->n_causes; i++)
        assert_same_cause(&a->causes[i], &b->causes[i]);
    assert_same_number(a->requests, b->requests);
    assert_same_number(a->users, b->users);
    assert_same_number(a->errors, b->errors);
    assert_same_number(a->money, b->money);
    assert_same_number(a->decisions, b->decisions);
    assert_string_equal(a->money_field, b->money_field);
    assert_string_equal(a->action, b->action);
}

static void assert_same_symptom(const struct symptom *a, const struct symptom *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->from, b->from);
    assert_int_equal(a->to, b->to);
    assert_int_equal(a->since_change, b->since_change);
    assert_int_equal(a->recovered, b->recovered);
    assert_true(a->strength == b->strength && a->base == b->base && a->now == b->now);
    assert_true(a->n_base == b->n_base && a->n_now == b->n_now);
}

static void every_member_is_there_again(void **state)
{
    struct bench *bench = *state;
    for (int of = 0; of < SYMPTOM_KINDS; of++) {
        struct explain_memory before = bench->memory = incident((enum symptom_kind)of);
        struct slices_view view;
        save(bench);
        assert_int_equal(load(bench, NOW_US), STATUS_OK);
        before.last.at_us = NOW_US; /* nobody looked in between */
        assert_int_equal(bench->memory.n_troubles, 2);
        assert_memory_equal(bench->memory.troubles, before.troubles, sizeof before.troubles);
        assert_same_explanation(&bench->memory.last, &before.last);
        assert_same_symptom(&bench->memory.symptom, &before.symptom);
        assert_null(bench->memory.symptom.series);
        assert_string_equal(bench->memory.series, before.series);
        assert_true(bench->memory.counted_us == before.counted_us);
        assert_memory_equal(&bench->memory.basis, &before.basis, sizeof before.basis);
        assert_true(slices_view(bench->slices, NOW_US, &view));
        slices_view_free(&view);
    }
}

static void without_a_file_nothing_is_known(void **state)
{
    struct bench *bench = *state;
    unlink(bench->path);
    assert_int_equal(load(bench, NOW_US), STATUS_NOT_FOUND);
    assert_nothing_known(bench);
}

/* What the file holds, as a file of this kind and with so many bytes of it. */
static void write_as(struct bench *bench, const struct state_file_kind *as,
                     const struct buffer *content, size_t size)
{
    struct buffer cut;
    struct error error;
    buffer_init(&cut, MAX_FILE);
    buffer_append(&cut, content->data, size);
    assert_int_equal(state_file_write(bench->path, as, &cut, &error), STATUS_OK);
    buffer_free(&cut);
}

static void read_back(struct bench *bench, struct buffer *content)
{
    struct error error;
    buffer_init(content, MAX_FILE);
    assert_int_equal(state_file_read(bench->path, &kind, content, &error), STATUS_OK);
}

/* The same bytes mean something else there. */
static void a_file_of_another_version_is_not_taken_up(void **state)
{
    const struct state_file_kind others[] = {{"BNRECENT", 3}, {"BNRECENT", 5}, {"BNCOUNTS", 2}};
    struct bench *bench = *state;
    struct buffer content;
    save(bench);
    read_back(bench, &content);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        write_as(bench, &others[i], &content, content.size);
        assert_int_not_equal(load(bench, NOW_US), STATUS_OK);
        assert_nothing_known(bench);
    }
    buffer_free(&content);
}

static void a_file_of_another_size_is_damaged(void **state)
{
    struct bench *bench = *state;
    struct buffer content;
    save(bench);
    read_back(bench, &content);
    for (size_t size = 0; size < content.size; size += 41) {
        write_as(bench, &kind, &content, size);
        assert_int_equal(load(bench, NOW_US), STATUS_CORRUPT);
        assert_nothing_known(bench);
    }
    buffer_free(&content);
}

/* The first byte is the number of troubles, zigzagged. */
static void a_count_or_a_kind_that_is_none_is_damage(void **state)
{
    struct bench *bench = *state;
    struct buffer content;
    save(bench);
    read_back(bench, &content);
    char *name = memmem(content.data, content.size, "\7missing", 8);
    assert_non_null(name);
    name[1] = 'M';
    write_as(bench, &kind, &content, content.size);
    assert_int_equal(load(bench, NOW_US), STATUS_CORRUPT);
    name[1] = 'm';
    const char troubles[] = {1, 2 * (EXPLAIN_TROUBLES + 1)}; /* less than none, more than fit */
    for (size_t i = 0; i < sizeof troubles; i++) {
        content.data[0] = troubles[i];
        write_as(bench, &kind, &content, content.size);
        assert_int_equal(load(bench, NOW_US), STATUS_CORRUPT);
        assert_nothing_known(bench);
    }
    buffer_free(&content);
}

static void after_the_clock_was_set_back_nothing_is_said(void **state)
{
    struct bench *bench = *state;
    save(bench);
    assert_int_equal(load(bench, NOW_US - MINUTE), STATUS_OK);
    assert_nothing_known(bench);
}

/* An incident is bridged only as long as something of it can still be seen. */
static void who_was_away_too_long_does_not_know_whether_it_goes_on(void **state)
{
    const int64_t longest_us = (SLICE_CELLS - 30) * SLICE_CELL_US;
    struct bench *bench = *state;
    save(bench);
    assert_int_equal(load(bench, NOW_US - 2 + longest_us), STATUS_OK);
    assert_true(bench->memory.last.at_us == NOW_US - 2 + longest_us);
    assert_int_equal(load(bench, NOW_US + longest_us), STATUS_OK);
    assert_true(bench->memory.last.at_us == NOW_US - 1);
}

static void an_incident_that_had_recovered_is_not_taken_up_again(void **state)
{
    struct bench *bench = *state;
    bench->memory.last.until_us = NOW_US - 2;
    save(bench);
    assert_int_equal(load(bench, NOW_US + MINUTE), STATUS_OK);
    assert_true(bench->memory.last.at_us == NOW_US - 1);
    assert_true(bench->memory.last.until_us == NOW_US - 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_member_is_there_again),
        TEST(without_a_file_nothing_is_known),
        TEST(a_file_of_another_version_is_not_taken_up),
        TEST(a_file_of_another_size_is_damaged),
        TEST(a_count_or_a_kind_that_is_none_is_damage),
        TEST(after_the_clock_was_set_back_nothing_is_said),
        TEST(who_was_away_too_long_does_not_know_whether_it_goes_on),
        TEST(an_incident_that_had_recovered_is_not_taken_up_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
