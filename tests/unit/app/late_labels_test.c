/* Labels come out when they are due, and the oldest go when there are too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/late_labels.h"

static void put(struct late_labels *labels, int64_t due_us)
{
    const struct late_label label = {.due_us = due_us, .event_id = "e", .label = 1};
    late_labels_put(labels, &label);
}

static void gives_what_is_due_in_order(void **state)
{
    (void)state;
    struct late_labels *labels = late_labels_create(3);
    struct late_label label;
    assert_non_null(labels);
    for (int64_t round = 0; round < 5; round++) { /* around the ring */
        put(labels, 10 * round + 1);
        put(labels, 10 * round + 2);
        assert_false(late_labels_take(labels, 10 * round, &label));
        assert_true(late_labels_take(labels, 10 * round + 1, &label));
        assert_int_equal(label.due_us, 10 * round + 1);
        assert_false(late_labels_take(labels, 10 * round + 1, &label));
        assert_true(late_labels_take(labels, 10 * round + 2, &label));
        assert_int_equal(late_labels_waiting(labels), 0);
    }
    assert_int_equal(late_labels_given_up(labels), 0);
    late_labels_destroy(labels);
}

static void a_full_ring_gives_up_the_oldest_and_counts_it(void **state)
{
    (void)state;
    struct late_labels *labels = late_labels_create(3);
    struct late_label label;
    assert_non_null(labels);
    for (int64_t due_us = 1; due_us <= 5; due_us++)
        put(labels, due_us);
    assert_int_equal(late_labels_waiting(labels), 3);
    assert_int_equal(late_labels_given_up(labels), 2);
    for (int64_t due_us = 3; due_us <= 5; due_us++) {
        assert_true(late_labels_take(labels, 100, &label));
        assert_int_equal(label.due_us, due_us);
    }
    assert_false(late_labels_take(labels, 100, &label));
    late_labels_destroy(labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_is_due_in_order),
        cmocka_unit_test(a_full_ring_gives_up_the_oldest_and_counts_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
