/* The online store. Without a server: that answers go on without one. With BINNACLE_REDIS_SERVER,
 * the path of a redis-server that this program starts and stops on a free port: that instances
 * share their entries and see what one embedded store sees, also when Redis goes away and comes
 * back. */
#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/engine/feature/fixture.h"

#include "engine/base/clock.h"
#include "tests/unit/folder.h"

static const char views_yaml[] =
    "windows:\n"
    "  - {name: n, entity: user, window: 10h, function: count}\n"
    "  - {name: mean, entity: user, window: 10h, function: mean, value: amount}\n"
    "  - {name: max, entity: user, window: 3h, function: max, value: amount}\n"
    "  - {name: shops, entity: user, window: 20h, function: distinct, value: shop}\n"
    "  - {name: since, entity: user, window: 10h, function: since_last}\n"
    "  - {name: risk, entity: shop, window: 10h, delay: 5h, function: rate, empty: 0}\n"
    "features: [n, mean, max, shops, since, risk]\n";

#define N_FEATURES 6

struct instance {
    struct feature_store *store;
    struct feature_scratch *scratch;
};

static struct feature_views *views;
static char url[64];
static int port;
static pid_t server;

static void open_instance(struct instance *instance, const char *online_store)
{
    const struct feature_store_options options = {.online_store = online_store};
    instance->store = fixture_store(views, &options, &instance->scratch);
}

static void close_instance(struct instance *instance)
{
    feature_scratch_destroy(instance->scratch);
    feature_store_destroy(instance->store);
}

static void make_event(struct fixture_event *event, int i)
{
    uint64_t mixed = (uint64_t)(i + 1) * 0x9E3779B97F4A7C15U;
    int64_t late = (mixed >> 50) % 7 == 0 ? 2 * US_PER_HOUR : 0;
    fixture_fill(event, i, i * (US_PER_HOUR / 10) - late, (int64_t)(mixed >> 40 & 7),
                 (int64_t)(mixed >> 30 & 3), (double)(mixed >> 20 & 1023) / 100,
                 (int)(mixed >> 10 & 3) - 1);
}

static void compute(struct instance *instance, int i, float out[N_FEATURES])
{
    struct fixture_event event;
    make_event(&event, i);
    assert_int_equal(feature_compute(instance->store, instance->scratch, &event.event, NULL, out),
                     STATUS_OK);
}

static void label(struct instance *instance, int i)
{
    struct fixture_event event;
    make_event(&event, i);
    (void)!feature_label(instance->store, instance->scratch, &event.event, NULL, i % 2);
}

/* Events [from, to) go to the instances by turns; each must see what the embedded store does. */
static void run(struct instance *whole, struct instance *instances, int n, int from, int to)
{
    for (int i = from; i < to; i++) {
        float wanted[N_FEATURES], got[N_FEATURES];
        compute(whole, i, wanted);
        compute(&instances[i % n], i, got);
        if (memcmp(wanted, got, sizeof got) != 0)
            fail_msg("event %d: n %g, wanted %g; risk %g, wanted %g", i, (double)got[0],
                     (double)wanted[0], (double)got[5], (double)wanted[5]);
        if (i % 3 == 0 && i > 20) {
            label(whole, i - 20);
            label(&instances[(i + 1) % n], i - 20);
        }
    }
}

static struct feature_usage usage_of(struct instance *instance)
{
    struct feature_usage usage;
    feature_store_usage(instance->store, &usage);
    return usage;
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* A server that reads its file takes connections and answers errors: it is there once it says so.
 */
static bool is_ready(void)
{
    static const char ping[] = "PING\r\n", pong[] = "+PONG";
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)port)};
    char answer[sizeof pong - 1] = "";
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool ready = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                 send(fd, ping, sizeof ping - 1, MSG_NOSIGNAL) == sizeof ping - 1 &&
                 recv(fd, answer, sizeof answer, MSG_WAITALL) == sizeof answer &&
                 memcmp(answer, pong, sizeof answer) == 0;
    close(fd);
    return ready;
}

static void start_server(void)
{
    char text[16];
    snprintf(text, sizeof text, "%d", port);
    server = fork();
    if (server == 0) {
        const char *path = getenv("BINNACLE_REDIS_SERVER");
        execl(path, path, "--port", text, "--bind", "127.0.0.1", "--dir", folder, "--save", "",
              "--appendonly", "yes", "--logfile", "redis.log", (char *)NULL);
        _exit(127);
    }
    assert_true(server > 0);
    for (int i = 0; i < 1000; i++) {
        if (is_ready())
            return;
        pause_us(10000);
    }
    fail_msg("redis-server did not start");
}

static void stop_server(void)
{
    if (server > 0) {
        kill(server, SIGTERM);
        waitpid(server, NULL, 0);
    }
    server = 0;
}

static int set_up(void **state)
{
    (void)state;
    views = fixture_views(views_yaml);
    port = free_port();
    snprintf(url, sizeof url, "redis://127.0.0.1:%d/1?timeout_ms=20000", port);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    feature_views_destroy(views);
    return 0;
}

static int set_up_server(void **state)
{
    assert_int_equal(make_folder(state), 0);
    (void)set_up(state);
    start_server();
    return 0;
}

static int tear_down_server(void **state)
{
    stop_server();
    return remove_folder(state) || tear_down(state);
}

