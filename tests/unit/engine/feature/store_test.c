/* The feature store: equal times, late events, labels, pseudonyms, memory, restart, threads. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/engine/feature/fixture.h"

#include "engine/base/clock.h"
#include "engine/base/thread.h"

#define H US_PER_HOUR

static const char views_yaml[] =
    "windows:\n"
    "  - {name: n, entity: user, window: 10h, function: count}\n"
    "  - {name: sum, entity: user, window: 10h, function: sum, value: amount}\n"
    "  - {name: std, entity: user, window: 10h, function: std, value: amount}\n"
    "  - {name: max, entity: user, window: 10h, function: max, value: 'amount * 2'}\n"
    "  - {name: shops, entity: user, window: 20h, function: distinct, value: shop}\n"
    "  - {name: since, entity: user, window: 10h, function: since_last}\n"
    "  - {name: risk, entity: shop, window: 10h, delay: 5h, function: rate}\n"
    "  - {name: frauds, entity: shop, window: 10h, delay: 5h, function: positives}\n"
    "features: [n, sum, std, max, shops, since, risk, frauds]\n";

enum { N, SUM, STD, MAX, SHOPS, SINCE, RISK, FRAUDS, N_FEATURES };

struct fixture {
    struct feature_views *views;
    struct feature_store *store;
    struct feature_scratch *scratch;
    int64_t next_id;
    float out[N_FEATURES];
};

static void open_store(struct fixture *fixture, const struct feature_store_options *options)
{
    fixture->store = fixture_store(fixture->views, options, &fixture->scratch);
}

static void close_store(struct fixture *fixture)
{
    feature_scratch_destroy(fixture->scratch);
    feature_store_destroy(fixture->store);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.views = fixture_views(views_yaml)};
    open_store(&fixture, NULL);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    close_store(fixture);
    feature_views_destroy(fixture->views);
    return 0;
}

static enum status compute(struct fixture *fixture, int64_t time_us, int user, int shop,
                           double amount, int label)
{
    struct fixture_event event;
    fixture_fill(&event, fixture->next_id++, time_us, user, shop, amount, label);
    return feature_compute(fixture->store, fixture->scratch, &event.event, NULL, fixture->out);
}

static void sees_its_own_time_whatever_the_arrival(void **state)
{
    static const struct {
        int64_t hour;
        double amount;
        float n, sum, since_s;
        const char *why;
    } cases[] = {
        {100, 1, 1, 1, NAN, "the first sees itself"},
        {100, 2, 2, 3, 0, "equal time: those before it and itself"},
        {105, 4, 3, 7, 18000, "in order"},
        {100, 8, 3, 11, 0, "late, equal times: those before it, not the later one"},
        {103, 16, 4, 27, 10800, "late: not the later one"},
        {105, 32, 6, 63, 0, "the newest time again: all"},
        {109, 64, 7, 127, 14400, "sees late ones too"},
        {110, 128, 5, 244, 3600, "(t-10h, t]: hour 100 has just left"},
        {99, 256, 1, 256, NAN, "late, before all"},
        {109, 512, 8, 639, 0, "late, in its own window: after hour 99"},
        {115, 1, 4, 705, 18000, "hour 105 has left"},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(compute(fixture, cases[i].hour * H, 1, 1, cases[i].amount, -1), STATUS_OK);
        bool same_since = isnan(cases[i].since_s) ? isnan(fixture->out[SINCE])
                                                  : fixture->out[SINCE] == cases[i].since_s;
        if (fixture->out[N] != cases[i].n || fixture->out[SUM] != cases[i].sum || !same_since)
            fail_msg("%s: n %g sum %g since %g", cases[i].why, (double)fixture->out[N],
                     (double)fixture->out[SUM], (double)fixture->out[SINCE]);
    }
}

static void gives_missing_rather_than_zero(void **state)
{
    struct fixture *fixture = *state;
    (void)compute(fixture, 0, 1, 1, (double)NAN, -1);
    assert_true(fixture->out[N] == 1);
    assert_true(isnan(fixture->out[SUM]) && isnan(fixture->out[MAX]) && isnan(fixture->out[STD]));
    assert_true(isnan(fixture->out[RISK]));
    assert_true(fixture->out[FRAUDS] == 0); /* a count */
    struct fixture_event event;
    fixture_fill(&event, 99, H, 1, 1, 1, -1);
    event.values[F_USER] = value_null();
    assert_int_equal(
        feature_compute(fixture->store, fixture->scratch, &event.event, NULL, fixture->out),
        STATUS_OK);
    assert_true(isnan(fixture->out[N]) && isnan(fixture->out[SHOPS])); /* nobody's windows */
}

