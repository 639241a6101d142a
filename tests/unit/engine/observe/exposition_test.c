/* /metrics held against Prometheus' description of its text format 0.0.4: what is written is read
 * back by a reader that knows only that text. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/observe/exposition.h"

#define MAX_TEXT   256
#define MAX_LABELS 4

/* metric_name [ "{" name "=" `"` value `"` { "," ... } "}" ] value "\n" */
struct sample {
    char name[MAX_TEXT];
    int n_labels;
    char labels[MAX_LABELS][2][MAX_TEXT];
    double value;
};

static const char *read_name(const char *at, char out[MAX_TEXT])
{
    size_t size = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:");
    assert_in_range(size, 1, MAX_TEXT - 1);
    assert_true(*at < '0' || *at > '9');
    memcpy(out, at, size);
    out[size] = '\0';
    return at + size;
}

/* In a value a backslash, a quote and a line's end stand behind a backslash, and nothing else. */
static const char *read_value(const char *at, char out[MAX_TEXT])
{
    size_t size = 0;
    assert_int_equal(*at++, '"');
    for (; *at != '"'; at++) {
        char character = *at;
        assert_true(character != '\0' && character != '\n' && size < MAX_TEXT - 1);
        if (character == '\\') {
            character = *++at;
            assert_true(character == '\\' || character == '"' || character == 'n');
            character = character == 'n' ? '\n' : character;
        }
        out[size++] = character;
    }
    out[size] = '\0';
    return at + 1;
}

static const char *read_labels(const char *at, struct sample *sample)
{
    do {
        assert_in_range(sample->n_labels, 0, MAX_LABELS - 1);
        char(*label)[MAX_TEXT] = sample->labels[sample->n_labels++];
        at = read_name(at + 1, label[0]);
        assert_int_equal(*at, '=');
        at = read_value(at + 1, label[1]);
    } while (*at == ',');
    assert_int_equal(*at, '}');
    return at + 1;
}

/* Reads one line; what follows it. */
static const char *read_sample(const char *at, struct sample *sample)
{
    char *end;
    *sample = (struct sample){.n_labels = 0};
    at = read_name(at, sample->name);
    if (*at == '{')
        at = read_labels(at, sample);
    assert_int_equal(*at++, ' ');
    sample->value = strtod(at, &end);
    assert_true(end > at);
    assert_int_equal(*end, '\n');
    return end + 1;
}

static struct sample only_sample(const struct buffer *out)
{
    struct sample sample;
    assert_non_null(out->data);
    assert_int_equal(*read_sample(out->data, &sample), '\0');
    return sample;
}

static void a_metric_begins_with_its_help_and_its_type(void **state)
{
    static const char *const types[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    (void)state;
    for (int type = METRIC_COUNTER; type <= METRIC_HISTOGRAM; type++) {
        struct buffer out;
        char expected[MAX_TEXT];
        buffer_init(&out, 1000);
        exposition_head(&out, "binnacle_things_total", (enum metric_type)type,
                        "Things, \"quoted\" or not.");
        snprintf(expected, sizeof expected,
                 "# HELP binnacle_things_total Things, \"quoted\" or not.\n"
                 "# TYPE binnacle_things_total %s\n",
                 types[type]);
        assert_string_equal(out.data, expected);
        buffer_free(&out);
    }
}

static void a_sample_without_labels_has_no_braces(void **state)
{
    static const char *const none[] = {NULL};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct buffer out;
        buffer_init(&out, 1000);
        exposition_sample(&out, "binnacle_answer_seconds", "_count", i ? none : NULL, 12);
        assert_string_equal(out.data, "binnacle_answer_seconds_count 12\n");
        buffer_free(&out);
    }
}

static void labels_stand_in_their_order(void **state)
{
    static const char *const labels[] = {"listener", "main", "code", "200", NULL};
    struct buffer out;
    (void)state;
    buffer_init(&out, 1000);
    exposition_sample(&out, "requests", "_total", labels, 3);
    assert_string_equal(out.data, "requests_total{listener=\"main\",code=\"200\"} 3\n");
    buffer_free(&out);
}

