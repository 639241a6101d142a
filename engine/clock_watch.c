/* Whether the machine's clock can be believed. It is held against three things: the service's own
 * count, which it should not leave by a second; the newest row, which it should not be behind; and
 * the events, most of which do not come from the future. Run by the tick. */
#include <math.h>
#include <string.h>

#include "engine/engine_priv.h"

#define TOLERATED_US  US_PER_S
#define FADE          (59.0 / 60) /* a tick: sums over about the last minute */
#define EVENTS_NEEDED 10

static uint64_t count_future(const struct snapshot *snapshot)
{
    for (int i = 0; i < snapshot->n_quarantine; i++) {
        if (strcmp(snapshot->quarantine[i].name, violation_name(VIOLATION_FUTURE)) == 0)
            return snapshot->quarantine[i].n;
    }
    return 0;
}

/* Takes the differences since the last tick into sums that fade. */
static void look_at_events(struct clock_watch *watch, const struct snapshot *snapshot)
{
    uint64_t future = count_future(snapshot);
    watch->recent_future = watch->recent_future * FADE + (double)(future - watch->future);
    watch->recent_events =
        watch->recent_events * FADE + (double)(snapshot->events_total - watch->events);
    watch->future = future;
    watch->events = snapshot->events_total;
}

static void follow(struct engine *engine, struct clock_watch *watch)
{
    int64_t step_us = clock_follow(engine->parts.clock, &watch->ahead_us);
    if (step_us == 0)
        return;
    watch->steps++;
    watch->step_us = step_us;
    watch->stepped_at_us = clock_now_us(engine->parts.clock);
    char at[TIME_TEXT_SIZE];
    log_write(engine->parts.log, LOG_WARN, "clock", step_us < 0 ? "set_back" : "set_forward",
              step_us < 0
                  ? "the machine's clock was set back by %.1f s at %s: this service counts on, "
                    "so that nothing it records goes back"
                  : "the machine's clock was set forward by %.1f s and is followed; it is %s "
                    "now",
              fabs((double)step_us) / 1e6, time_format(watch->stepped_at_us, at));
}

static double distance_s(int64_t distance_us)
{
    return distance_us >= TOLERATED_US ? (double)distance_us / 1e6 : 0;
}

void clock_watch(struct engine *engine, int64_t high_us, struct snapshot *snapshot)
{
    struct clock_watch *watch = &engine->clock_watch;
    const double none = (double)NAN;
    look_at_events(watch, snapshot);
    if (!engine->parts.event_time)
        follow(engine, watch);
    bool has_clock = !engine->parts.event_time;
    snapshot->clock = (struct clock_status){
        .ahead_s = has_clock ? distance_s(watch->ahead_us) : none,
        .behind_record_s =
            has_clock && high_us != INT64_MIN ? distance_s(high_us - snapshot->time_us) : none,
        .last_step_s = watch->steps > 0 ? (double)watch->step_us / 1e6 : none,
        .last_step_us = watch->stepped_at_us,
        .steps = watch->steps,
        .future_ratio = watch->recent_events >= EVENTS_NEEDED
                            ? watch->recent_future / watch->recent_events
                            : none,
        .future = watch->future,
    };
}
