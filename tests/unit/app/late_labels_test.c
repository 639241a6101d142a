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

/* What a taker was given, and what it says. */
struct taken {
    int64_t due_us[8];
    int n;
    enum status says;
};

static enum status take(void *context, const struct late_label *label, struct error *error)
{
    struct taken *taken = context;
    if (taken->says != STATUS_OK)
        return error_set(error, taken->says, "not taken");
    assert_in_range(taken->n, 0, 7);
    taken->due_us[taken->n++] = label->due_us;
    return STATUS_OK;
}

static enum status give(struct late_labels *labels, int64_t now_us, struct taken *taken)
{
    struct error error;
    taken->n = 0;
    enum status status = late_labels_give(labels, now_us, 8, take, taken, &error);
    if (status != STATUS_OK)
        assert_string_equal(error.message, "not taken");
    return status;
}

static void gives_what_is_due_in_order(void **state)
{
    (void)state;
    struct late_labels *labels = late_labels_create(3);
    struct taken taken = {.n = 0};
    assert_non_null(labels);
    for (int64_t round = 0; round < 5; round++) { /* around the ring */
        put(labels, 10 * round + 1);
        put(labels, 10 * round + 2);
        assert_int_equal(give(labels, 10 * round, &taken), STATUS_OK);
        assert_int_equal(taken.n, 0);
        assert_int_equal(give(labels, 10 * round + 1, &taken), STATUS_OK);
        assert_int_equal(taken.n, 1);
        assert_int_equal(taken.due_us[0], 10 * round + 1);
        assert_int_equal(give(labels, 10 * round + 2, &taken), STATUS_OK);
        assert_int_equal(taken.n, 1);
        assert_int_equal(taken.due_us[0], 10 * round + 2);
        assert_int_equal(late_labels_waiting(labels), 0);
    }
    assert_int_equal(late_labels_given_up(labels), 0);
    late_labels_destroy(labels);
}

static void a_full_ring_gives_up_the_oldest_and_counts_it(void **state)
{
    (void)state;
    struct late_labels *labels = late_labels_create(3);
    struct taken taken = {.n = 0};
    assert_non_null(labels);
    for (int64_t due_us = 1; due_us <= 5; due_us++)
        put(labels, due_us);
    assert_int_equal(late_labels_waiting(labels), 3);
    assert_int_equal(late_labels_given_up(labels), 2);
    assert_int_equal(give(labels, 100, &taken), STATUS_OK);
    assert_int_equal(taken.n, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(taken.due_us[i], i + 3);
    late_labels_destroy(labels);
}

/* A slow disk and one that refuses: nothing is lost, and the order stays. */
static void what_is_not_taken_now_is_given_again(void **state)
{
    (void)state;
    static const enum status later[] = {STATUS_FULL, STATUS_IO};
    struct late_labels *labels = late_labels_create(8);
    struct taken taken = {.n = 0};
    assert_non_null(labels);
    for (int64_t due_us = 1; due_us <= 4; due_us++)
        put(labels, due_us);
    for (int i = 0; i < 2; i++) {
        taken.says = later[i];
        assert_int_equal(give(labels, 3, &taken), later[i]);
        assert_int_equal(late_labels_waiting(labels), 4);
        assert_int_equal(late_labels_due(labels, 3), 3);
    }
    taken.says = STATUS_OK;
    assert_int_equal(give(labels, 3, &taken), STATUS_OK);
    assert_int_equal(taken.n, 3);
    assert_int_equal(taken.due_us[0], 1);
    assert_int_equal(late_labels_due(labels, 3), 0);
    assert_int_equal(late_labels_given_up(labels), 0);
    late_labels_destroy(labels);
}

static void what_will_never_be_taken_is_given_up_and_counted(void **state)
{
    (void)state;
    struct late_labels *labels = late_labels_create(8);
    struct taken taken = {.says = STATUS_CORRUPT};
    assert_non_null(labels);
    put(labels, 1);
    put(labels, 2);
    assert_int_equal(give(labels, 2, &taken), STATUS_CORRUPT);
    assert_int_equal(late_labels_waiting(labels), 0);
    assert_int_equal(late_labels_given_up(labels), 2);
    late_labels_destroy(labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_is_due_in_order),
        cmocka_unit_test(a_full_ring_gives_up_the_oldest_and_counts_it),
        cmocka_unit_test(what_is_not_taken_now_is_given_again),
        cmocka_unit_test(what_will_never_be_taken_is_given_up_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
