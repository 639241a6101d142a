/* Messages come out when they are due and the disk knows of them, or does not answer; and when
 * there are too many the oldest go. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/outbox.h"

/* Longer than any of these tests takes. */
#define LONG_MS 3600000

static struct outbox *make(int64_t patience_ms)
{
    struct outbox *outbox = outbox_create(patience_ms);
    assert_non_null(outbox);
    return outbox;
}

static void put(struct outbox *outbox, const char *key, const char *body, int64_t now_us)
{
    struct error error;
    assert_int_equal(outbox_put(outbox, key, "oncall", slice_of(body), now_us, &error), STATUS_OK);
}

/* The body of the next due message as text, or NULL; its number goes to *id. */
static const char *take(struct outbox *outbox, int64_t now_us, int64_t *id, int64_t *next_us)
{
    static char body[256];
    struct outbox_message message;
    buffer_init(&message.body, 4096);
    bool taken = outbox_take(outbox, now_us, &message, next_us);
    if (taken) {
        snprintf(body, sizeof body, SLICE_FORMAT, SLICE_ARGS(buffer_slice(&message.body)));
        *id = message.id;
    }
    buffer_free(&message.body);
    return taken ? body : NULL;
}

static void settle(struct outbox *outbox, int64_t id, enum message_fate fate, int64_t due_us)
{
    const struct outbox_attempt attempt = {
        .id = id, .fate = fate, .at_us = 1, .due_us = due_us, .problem = "down"};
    outbox_settle(outbox, &attempt);
}

static size_t unwritten(struct outbox *outbox, uint64_t *mark)
{
    struct outbox_message *messages;
    struct error error;
    size_t n;
    assert_int_equal(outbox_changes(outbox, &messages, &n, mark, &error), STATUS_OK);
    outbox_free(messages, n);
    return n;
}

static void a_key_is_put_once(void **state)
{
    (void)state;
    int64_t id, next_us;
    struct outbox *outbox = make(0);
    put(outbox, "k", "first", 1);
    put(outbox, "k", "second", 2);
    assert_string_equal(take(outbox, 10, &id, &next_us), "first");
    settle(outbox, id, MESSAGE_SENT, 0);
    assert_null(take(outbox, 20, &id, &next_us));
    assert_true(next_us == INT64_MAX);
    outbox_destroy(outbox);
}

static void takes_what_is_due_longest_and_says_when_the_next_is(void **state)
{
    (void)state;
    int64_t id, next_us;
    struct outbox *outbox = make(0);
    put(outbox, "late", "late", 50);
    put(outbox, "early", "early", 40);
    assert_null(take(outbox, 39, &id, &next_us));
    assert_int_equal(next_us, 40);
    assert_string_equal(take(outbox, 60, &id, &next_us), "early");
    settle(outbox, id, MESSAGE_WAITING, 90);
    assert_string_equal(take(outbox, 60, &id, &next_us), "late");
    settle(outbox, id, MESSAGE_DEAD, 0);
    assert_null(take(outbox, 89, &id, &next_us));
    assert_int_equal(next_us, 90);
    assert_string_equal(take(outbox, 90, &id, &next_us), "early");
    outbox_destroy(outbox);
}

static void a_clock_that_was_set_back_delays_no_message(void **state)
{
    (void)state;
    int64_t id, next_us, noon_us = 12 * US_PER_HOUR, eleven_us = 11 * US_PER_HOUR;
    struct outbox *outbox = make(0);
    put(outbox, "k", "page", noon_us);
    settle(outbox, 1, MESSAGE_WAITING, noon_us + US_PER_MIN);
    assert_null(take(outbox, noon_us, &id, &next_us));
    assert_string_equal(take(outbox, eleven_us, &id, &next_us), "page");
    /* From then on it waits by that clock. */
    settle(outbox, id, MESSAGE_WAITING, eleven_us + US_PER_S);
    assert_null(take(outbox, eleven_us, &id, &next_us));
    assert_string_equal(take(outbox, eleven_us + US_PER_S, &id, &next_us), "page");
    outbox_destroy(outbox);
}

