/* When a queue last had no room is known from one picture to the next. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/observe/queues.h"

static void look(struct queue_statuses *queues, struct queue_statuses *before, uint64_t full,
                 int64_t now_us)
{
    *queues = (struct queue_statuses){.n = 0};
    queues_add(queues, "shadow", 1, 10, full);
    queues_follow(queues, before, now_us);
}

static void remembers_when_it_last_grew(void **state)
{
    (void)state;
    struct queue_statuses before = {.n = 0}, queues;
    look(&queues, &before, 0, 100);
    assert_int_equal(queues.list[0].full_us, 0);
    look(&queues, &before, 3, 200);
    assert_int_equal(queues.list[0].full_us, 200);
    look(&queues, &before, 3, 300);
    assert_int_equal(queues.list[0].full_us, 200);
    look(&queues, &before, 4, 400);
    assert_int_equal(queues.list[0].full_us, 400);
}

static void what_was_full_before_the_first_look_is_news(void **state)
{
    (void)state;
    struct queue_statuses before = {.n = 0}, queues;
    look(&queues, &before, 7, 100);
    assert_int_equal(queues.list[0].full_us, 100);
    assert_ptr_equal(queues_find(&queues, "shadow"), &queues.list[0]);
    assert_null(queues_find(&queues, "other"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_when_it_last_grew),
        cmocka_unit_test(what_was_full_before_the_first_look_is_news),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
