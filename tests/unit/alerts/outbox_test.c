/* What is committed is there after a restart, what is rolled back is not, and a key is put once. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alerts/outbox.h"

static char path[64];

static int make_folder(void **state)
{
    (void)state;
    char folder[] = "/tmp/outbox-XXXXXX";
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/alerts.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char name[96];
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
    *strrchr(path, '/') = '\0';
    return rmdir(path);
}

static struct outbox *open_at(const char *where)
{
    struct outbox *outbox;
    struct error error;
    assert_int_equal(outbox_open(where, &outbox, &error), STATUS_OK);
    return outbox;
}

static void put(struct outbox *outbox, const char *key, const char *body, int64_t now_us)
{
    struct error error;
    assert_int_equal(outbox_begin(outbox, &error), STATUS_OK);
    enum status status = outbox_put(outbox, key, "oncall", slice_of(body), now_us, &error);
    assert_int_equal(outbox_commit(outbox, status, &error), STATUS_OK);
}

/* The body of the next due message as text, or NULL; its number goes to *id. */
static const char *take(struct outbox *outbox, int64_t now_us, int64_t *id, int64_t *next_us)
{
    static char body[256];
    struct outbox_message message;
    struct error error;
    buffer_init(&message.body, 4096);
    enum status status = outbox_take(outbox, now_us, &message, next_us, &error);
    if (status == STATUS_OK) {
        snprintf(body, sizeof body, SLICE_FORMAT, SLICE_ARGS(buffer_slice(&message.body)));
        *id = message.id;
    } else {
        assert_int_equal(status, STATUS_END);
    }
    buffer_free(&message.body);
    return status == STATUS_OK ? body : NULL;
}

static void state_and_messages_survive_a_restart(void **state)
{
    (void)state;
    struct error error;
    const struct machine fired = {PHASE_FIRING, 11, 22, 33};
    struct machine machine;
    struct outbox *outbox = open_at(path);
    assert_int_equal(outbox_begin(outbox, &error), STATUS_OK);
    enum status status = outbox_put_state(outbox, "burn", &fired, &error);
    if (status == STATUS_OK)
        status = outbox_put(outbox, "k1", "oncall", slice_of("body"), 100, &error);
    assert_int_equal(outbox_commit(outbox, status, &error), STATUS_OK);
    outbox_close(outbox);

    outbox = open_at(path);
    assert_int_equal(outbox_state(outbox, "burn", &machine, &error), STATUS_OK);
    assert_int_equal(machine.phase, PHASE_FIRING);
    assert_int_equal(machine.since_us, 11);
    assert_int_equal(machine.clear_us, 22);
    assert_int_equal(machine.fired_us, 33);
    assert_int_equal(outbox_state(outbox, "other", &machine, &error), STATUS_OK);
    assert_int_equal(machine.phase, PHASE_INACTIVE);
    assert_int_equal(machine.fired_us, 0);
    int64_t id, next_us;
    const char *body = take(outbox, 100, &id, &next_us);
    assert_non_null(body);
    assert_string_equal(body, "body");
    outbox_close(outbox);
}

static void a_key_is_put_once_even_after_it_was_sent(void **state)
{
    (void)state;
    struct error error;
    int64_t id, next_us;
    struct outbox *outbox = open_at(NULL);
    put(outbox, "k", "first", 1);
    put(outbox, "k", "second", 2);
    const char *body = take(outbox, 10, &id, &next_us);
    assert_non_null(body);
    assert_string_equal(body, "first");
    assert_int_equal(outbox_sent(outbox, id, 11, &error), STATUS_OK);
    put(outbox, "k", "third", 12);
    assert_null(take(outbox, 20, &id, &next_us));
    assert_true(next_us == INT64_MAX);
    outbox_close(outbox);
}

static void a_failed_change_is_rolled_back_whole(void **state)
{
    (void)state;
    struct error error;
    struct machine machine = {PHASE_FIRING, 1, 0, 1};
    int64_t id, next_us;
    struct outbox *outbox = open_at(NULL);
    assert_int_equal(outbox_begin(outbox, &error), STATUS_OK);
    assert_int_equal(outbox_put_state(outbox, "burn", &machine, &error), STATUS_OK);
    assert_int_equal(outbox_put(outbox, "k", "oncall", slice_of("b"), 1, &error), STATUS_OK);
    assert_int_equal(outbox_commit(outbox, STATUS_IO, &error), STATUS_IO);
    assert_int_equal(outbox_state(outbox, "burn", &machine, &error), STATUS_OK);
    assert_int_equal(machine.phase, PHASE_INACTIVE);
    assert_null(take(outbox, 10, &id, &next_us));
    put(outbox, "k", "later", 2); /* the lock was given back and the key is free */
    assert_non_null(take(outbox, 10, &id, &next_us));
    outbox_close(outbox);
}

static void takes_what_is_due_longest_and_says_when_the_next_is(void **state)
{
    (void)state;
    struct error error;
    int64_t id, next_us;
    struct outbox *outbox = open_at(NULL);
    put(outbox, "late", "late", 50);
    put(outbox, "early", "early", 40);
    assert_null(take(outbox, 39, &id, &next_us));
    assert_int_equal(next_us, 40);
    assert_string_equal(take(outbox, 60, &id, &next_us), "early");
    assert_int_equal(outbox_retry(outbox, id, 90, "answered 500", &error), STATUS_OK);
    assert_string_equal(take(outbox, 60, &id, &next_us), "late");
    assert_int_equal(outbox_bury(outbox, id, 61, "answered 404", &error), STATUS_OK);
    assert_null(take(outbox, 89, &id, &next_us));
    assert_int_equal(next_us, 90);
    assert_string_equal(take(outbox, 90, &id, &next_us), "early");
    outbox_close(outbox);
}