static void goes_on_without_a_server(void **state)
{
    (void)state;
    struct instance whole, alone;
    open_instance(&whole, NULL);
    open_instance(&alone, url);
    run(&whole, &alone, 1, 0, 300);
    struct feature_usage usage = usage_of(&alone);
    assert_true(usage.shared && usage.degraded);
    assert_true(usage.pending > 600 && usage.pending_lost == 0);
    assert_true(usage.fallbacks >= 300);
    struct error error;
    assert_int_equal(save_store(alone.store, "/tmp/binnacle_never", 1, &error), STATUS_UNAVAILABLE);
    close_instance(&alone);
    close_instance(&whole);
}

/* What a server that is away is to be told waits, 65536 records of it; then what comes is counted
 * and given up, and nobody waits for it. */
static void a_full_queue_gives_up_what_comes_and_counts_it(void **state)
{
    (void)state;
    struct instance alone;
    open_instance(&alone, url);
    float out[N_FEATURES];
    int i = 0;
    while (usage_of(&alone).pending_lost == 0 && i < 70000)
        compute(&alone, i++, out);
    struct feature_usage full = usage_of(&alone);
    assert_int_equal(full.pending, 65536);
    for (int k = 0; k < 100; k++)
        compute(&alone, i++, out);
    struct feature_usage later = usage_of(&alone);
    assert_int_equal(later.pending, 65536);
    assert_true(later.pending_lost >= full.pending_lost + 100);
    assert_true(later.fallbacks >= full.fallbacks + 100);
    close_instance(&alone);
}

static void refuses_a_url_that_is_none(void **state)
{
    (void)state;
    static const char *const urls[] = {"redis",
                                       "http://127.0.0.1",
                                       "redis://",
                                       "redis://:99999",
                                       "redis://h:0",
                                       "redis://h:1/x",
                                       "redis://h:1/0?timeout=5",
                                       "redis://h:1/0?timeout_ms=0"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct feature_store *store;
        struct error error;
        const struct feature_store_options options = {.online_store = urls[i]};
        if (feature_store_create(views, &options, &store, &error) != STATUS_INVALID)
            fail_msg("%s", urls[i]);
    }
}

static void instances_see_what_one_store_would(void **state)
{
    (void)state;
    struct instance whole, instances[3];
    open_instance(&whole, "embedded");
    for (int i = 0; i < 3; i++)
        open_instance(&instances[i], url);
    run(&whole, instances, 3, 0, 1500);
    assert_false(usage_of(&instances[0]).degraded);
    assert_int_equal(usage_of(&instances[0]).fallbacks, 0);
    close_instance(&instances[1]); /* one starts again with nothing of its own */
    open_instance(&instances[1], url);
    run(&whole, instances, 3, 1500, 2000);
    for (int i = 0; i < 3; i++)
        close_instance(&instances[i]);
    close_instance(&whole);
}

static void nothing_is_lost_when_it_goes_away_and_comes_back(void **state)
{
    (void)state;
    struct instance whole, instance, other;
    open_instance(&whole, NULL);
    open_instance(&instance, url);
    run(&whole, &instance, 1, 0, 300);
    stop_server();
    run(&whole, &instance, 1, 300, 600);
    struct feature_usage usage = usage_of(&instance);
    assert_true(usage.degraded && usage.pending >= 600);
    start_server();
    pause_us(1100000);
    run(&whole, &instance, 1, 600, 900);
    usage = usage_of(&instance);
    assert_true(!usage.degraded && usage.pending == 0 && usage.pending_lost == 0);
    open_instance(&other, url); /* finds all of it in Redis */
    run(&whole, &other, 1, 900, 1200);
    close_instance(&other);
    close_instance(&instance);
    close_instance(&whole);
}

static void making_the_state_again_adds_nothing_twice(void **state)
{
    (void)state;
    struct instance whole, instance, again;
    struct fixture_event event;
    open_instance(&whole, NULL);
    open_instance(&instance, url);
    run(&whole, &instance, 1, 0, 300);
    stop_server();
    run(&whole, &instance, 1, 300, 400);
    close_instance(&instance); /* what waited is gone; the record has it */
    start_server();
    open_instance(&again, url);
    for (int i = 200; i < 400; i++) {
        make_event(&event, i);
        assert_int_equal(feature_insert(again.store, again.scratch, &event.event, NULL), STATUS_OK);
        if (i % 3 == 0)
            label(&again, i - 20);
    }
    run(&whole, &again, 1, 400, 600);
    open_instance(&instance, url);
    run(&whole, &instance, 1, 600, 700);
    close_instance(&again);
    close_instance(&instance);
    close_instance(&whole);
}

#define TEST(name)        cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SERVER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_server, tear_down_server)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(goes_on_without_a_server),
        TEST(a_full_queue_gives_up_what_comes_and_counts_it),
        TEST(refuses_a_url_that_is_none),
    };
    const struct CMUnitTest server_tests[] = {
        SERVER_TEST(instances_see_what_one_store_would),
        SERVER_TEST(nothing_is_lost_when_it_goes_away_and_comes_back),
        SERVER_TEST(making_the_state_again_adds_nothing_twice),
    };
    if (getenv("BINNACLE_REDIS_SERVER"))
        return cmocka_run_group_tests(server_tests, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