static void labels_count_once_their_delay_has_passed(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_event late;
    (void)compute(fixture, 0, 1, 7, 1, 1);
    assert_true(isnan(fixture->out[RISK])); /* its own label is not looked at */
    fixture_fill(&late, fixture->next_id++, 1 * H, 2, 7, 1, -1);
    assert_int_equal(
        feature_compute(fixture->store, fixture->scratch, &late.event, NULL, fixture->out),
        STATUS_OK);
    (void)compute(fixture, 5 * H, 3, 7, 1, -1);
    assert_true(fixture->out[RISK] == 1 && fixture->out[FRAUDS] == 1); /* only the first */
    (void)compute(fixture, 6 * H, 3, 7, 1, -1);
    assert_true(fixture->out[RISK] == 0.5F); /* unknown counts as not positive */
    assert_int_equal(feature_label(fixture->store, fixture->scratch, &late.event, NULL, 1),
                     STATUS_OK);
    (void)compute(fixture, 6 * H, 3, 7, 1, -1);
    assert_true(fixture->out[RISK] == 1);
    assert_int_equal(feature_label(fixture->store, fixture->scratch, &late.event, NULL, 0),
                     STATUS_OK);
    (void)compute(fixture, 6 * H, 3, 7, 1, -1);
    assert_true(fixture->out[RISK] == 0.5F); /* the last label wins */
    assert_int_equal(feature_label(fixture->store, fixture->scratch, &late.event, NULL, 1),
                     STATUS_OK);
    (void)compute(fixture, 15 * H, 3, 7, 1, -1);
    assert_true(fixture->out[FRAUDS] == 1); /* (0h, 10h]: the late one; the first has left */
    (void)compute(fixture, 40 * H, 3, 7, 1, -1);
    assert_int_equal(feature_label(fixture->store, fixture->scratch, &late.event, NULL, 1),
                     STATUS_NOT_FOUND);
    late.values[F_ID] = value_string(slice_of("nobody"));
    assert_int_equal(feature_label(fixture->store, fixture->scratch, &late.event, NULL, 1),
                     STATUS_NOT_FOUND);
}

static void keys_are_the_pseudonyms_where_given(void **state)
{
    struct fixture *fixture = *state;
    struct fixture_event event;
    struct slice replacements[F_FIELDS] = {0};
    replacements[F_USER] = slice_of("p-1");
    for (int i = 0; i < 3; i++) {
        fixture_fill(&event, fixture->next_id++, i * H, i, 1, 1,
                     -1); /* three users, one pseudonym */
        assert_int_equal(feature_compute(fixture->store, fixture->scratch, &event.event,
                                         replacements, fixture->out),
                         STATUS_OK);
    }
    assert_true(fixture->out[N] == 3);
    event.values[F_USER] = value_string(slice_of("p-1")); /* as the record gives it back */
    assert_int_equal(
        feature_compute(fixture->store, fixture->scratch, &event.event, NULL, fixture->out),
        STATUS_OK);
    assert_true(fixture->out[N] == 4);
}

static void refuses_what_is_too_late_to_judge(void **state)
{
    struct fixture *fixture = *state;
    struct feature_usage usage;
    (void)compute(fixture, 100 * H, 1, 1, 1, -1);
    assert_int_equal(compute(fixture, 80 * H - 1, 1, 2, 1, -1), STATUS_INVALID);
    assert_true(isnan(fixture->out[N]));
    assert_int_equal(compute(fixture, 80 * H, 1, 2, 1, -1), STATUS_OK); /* lateness: 20 h */
    assert_int_equal(compute(fixture, 0, 2, 3, 1, -1), STATUS_OK);      /* others' time is theirs */
    feature_store_usage(fixture->store, &usage);
    assert_int_equal(usage.too_late, 1);
    assert_int_equal(usage.late, 1);
    assert_int_equal(usage.newest_us, 100 * H);
}

static void sums_do_not_drift_and_wide_ranges_stay_exact(void **state)
{
    struct fixture *fixture = *state;
    static const double amounts[] = {1e120, 1e60, 1, 1e-60, 1e-120, 0.1, 1e30, 1e-30};
    for (int i = 0; i < 8; i++)
        (void)compute(fixture, i, 1, 1, amounts[i], -1);
    for (int i = 0; i < 1000; i++)
        (void)compute(fixture, 9 * H + i, 1, 1, 0.1, -1);
    (void)compute(fixture, 10 * H + 8, 1, 1, 0.2, -1);
    /* exactly 1000 * 0.1 + 0.2 of the doubles, rounded once: 100.2 */
    assert_true(fixture->out[SUM] == 100.2F);
    assert_true(fixture->out[MAX] == 0.4F);
    (void)compute(fixture, 30 * H, 1, 1, 0.3, -1);
    assert_true(fixture->out[SUM] == 0.3F);
}

