/* Documents: asked for while they are read, each kind of failure told apart, orders answered once.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/tui/feed.h"

struct peer {
    atomic_int asked, code;
    char target[FEED_TARGET_SIZE], body[200];
};

static int ask(void *context, const char *method, const char *target, struct slice body,
               struct buffer *reply, struct error *error)
{
    struct peer *peer = context;
    snprintf(peer->target, sizeof peer->target, "%s %s", method, target);
    snprintf(peer->body, sizeof peer->body, SLICE_FORMAT, SLICE_ARGS(body));
    atomic_fetch_add(&peer->asked, 1);
    int code = atomic_load(&peer->code);
    if (code == 0)
        error_set(error, STATUS_UNAVAILABLE, "nobody is there");
    buffer_printf(reply, code == 200 ? "{\"n\":%d}" : "{\"detail\":\"because %d\"}",
                  code == 200 ? atomic_load(&peer->asked) : code);
    return code;
}

static void await(struct feed *feed)
{
    struct pollfd input = {.fd = feed_fd(feed), .events = POLLIN};
    assert_int_equal(poll(&input, 1, 10000), 1);
    assert_true(feed_collect(feed, NULL, NULL));
}

static void tells_each_kind_of_failure_and_keeps_the_last_document(void **state)
{
    (void)state;
    static const struct {
        int code;
        enum feed_state state;
        const char *why;
    } cases[] = {{401, FEED_REFUSED, "because 401"},
                 {404, FEED_NOT_OFFERED, "because 404"},
                 {500, FEED_FAILED, "because 500"},
                 {0, FEED_AWAY, "nobody is there"}};
    struct peer *peer = calloc(1, sizeof *peer);
    struct feed_source source = {.ask = ask, .context = peer, .direct = true};
    struct feed *feed;
    struct error error;
    assert_int_equal(feed_create(&source, &feed, &error), STATUS_OK);
    peer->code = 200;
    struct feed_document document = feed_read(feed, "/a", 0);
    assert_int_equal(document.state, FEED_READY);
    uint64_t version = document.version;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        peer->code = cases[i].code;
        document = feed_read(feed, "/a", 0);
        assert_int_equal(document.state, cases[i].state);
        assert_string_equal(document.why, cases[i].why);
        assert_non_null(document.json);
        assert_int_equal(document.version, version);
        assert_null(feed_read(feed, "/b", 60000).json);
        feed_expire(feed);
    }
    feed_destroy(feed);
    free(peer);
}

static void what_is_held_stays_until_it_is_let_go(void **state)
{
    (void)state;
    struct peer *peer = calloc(1, sizeof *peer);
    struct feed_source source = {.ask = ask, .context = peer};
    struct feed *feed;
    struct error error;
    peer->code = 200;
    assert_int_equal(feed_create(&source, &feed, &error), STATUS_OK);
    assert_null(feed_read(feed, "/a", FEED_HOLD).json); /* there is nothing yet: it is asked for */
    await(feed);
    uint64_t version = feed_read(feed, "/a", FEED_HOLD).version;
    for (int i = 0; i < 3; i++) {
        feed_expire(feed);
        (void)feed_read(feed, "/b", 0); /* of others there is news */
        await(feed);
        assert_int_equal(feed_read(feed, "/a", FEED_HOLD).version, version);
    }
    uint64_t before = version;
    for (int i = 0; i < 20 && version == before; i++) {
        version = feed_read(feed, "/a", 0).version;
        if (version == before)
            await(feed);
    }
    assert_true(version > before);
    feed_destroy(feed);
    free(peer);
}

static void puts_the_present_moment_into_targets(void **state)
{
    (void)state;
    struct peer *peer = calloc(1, sizeof *peer);
    struct feed_source source = {.ask = ask, .context = peer, .direct = true};
    struct feed *feed;
    struct error error;
    peer->code = 200;
    assert_int_equal(feed_create(&source, &feed, &error), STATUS_OK);
    feed_set_now(feed, INT64_C(1700000000000000));
    (void)feed_read(feed, "/h?from={now-60}&to={now}&x=1", 1000);
    assert_string_equal(peer->target, "GET /h?from=1699999940000&to=1700000000000&x=1");
    feed_destroy(feed);
    free(peer);
}

static void asks_on_a_thread_of_its_own_and_answers_orders_once(void **state)
{
    (void)state;
    struct peer *peer = calloc(1, sizeof *peer);
    struct feed_source source = {.ask = ask, .context = peer};
    struct feed *feed;
    struct error error;
    char why[100];
    peer->code = 200;
    assert_int_equal(feed_create(&source, &feed, &error), STATUS_OK);
    assert_int_equal(feed_read(feed, "/a", 600000).state, FEED_LOADING);
    await(feed);
    assert_int_equal(feed_read(feed, "/a", 600000).state, FEED_READY);
    assert_int_equal(feed_order_end(feed, why, sizeof why), FEED_NO_ORDER);
    feed_order(feed, "PUT", "/t", slice_of("{\"reason\":\"x\"}"));
    await(feed);
    assert_string_equal(peer->target, "PUT /t");
    assert_string_equal(peer->body, "{\"reason\":\"x\"}");
    assert_int_equal(feed_order_end(feed, why, sizeof why), FEED_DONE);
    assert_int_equal(feed_order_end(feed, why, sizeof why), FEED_NO_ORDER);
    peer->code = 403;
    feed_order(feed, "PUT", "/t", slice_of("{}"));
    await(feed);
    assert_int_equal(feed_order_end(feed, why, sizeof why), FEED_ORDER_FAILED);
    assert_string_equal(why, "because 403");
    feed_destroy(feed);
    free(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_stays_until_it_is_let_go),
        cmocka_unit_test(tells_each_kind_of_failure_and_keeps_the_last_document),
        cmocka_unit_test(puts_the_present_moment_into_targets),
        cmocka_unit_test(asks_on_a_thread_of_its_own_and_answers_orders_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
