/* The sender against a real server in this process that answers by a script: what is delivered how
 * often and when, and what is written down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "alerts/sender.h"
#include "engine/base/clock.h"
#include "engine/base/crypto.h"
#include "engine/base/httpd.h"
#include "engine/base/thread.h"
#include "tests/unit/folder.h"

#define MAX_CALLS 32

struct reply {
    int status; /* 0: 200 */
    int delay_ms;
    const char *headers;
};

/* A place that messages are posted to. */
struct peer {
    struct httpd *httpd;
    int port;
    const struct reply *script; /* one a call; the last one goes on */
    int n_script;
    struct lock lock;
    int n_calls;
    int64_t at_ns[MAX_CALLS];
    char keys[MAX_CALLS][OUTBOX_KEY_SIZE];
    char bodies[MAX_CALLS][256];
    char signature[100];
};

struct bench {
    char path[FOLDER_PATH];
    struct peer peer;
    struct yaml *yaml;
    struct channels *channels;
    int64_t patience_ms; /* with a disk that says nothing */
    struct outbox *outbox;
    struct sender *sender;
};

static void check(enum status status, const struct error *error)
{
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), error->message);
}

/* ---- the peer ---- */

static void copy(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text ? text : "");
}

static void take_message(void *context, const struct http_request *request,
                         struct http_response *response)
{
    struct peer *peer = context;
    lock_take(&peer->lock);
    int call = peer->n_calls++;
    if (call < MAX_CALLS) {
        peer->at_ns[call] = monotonic_ns();
        copy(peer->keys[call], OUTBOX_KEY_SIZE, http_header(request, "Idempotency-Key"));
        snprintf(peer->bodies[call], sizeof peer->bodies[call], SLICE_FORMAT,
                 SLICE_ARGS(request->body));
        copy(peer->signature, sizeof peer->signature, http_header(request, "X-Binnacle-Signature"));
    }
    const struct reply *reply =
        peer->script ? &peer->script[call < peer->n_script ? call : peer->n_script - 1] : NULL;
    lock_release(&peer->lock);
    if (reply && reply->delay_ms > 0)
        pause_us(reply->delay_ms * 1000);
    if (reply && reply->headers)
        buffer_append_text(response->headers, reply->headers);
    response->status = reply && reply->status ? reply->status : 200;
}

static const struct http_route routes[] = {
    {.method = "POST", .path = "/hook", .handle = take_message, .max_body = 1u << 20},
    {.method = NULL},
};

static void peer_start(struct peer *peer)
{
    char listen[32];
    struct error error = {0};
    snprintf(listen, sizeof listen, "127.0.0.1:%d", peer->port);
    const struct httpd_options options = {.listen = listen, .workers = 4};
    check(httpd_start(&options, routes, NULL, peer, &peer->httpd, &error), &error);
    peer->port = httpd_port(peer->httpd);
}

static void peer_stop(struct peer *peer)
{
    httpd_stop(peer->httpd);
    peer->httpd = NULL;
}

static void peer_script(struct peer *peer, const struct reply *script, int n)
{
    lock_take(&peer->lock);
    peer->script = script;
    peer->n_script = n;
    lock_release(&peer->lock);
}

static int calls_of(struct peer *peer)
{
    lock_take(&peer->lock);
    int n = peer->n_calls;
    lock_release(&peer->lock);
    return n;
}

/* ---- the sender ---- */

static void sender_begin(struct bench *bench)
{
    struct error error = {0};
    struct store *store;
    check(store_open(bench->path, &store, &error), &error);
    bench->outbox = outbox_create(bench->patience_ms);
    assert_non_null(bench->outbox);
    check(store_load(store, bench->outbox, &error), &error);
    store_close(store);
    check(sender_start(bench->outbox, NULL, bench->channels, NULL, &bench->sender, &error), &error);
}

