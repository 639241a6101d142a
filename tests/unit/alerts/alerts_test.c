/* From snapshot to message: what is shown, what is put into the outbox, and what a restart keeps.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alerts/alerts.h"
#include "engine/base/clock.h"
#include "engine/base/db.h"
#include "engine/base/json.h"
#include "engine/base/thread.h"
#include "tests/unit/disk/disk.h"
#include "tests/unit/folder.h"

#define T0 INT64_C(1533686400000000)

static const char RULES[] = "- name: deep\n"
                            "  when: queue.depth > 5\n"
                            "  for: 1m\n"
                            "  resolve_after: 1m\n"
                            "  severity: page\n"
                            "  summary: \"{queue.depth} rows wait\"\n"
                            "- {name: unready, when: not ready, channels: [chat]}\n";
/* Nobody listens there: messages stay in the outbox. */
static const char CHANNELS[] = "- {name: chat, type: slack, url: \"http://127.0.0.1:9/\"}\n"
                               "- {name: pager, type: webhook, url: \"http://127.0.0.1:9/\"}\n";

struct bench {
    char path[FOLDER_PATH];
    struct yaml *rules, *channels;
    struct alerts_options options;
    struct alerts *alerts;
    struct snapshot *snapshot;
};

static void check(enum status status, const struct error *error)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error->message);
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct error error = {0};
    assert_non_null(bench);
    assert_int_equal(make_folder(state), 0);
    folder_path("alerts.db", bench->path);
    check(yaml_load_text("rules.yaml", slice_of(RULES), &bench->rules, &error), &error);
    check(yaml_load_text("channels.yaml", slice_of(CHANNELS), &bench->channels, &error), &error);
    bench->options = (struct alerts_options){
        .rules = yaml_root(bench->rules),
        .channels = yaml_root(bench->channels),
        .service = "cards",
        .path = bench->path,
    };
    bench->snapshot = snapshot_create();
    assert_non_null(bench->snapshot);
    check(alerts_create(&bench->options, &bench->alerts, &error), &error);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    disk_hold_syncs(NULL);
    alerts_destroy(bench->alerts);
    disk_end();
    snapshot_release(bench->snapshot);
    yaml_destroy(bench->rules);
    yaml_destroy(bench->channels);
    free(bench);
    return remove_folder(state);
}

static void restart(struct bench *bench)
{
    struct error error = {0};
    alerts_destroy(bench->alerts);
    check(alerts_create(&bench->options, &bench->alerts, &error), &error);
}

/* The picture at so many seconds, judged and filled. */
static struct snapshot *tick(struct bench *bench, int64_t second, uint64_t depth)
{
    bench->snapshot->time_us = T0 + second * US_PER_S;
    bench->snapshot->queue_depth = depth;
    bench->snapshot->ready = true;
    alerts_evaluate(bench->alerts, bench->snapshot);
    alerts_fill(bench->alerts, bench->snapshot);
    return bench->snapshot;
}

static int64_t count_messages(const struct bench *bench, const char *where)
{
    struct error error = {0};
    struct db *db;
    struct db_stmt *stmt;
    char sql[256];
    enum status status;
    do /* until it is written */
        status = alerts_silence(bench->alerts, "deep", 0, &error);
    while (status == STATUS_UNAVAILABLE);
    check(status, &error);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM message WHERE %s", where);
    check(db_open(bench->path, DB_READ, DB_SYNC_OFF, &db, &error), &error);
    check(db_prepare(db, sql, &stmt, &error), &error);
    check(db_step(stmt, &error), &error);
    int64_t n = db_int(stmt, 0);
    db_finish(stmt);
    db_close(db);
    return n;
}