static void forgets_the_idle_when_memory_is_short(void **state)
{
    struct fixture *fixture = *state;
    struct feature_usage usage;
    close_store(fixture);
    open_store(fixture, &(struct feature_store_options){.shards = 1, .max_bytes = 1000000});
    for (int i = 0; i < 5000; i++) {
        (void)compute(fixture, i, i, 1000000 + i, 1, -1);
        (void)compute(fixture, i, -1, -1, 1, -1); /* never idle */
    }
    feature_store_usage(fixture->store, &usage);
    assert_in_range(usage.bytes, 500000, 1000000);
    assert_true(usage.evicted > 5000 && usage.expired == 0);
    assert_true(fixture->out[N] == 5000);
    (void)compute(fixture, 5000, 0, 1000000, 1, -1);
    assert_true(fixture->out[N] == 1); /* its first event was forgotten */
    for (int i = 0; i < 5000; i++)
        (void)compute(fixture, 1000 * H + i, i, 1000000 + i, 1, -1);
    feature_store_usage(fixture->store, &usage);
    assert_true(usage.expired > 0);
    feature_store_clear(fixture->store);
    feature_store_usage(fixture->store, &usage);
    assert_int_equal(usage.entities, 0);
    assert_int_equal(usage.entries, 0);
    assert_true(usage.bytes < 200000);
}

static void entries_that_no_window_reaches_are_dropped(void **state)
{
    struct fixture *fixture = *state;
    struct feature_usage usage;
    for (int i = 0; i < 20000; i++)
        (void)compute(fixture, i * (H / 100), 1, 1, i % 97, i % 5 == 0);
    feature_store_usage(fixture->store, &usage);
    /* user: 20 h window and 20 h lateness; shop: 15 h and 20 h; a hundred an hour */
    assert_int_equal(usage.entries, 4000 + 3500);
    assert_true(usage.bytes < 1000000);
    (void)compute(fixture, 1000 * H, 1, 1, 1, -1); /* many leave at once */
    feature_store_usage(fixture->store, &usage);
    assert_int_equal(usage.entries, 2);
}

/* Events i of a random but repeatable run. */
static void run(struct fixture *fixture, int from, int to)
{
    for (int i = from; i < to; i++) {
        uint64_t mixed = (uint64_t)i * 0x9E3779B97F4A7C15U;
        fixture->next_id = i;
        int64_t late = (mixed >> 50) % 7 == 0 ? 3 * H : 0;
        (void)compute(fixture, i * (H / 10) - late, (int)(mixed >> 40 & 15), (int)(mixed >> 30 & 7),
                      (double)(mixed >> 20 & 1023) / 100, (int)(mixed >> 10 & 3) - 1);
    }
}

