/* What is told apart by labels: every combination under a number of its own, hundreds of them in
 * one answer, and zeros where one had nothing. */
#include "tests/unit/engine/history/fixture.h"

#include "engine/history/groups.h"

static struct layout *no_columns(void)
{
    const int64_t limits_us[MAX_LATENCY_LIMITS] = {LIMIT_US};
    struct layout *layout = layout_create(limits_us, 0, 0, NULL, NULL);
    assert_non_null(layout);
    return layout;
}

/* As keys are: some bytes that count up. */
static uint64_t key_of(int i)
{
    return (uint64_t)(i % 40 + LABEL_FIRST) << 16 | (uint64_t)(i / 40 + LABEL_FIRST) << 40;
}

static void every_combination_keeps_its_number(void **state)
{
    (void)state;
    struct layout *layout = no_columns();
    struct groups *groups = groups_create(layout);
    int n;
    assert_non_null(groups);
    for (int point = 0; point < 3; point++) {
        groups_begin(groups);
        groups_there(groups, &n);
        assert_int_equal(n, 0);
        for (int k = 0; k < MAX_GROUPS; k++) {
            int i = point == 0 ? k : MAX_GROUPS - 1 - k;
            struct sums *sums = groups_find(groups, key_of(i));
            assert_non_null(sums);
            assert_int_equal(sums->index, i);
            assert_true(sums->labels == key_of(i));
            assert_int_equal(sums->cell.scalars[SCALAR_ACCEPTED], 0);
            sums->cell.scalars[SCALAR_ACCEPTED] = 5;
            assert_ptr_equal(groups_find(groups, key_of(i)), sums);
        }
        groups_there(groups, &n);
        assert_int_equal(n, MAX_GROUPS);
    }
    assert_false(groups_refused(groups));
    assert_null(groups_find(groups, key_of(MAX_GROUPS)));
    assert_true(groups_refused(groups));
    groups_destroy(groups);
    layout_destroy(layout);
}

static void only_what_was_found_at_a_point_is_there(void **state)
{
    (void)state;
    struct layout *layout = no_columns();
    struct groups *groups = groups_create(layout);
    int n;
    for (int i = 0; i < 3; i++)
        assert_non_null(groups_find(groups, key_of(i)));
    groups_begin(groups);
    struct sums *second = groups_find(groups, key_of(1));
    struct sums *const *there = groups_there(groups, &n);
    assert_int_equal(n, 1);
    assert_ptr_equal(there[0], second);
    groups_destroy(groups);
    layout_destroy(layout);
}

/* ---- in an answer ---- */

#define N_COUNTRIES 36
#define N_DEVICES   5
#define MINUTES     130 /* two hours by the hour, the rest by the minute */

static void tell_words(struct history_store *history, int country, int device, int minute)
{
    struct observe_sink sink = history_sink(history);
    char words[2][8];
    snprintf(words[0], sizeof words[0], "C%d", country);
    snprintf(words[1], sizeof words[1], "D%d", device);
    struct value values[5] = {
        [2] = value_string(slice_of(words[0])), [3] = value_string(slice_of(words[1]))};
    int64_t at_us = T0 + (minute * 60 + 30) * US_PER_S;
    struct event event = {.schema = &schema, .values = values, .time_us = at_us};
    struct outcome outcome = {.event = &event,
                              .decision = DECISION_APPROVE,
                              .rule = "default",
                              .variant = VARIANT_CHAMPION};
    const struct outcome *one = &outcome;
    struct observation observation = {.at_us = at_us,
                                      .event_us = at_us,
                                      .latency_us = 100,
                                      .age_us = INT64_MAX,
                                      .score = 0.5f,
                                      .kind = OBSERVED_OUTCOME,
                                      .decision = DECISION_APPROVE,
                                      .arm = NO_ARM};
    sink.labels(sink.context, &one, 1, &observation.labels);
    take(&sink, &observation, NULL);
}

/* Every minute four combinations that others do not have; told[] counts them by ten minutes. */
static struct history_store *fill_words(double told[N_COUNTRIES][N_DEVICES][MINUTES / 10])
{
    unlink(path);
    struct history_store *history = create(LIMIT_US);
    history_begin(history, T0);
    memset(told, 0, sizeof(double) * N_COUNTRIES * N_DEVICES * (MINUTES / 10));
    for (int minute = 0; minute < MINUTES; minute++) {
        for (int i = 0; i < 12; i++) {
            int country = (int)random_below(N_COUNTRIES), device = (int)random_below(N_DEVICES);
            tell_words(history, country, device, minute);
            told[country][device][minute / 10]++;
        }
    }
    history_tick(history, T0 + MINUTES * 60 * US_PER_S);
    assert_true(history_flush(history, PATIENCE));
    return history;
}

