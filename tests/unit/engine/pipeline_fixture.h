/* What tests of the pipeline share: a service in event time or live, for each test. */
#ifndef BINNACLE_TESTS_ENGINE_PIPELINE_FIXTURE_H
#define BINNACLE_TESTS_ENGINE_PIPELINE_FIXTURE_H

#include <math.h>

#include "engine/base/clock.h"
#include "engine/observe/observe_priv.h"
#include "engine/worker_priv.h"
#include "tests/unit/engine/fixture.h"

static inline int set_up(void **state)
{
    struct bench *bench = bench_create("7d");
    bench_start(bench);
    *state = bench;
    return 0;
}

static inline int set_up_live(void **state)
{
    struct bench *bench = bench_create("7d");
    bench->parts.event_time = false;
    bench_start(bench);
    *state = bench;
    return 0;
}

static inline int tear_down(void **state)
{
    bench_destroy(*state);
    return 0;
}

/* ---- arms ---- */

static inline void traffic_of(struct bench *bench, enum variant variant, double share_percent)
{
    const struct engine_arm arms[] = {
        {VARIANT_CHAMPION, 0, -1},
        {variant, 1, share_percent},
    };
    struct error error = {0};
    check(engine_set_traffic(bench->engine, arms, 2, "tester", "a test", &error), &error);
}

#endif
