/* Heads sent to a place that is slow or away: the newest one, and whoever signs never waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/clock.h"
#include "engine/base/thread.h"
#include "engine/record/head_post.h"

/* A place that takes what it gets after `delay_ms`, unless it refuses. */
struct place {
    struct lock lock;
    uint64_t taken[64];
    size_t n;
    int attempts, refusals; /* so many are refused first */
    int delay_ms;
};

static enum status deliver(void *context, const struct signed_head *head, struct slice json,
                           struct error *error)
{
    struct place *place = context;
    struct json *parsed = NULL;
    struct signed_head read;
    assert_int_equal(json_parse(json, &parsed, error), STATUS_OK);
    assert_int_equal(head_parse(parsed, &read, error), STATUS_OK);
    assert_int_equal(read.tree_size, head->tree_size);
    json_destroy(parsed);
    pause_us(place->delay_ms * 1000);
    lock_take(&place->lock);
    bool refused = place->attempts++ < place->refusals;
    if (!refused && place->n < 64)
        place->taken[place->n++] = head->tree_size;
    lock_release(&place->lock);
    return refused ? error_set(error, STATUS_UNAVAILABLE, "not now") : STATUS_OK;
}

static struct head_post *open_post(struct place *place, int64_t every_ms)
{
    struct head_post *post = NULL;
    struct error error;
    const struct head_post_options options = {
        .name = "place", .deliver = deliver, .context = place, .every_ms = every_ms};
    lock_init(&place->lock, "place");
    assert_int_equal(head_post_open(&options, &post, &error), STATUS_OK);
    return post;
}

static void add(struct head_post *post, uint64_t tree_size, bool now)
{
    struct signed_head head = {
        .tree_size = tree_size, .timestamp_ms = 1, .key_id = "0011223344556677"};
    head_post_add(post, &head, now);
}

static size_t count(struct place *place)
{
    lock_take(&place->lock);
    size_t n = place->n;
    lock_release(&place->lock);
    return n;
}

static bool wait_for(struct place *place, size_t n)
{
    for (int i = 0; i < 1000 && count(place) < n; i++)
        pause_us(10000);
    return count(place) >= n;
}

static void the_first_head_goes_at_once_and_the_newest_when_it_is_due(void **state)
{
    struct place place = {.delay_ms = 0};
    struct head_post *post = open_post(&place, 300);
    (void)state;
    add(post, 1, false);
    assert_true(wait_for(&place, 1));
    for (uint64_t size = 2; size <= 50; size++)
        add(post, size, false);
    assert_int_equal(count(&place), 1);
    assert_true(wait_for(&place, 2));
    assert_int_equal(place.taken[1], 50);
    head_post_close(post);
    assert_int_equal(place.n, 2); /* nothing that was sent is sent again */
}

static void the_end_of_a_day_does_not_wait_until_it_is_due(void **state)
{
    struct place place = {.delay_ms = 0};
    struct head_post *post = open_post(&place, 1000000);
    (void)state;
    add(post, 1, false);
    assert_true(wait_for(&place, 1));
    add(post, 2, true);
    assert_true(wait_for(&place, 2));
    head_post_close(post);
}

static void closing_sends_what_was_not_sent(void **state)
{
    struct place place = {.delay_ms = 0};
    struct head_post *post = open_post(&place, 1000000);
    (void)state;
    add(post, 1, false);
    assert_true(wait_for(&place, 1));
    add(post, 7, false);
    head_post_close(post);
    assert_int_equal(place.n, 2);
    assert_int_equal(place.taken[1], 7);
}

static void a_slow_place_stalls_nobody_and_gets_the_newest(void **state)
{
    struct place place = {.delay_ms = 300};
    struct head_post *post = open_post(&place, 1);
    int64_t begun_ns = monotonic_ns();
    (void)state;
    for (uint64_t size = 1; size <= 1000; size++)
        add(post, size, true);
    assert_true(monotonic_ns() - begun_ns < 200000000);
    head_post_close(post);
    assert_in_range(place.n, 1, 3);
    assert_int_equal(place.taken[place.n - 1], 1000);
}

static void a_refusal_is_counted_and_tried_again_with_the_newest(void **state)
{
    struct place place = {.refusals = 1};
    struct head_post *post = open_post(&place, 1);
    struct head_post_stats stats;
    (void)state;
    add(post, 1, false);
    while (head_post_stats(post, &stats), stats.failed == 0)
        pause_us(10000);
    add(post, 2, false);
    add(post, 3, true);
    assert_true(wait_for(&place, 1));
    assert_int_equal(place.taken[0], 3);
    do
        head_post_stats(post, &stats);
    while (stats.sent == 0);
    assert_int_equal(stats.failed, 1);
    assert_int_equal(stats.rows_sent, 3);
    assert_int_equal(stats.rows_signed, 3);
    assert_string_equal(stats.name, "place");
    head_post_close(post);
}

static void a_place_that_is_away_does_not_keep_the_ledger_from_closing(void **state)
{
    struct place place = {.refusals = 1000};
    struct head_post *post = open_post(&place, 1);
    (void)state;
    add(post, 1, true);
    head_post_close(post);
    assert_in_range(place.attempts, 1, 2);
    head_post_close(NULL);
    head_post_add(NULL, NULL, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_head_goes_at_once_and_the_newest_when_it_is_due),
        cmocka_unit_test(the_end_of_a_day_does_not_wait_until_it_is_due),
        cmocka_unit_test(closing_sends_what_was_not_sent),
        cmocka_unit_test(a_slow_place_stalls_nobody_and_gets_the_newest),
        cmocka_unit_test(a_refusal_is_counted_and_tried_again_with_the_newest),
        cmocka_unit_test(a_place_that_is_away_does_not_keep_the_ledger_from_closing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
