/* The split: shares, stickiness, ramps, and replacing it under readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <stdatomic.h>

#include "engine/base/thread.h"
#include "engine/decide/outcome.h"
#include "engine/traffic/traffic.h"

_Static_assert((int)TRAFFIC_CHAMPION == (int)VARIANT_CHAMPION &&
                   (int)TRAFFIC_CANARY == (int)VARIANT_CANARY &&
                   (int)TRAFFIC_SHADOW == (int)VARIANT_SHADOW,
               "roles are variants");
_Static_assert(TRAFFIC_MAX_SHADOWS == MAX_SHADOWS, "outcomes hold every shadow");

#define N_ENTITIES 100000

static struct traffic_arm arm(enum traffic_role role, const char *version, double share)
{
    struct traffic_arm made = {.role = role, .model = "fraud", .share_percent = share};
    snprintf(made.version, sizeof made.version, "%s", version);
    return made;
}

struct split {
    struct traffic *traffic;
    struct traffic_reader *reader;
};

static struct split make_split(void)
{
    struct split split = {0};
    assert_int_equal(traffic_create(2, NULL, &split.traffic, NULL), STATUS_OK);
    assert_int_equal(traffic_reader_create(split.traffic, &split.reader, NULL), STATUS_OK);
    return split;
}

static void drop_split(struct split *split)
{
    traffic_reader_destroy(split->reader);
    traffic_destroy(split->traffic);
}

static void set(struct split *split, const struct traffic_arm *arms, size_t n)
{
    struct error error = {0};
    if (traffic_set(split->traffic, arms, n, &error))
        fail_msg("%s", error.message);
}

/* Routes user-0 ... and writes each one's arm. */
static void route_all(struct split *split, uint8_t *arms, size_t *n_shadowed)
{
    const struct traffic_plan *plan = traffic_enter(split->reader);
    assert_non_null(plan);
    for (int i = 0; i < N_ENTITIES; i++) {
        char entity[32];
        struct traffic_route route;
        snprintf(entity, sizeof entity, "user-%d", i);
        traffic_route(plan, slice_of(entity), &route);
        arms[i] = (uint8_t)route.arm;
        if (n_shadowed)
            *n_shadowed += (size_t)route.n_shadows;
    }
    traffic_leave(split->reader);
}

static double share_of(const uint8_t *arms, int which)
{
    size_t n = 0;
    for (int i = 0; i < N_ENTITIES; i++)
        n += arms[i] == which;
    return 100.0 * (double)n / N_ENTITIES;
}

static void gives_each_arm_its_share(void **state)
{
    (void)state;
    static uint8_t arms[N_ENTITIES];
    struct split split = make_split();
    const struct traffic_arm wanted[] = {
        arm(TRAFFIC_SHADOW, "4", 30),
        arm(TRAFFIC_CANARY, "2", 10),
        arm(TRAFFIC_CHAMPION, "1", NAN),
        arm(TRAFFIC_CANARY, "3", 25),
    };
    set(&split, wanted, 4);
    size_t n_shadowed = 0;
    route_all(&split, arms, &n_shadowed);
    /* Five standard deviations of a binomial share at 100,000 are under 0.8 %. */
    assert_true(fabs(share_of(arms, 0) - 65) < 0.8);
    assert_true(fabs(share_of(arms, 1) - 10) < 0.8);
    assert_true(fabs(share_of(arms, 2) - 25) < 0.8);
    assert_true(fabs(100.0 * (double)n_shadowed / N_ENTITIES - 30) < 0.8);
    struct traffic_arm described[TRAFFIC_MAX_ARMS];
    assert_int_equal(traffic_describe(split.traffic, described, TRAFFIC_MAX_ARMS), 4);
    assert_int_equal(described[0].role, TRAFFIC_CHAMPION);
    assert_true(fabs(described[0].share_percent - 65) < 1e-9);
    assert_string_equal(described[2].version, "3");
    assert_int_equal(described[3].role, TRAFFIC_SHADOW);
    drop_split(&split);
}