static void an_alert_goes_through_its_life_and_tells_both_ends(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(tick(bench, 0, 5)->n_alerts, 0);
    struct snapshot *snapshot = tick(bench, 10, 6);
    assert_int_equal(snapshot->n_alerts, 1);
    assert_string_equal(snapshot->alerts[0].name, "deep");
    assert_string_equal(snapshot->alerts[0].state, "pending");
    assert_string_equal(snapshot->alerts[0].severity, "page");
    assert_int_equal(count_messages(bench, "1"), 0);
    snapshot = tick(bench, 70, 7);
    assert_string_equal(snapshot->alerts[0].state, "firing");
    assert_string_equal(snapshot->alerts[0].summary, "7 rows wait");
    assert_float_equal(snapshot->alerts[0].value, 7, 0);
    assert_int_equal(snapshot->alerts[0].since_us, T0 + 70 * US_PER_S);
    assert_int_equal(count_messages(bench, "CAST(body AS TEXT) LIKE '%7 rows wait%'"), 2);
    tick(bench, 71, 8);
    assert_int_equal(count_messages(bench, "1"), 2); /* told once */
    tick(bench, 80, 0);
    snapshot = tick(bench, 140, 0);
    assert_string_equal(snapshot->alerts[0].state, "resolved");
    assert_string_equal(snapshot->alerts[0].summary, "8 rows wait");
    assert_int_equal(count_messages(bench, "1"), 4);
    assert_int_equal(count_messages(bench, "CAST(body AS TEXT) LIKE '%\"state\":\"resolved\"%'"),
                     1);
    assert_int_equal(tick(bench, 140 + 15 * 60, 0)->n_alerts, 0);
}

static void a_spike_shorter_than_for_tells_nobody(void **state)
{
    struct bench *bench = *state;
    tick(bench, 0, 9);
    tick(bench, 59, 9);
    tick(bench, 60 - 1, 0);
    assert_int_equal(tick(bench, 61, 9)->n_alerts, 1); /* pending from the start again */
    assert_string_equal(bench->snapshot->alerts[0].state, "pending");
    assert_int_equal(count_messages(bench, "1"), 0);
}

static void a_rule_tells_only_its_channels(void **state)
{
    struct bench *bench = *state;
    bench->snapshot->time_us = T0;
    bench->snapshot->ready = false;
    alerts_evaluate(bench->alerts, bench->snapshot);
    alerts_evaluate(bench->alerts, bench->snapshot);
    assert_int_equal(count_messages(bench, "channel = 'chat'"), 1);
    assert_int_equal(count_messages(bench, "1"), 1);
}

static void a_restart_neither_tells_again_nor_forgets_to_resolve(void **state)
{
    struct bench *bench = *state;
    tick(bench, 0, 9);
    tick(bench, 60, 9);
    assert_int_equal(count_messages(bench, "1"), 2);
    restart(bench);
    struct snapshot *snapshot = tick(bench, 70, 9);
    assert_string_equal(snapshot->alerts[0].state, "firing");
    assert_int_equal(snapshot->alerts[0].since_us, T0 + 60 * US_PER_S);
    assert_int_equal(count_messages(bench, "1"), 2);
    restart(bench);
    tick(bench, 80, 0); /* over before the new process saw it hold */
    snapshot = tick(bench, 140, 0);
    assert_string_equal(snapshot->alerts[0].state, "resolved");
    assert_string_equal(snapshot->alerts[0].summary, "deep"); /* never without words */
    assert_int_equal(count_messages(bench, "1"), 4);
    /* Both ends carry the incident's fingerprint. */
    assert_int_equal(count_messages(bench,
                                    "channel = 'pager' AND json_extract(CAST(body AS TEXT), "
                                    "'$.fingerprint') = (SELECT json_extract(CAST(body AS TEXT), "
                                    "'$.fingerprint') FROM message WHERE channel = "
                                    "'pager' LIMIT 1)"),
                     2);
}

static void a_transition_that_cannot_be_written_is_told_from_memory(void **state)
{
    struct bench *bench = *state;
    struct error error = {0};
    struct db *db;
    tick(bench, 0, 9);
    check(db_open(bench->path, DB_WRITE, DB_SYNC_OFF, &db, &error), &error);
    check(db_begin(db, &error), &error);
    struct snapshot *snapshot = tick(bench, 60, 9); /* waits for the lock, then gives up */
    assert_string_equal(snapshot->alerts[0].state, "firing");
    const struct outbox_status *outbox = &snapshot->outbox;
    assert_int_equal(outbox->waiting + outbox->sent + outbox->dead, 2);
    db_rollback(db);
    db_close(db);
    snapshot = tick(bench, 66, 9); /* nothing is new, and what was not written is */
    assert_string_equal(snapshot->alerts[0].state, "firing");
    assert_int_equal(count_messages(bench, "1"), 2);
    restart(bench);
    snapshot = tick(bench, 70, 9);
    assert_string_equal(snapshot->alerts[0].state, "firing");
    assert_int_equal(snapshot->alerts[0].since_us, T0 + 60 * US_PER_S);
    assert_int_equal(count_messages(bench, "1"), 2);
}