/* Texts of the characters that mean something in the format, and of some that do not. */
static void label_values_of_any_characters_are_read_back(void **state)
{
    static const char *const pieces[] = {"\\", "\"",       "\n",           "n",  "}", ",", "=", " ",
                                         "{",  "\xC3\xA9", "\xE2\x82\xAC", "\t", "#", "a"};
    uint64_t random = 42;
    struct buffer out;
    (void)state;
    buffer_init(&out, 1000);
    for (int i = 0; i < 2000; i++) {
        char values[2][MAX_TEXT] = {"", ""};
        for (int k = 0; k < 24; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            strcat(values[k % 2], pieces[(random >> 33) % (sizeof pieces / sizeof *pieces)]);
        }
        const char *const labels[] = {"first", values[0], "second", values[1], NULL};
        buffer_reset(&out);
        exposition_sample(&out, "m", "", labels, 1);
        struct sample sample = only_sample(&out);
        assert_int_equal(sample.n_labels, 2);
        for (int k = 0; k < 2; k++) {
            assert_string_equal(sample.labels[k][0], labels[2 * (size_t)k]);
            assert_string_equal(sample.labels[k][1], values[k]);
        }
    }
    buffer_free(&out);
}

static void values_keep_all_their_digits(void **state)
{
    static const double values[] = {
        0, -1, 0.1, 1.0 / 3, 1e300, 5e-324, 1e15, 9007199254740993.0, 123456789012345.0, -0.000123};
    struct buffer out;
    (void)state;
    buffer_init(&out, 1000);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        buffer_reset(&out);
        exposition_sample(&out, "m", "", NULL, values[i]);
        double got = only_sample(&out).value;
        assert_memory_equal(&got, &values[i], sizeof got);
    }
    buffer_free(&out);
}

/* "No data" is a sample that is not there, never a zero and never NaN. */
static void what_is_not_finite_is_no_sample(void **state)
{
    static const char *const labels[] = {"arm", "canary", NULL};
    const double values[] = {(double)NAN, (double)INFINITY, (double)-INFINITY};
    struct buffer out;
    (void)state;
    buffer_init(&out, 1000);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        exposition_sample(&out, "m", "", i ? labels : NULL, values[i]);
    assert_int_equal(out.size, 0);
    exposition_sample(&out, "m", "", labels, 2);
    assert_true(only_sample(&out).value == 2);
    buffer_free(&out);
}

/* Counts as a histogram's: in seconds, by ascending bounds that double, all of them under +Inf. */
static void latencies_are_a_histogram_in_seconds(void **state)
{
    struct latency_counts counts = {.n = 5000, .sum_us = 12345678};
    struct buffer out;
    struct sample sample;
    (void)state;
    for (int i = 0; i < LATENCY_BOUNDS; i++)
        counts.under[i] = (uint64_t)i * 200;
    buffer_init(&out, 10000);
    exposition_latency(&out, "binnacle_answer_seconds", &counts);
    const char *at = out.data;
    for (int i = 0; i <= LATENCY_BOUNDS; i++) {
        at = read_sample(at, &sample);
        assert_string_equal(sample.name, "binnacle_answer_seconds_bucket");
        assert_int_equal(sample.n_labels, 1);
        assert_string_equal(sample.labels[0][0], "le");
        if (i == LATENCY_BOUNDS)
            assert_string_equal(sample.labels[0][1], "+Inf");
        else
            assert_true(strtod(sample.labels[0][1], NULL) == ldexp(16, i) / 1e6);
        assert_true(sample.value == (i == LATENCY_BOUNDS ? 5000 : 200 * i));
    }
    at = read_sample(at, &sample);
    assert_string_equal(sample.name, "binnacle_answer_seconds_sum");
    assert_true(sample.value == 12.345678 && sample.n_labels == 0);
    at = read_sample(at, &sample);
    assert_string_equal(sample.name, "binnacle_answer_seconds_count");
    assert_true(sample.value == 5000 && sample.n_labels == 0 && *at == '\0');
    buffer_free(&out);
}

static void a_buffer_that_is_full_says_so(void **state)
{
    static const char *const labels[] = {"reason", "a long one that does not fit", NULL};
    struct buffer out;
    (void)state;
    buffer_init(&out, 30);
    exposition_sample(&out, "m", "", labels, 1);
    assert_true(out.overflow);
    assert_true(out.size <= 30);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_metric_begins_with_its_help_and_its_type),
        cmocka_unit_test(a_sample_without_labels_has_no_braces),
        cmocka_unit_test(labels_stand_in_their_order),
        cmocka_unit_test(label_values_of_any_characters_are_read_back),
        cmocka_unit_test(values_keep_all_their_digits),
        cmocka_unit_test(what_is_not_finite_is_no_sample),
        cmocka_unit_test(latencies_are_a_histogram_in_seconds),
        cmocka_unit_test(a_buffer_that_is_full_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
