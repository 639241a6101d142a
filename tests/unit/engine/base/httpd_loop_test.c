/* What the server with a loop does beyond what both kinds do (httpd_test.c): requests that are
 * gathered and answered later, many connections, slow work beside quick, peers that vanish. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "engine/base/clock.h"
#include "tests/unit/engine/base/httpd_fixture.h"

#define MOST_HELD 2048

/* Gathered requests are held until `release` is signalled; all but `largest` is the loop's. */
struct keeper {
    struct http_exchange *held[MOST_HELD];
    size_t n;
    atomic_size_t n_held, largest;
    int release;
    atomic_bool may_go; /* the loop also looks by itself, now and then */
};

static void gather(void *context, struct http_exchange *const *exchanges, size_t n)
{
    struct keeper *keeper = context;
    for (size_t i = 0; i < n; i++)
        keeper->held[keeper->n++] = exchanges[i];
    atomic_fetch_add(&keeper->n_held, n);
    if (n > atomic_load(&keeper->largest))
        atomic_store(&keeper->largest, n);
}

static void release(void *context)
{
    struct keeper *keeper = context;
    if (!atomic_exchange(&keeper->may_go, false))
        return;
    size_t n = keeper->n;
    keeper->n = 0;
    for (size_t i = 0; i < n; i++) {
        struct http_exchange *exchange = keeper->held[i];
        buffer_append_slice(exchange->response.body, exchange->request.body);
        http_exchange_answer(exchange);
    }
}

static void never(void *context, const struct http_request *request, struct http_response *response)
{
    (void)context;
    (void)request;
    response->status = 500; /* the loop gathers instead */
}

static void hello(void *context, const struct http_request *request, struct http_response *response)
{
    (void)context;
    (void)request;
    buffer_append_text(response->body, "hello");
}

static void slow(void *context, const struct http_request *request, struct http_response *response)
{
    (void)context;
    (void)request;
    usleep(400000);
    buffer_append_text(response->body, "slow");
}

static void large(void *context, const struct http_request *request, struct http_response *response)
{
    (void)context;
    (void)request;
    static const char block[65536];
    for (int i = 0; i < 128; i++)
        buffer_append(response->body, block, sizeof block);
}

static const struct http_route routes[] = {
    {.method = "POST", .path = "/held", .handle = never, .pace = HTTP_GATHERED, .max_body = 65536},
    {.method = "GET", .path = "/hello", .handle = hello},
    {.method = "GET", .path = "/slow", .handle = slow, .pace = HTTP_SLOW},
    {.method = "GET", .path = "/large", .handle = large},
    {.method = NULL},
};

struct fixture {
    struct keeper keeper;
    struct httpd *httpd;
};