static void keeps_an_entity_on_its_arm(void **state)
{
    (void)state;
    static uint8_t first[N_ENTITIES], second[N_ENTITIES];
    struct split split = make_split();
    const struct traffic_arm arms[] = {arm(TRAFFIC_CHAMPION, "1", 80),
                                       arm(TRAFFIC_CANARY, "2", 20)};
    set(&split, arms, 2);
    route_all(&split, first, NULL);
    set(&split, arms, 2);
    route_all(&split, second, NULL);
    assert_memory_equal(first, second, N_ENTITIES);
    drop_split(&split);
}

static void only_adds_entities_as_a_canary_grows(void **state)
{
    (void)state;
    static uint8_t before[N_ENTITIES], after[N_ENTITIES];
    struct split split = make_split();
    struct traffic_arm arms[] = {arm(TRAFFIC_CHAMPION, "1", NAN), arm(TRAFFIC_CANARY, "2", 0.5),
                                 arm(TRAFFIC_CANARY, "3", 10)};
    set(&split, arms, 3);
    route_all(&split, before, NULL);
    for (double share = 1; share <= 90; share *= 2) {
        arms[1].share_percent = share;
        set(&split, arms, 3);
        route_all(&split, after, NULL);
        for (int i = 0; i < N_ENTITIES; i++) {
            if (before[i] == 1)
                assert_int_equal(after[i], 1);
            if (before[i] == 2) /* only the growing one may take from the other */
                assert_int_not_equal(after[i], 0);
        }
        assert_true(fabs(share_of(after, 1) - share) < 0.8);
        assert_true(fabs(share_of(after, 2) - 10) < 0.8);
        memcpy(before, after, sizeof before);
    }
    arms[2].share_percent = 30;
    arms[1].share_percent = 64;
    set(&split, arms, 3);
    route_all(&split, after, NULL);
    for (int i = 0; i < N_ENTITIES; i++)
        if (before[i])
            assert_int_equal(after[i], before[i]);
    drop_split(&split);
}

static void gives_everything_to_a_canary_of_100_percent(void **state)
{
    (void)state;
    static uint8_t arms[N_ENTITIES];
    struct split split = make_split();
    const struct traffic_arm wanted[] = {arm(TRAFFIC_CHAMPION, "1", 0),
                                         arm(TRAFFIC_CANARY, "2", 33.3),
                                         arm(TRAFFIC_CANARY, "3", 66.7)};
    set(&split, wanted, 3);
    route_all(&split, arms, NULL);
    assert_true(share_of(arms, 0) == 0);
    drop_split(&split);
}

static void keeps_an_arm_without_a_share(void **state)
{
    (void)state;
    static uint8_t arms[N_ENTITIES];
    struct split split = make_split();
    const struct traffic_arm wanted[] = {arm(TRAFFIC_CHAMPION, "1", NAN),
                                         arm(TRAFFIC_CANARY, "2", 100), arm(TRAFFIC_CANARY, "3", 0),
                                         arm(TRAFFIC_SHADOW, "4", 0)};
    struct traffic_arm described[TRAFFIC_MAX_ARMS];
    set(&split, wanted, 4);
    route_all(&split, arms, NULL);
    assert_true(share_of(arms, 1) == 100);
    assert_int_equal(traffic_describe(split.traffic, described, TRAFFIC_MAX_ARMS), 4);
    drop_split(&split);
}