static double told_by_name(double told[N_COUNTRIES][N_DEVICES][MINUTES / 10],
                           const struct json *labels, int point)
{
    int country = atoi(json_as_text(json_get(labels, "country"), "C0") + 1);
    int device = atoi(json_as_text(json_get(labels, "device"), "D0") + 1);
    return told[country][device][point];
}

static void hundreds_of_combinations_are_told_apart_and_have_zeros(void **state)
{
    static double told[N_COUNTRIES][N_DEVICES][MINUTES / 10];
    (void)state;
    struct history_store *history = fill_words(told);
    struct history_question question = {.from_us = T0,
                                        .to_us = T0 + MINUTES * 60 * US_PER_S,
                                        .step_us = 600 * US_PER_S,
                                        .series = slice_of("accepted"),
                                        .by = slice_of("country,device")};
    struct json *json = answer(history, &question);
    const struct json *series = json_get(json, "series");
    assert_int_equal(json_size(series), N_COUNTRIES * N_DEVICES);
    for (const struct json *line = json_first(series); line; line = json_next(line)) {
        const struct json *points = json_get(line, "points");
        assert_int_equal(json_size(points), MINUTES / 10);
        for (int i = 0; i < MINUTES / 10; i++) {
            double value = json_as_number(json_item(json_item(points, (size_t)i), 1), NAN);
            assert_true(value == told_by_name(told, json_get(line, "labels"), i));
        }
    }
    json_destroy(json);
    history_destroy(history);
}

static double told_of_country(double told[N_COUNTRIES][N_DEVICES][MINUTES / 10],
                              const struct json *labels, int64_t point)
{
    int country = atoi(json_as_text(json_get(labels, "country"), "C0") + 1);
    double n = 0;
    for (int i = 0; i < N_DEVICES && point >= 0 && point < MINUTES / 10; i++)
        n += told[country][i][point];
    return n;
}

/* Days around what was told: a long question is read in two halves, cut where events are. */
static void halves_of_a_long_range_hold_every_event_once(void **state)
{
    static double told[N_COUNTRIES][N_DEVICES][MINUTES / 10];
    (void)state;
    struct history_store *history = fill_words(told);
    struct history_question question = {.from_us = T0 - 3 * US_PER_DAY,
                                        .to_us = T0 + 3 * US_PER_DAY + MINUTES * 60 * US_PER_S,
                                        .step_us = 600 * US_PER_S,
                                        .series = slice_of("accepted"),
                                        .by = slice_of("country")};
    struct json *json = answer(history, &question);
    const struct json *series = json_get(json, "series");
    assert_int_equal(json_size(series), N_COUNTRIES);
    for (const struct json *line = json_first(series); line; line = json_next(line)) {
        int64_t at_ms = question.from_us / 1000, n = 0;
        const struct json *points = json_get(line, "points");
        for (const struct json *point = json_first(points); point; point = json_next(point)) {
            double wanted =
                told_of_country(told, json_get(line, "labels"), (at_ms - T0 / 1000) / 600000);
            assert_true(json_as_number(json_item(point, 0), NAN) == (double)at_ms);
            assert_true(json_as_number(json_item(point, 1), 0) == wanted);
            at_ms += 600000;
            n++;
        }
        assert_int_equal(n, 6 * 144 + MINUTES / 10);
    }
    json_destroy(json);
    history_destroy(history);
}

static void what_would_be_too_much_at_once_is_refused_by_what_helps(void **state)
{
    static double told[N_COUNTRIES][N_DEVICES][MINUTES / 10];
    (void)state;
    struct history_store *history = fill_words(told);
    struct buffer out;
    struct error error;
    struct history_question question = {.from_us = T0 - 7 * US_PER_DAY,
                                        .to_us = T0 + MINUTES * 60 * US_PER_S,
                                        .step_us = 60 * US_PER_S,
                                        .series = slice_of("accepted"),
                                        .by = slice_of("country,device")};
    buffer_init(&out, 1u << 20);
    assert_int_equal(history_answer(history, &question, &out, &error), STATUS_INVALID);
    assert_non_null(strstr(error.message, "larger step"));
    assert_int_equal(out.size, 0);
    buffer_free(&out);
    history_destroy(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_keeps_its_number),
        cmocka_unit_test(only_what_was_found_at_a_point_is_there),
        cmocka_unit_test(hundreds_of_combinations_are_told_apart_and_have_zeros),
        cmocka_unit_test(halves_of_a_long_range_hold_every_event_once),
        cmocka_unit_test(what_would_be_too_much_at_once_is_refused_by_what_helps),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