/* How often somebody was told, or that was tried. */
static uint64_t attempts(struct bench *bench)
{
    alerts_fill(bench->alerts, bench->snapshot);
    const struct outbox_status *outbox = &bench->snapshot->outbox;
    return outbox->sent + outbox->retried + outbox->dead;
}

struct request {
    struct alerts *alerts;
    const char *who;  /* acknowledges; NULL: silences */
    int64_t until_us; /* a silence */
    bool again;       /* presses again when the disk does not answer in time */
    atomic_bool ended;
    enum status status;
    struct error error;
    struct thread *thread;
};

static void ask(void *context)
{
    struct request *request = context;
    do
        request->status =
            request->who
                ? alerts_acknowledge(request->alerts, "deep", request->who, &request->error)
                : alerts_silence(request->alerts, "deep", request->until_us, &request->error);
    while (request->again && request->status == STATUS_UNAVAILABLE);
    request->ended = true;
}

static void start(struct bench *bench, struct request *request)
{
    request->alerts = bench->alerts;
    check(thread_start("asks", ask, request, &request->thread, &request->error), &request->error);
}

static int64_t silent_until(struct bench *bench)
{
    alerts_fill(bench->alerts, bench->snapshot);
    return bench->snapshot->alerts[0].silent_until_us;
}

/* Until the silence that is asked for is seen, or has been refused. */
static void wait_asked(struct bench *bench, struct request *request)
{
    while (silent_until(bench) == 0 && !request->ended)
        pause_us(1000);
}

static void watch_disk(struct bench *bench, int64_t timeout_us)
{
    disk_watch(folder);
    bench->options.disk_timeout_us = timeout_us;
    restart(bench); /* only files that are opened from now on are watched */
}

/* No sync comes back: whoever judges, fills and tells does not notice; who asked for a silence
 * learns that it cannot be promised. */
static void a_disk_that_hangs_delays_no_page(void **state)
{
    struct bench *bench = *state;
    struct request request = {.until_us = T0 + 900 * US_PER_S};
    watch_disk(bench, US_PER_S / 2);
    disk_hold_syncs("alerts.db-wal");
    tick(bench, 0, 9);
    while (disk_held() == 0)
        pause_us(1000);
    struct snapshot *snapshot = tick(bench, 60, 9);
    assert_string_equal(snapshot->alerts[0].state, "firing");
    while (attempts(bench) < 2)
        pause_us(1000);
    start(bench, &request);
    wait_asked(bench, &request);
    tick(bench, 62, 9); /* while somebody waits for the disk */
    thread_join(request.thread);
    assert_int_equal(request.status, STATUS_UNAVAILABLE);
    assert_int_equal(silent_until(bench), 0);
    assert_int_equal(disk_held(), 1);
    disk_hold_syncs(NULL);
    assert_int_equal(count_messages(bench, "1"), 2);
    restart(bench);
    snapshot = tick(bench, 70, 9);
    assert_string_equal(snapshot->alerts[0].state, "firing");
    assert_int_equal(snapshot->alerts[0].since_us, T0 + 60 * US_PER_S);
    assert_int_equal(snapshot->alerts[0].silent_until_us, 0);
}

/* Who hears nothing presses again. What each was answered is what stands, whatever was refused to
 * others at the same time. */
static void what_is_refused_to_one_takes_nothing_from_another(void **state)
{
    struct bench *bench = *state;
    struct request refused[] = {
        {.until_us = T0 + 800 * US_PER_S}, {.until_us = T0 + 900 * US_PER_S}, {.who = "ann"}};
    struct request accepted = {.who = "ann", .again = true};
    watch_disk(bench, US_PER_S / 2);
    tick(bench, 0, 9);
    tick(bench, 60, 9);
    disk_hold_syncs("alerts.db-wal");
    for (size_t i = 0; i < 3; i++) {
        start(bench, &refused[i]);
        wait_asked(bench, &refused[i]);
    }
    start(bench, &accepted);
    for (size_t i = 0; i < 3; i++) {
        thread_join(refused[i].thread);
        assert_int_equal(refused[i].status, STATUS_UNAVAILABLE);
    }
    disk_hold_syncs(NULL);
    thread_join(accepted.thread);
    check(accepted.status, &accepted.error);
    assert_int_equal(silent_until(bench), 0);
    assert_string_equal(bench->snapshot->alerts[0].acknowledged_by, "ann");
    restart(bench);
    struct snapshot *snapshot = tick(bench, 70, 9);
    assert_int_equal(snapshot->alerts[0].silent_until_us, 0);
    assert_string_equal(snapshot->alerts[0].acknowledged_by, "ann");
}