static void refuses_impossible_splits(void **state)
{
    (void)state;
    const struct {
        struct traffic_arm arms[6];
        size_t n;
        const char *message;
    } cases[] = {
        {{{0}}, 0, "a split has one champion, not 0"},
        {{arm(TRAFFIC_CHAMPION, "1", NAN), arm(TRAFFIC_CHAMPION, "2", NAN)},
         2,
         "a split has one champion, not 2"},
        {{arm(TRAFFIC_CHAMPION, "1", NAN), arm(TRAFFIC_CANARY, "2", 60),
          arm(TRAFFIC_CANARY, "3", 41)},
         3,
         "canaries take 101 % of 100"},
        {{arm(TRAFFIC_CHAMPION, "1", 95), arm(TRAFFIC_CANARY, "2", 10)},
         2,
         "the champion has 95 %, but the canaries leave it 90"},
        {{arm(TRAFFIC_CHAMPION, "1", NAN), arm(TRAFFIC_CANARY, "2", NAN)},
         2,
         "the canary fraud 2 has a share of nan %, not 0 to 100"},
        {{arm(TRAFFIC_CHAMPION, "1", NAN), arm(TRAFFIC_SHADOW, "1", NAN)},
         2,
         "fraud 1 is there as champion and as shadow"},
        {{arm(TRAFFIC_CHAMPION, "", NAN)}, 1, "a champion needs a model and a version"},
        {{arm(TRAFFIC_CHAMPION, "1", NAN), arm(TRAFFIC_SHADOW, "2", NAN),
          arm(TRAFFIC_SHADOW, "3", NAN), arm(TRAFFIC_SHADOW, "4", NAN),
          arm(TRAFFIC_SHADOW, "5", NAN), arm(TRAFFIC_SHADOW, "6", NAN)},
         6,
         "5 shadows are more than 4"},
    };
    struct split split = make_split();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        assert_int_equal(traffic_set(split.traffic, cases[i].arms, cases[i].n, &error),
                         STATUS_INVALID);
        assert_string_equal(error.message, cases[i].message);
    }
    assert_null(traffic_enter(split.reader));
    traffic_leave(split.reader);
    drop_split(&split);
}

static int n_released;

static void count_release(void *handle)
{
    n_released += *(int *)handle;
}

static void frees_a_plan_only_when_nobody_holds_it(void **state)
{
    (void)state;
    static int one = 1, ten = 10;
    n_released = 0;
    struct split split = {0};
    assert_int_equal(traffic_create(1, count_release, &split.traffic, NULL), STATUS_OK);
    assert_int_equal(traffic_reader_create(split.traffic, &split.reader, NULL), STATUS_OK);
    struct traffic_reader *another;
    assert_int_equal(traffic_reader_create(split.traffic, &another, NULL), STATUS_FULL);
    struct traffic_arm first = arm(TRAFFIC_CHAMPION, "1", NAN), second = first;
    first.handle = &one;
    second.handle = &ten;
    set(&split, &first, 1);
    const struct traffic_plan *held = traffic_enter(split.reader);
    set(&split, &second, 1);
    traffic_collect(split.traffic);
    assert_int_equal(n_released, 0);
    assert_ptr_equal(traffic_plan_arm(held, 0)->handle, &one);
    traffic_leave(split.reader);
    traffic_collect(split.traffic);
    assert_int_equal(n_released, 1);
    drop_split(&split);
    assert_int_equal(n_released, 11);
}

/* ---- many threads ---- */

struct race {
    struct traffic *traffic;
    atomic_bool stop;
    atomic_int wrong;
};

#define ALIVE 0x600dul

static void free_handle(void *handle)
{
    *(unsigned long *)handle = 0; /* whoever still reads it sees that it is gone */
    free(handle);
}

static void read_plans(void *context)
{
    struct race *race = context;
    struct traffic_reader *reader;
    if (traffic_reader_create(race->traffic, &reader, NULL))
        return;
    while (!atomic_load(&race->stop)) {
        const struct traffic_plan *plan = traffic_enter(reader);
        for (size_t i = 0; i < traffic_plan_size(plan); i++)
            if (*(unsigned long *)traffic_plan_arm(plan, i)->handle != ALIVE)
                atomic_fetch_add(&race->wrong, 1);
        struct traffic_route route;
        traffic_route(plan, slice_of("user-1"), &route);
        traffic_leave(reader);
    }
    traffic_reader_destroy(reader);
}

static struct traffic_arm live_arm(enum traffic_role role, const char *version, double share)
{
    struct traffic_arm made = arm(role, version, share);
    unsigned long *handle = malloc(sizeof *handle);
    *handle = ALIVE;
    made.handle = handle;
    return made;
}