/* As the saver does. */
static void save(struct bench *bench)
{
    struct error error = {0};
    struct store *store;
    struct outbox_message *messages;
    struct store_changes changes = {.n_rules = 0};
    uint64_t mark;
    check(outbox_changes(bench->outbox, &messages, &changes.n_messages, &mark, &error), &error);
    changes.messages = messages;
    check(store_open(bench->path, &store, &error), &error);
    check(store_write(store, &changes, &error), &error);
    store_close(store);
    outbox_free(messages, changes.n_messages);
    outbox_stored(bench->outbox, mark);
}

static void sender_end(struct bench *bench)
{
    sender_stop(bench->sender);
    save(bench);
    outbox_destroy(bench->outbox);
    bench->sender = NULL;
    bench->outbox = NULL;
}

static int set_up(void **state)
{
    static const char text[] =
        "- {name: oncall, type: webhook, url: \"http://127.0.0.1:%d/hook\", timeout: 2s, "
        "secret_file: secret}\n";
    struct bench *bench = calloc(1, sizeof *bench);
    struct error error = {0};
    char yaml[256], secret[FOLDER_PATH];
    assert_non_null(bench);
    assert_int_equal(make_folder(state), 0);
    folder_path("alerts.db", bench->path);
    FILE *file = fopen(folder_path("secret", secret), "w");
    assert_non_null(file);
    fputs("correct horse\n", file);
    assert_int_equal(fclose(file), 0);
    lock_init(&bench->peer.lock, "test.peer");
    peer_start(&bench->peer);
    snprintf(yaml, sizeof yaml, text, bench->peer.port);
    check(yaml_load_text("binnacle.yaml", slice_of(yaml), &bench->yaml, &error), &error);
    check(channels_read(yaml_root(bench->yaml), folder, &bench->channels, &error), &error);
    sender_begin(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    sender_end(bench);
    peer_stop(&bench->peer);
    channels_destroy(bench->channels);
    yaml_destroy(bench->yaml);
    lock_destroy(&bench->peer.lock);
    free(bench);
    return remove_folder(state);
}

static void put_made(struct bench *bench, const char *key, const char *channel, const char *body,
                     int64_t made_us)
{
    struct error error = {0};
    check(outbox_put(bench->outbox, key, channel, slice_of(body), made_us, &error), &error);
}

static void put(struct bench *bench, const char *key, const char *body)
{
    put_made(bench, key, "oncall", body, wall_us());
}

/* Until so many messages are sent and given up. */
static void wait_settled(struct bench *bench, uint64_t sent, uint64_t dead)
{
    struct outbox_status status = {0};
    for (int tries = 0; tries < 1000; tries++) {
        outbox_count(bench->outbox, &status);
        if (status.sent == sent && status.dead == dead)
            return;
        pause_us(10000);
    }
    fail_msg("%d sent, %d given up, %d waiting", (int)status.sent, (int)status.dead,
             (int)status.waiting);
}

static void wait_calls(struct bench *bench, int n)
{
    for (int tries = 0; tries < 1000 && calls_of(&bench->peer) < n; tries++)
        pause_us(10000);
    assert_true(calls_of(&bench->peer) >= n);
}

static double seconds_between(const struct peer *peer, int first, int second)
{
    return (double)(peer->at_ns[second] - peer->at_ns[first]) / 1e9;
}

/* The only message as it stands. */
static struct outbox_message read_message(struct bench *bench)
{
    struct error error = {0};
    struct outbox_message *messages;
    size_t n;
    uint64_t mark;
    check(outbox_changes(bench->outbox, &messages, &n, &mark, &error), &error);
    assert_int_equal(n, 1);
    struct outbox_message message = messages[0];
    outbox_free(messages, n);
    message.body = (struct buffer){.data = NULL};
    return message;
}

/* ---- tests ---- */

static void delivers_once_under_its_key_and_signed(void **state)
{
    struct bench *bench = *state;
    struct peer *peer = &bench->peer;
    put(bench, "key-1", "{\"a\":1}");
    wait_settled(bench, 1, 0);
    pause_us(200000);
    assert_int_equal(calls_of(peer), 1);
    assert_string_equal(peer->keys[0], "key-1");
    assert_string_equal(peer->bodies[0], "{\"a\":1}");
    /* printf '{"a":1}' | openssl dgst -sha256 -hmac 'correct horse' */
    assert_string_equal(peer->signature,
                        "sha256=795f18370230a65480aa9db336fcfa6f7df2da77c788e54c883c43dc78467158");
}

static void tries_again_after_5xx_under_the_same_key_with_growing_waits(void **state)
{
    static const struct reply script[] = {{500, 0, NULL}, {503, 0, NULL}, {0, 0, NULL}};
    struct bench *bench = *state;
    struct peer *peer = &bench->peer;
    struct outbox_status status = {0};
    peer_script(peer, script, 3);
    put(bench, "key-1", "once");
    wait_settled(bench, 1, 0);
    assert_int_equal(calls_of(peer), 3);
    assert_string_equal(peer->keys[2], "key-1");
    assert_string_equal(peer->bodies[2], "once");
    assert_true(seconds_between(peer, 0, 1) >= 0.45);
    assert_true(seconds_between(peer, 1, 2) >= 0.95);
    outbox_count(bench->outbox, &status);
    assert_int_equal(status.retried, 2);
}

static void tries_again_when_no_answer_comes_in_time(void **state)
{
    static const struct reply script[] = {{200, 2500, NULL}, {0, 0, NULL}};
    struct bench *bench = *state;
    peer_script(&bench->peer, script, 2);
    put(bench, "key-1", "slow");
    wait_settled(bench, 1, 0);
    assert_int_equal(calls_of(&bench->peer), 2);
}

static void delivers_when_nobody_listened_at_first(void **state)
{
    struct bench *bench = *state;
    peer_stop(&bench->peer);
    put(bench, "key-1", "later");
    struct outbox_status status = {0};
    for (int tries = 0; tries < 500 && status.retried == 0; tries++) {
        pause_us(10000);
        outbox_count(bench->outbox, &status);
    }
    assert_true(status.retried > 0);
    struct outbox_message message = read_message(bench);
    assert_non_null(strstr(message.problem, "127.0.0.1"));
    assert_null(strstr(message.problem, "hook")); /* the path is the password */
    peer_start(&bench->peer);
    wait_settled(bench, 1, 0);
    assert_int_equal(calls_of(&bench->peer), 1);
}

static void waits_as_long_as_a_429_asks(void **state)
{
    static const struct reply script[] = {{429, 0, "Retry-After: 2\r\n"}, {0, 0, NULL}};
    struct bench *bench = *state;
    peer_script(&bench->peer, script, 2);
    put(bench, "key-1", "patience");
    wait_settled(bench, 1, 0);
    assert_int_equal(calls_of(&bench->peer), 2);
    double waited_s = seconds_between(&bench->peer, 0, 1);
    assert_true(waited_s >= 1.95); /* the first wait of its own would be a second at most */
}

static void an_absurd_retry_after_waits_a_day_at_most(void **state)
{
    static const struct reply script[] = {{429, 0, "Retry-After: 9000000000000000\r\n"}};
    struct bench *bench = *state;
    peer_script(&bench->peer, script, 1);
    int64_t now_us = wall_us();
    put(bench, "key-1", "never");
    struct outbox_status status = {0};
    for (int tries = 0; tries < 500 && status.retried == 0; tries++) {
        pause_us(10000);
        outbox_count(bench->outbox, &status);
    }
    assert_int_equal(status.retried, 1);
    int64_t wait_us = read_message(bench).due_us - now_us;
    assert_true(wait_us > 0 && wait_us < 25 * US_PER_HOUR);
}

static void gives_up_on_4xx_and_writes_down_why(void **state)
{
    static const struct reply script[] = {{404, 0, NULL}};
    struct bench *bench = *state;
    peer_script(&bench->peer, script, 1);
    put(bench, "key-1", "gone");
    wait_settled(bench, 0, 1);
    pause_us(200000);
    assert_int_equal(calls_of(&bench->peer), 1);
    struct outbox_message message = read_message(bench);
    assert_int_equal(message.fate, MESSAGE_DEAD);
    assert_string_equal(message.problem, "answered 404");
}

static void gives_up_what_fails_when_it_is_a_day_old(void **state)
{
    static const struct reply script[] = {{500, 0, NULL}};
    struct bench *bench = *state;
    peer_script(&bench->peer, script, 1);
    put_made(bench, "old", "oncall", "old", wall_us() - US_PER_DAY - US_PER_MIN);
    wait_settled(bench, 0, 1);
    assert_int_equal(calls_of(&bench->peer), 1);
}

static void gives_up_what_is_for_a_channel_of_before(void **state)
{
    struct bench *bench = *state;
    put_made(bench, "key-1", "pager", "x", wall_us());
    wait_settled(bench, 0, 1);
    assert_int_equal(calls_of(&bench->peer), 0);
    assert_string_equal(read_message(bench).problem, "is not configured any more");
}

static void what_one_process_left_the_next_delivers_once(void **state)
{
    static const struct reply script[] = {
        {0, 0, NULL}, {503, 0, "Retry-After: 1\r\n"}, {0, 0, NULL}};
    struct bench *bench = *state;
    struct peer *peer = &bench->peer;
    peer_script(peer, script, 3);
    put(bench, "key-1", "first");
    wait_settled(bench, 1, 0);
    put(bench, "key-2", "second");
    wait_calls(bench, 2);
    sender_end(bench); /* key-2 waits for its second attempt */
    bench->outbox = outbox_create(0);
    put(bench, "key-3", "third"); /* committed, and the process ended before it was sent */
    save(bench);
    outbox_destroy(bench->outbox);
    assert_int_equal(calls_of(peer), 2);

    sender_begin(bench);
    wait_settled(bench, 3, 0);
    pause_us(200000);
    assert_int_equal(calls_of(peer), 4);
    assert_string_equal(peer->keys[2], "key-3");
    assert_string_equal(peer->keys[3], "key-2");
    assert_string_equal(peer->bodies[3], "second");
}

static void stopping_delivers_what_is_due(void **state)
{
    struct bench *bench = *state;
    for (int i = 0; i < 5; i++) {
        char key[16];
        snprintf(key, sizeof key, "key-%d", i);
        put(bench, key, "x");
    }
    sender_end(bench);
    assert_int_equal(calls_of(&bench->peer), 5);
    sender_begin(bench);
    wait_settled(bench, 5, 0);
}

static void stopping_delivers_what_waits_for_the_disk(void **state)
{
    struct bench *bench = *state;
    sender_end(bench);
    bench->patience_ms = 3600000;
    sender_begin(bench);
    put(bench, "key-1", "x");
    sender_end(bench);
    assert_int_equal(calls_of(&bench->peer), 1);
    sender_begin(bench);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(delivers_once_under_its_key_and_signed),
        TEST(tries_again_after_5xx_under_the_same_key_with_growing_waits),
        TEST(tries_again_when_no_answer_comes_in_time),
        TEST(delivers_when_nobody_listened_at_first),
        TEST(waits_as_long_as_a_429_asks),
        TEST(an_absurd_retry_after_waits_a_day_at_most),
        TEST(gives_up_on_4xx_and_writes_down_why),
        TEST(gives_up_what_fails_when_it_is_a_day_old),
        TEST(gives_up_what_is_for_a_channel_of_before),
        TEST(what_one_process_left_the_next_delivers_once),
        TEST(stopping_delivers_what_is_due),
        TEST(stopping_delivers_what_waits_for_the_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