static void a_silence_is_on_the_disk_or_not_promised(void **state)
{
    struct bench *bench = *state;
    struct error error = {0};
    const struct disk_fault full = {CALL_WRITE, "alerts.db-wal", .times = 1000, .error = ENOSPC};
    tick(bench, 0, 9);
    tick(bench, 60, 9);
    watch_disk(bench, 0);
    disk_fail(&full);
    assert_int_not_equal(alerts_silence(bench->alerts, "deep", T0 + 900 * US_PER_S, &error),
                         STATUS_OK);
    assert_int_equal(silent_until(bench), 0);
    assert_int_not_equal(alerts_acknowledge(bench->alerts, "deep", "ann", &error), STATUS_OK);
    alerts_fill(bench->alerts, bench->snapshot);
    assert_string_equal(bench->snapshot->alerts[0].acknowledged_by, "");
    disk_fail(NULL);
    check(alerts_silence(bench->alerts, "deep", T0 + 900 * US_PER_S, &error), &error);
    check(alerts_acknowledge(bench->alerts, "deep", "ann", &error), &error);
    restart(bench);
    struct snapshot *snapshot = tick(bench, 70, 9);
    assert_int_equal(snapshot->alerts[0].silent_until_us, T0 + 900 * US_PER_S);
    assert_string_equal(snapshot->alerts[0].acknowledged_by, "ann");
}

static void pages_stand_before_tickets(void **state)
{
    struct bench *bench = *state;
    tick(bench, 0, 9);
    bench->snapshot->time_us = T0 + 60 * US_PER_S;
    bench->snapshot->ready = false;
    alerts_evaluate(bench->alerts, bench->snapshot);
    alerts_fill(bench->alerts, bench->snapshot);
    assert_int_equal(bench->snapshot->n_alerts, 2);
    assert_string_equal(bench->snapshot->alerts[0].name, "deep");
    assert_string_equal(bench->snapshot->alerts[1].name, "unready");
}

static void a_rule_for_a_channel_that_is_not_there_is_told_with_its_place(void **state)
{
    struct bench *bench = *state;
    struct alerts_options options = bench->options;
    struct error error = {0};
    struct yaml *rules;
    check(yaml_load_text("a.yaml", slice_of("- {name: a, when: ready, channels: [chat, chap]}\n"),
                         &rules, &error),
          &error);
    options.rules = yaml_root(rules);
    assert_int_equal(alerts_check(&options, &error), STATUS_INVALID);
    assert_string_equal(error.message, "a.yaml:1:43: there is no channel \"chap\"");
    yaml_destroy(rules);
}

static void a_link_too_long_for_messages_is_refused_at_the_start(void **state)
{
    struct bench *bench = *state;
    struct alerts_options options = bench->options;
    struct error error = {0};
    char link[2002] = "";
    memset(link, 'x', sizeof link - 1);
    options.link = link;
    assert_int_equal(alerts_check(&options, &error), STATUS_INVALID);
    assert_string_equal(error.message, "link is longer than 2000 bytes");
    link[2000] = '\0';
    check(alerts_check(&options, &error), &error);
}

int main(void)
{
    disk_register();
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(an_alert_goes_through_its_life_and_tells_both_ends),
        TEST(a_spike_shorter_than_for_tells_nobody),
        TEST(a_rule_tells_only_its_channels),
        TEST(a_restart_neither_tells_again_nor_forgets_to_resolve),
        TEST(a_transition_that_cannot_be_written_is_told_from_memory),
        TEST(a_disk_that_hangs_delays_no_page),
        TEST(what_is_refused_to_one_takes_nothing_from_another),
        TEST(a_silence_is_on_the_disk_or_not_promised),
        TEST(pages_stand_before_tickets),
        TEST(a_link_too_long_for_messages_is_refused_at_the_start),
        TEST(a_rule_for_a_channel_that_is_not_there_is_told_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
