/* Values of labels become small codes. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "engine/history/labels.h"

static const struct field fields[] = {{"event_id", FIELD_STRING, true, false, false},
                                      {"event_ts", FIELD_TIMESTAMP, true, false, false},
                                      {"country", FIELD_STRING, true, false, false},
                                      {"device", FIELD_STRING, true, false, false},
                                      {"user", FIELD_STRING, true, false, true}};
static const struct schema schema = {"t", "1", fields, 5, 0, 1, -1, -1};

static void values_beyond_the_most_are_other(void **state)
{
    (void)state;
    struct error error;
    struct labels *labels = labels_create();
    assert_int_equal(labels_use(labels, "country", &schema, &error), STATUS_OK);
    assert_int_equal(labels_use(labels, "user", &schema, &error), STATUS_INVALID);
    assert_int_equal(labels_use(labels, "nonsense", &schema, &error), STATUS_INVALID);
    struct value values[5] = {0};
    struct event event = {.schema = &schema, .values = values};
    struct outcome outcome = {.event = &event};
    const struct outcome *one = &outcome;
    uint64_t codes[100], none;
    char text[8];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++) {
            snprintf(text, sizeof text, "C%d", i);
            values[2] = value_string(slice_of(text));
            uint64_t code;
            labels_of_outcomes(labels, &one, 1, &code);
            assert_true(round == 0 || codes[i] == code);
            codes[i] = code;
            assert_true(i < LABEL_VALUES ? code == (uint64_t)(LABEL_FIRST + i)
                                         : code == LABEL_OTHER);
        }
    }
    values[2] = value_null();
    labels_of_outcomes(labels, &one, 1, &none);
    assert_int_equal(none, LABEL_NONE);
    labels_destroy(labels);
}

/* Texts that the contract numbers are not looked at twice; which event comes first makes no
 * difference. */
static void a_numbered_word_has_the_code_of_its_text(void **state)
{
    (void)state;
    struct error error;
    struct labels *labels = labels_create();
    assert_int_equal(labels_use(labels, "country", &schema, &error), STATUS_OK);
    struct value values[5] = {0};
    struct event event = {.schema = &schema, .values = values};
    struct outcome outcome = {.event = &event};
    const struct outcome *one = &outcome;
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 100; i++) {
            char text[8];
            uint64_t plain, numbered;
            snprintf(text, sizeof text, "C%u", i % 50);
            values[2] = value_string(slice_of(text));
            struct value with_number = values[2];
            with_number.word = i % 50 + 40;
            if (i % 2)
                labels_of_outcomes(labels, &one, 1, &plain);
            values[2] = with_number;
            labels_of_outcomes(labels, &one, 1, &numbered);
            values[2].word = 0;
            if (i % 2 == 0)
                labels_of_outcomes(labels, &one, 1, &plain);
            assert_int_equal(plain, numbered);
        }
    }
    labels_destroy(labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_beyond_the_most_are_other),
        cmocka_unit_test(a_numbered_word_has_the_code_of_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