static void counts_what_waits_and_since_when(void **state)
{
    (void)state;
    int64_t id, next_us;
    struct outbox_status status = {.oldest_us = 77};
    struct outbox *outbox = make(0);
    outbox_count(outbox, &status);
    assert_int_equal(status.waiting + status.sent + status.dead + status.retried, 0);
    assert_int_equal(status.oldest_us, 0);
    put(outbox, "a", "a", 5);
    put(outbox, "b", "b", 6);
    put(outbox, "c", "c", 7);
    assert_non_null(take(outbox, 10, &id, &next_us));
    settle(outbox, id, MESSAGE_WAITING, 90);
    assert_non_null(take(outbox, 10, &id, &next_us));
    settle(outbox, id, MESSAGE_SENT, 0);
    assert_non_null(take(outbox, 10, &id, &next_us));
    settle(outbox, id, MESSAGE_DEAD, 0);
    outbox_count(outbox, &status);
    assert_int_equal(status.waiting, 1);
    assert_int_equal(status.sent, 1);
    assert_int_equal(status.dead, 1);
    assert_int_equal(status.retried, 1);
    assert_int_equal(status.oldest_us, 5);
    outbox_destroy(outbox);
}

static void waits_for_the_disk_a_while_and_not_at_all_when_that_refuses(void **state)
{
    (void)state;
    int64_t id, next_us, now_us = 1000000;
    uint64_t mark;
    struct outbox *outbox = make(LONG_MS);
    put(outbox, "a", "first", now_us);
    assert_null(take(outbox, now_us, &id, &next_us));
    assert_true(next_us > now_us && next_us <= now_us + INT64_C(1000) * LONG_MS);
    assert_int_equal(unwritten(outbox, &mark), 1);
    outbox_stored(outbox, mark);
    assert_int_equal(unwritten(outbox, &mark), 0);
    assert_string_equal(take(outbox, now_us, &id, &next_us), "first");
    settle(outbox, id, MESSAGE_SENT, 0);
    assert_int_equal(unwritten(outbox, &mark), 1); /* that it was sent */

    put(outbox, "b", "second", now_us);
    outbox_stored(outbox, mark); /* the one before: this came meanwhile */
    assert_null(take(outbox, now_us, &id, &next_us));
    outbox_refused(outbox, true);
    assert_string_equal(take(outbox, now_us, &id, &next_us), "second");
    outbox_refused(outbox, false);
    assert_null(take(outbox, now_us, &id, &next_us));
    outbox_destroy(outbox);
}

static void waits_for_a_disk_that_does_not_answer_no_longer_than_it_may(void **state)
{
    (void)state;
    int64_t id, next_us, now_us = 1000000;
    struct outbox *outbox = make(1);
    put(outbox, "a", "page", now_us);
    const char *taken = NULL;
    for (int tries = 0; tries < 1000 && !taken; tries++) {
        pause_us(1000);
        taken = take(outbox, now_us, &id, &next_us);
    }
    assert_non_null(taken);
    outbox_destroy(outbox);
}

/* What the disk said to what was asked of it before comes in between. */
static void nothing_waits_for_the_disk_once_the_process_ends(void **state)
{
    (void)state;
    int64_t id, next_us, now_us = 1000000;
    struct outbox *outbox = make(LONG_MS);
    outbox_hurry(outbox);
    outbox_refused(outbox, false);
    put(outbox, "a", "page", now_us);
    assert_string_equal(take(outbox, now_us, &id, &next_us), "page");
    outbox_destroy(outbox);
}