static void start(struct fixture *fixture, int max_connections, int request_timeout_ms)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->keeper.release = eventfd(0, EFD_NONBLOCK);
    struct httpd_loop_options loop = {.gather = gather,
                                      .max_gathered = 64,
                                      .watched_fd = fixture->keeper.release,
                                      .on_watched = release,
                                      .max_connections = max_connections};
    struct httpd_options options = {
        .listen = "127.0.0.1:0", .loop = &loop, .request_timeout_ms = request_timeout_ms};
    struct error error = {0};
    if (httpd_start(&options, routes, NULL, &fixture->keeper, &fixture->httpd, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static void stop(struct fixture *fixture)
{
    httpd_stop(fixture->httpd);
    close(fixture->keeper.release);
}

static void let_go(struct fixture *fixture)
{
    uint64_t one = 1;
    atomic_store(&fixture->keeper.may_go, true);
    assert_int_equal(write(fixture->keeper.release, &one, sizeof one), sizeof one);
}

static void wait_for(atomic_size_t *counter, size_t wanted)
{
    for (int i = 0; i < 5000 && atomic_load(counter) < wanted; i++)
        usleep(1000);
    assert_true(atomic_load(counter) >= wanted);
}

static void ask_held(struct wire *wire, const char *body)
{
    char request[256];
    snprintf(request, sizeof request,
             "POST /held HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(body), body);
    wire_send(wire, request);
}

static const char get_hello[] = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";

static void answers_what_is_held_when_it_is_let_go_and_others_meanwhile(void **state)
{
    (void)state;
    struct fixture fixture;
    struct wire held[3];
    start(&fixture, 0, 0);
    for (int i = 0; i < 3; i++) {
        char body[16];
        snprintf(body, sizeof body, "number %d", i);
        wire_open(&held[i], fixture.httpd, 0);
        ask_held(&held[i], body);
    }
    wait_for(&fixture.keeper.n_held, 3);
    assert_string_equal(ask(fixture.httpd, get_hello).body, "hello");
    let_go(&fixture);
    for (int i = 0; i < 3; i++) {
        struct answer answer = wire_answer(&held[i], false);
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.body[7], '0' + i);
        wire_send(&held[i], get_hello);
        assert_string_equal(wire_answer(&held[i], false).body, "hello");
        wire_close(&held[i]);
    }
    stop(&fixture);
}

static void keeps_the_order_of_pipelined_requests_when_the_first_is_held(void **state)
{
    (void)state;
    struct fixture fixture;
    struct wire wire;
    start(&fixture, 0, 0);
    wire_open(&wire, fixture.httpd, 0);
    ask_held(&wire, "first");
    wire_send(&wire, get_hello);
    ask_held(&wire, "third");
    wait_for(&fixture.keeper.n_held, 1);
    usleep(20000);
    assert_int_equal(atomic_load(&fixture.keeper.n_held), 1);
    let_go(&fixture);
    assert_string_equal(wire_answer(&wire, false).body, "first");
    assert_string_equal(wire_answer(&wire, false).body, "hello");
    wait_for(&fixture.keeper.n_held, 2);
    let_go(&fixture);
    assert_string_equal(wire_answer(&wire, false).body, "third");
    wire_close(&wire);
    stop(&fixture);
}

static void puts_a_request_together_from_single_bytes(void **state)
{
    (void)state;
    struct fixture fixture;
    struct wire wire;
    static const char request[] =
        "POST /held?a=%20b HTTP/1.1\r\nHost: localhost\r\nX-Long: a b\r\n"
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
    start(&fixture, 0, 0);
    wire_open(&wire, fixture.httpd, 0);
    for (size_t i = 0; i < sizeof request - 1; i++) {
        assert_int_equal(send(wire.fd, request + i, 1, MSG_NOSIGNAL), 1);
        usleep(500);
    }
    wait_for(&fixture.keeper.n_held, 1);
    let_go(&fixture);
    assert_string_equal(wire_answer(&wire, false).body, "abcd");
    wire_close(&wire);
    stop(&fixture);
}

static void serves_a_thousand_connections_at_once(void **state)
{
    (void)state;
    enum { N = 1000 };
    static struct wire wires[N];
    struct fixture fixture;
    start(&fixture, 0, 0);
    for (int i = 0; i < N; i++)
        wire_open(&wires[i], fixture.httpd, 0);
    for (int i = 0; i < N; i++)
        ask_held(&wires[i], "x");
    wait_for(&fixture.keeper.n_held, N);
    assert_true(atomic_load(&fixture.keeper.largest) <= 64);
    struct httpd_stats stats;
    httpd_stats(fixture.httpd, &stats);
    assert_int_equal(stats.connections, N);
    let_go(&fixture);
    for (int i = 0; i < N; i++) {
        assert_string_equal(wire_answer(&wires[i], false).body, "x");
        wire_close(&wires[i]);
    }
    stop(&fixture);
}

static void survives_peers_that_vanish_between_request_and_answer(void **state)
{
    (void)state;
    struct fixture fixture;
    struct wire wire;
    start(&fixture, 0, 0);
    for (int i = 0; i < 20; i++) {
        wire_open(&wire, fixture.httpd, 0);
        ask_held(&wire, "lost");
        wait_for(&fixture.keeper.n_held, (size_t)i + 1);
        struct linger reset = {.l_onoff = 1};
        if (i % 2) /* half of them with a reset */
            setsockopt(wire.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        wire_close(&wire);
    }
    usleep(20000);
    let_go(&fixture);
    assert_string_equal(ask(fixture.httpd, get_hello).body, "hello");
    struct httpd_stats stats = {.connections = 1};
    for (int i = 0; i < 3000 && stats.connections > 0; i++) {
        httpd_stats(fixture.httpd, &stats);
        usleep(1000);
    }
    assert_int_equal(stats.connections, 0);
    stop(&fixture);
}

static void answers_a_peer_that_has_only_stopped_sending(void **state)
{
    (void)state;
    struct fixture fixture;
    struct wire wire;
    start(&fixture, 0, 0);
    wire_open(&wire, fixture.httpd, 0);
    ask_held(&wire, "half");
    shutdown(wire.fd, SHUT_WR);
    wait_for(&fixture.keeper.n_held, 1);
    let_go(&fixture);
    assert_string_equal(wire_answer(&wire, false).body, "half");
    assert_true(wire_is_closed(&wire));
    wire_close(&wire);
    stop(&fixture);
}

static void quick_requests_do_not_wait_for_slow_ones(void **state)
{
    (void)state;
    struct fixture fixture;
    struct wire wires[20];
    start(&fixture, 0, 0);
    for (int i = 0; i < 20; i++) {
        wire_open(&wires[i], fixture.httpd, 0);
        wire_send(&wires[i], "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    int64_t before_ns = monotonic_ns();
    assert_string_equal(ask(fixture.httpd, get_hello).body, "hello");
    assert_true(monotonic_ns() - before_ns < INT64_C(300000000));
    for (int i = 0; i < 20; i++) {
        assert_string_equal(wire_answer(&wires[i], false).body, "slow");
        wire_close(&wires[i]);
    }
    stop(&fixture);
}

static void turns_slow_requests_away_when_too_many_wait(void **state)
{
    (void)state;
    enum { N = 100 };
    struct fixture fixture;
    static struct wire wires[N];
    int served = 0, refused = 0;
    start(&fixture, 0, 0);
    for (int i = 0; i < N; i++) {
        wire_open(&wires[i], fixture.httpd, 0);
        wire_send(&wires[i], "GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    }
    for (int i = 0; i < N; i++) {
        struct answer answer = wire_answer(&wires[i], false);
        served += answer.status == 200;
        refused += answer.status == 503 && strstr(answer.head, "\r\nRetry-After: ");
        wire_close(&wires[i]);
    }
    assert_int_equal(served + refused, N);
    assert_true(served >= 64 && refused > 0);
    struct httpd_stats stats;
    httpd_stats(fixture.httpd, &stats);
    assert_int_equal(stats.jobs_refused, refused);
    assert_int_equal(stats.jobs, 0);
    assert_int_equal(stats.max_jobs, 64);
    stop(&fixture);
}

static void makes_room_by_closing_who_is_idle_and_else_says_that_it_is_full(void **state)
{
    (void)state;
    struct fixture fixture;
    struct wire wires[3];
    start(&fixture, 2, 0);
    for (int i = 0; i < 2; i++) {
        wire_open(&wires[i], fixture.httpd, 0);
        wire_send(&wires[i], get_hello);
        assert_int_equal(wire_answer(&wires[i], false).status, 200);
        usleep(2000);
    }
    ask_held(&wires[1], "busy");
    wait_for(&fixture.keeper.n_held, 1);
    wire_open(&wires[2], fixture.httpd, 0);
    ask_held(&wires[2], "busy, too");
    wait_for(&fixture.keeper.n_held, 2);
    assert_true(wire_is_closed(&wires[0])); /* idle */
    struct answer answer = ask(fixture.httpd, get_hello);
    assert_int_equal(answer.status, 503);
    assert_non_null(strstr(answer.head, "\r\nRetry-After: "));
    struct httpd_stats stats;
    httpd_stats(fixture.httpd, &stats);
    assert_int_equal(stats.turned_away, 2);
    let_go(&fixture);
    assert_string_equal(wire_answer(&wires[1], false).body, "busy");
    assert_string_equal(wire_answer(&wires[2], false).body, "busy, too");
    for (int i = 0; i < 3; i++)
        wire_close(&wires[i]);
    stop(&fixture);
}

static void makes_room_by_ending_the_request_that_comes_slowest(void **state)
{
    (void)state;
    struct fixture fixture;
    struct wire slow_ones[2];
    struct httpd_stats stats;
    start(&fixture, 2, 0);
    for (int i = 0; i < 2; i++) {
        wire_open(&slow_ones[i], fixture.httpd, 0);
        wire_send(&slow_ones[i], "GET /hello HTTP/1.1\r\nX-Slow: ");
    }
    usleep(600000); /* several times what each may take while others wait */
    assert_int_equal(ask(fixture.httpd, get_hello).status, 200);
    httpd_stats(fixture.httpd, &stats);
    assert_int_equal(stats.hung_up, 1);
    assert_int_equal(stats.turned_away, 0);
    for (int i = 0; i < 2; i++)
        wire_close(&slow_ones[i]);
    stop(&fixture);
}

static void ends_requests_whose_head_trickles_and_connections_that_say_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    struct wire slow_one, silent;
    start(&fixture, 0, 400);
    wire_open(&slow_one, fixture.httpd, 0);
    wire_open(&silent, fixture.httpd, 0);
    wire_send(&slow_one, "GET /hello HTTP/1.1\r\nX-Slow: ");
    struct pollfd answered = {.fd = slow_one.fd, .events = POLLIN};
    for (int i = 0; i < 60 && poll(&answered, 1, 50) == 0; i++)
        wire_send(&slow_one, "x");
    assert_int_equal(wire_answer(&slow_one, false).status, 408);
    assert_true(wire_is_closed(&silent));
    wire_close(&slow_one);
    wire_close(&silent);
    stop(&fixture);
}

static void refuses_a_head_that_never_ends(void **state)
{
    (void)state;
    struct fixture fixture;
    struct wire wire;
    start(&fixture, 0, 0);
    wire_open(&wire, fixture.httpd, 0);
    wire_send(&wire, "GET /hello HTTP/1.1\r\n");
    for (int i = 0; i < 100; i++)
        wire_send(&wire, "X-More: and more\r\n");
    assert_int_equal(wire_answer(&wire, false).status, 431);
    wire_close(&wire);
    stop(&fixture);
}

static void sends_a_large_answer_to_a_peer_that_reads_slowly(void **state)
{
    (void)state;
    struct fixture fixture;
    struct wire wire;
    start(&fixture, 0, 0);
    wire_open(&wire, fixture.httpd, 4096);
    wire_send(&wire, "GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    usleep(50000);
    assert_string_equal(ask(fixture.httpd, get_hello).body, "hello");
    size_t total = 0;
    ssize_t got;
    while ((got = recv(wire.fd, wire.data, WIRE_SIZE, 0)) > 0)
        total += (size_t)got;
    assert_true(total > (size_t)128 * 65536);
    wire_close(&wire);
    stop(&fixture);
}

static void stops_within_its_patience_while_requests_are_held(void **state)
{
    (void)state;
    struct fixture fixture;
    struct wire wire;
    start(&fixture, 0, 0);
    wire_open(&wire, fixture.httpd, 0);
    ask_held(&wire, "for ever");
    wait_for(&fixture.keeper.n_held, 1);
    int64_t before_ns = monotonic_ns();
    stop(&fixture);
    int64_t taken_ms = (monotonic_ns() - before_ns) / 1000000;
    assert_true(taken_ms >= 4500 && taken_ms < 9000);
    assert_int_equal(wire_answer(&wire, false).status, 0);
    wire_close(&wire);
}

static void an_idle_connection_does_not_keep_it_from_stopping(void **state)
{
    (void)state;
    struct fixture fixture;
    struct wire wire;
    start(&fixture, 0, 0);
    wire_open(&wire, fixture.httpd, 0);
    wire_send(&wire, get_hello);
    assert_int_equal(wire_answer(&wire, false).status, 200);
    int64_t before_ns = monotonic_ns();
    stop(&fixture);
    assert_true(monotonic_ns() - before_ns < INT64_C(2000000000));
    assert_true(wire_is_closed(&wire));
    wire_close(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_what_is_held_when_it_is_let_go_and_others_meanwhile),
        cmocka_unit_test(keeps_the_order_of_pipelined_requests_when_the_first_is_held),
        cmocka_unit_test(puts_a_request_together_from_single_bytes),
        cmocka_unit_test(serves_a_thousand_connections_at_once),
        cmocka_unit_test(survives_peers_that_vanish_between_request_and_answer),
        cmocka_unit_test(answers_a_peer_that_has_only_stopped_sending),
        cmocka_unit_test(quick_requests_do_not_wait_for_slow_ones),
        cmocka_unit_test(turns_slow_requests_away_when_too_many_wait),
        cmocka_unit_test(makes_room_by_closing_who_is_idle_and_else_says_that_it_is_full),
        cmocka_unit_test(makes_room_by_ending_the_request_that_comes_slowest),
        cmocka_unit_test(ends_requests_whose_head_trickles_and_connections_that_say_nothing),
        cmocka_unit_test(refuses_a_head_that_never_ends),
        cmocka_unit_test(sends_a_large_answer_to_a_peer_that_reads_slowly),
        cmocka_unit_test(stops_within_its_patience_while_requests_are_held),
        cmocka_unit_test(an_idle_connection_does_not_keep_it_from_stopping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
