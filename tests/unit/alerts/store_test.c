/* What is written is there after a restart, what fails is not, and messages go when they are old.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alerts/store.h"
#include "engine/base/db.h"
#include "tests/unit/folder.h"

static char path[FOLDER_PATH];

static int set_up(void **state)
{
    if (make_folder(state))
        return -1;
    folder_path("alerts.db", path);
    return 0;
}

static struct store *open_store(void)
{
    struct store *store;
    struct error error;
    assert_int_equal(store_open(path, &store, &error), STATUS_OK);
    return store;
}

static void write_message(struct store *store, const char *key, enum message_fate fate,
                          int attempts, int64_t at_us)
{
    struct error error;
    struct outbox_message message = {
        .made_us = at_us, .due_us = at_us + 1, .attempts = attempts, .fate = fate};
    message.settled_us = fate == MESSAGE_WAITING ? 0 : at_us;
    snprintf(message.key, sizeof message.key, "%s", key);
    snprintf(message.channel, sizeof message.channel, "oncall");
    buffer_init(&message.body, 100);
    buffer_append_text(&message.body, key);
    const struct store_changes changes = {.messages = &message, .n_messages = 1};
    assert_int_equal(store_write(store, &changes, &error), STATUS_OK);
    buffer_free(&message.body);
}

static struct outbox *load(struct store *store)
{
    struct error error;
    struct outbox *outbox = outbox_create(OUTBOX_PATIENCE_MS);
    assert_non_null(outbox);
    assert_int_equal(store_load(store, outbox, &error), STATUS_OK);
    return outbox;
}

static void states_holds_and_messages_survive_a_restart(void **state)
{
    (void)state;
    struct error error;
    const struct store_rule rule = {
        "burn", {PHASE_FIRING, 11, 22, 33}, {.silent_until_us = 44, .fired_us = 33, .by = "ann"}};
    struct machine machine;
    struct hold hold;
    struct outbox_message message;
    int64_t next_us;
    struct store *store = open_store();
    const struct store_changes changes = {.rules = &rule, .n_rules = 1};
    assert_int_equal(store_write(store, &changes, &error), STATUS_OK);
    write_message(store, "k1", MESSAGE_WAITING, 2, 100);
    store_close(store);

    store = open_store();
    assert_int_equal(store_read(store, "burn", &machine, &hold, &error), STATUS_OK);
    assert_memory_equal(&machine, &rule.machine, sizeof machine);
    assert_int_equal(hold.silent_until_us, 44);
    assert_int_equal(hold.fired_us, 33);
    assert_string_equal(hold.by, "ann");
    assert_int_equal(store_read(store, "other", &machine, &hold, &error), STATUS_OK);
    assert_int_equal(machine.phase, PHASE_INACTIVE);
    assert_int_equal(hold.silent_until_us, 0);
    struct outbox *outbox = load(store);
    buffer_init(&message.body, 100);
    assert_false(outbox_take(outbox, 100, &message, &next_us));
    assert_int_equal(next_us, 101);
    assert_true(outbox_take(outbox, 101, &message, &next_us));
    assert_string_equal(message.key, "k1");
    assert_string_equal(message.body.data, "k1");
    assert_int_equal(message.attempts, 2);
    buffer_free(&message.body);
    outbox_destroy(outbox);
    store_close(store);
}

static void a_message_is_written_over_by_what_became_of_it(void **state)
{
    (void)state;
    struct outbox_status status;
    struct store *store = open_store();
    write_message(store, "a", MESSAGE_WAITING, 0, 5);
    write_message(store, "a", MESSAGE_WAITING, 1, 5);
    write_message(store, "b", MESSAGE_WAITING, 0, 6);
    write_message(store, "b", MESSAGE_SENT, 0, 6);
    write_message(store, "c", MESSAGE_DEAD, 1, 7);
    store_close(store);
    store = open_store();
    struct outbox *outbox = load(store);
    outbox_count(outbox, &status);
    assert_int_equal(status.waiting, 1);
    assert_int_equal(status.sent, 1);
    assert_int_equal(status.dead, 1);
    assert_int_equal(status.retried, 1);
    assert_int_equal(status.oldest_us, 5);
    outbox_destroy(outbox);
    store_close(store);
}

static void a_message_that_does_not_fit_is_not_cut_but_told(void **state)
{
    (void)state;
    static char text[OUTBOX_BODY_BYTES + 1];
    struct error error;
    struct outbox_message message = {.key = "k1", .channel = "oncall"};
    struct store *store = open_store();
    struct outbox *outbox = outbox_create(0);
    memset(text, 'x', sizeof text);
    buffer_init(&message.body, sizeof text);
    assert_true(buffer_append(&message.body, text, sizeof text));
    const struct store_changes changes = {.messages = &message, .n_messages = 1};
    assert_int_equal(store_write(store, &changes, &error), STATUS_OK);
    buffer_free(&message.body);
    assert_int_equal(store_load(store, outbox, &error), STATUS_FULL);
    assert_string_equal(error.message, "alerts.db: message k1: its body has more than 65536 bytes");
    outbox_destroy(outbox);
    store_close(store);
}

/* More than OUTBOX_MOST waited, and these were never tried. */
static void a_message_given_up_untried_takes_no_retry_from_the_count(void **state)
{
    (void)state;
    struct error error;
    struct outbox_status status;
    struct store *store = open_store();
    write_message(store, "a", MESSAGE_DEAD, 0, 5);
    write_message(store, "b", MESSAGE_DEAD, 0, 6);
    write_message(store, "c", MESSAGE_SENT, 1, 7);
    for (int prunings = 0; prunings < 2; prunings++) {
        struct outbox *outbox = load(store);
        outbox_count(outbox, &status);
        assert_int_equal(status.dead, 2);
        assert_int_equal(status.retried, 1);
        outbox_destroy(outbox);
        assert_int_equal(store_prune(store, STORE_KEPT_US + 8, &error), STATUS_OK);
    }
    store_close(store);
}