static void a_clock_that_was_set_back_delays_no_message(void **state)
{
    (void)state;
    struct error error;
    int64_t id, next_us, noon_us = 12 * US_PER_HOUR, eleven_us = 11 * US_PER_HOUR;
    struct outbox *outbox = open_at(NULL);
    put(outbox, "k", "page", noon_us);
    assert_int_equal(outbox_retry(outbox, 1, noon_us + US_PER_MIN, "answered 500", &error),
                     STATUS_OK);
    assert_null(take(outbox, noon_us, &id, &next_us));
    assert_string_equal(take(outbox, eleven_us, &id, &next_us), "page");
    /* From then on it waits by that clock. */
    assert_int_equal(outbox_retry(outbox, id, eleven_us + US_PER_S, "again", &error), STATUS_OK);
    assert_null(take(outbox, eleven_us, &id, &next_us));
    assert_string_equal(take(outbox, eleven_us + US_PER_S, &id, &next_us), "page");
    outbox_close(outbox);
}

static void counts_what_waits_and_since_when(void **state)
{
    (void)state;
    struct error error;
    int64_t id, next_us;
    struct outbox_status status = {.oldest_us = 77};
    struct outbox *outbox = open_at(NULL);
    outbox_count(outbox, &status);
    assert_int_equal(status.waiting + status.sent + status.dead + status.retried, 0);
    assert_int_equal(status.oldest_us, 0);
    put(outbox, "a", "a", 5);
    put(outbox, "b", "b", 6);
    put(outbox, "c", "c", 7);
    assert_non_null(take(outbox, 10, &id, &next_us));
    assert_int_equal(outbox_retry(outbox, id, 90, "down", &error), STATUS_OK);
    assert_non_null(take(outbox, 10, &id, &next_us));
    assert_int_equal(outbox_sent(outbox, id, 10, &error), STATUS_OK);
    assert_non_null(take(outbox, 10, &id, &next_us));
    assert_int_equal(outbox_bury(outbox, id, 11, "gone", &error), STATUS_OK);
    outbox_count(outbox, &status);
    assert_int_equal(status.waiting, 1);
    assert_int_equal(status.sent, 1);
    assert_int_equal(status.dead, 1);
    assert_int_equal(status.retried, 1);
    assert_int_equal(status.oldest_us, 5);
    outbox_close(outbox);
}

static void prunes_what_was_settled_long_ago_and_goes_on_counting(void **state)
{
    (void)state;
    struct error error;
    int64_t id, next_us;
    struct outbox_status status = {0};
    struct outbox *outbox = open_at(path);
    for (int i = 0; i < 4; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%d", i);
        put(outbox, key, key, 10 + i);
    }
    assert_non_null(take(outbox, 100, &id, &next_us)); /* sent long ago, at the second attempt */
    assert_int_equal(outbox_retry(outbox, id, 20, "down", &error), STATUS_OK);
    assert_string_equal(take(outbox, 11, &id, &next_us), "k1"); /* given up long ago */
    assert_int_equal(outbox_bury(outbox, id, 100, "gone", &error), STATUS_OK);
    assert_string_equal(take(outbox, 12, &id, &next_us), "k2"); /* sent just now */
    assert_int_equal(outbox_sent(outbox, id, 101, &error), STATUS_OK);
    assert_string_equal(take(outbox, 13, &id, &next_us), "k3"); /* waits, however old */
    assert_int_equal(outbox_retry(outbox, id, 30, "down", &error), STATUS_OK);
    assert_string_equal(take(outbox, 20, &id, &next_us), "k0");
    assert_int_equal(outbox_sent(outbox, id, 100, &error), STATUS_OK);

    assert_int_equal(outbox_prune(outbox, OUTBOX_KEPT_US + 101, &error), STATUS_OK);
    for (int restarts = 0; restarts < 2; restarts++) {
        outbox_count(outbox, &status);
        assert_int_equal(status.sent, 2);
        assert_int_equal(status.dead, 1);
        assert_int_equal(status.retried, 2);
        assert_int_equal(status.waiting, 1);
        outbox_close(outbox);
        outbox = open_at(path);
    }
    /* The keys of the pruned are free, the others are not. */
    put(outbox, "k0", "again", 40);
    put(outbox, "k1", "again", 41);
    put(outbox, "k2", "again", 42);
    put(outbox, "k3", "again", 43);
    outbox_count(outbox, &status);
    assert_int_equal(status.waiting, 3);
    outbox_close(outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(state_and_messages_survive_a_restart, make_folder,
                                        remove_folder),
        cmocka_unit_test(a_key_is_put_once_even_after_it_was_sent),
        cmocka_unit_test(a_failed_change_is_rolled_back_whole),
        cmocka_unit_test(takes_what_is_due_longest_and_says_when_the_next_is),
        cmocka_unit_test(a_clock_that_was_set_back_delays_no_message),
        cmocka_unit_test(counts_what_waits_and_since_when),
        cmocka_unit_test_setup_teardown(prunes_what_was_settled_long_ago_and_goes_on_counting,
                                        make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