static void readers_never_see_a_freed_plan(void **state)
{
    (void)state;
    enum { N_READERS = 3, N_SETS = 3000 };
    struct race race = {0};
    struct thread *threads[N_READERS];
    assert_int_equal(traffic_create(N_READERS, free_handle, &race.traffic, NULL), STATUS_OK);
    struct traffic_arm arms[2] = {live_arm(TRAFFIC_CHAMPION, "1", NAN),
                                  live_arm(TRAFFIC_CANARY, "2", 1)};
    assert_int_equal(traffic_set(race.traffic, arms, 2, NULL), STATUS_OK);
    for (int i = 0; i < N_READERS; i++)
        assert_int_equal(thread_start("reader", read_plans, &race, &threads[i], NULL), STATUS_OK);
    for (int i = 0; i < N_SETS; i++) {
        arms[0] = live_arm(TRAFFIC_CHAMPION, "1", NAN);
        arms[1] = live_arm(TRAFFIC_CANARY, "2", 1 + i % 99);
        assert_int_equal(traffic_set(race.traffic, arms, 2, NULL), STATUS_OK);
    }
    atomic_store(&race.stop, true);
    for (int i = 0; i < N_READERS; i++)
        thread_join(threads[i]);
    traffic_destroy(race.traffic);
    assert_int_equal(atomic_load(&race.wrong), 0);
}

/* ---- configuration ---- */

static enum status read_text(const char *text, struct traffic_arm *arms, size_t *n,
                             struct error *error)
{
    struct yaml *yaml = NULL;
    assert_int_equal(yaml_load_text("b.yaml", slice_of(text), &yaml, error), STATUS_OK);
    enum status status = traffic_read(yaml_get(yaml_root(yaml), "traffic"), arms, n, error);
    yaml_destroy(yaml);
    return status;
}

static void reads_the_list_of_the_configuration(void **state)
{
    (void)state;
    struct traffic_arm arms[TRAFFIC_MAX_ARMS];
    size_t n = 0;
    struct error error = {0};
    assert_int_equal(read_text("traffic:\n"
                               "  - {variant: champion, model: fraud, version: '1'}\n"
                               "  - {variant: canary, model: fraud, version: '2', share: 5}\n"
                               "  - {variant: shadow, model: other, version: a}\n",
                               arms, &n, &error),
                     STATUS_OK);
    assert_int_equal(n, 3);
    assert_int_equal(arms[1].role, TRAFFIC_CANARY);
    assert_true(arms[1].share_percent == 5);
    assert_string_equal(arms[2].model, "other");
    assert_true(isnan(arms[2].share_percent));
}

static void says_where_the_configuration_is_wrong(void **state)
{
    (void)state;
    const struct {
        const char *text, *message;
    } cases[] = {
        {"traffic:\n  - {variant: champoin, model: a, version: b}\n",
         "b.yaml:2:15: \"champoin\" is not champion, canary or shadow; did you mean \"champion\"?"},
        {"traffic:\n  - {variant: champion, model: a, version: b}\n"
         "  - {variant: canary, model: a, version: c, share: 101}\n",
         "b.yaml:3:52: share must be from 0 to 100, found 101"},
        {"traffic:\n  - {variant: champion, model: a, version: b, shard: 3}\n",
         "b.yaml:2:47: unknown key \"shard\"; did you mean \"share\"?"},
        {"traffic:\n  - {variant: canary, model: a, version: b, share: 3}\n",
         "b.yaml:2:3: a split has one champion, not 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct traffic_arm arms[TRAFFIC_MAX_ARMS];
        size_t n = 0;
        struct error error = {0};
        assert_int_equal(read_text(cases[i].text, arms, &n, &error), STATUS_INVALID);
        if (strncmp(error.message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("%s", error.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_each_arm_its_share),
        cmocka_unit_test(keeps_an_entity_on_its_arm),
        cmocka_unit_test(only_adds_entities_as_a_canary_grows),
        cmocka_unit_test(gives_everything_to_a_canary_of_100_percent),
        cmocka_unit_test(keeps_an_arm_without_a_share),
        cmocka_unit_test(refuses_impossible_splits),
        cmocka_unit_test(frees_a_plan_only_when_nobody_holds_it),
        cmocka_unit_test(readers_never_see_a_freed_plan),
        cmocka_unit_test(reads_the_list_of_the_configuration),
        cmocka_unit_test(says_where_the_configuration_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