static void what_cannot_be_written_is_rolled_back_whole(void **state)
{
    (void)state;
    struct error error;
    struct db *other;
    struct machine machine;
    struct hold hold;
    const struct store_rule rule = {"burn", {PHASE_FIRING, 1, 0, 1}, {0}};
    const struct store_changes changes = {.rules = &rule, .n_rules = 1};
    struct store *store = open_store();
    assert_int_equal(db_open(path, DB_WRITE, DB_SYNC_OFF, &other, &error), STATUS_OK);
    assert_int_equal(db_exec(other, "DROP TABLE hold", &error), STATUS_OK);
    assert_int_not_equal(store_write(store, &changes, &error), STATUS_OK);
    assert_int_equal(db_exec(other,
                             "CREATE TABLE hold (rule TEXT PRIMARY KEY, silent_until_us, "
                             "fired_us, by, untold) WITHOUT ROWID",
                             &error),
                     STATUS_OK);
    db_close(other);
    assert_int_equal(store_read(store, "burn", &machine, &hold, &error), STATUS_OK);
    assert_int_equal(machine.phase, PHASE_INACTIVE);
    assert_int_equal(store_write(store, &changes, &error), STATUS_OK);
    store_close(store);
}

static void prunes_what_was_settled_long_ago_and_goes_on_counting(void **state)
{
    (void)state;
    struct error error;
    struct outbox_status status;
    struct store *store = open_store();
    write_message(store, "k0", MESSAGE_SENT, 1, 100);   /* long ago, at the second attempt */
    write_message(store, "k1", MESSAGE_DEAD, 1, 100);   /* long ago */
    write_message(store, "k2", MESSAGE_SENT, 0, 101);   /* just now */
    write_message(store, "k3", MESSAGE_WAITING, 1, 10); /* however old */
    assert_int_equal(store_prune(store, STORE_KEPT_US + 101, &error), STATUS_OK);
    for (int restarts = 0; restarts < 2; restarts++) {
        struct outbox *outbox = load(store);
        outbox_count(outbox, &status);
        assert_int_equal(status.sent, 2);
        assert_int_equal(status.dead, 1);
        assert_int_equal(status.retried, 2);
        assert_int_equal(status.waiting, 1);
        outbox_destroy(outbox);
        store_close(store);
        store = open_store();
    }
    store_close(store);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(states_holds_and_messages_survive_a_restart),
        TEST(a_message_is_written_over_by_what_became_of_it),
        TEST(a_message_given_up_untried_takes_no_retry_from_the_count),
        TEST(a_message_that_does_not_fit_is_not_cut_but_told),
        TEST(what_cannot_be_written_is_rolled_back_whole),
        TEST(prunes_what_was_settled_long_ago_and_goes_on_counting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