static void a_full_outbox_gives_up_the_oldest_and_counts_it(void **state)
{
    (void)state;
    int64_t id, next_us;
    uint64_t mark;
    struct outbox_status status;
    struct outbox *outbox = make(LONG_MS);
    char key[16];
    for (int i = 0; i < OUTBOX_MOST + 3; i++) {
        snprintf(key, sizeof key, "k%d", i);
        put(outbox, key, key, 100 + i);
    }
    outbox_count(outbox, &status);
    assert_int_equal(status.waiting, OUTBOX_MOST);
    assert_int_equal(status.capacity, OUTBOX_MOST);
    assert_int_equal(status.dead, 3);
    assert_int_equal(status.no_room, 3);
    assert_int_equal(status.oldest_us, 103);
    assert_int_equal(unwritten(outbox, &mark), OUTBOX_MOST + 3);
    outbox_refused(outbox, true);
    assert_string_equal(take(outbox, 10000, &id, &next_us), "k3");
    settle(outbox, 1, MESSAGE_SENT, 0); /* too late for that one */
    outbox_count(outbox, &status);
    assert_int_equal(status.sent, 0);
    assert_int_equal(status.dead, 3);
    /* A disk that takes nothing for long: what was settled first is forgotten. */
    for (int i = OUTBOX_MOST + 3; i < 4 * OUTBOX_MOST; i++) {
        snprintf(key, sizeof key, "k%d", i);
        put(outbox, key, key, 100 + i);
    }
    assert_int_equal(unwritten(outbox, &mark), 2 * OUTBOX_MOST);
    outbox_stored(outbox, mark);
    assert_int_equal(unwritten(outbox, &mark), 0);
    outbox_count(outbox, &status);
    assert_int_equal(status.waiting, OUTBOX_MOST);
    outbox_destroy(outbox);
}

static void what_is_being_sent_is_not_given_up(void **state)
{
    (void)state;
    int64_t id, next_us;
    struct outbox_status status;
    struct outbox *outbox = make(0);
    char key[16];
    put(outbox, "sending", "sending", 1);
    assert_string_equal(take(outbox, 10, &id, &next_us), "sending");
    for (int i = 0; i < OUTBOX_MOST; i++) {
        snprintf(key, sizeof key, "k%d", i);
        put(outbox, key, key, 2 + i);
    }
    settle(outbox, id, MESSAGE_SENT, 0);
    outbox_count(outbox, &status);
    assert_int_equal(status.sent, 1);
    assert_int_equal(status.dead, 1); /* k0 */
    assert_int_equal(status.oldest_us, 3);
    /* Once it is settled it is like the others. */
    assert_string_equal(take(outbox, 3, &id, &next_us), "k1");
    settle(outbox, id, MESSAGE_WAITING, 90);
    put(outbox, "one", "one", 5000);
    put(outbox, "two", "two", 5001);
    outbox_count(outbox, &status);
    assert_int_equal(status.dead, 2);
    assert_int_equal(status.oldest_us, 4);
    outbox_destroy(outbox);
}

static void a_message_that_is_too_long_is_refused_whole(void **state)
{
    (void)state;
    static char body[OUTBOX_BODY_BYTES + 1];
    struct error error;
    struct outbox_status status;
    struct outbox *outbox = make(0);
    memset(body, 'x', sizeof body);
    assert_int_equal(outbox_put(outbox, "a", "oncall", slice_make(body, sizeof body), 1, &error),
                     STATUS_FULL);
    assert_non_null(strstr(error.message, "65536"));
    outbox_count(outbox, &status);
    assert_int_equal(status.waiting, 0);
    assert_int_equal(
        outbox_put(outbox, "a", "oncall", slice_make(body, sizeof body - 1), 1, &error), STATUS_OK);
    outbox_destroy(outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_put_once),
        cmocka_unit_test(takes_what_is_due_longest_and_says_when_the_next_is),
        cmocka_unit_test(a_clock_that_was_set_back_delays_no_message),
        cmocka_unit_test(counts_what_waits_and_since_when),
        cmocka_unit_test(waits_for_the_disk_a_while_and_not_at_all_when_that_refuses),
        cmocka_unit_test(waits_for_a_disk_that_does_not_answer_no_longer_than_it_may),
        cmocka_unit_test(nothing_waits_for_the_disk_once_the_process_ends),
        cmocka_unit_test(a_full_outbox_gives_up_the_oldest_and_counts_it),
        cmocka_unit_test(what_is_being_sent_is_not_given_up),
        cmocka_unit_test(a_message_that_is_too_long_is_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