static void read_file(const char *path, char *bytes, size_t max, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *size = fread(bytes, 1, max, file);
    fclose(file);
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void restarted_equals_uninterrupted(void **state)
{
    struct fixture *fixture = *state;
    char path[] = "/tmp/binnacle_checkpoint_XXXXXX";
    float whole[400][N_FEATURES];
    uint64_t upto = 0;
    struct error error;
    close(mkstemp(path));
    run(fixture, 0, 2000);
    for (int i = 0; i < 400; i++) {
        run(fixture, 2000 + i, 2001 + i);
        memcpy(whole[i], fixture->out, sizeof whole[i]);
    }
    for (size_t shards = 1; shards <= 64; shards *= 8) {
        close_store(fixture);
        open_store(fixture, NULL);
        run(fixture, 0, 2000);
        assert_int_equal(save_store(fixture->store, path, 2000, &error), STATUS_OK);
        close_store(fixture);
        open_store(fixture, &(struct feature_store_options){.shards = shards});
        if (feature_store_load(fixture->store, path, &upto, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        assert_int_equal(upto, 2000);
        for (int i = 0; i < 400; i++) {
            run(fixture, 2000 + i, 2001 + i);
            assert_memory_equal(whole[i], fixture->out, sizeof whole[i]);
        }
    }
    unlink(path);
}

static void refuses_a_damaged_checkpoint_wherever_the_damage_is(void **state)
{
    struct fixture *fixture = *state;
    static char bytes[1 << 20];
    char path[] = "/tmp/binnacle_checkpoint_XXXXXX";
    size_t size;
    uint64_t upto;
    struct error error;
    struct feature_usage usage;
    close(mkstemp(path));
    run(fixture, 0, 50);
    assert_int_equal(save_store(fixture->store, path, 50, &error), STATUS_OK);
    read_file(path, bytes, sizeof bytes, &size);
    assert_in_range(size, 1000, sizeof bytes - 1);
    for (size_t at = 0; at < size; at += at < 200 ? 1 : 37) {
        bytes[at] ^= 1;
        write_file(path, bytes, size);
        bytes[at] ^= 1;
        assert_int_not_equal(feature_store_load(fixture->store, path, &upto, &error), STATUS_OK);
        write_file(path, bytes, at);
        assert_int_equal(feature_store_load(fixture->store, path, &upto, &error), STATUS_CORRUPT);
    }
    feature_store_usage(fixture->store, &usage);
    assert_int_equal(usage.entities, 0);
    write_file(path, bytes, size);
    assert_int_equal(feature_store_load(fixture->store, path, &upto, &error), STATUS_OK);
    close_store(fixture);
    struct feature_views *others =
        fixture_views("windows:\n  - {name: n, entity: user, window: 1h, function: count}\n"
                      "features: [n]\n");
    fixture->store = fixture_store(others, NULL, &fixture->scratch);
    assert_int_equal(feature_store_load(fixture->store, path, &upto, &error), STATUS_CONFLICT);
    unlink(path);
    assert_int_equal(feature_store_load(fixture->store, path, &upto, &error), STATUS_NOT_FOUND);
    assert_int_equal(save_store(fixture->store, "/nowhere/at/all", 1, &error), STATUS_IO);
    close_store(fixture);
    feature_views_destroy(others);
    open_store(fixture, NULL);
}

/* Few users and shops, so that one entity is met several times in a group; some events too late. */
static void many_at_once_give_what_one_by_one_gives(void **state)
{
    enum { EVENTS = 500 };
    struct fixture *fixture = *state;
    static struct fixture_event events[EVENTS];
    static struct feature_request requests[EVENTS];
    static float one[EVENTS][N_FEATURES], many[EVENTS][N_FEATURES];
    static enum status statuses[EVENTS];
    int refused = 0;
    for (int i = 0; i < EVENTS; i++) {
        int64_t hour = i % 37 == 36 ? i / 10 - 400 : i / 10 - i % 3;
        fixture_fill(&events[i], i, hour * H, i * 7 % 11, i % 4, i * 0.1, i % 2);
        requests[i] = (struct feature_request){.event = &events[i].event, .out = many[i]};
        statuses[i] =
            feature_compute(fixture->store, fixture->scratch, requests[i].event, NULL, one[i]);
        refused += statuses[i] != STATUS_OK;
    }
    assert_true(refused > 0);
    close_store(fixture);
    open_store(fixture, NULL);
    feature_compute_many(fixture->store, fixture->scratch, requests, EVENTS);
    for (int i = 0; i < EVENTS; i++)
        assert_int_equal(requests[i].status, statuses[i]);
    assert_memory_equal(one, many, sizeof one);
}

struct worker {
    struct feature_store *store;
    int number;
};

static void work(void *context)
{
    struct worker *worker = context;
    struct feature_scratch *scratch;
    struct fixture_event event;
    struct error error;
    float out[N_FEATURES];
    if (feature_scratch_create(worker->store, &scratch, &error) != STATUS_OK)
        return;
    for (int i = 0; i < 3000; i++) {
        fixture_fill(&event, worker->number * 10000 + i, i, (i + worker->number) % 7, i % 5, 1, 1);
        (void)!feature_compute(worker->store, scratch, &event.event, NULL, out);
        if (i % 10 == 0)
            (void)!feature_label(worker->store, scratch, &event.event, NULL, 0);
    }
    feature_scratch_destroy(scratch);
}

static void many_threads_lose_no_event(void **state)
{
    struct fixture *fixture = *state;
    struct thread *threads[4];
    struct worker workers[4];
    struct error error;
    struct feature_usage usage;
    for (int i = 0; i < 4; i++) {
        workers[i] = (struct worker){fixture->store, i};
        assert_int_equal(thread_start("worker", work, &workers[i], &threads[i], &error), STATUS_OK);
    }
    for (int i = 0; i < 50; i++)
        feature_store_usage(fixture->store, &usage);
    for (int i = 0; i < 4; i++)
        thread_join(threads[i]);
    feature_store_usage(fixture->store, &usage);
    assert_int_equal(usage.entries, 2 * 4 * 3000);
    double users = 0;
    for (int user = 0; user < 7; user++) {
        (void)compute(fixture, H, user, 100 + user, 1, -1);
        users += (double)fixture->out[N] - 1;
    }
    assert_true(users == 4 * 3000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sees_its_own_time_whatever_the_arrival),
        TEST(gives_missing_rather_than_zero),
        TEST(many_at_once_give_what_one_by_one_gives),
        TEST(labels_count_once_their_delay_has_passed),
        TEST(keys_are_the_pseudonyms_where_given),
        TEST(refuses_what_is_too_late_to_judge),
        TEST(sums_do_not_drift_and_wide_ranges_stay_exact),
        TEST(forgets_the_idle_when_memory_is_short),
        TEST(entries_that_no_window_reaches_are_dropped),
        TEST(restarted_equals_uninterrupted),
        TEST(refuses_a_damaged_checkpoint_wherever_the_damage_is),
        TEST(many_threads_lose_no_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
