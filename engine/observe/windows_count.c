/* Counting observations into the cells that their times fall into. Those of one second share their
 * cells: in time order, which is nearly always, these are looked up once, and a run of some length
 * is summed up before it is added to each of them. The caller holds the lock. */
#include "engine/observe/windows_priv.h"

#include <string.h>

#include "engine/observe/bin_stage.h"

#define LONG_RUN 8 /* from here on summing up first is cheaper */

struct tally *windows_cell(struct windows *windows, enum level level, int64_t time_us)
{
    const struct ring *ring = &windows->levels[level];
    int64_t key = ring_key(ring, time_us);
    if (!ring_holds(ring, key))
        return NULL;
    int slot = ring_slot(ring, key);
    windows->counted[level][slot] = true;
    return &windows->tallies[level][slot];
}

/* ---- looking up ---- */

static void expect_verdict(struct windows *windows, int64_t key, int64_t width_us)
{
    int64_t at_us = windows_verdict_us(key, width_us);
    if (at_us < windows->verdict_us)
        windows->verdict_us = at_us;
}

static void find_minute(struct windows *windows, int64_t time_us, struct place *place)
{
    const struct ring *minutes = &windows->levels[LEVEL_MINUTE];
    int64_t key = ring_key(minutes, time_us);
    if (!ring_holds(minutes, key))
        return;
    place->youngest_us = &windows->youngest_us[ring_slot(minutes, key)];
    expect_verdict(windows, key, US_PER_MIN);
}

static void find_slice(struct windows *windows, int64_t time_us, struct place *place)
{
    const struct ring *slices = &windows->bin_ring;
    int64_t key = ring_key(slices, time_us);
    if (!ring_holds(slices, key))
        return;
    int slot = ring_slot(slices, key);
    place->bins = slice_bins(windows, slot);
    place->binned = &windows->binned[slot];
    expect_verdict(windows, key, SLICE_US);
}

static void find_latencies(struct windows *windows, int64_t time_us, struct place *place)
{
    int64_t key = ring_key(&windows->recent, time_us);
    if (ring_holds(&windows->recent, key))
        place->recent = windows->recent_latency[ring_slot(&windows->recent, key)];
    const struct ring *hours = &windows->levels[LEVEL_HOUR];
    key = ring_key(hours, time_us);
    if (ring_holds(hours, key))
        place->hour = &windows->hour_latency[ring_slot(hours, key)];
}

static const struct place *find_place(struct windows *windows, int64_t time_us)
{
    struct place *place = &windows->place;
    if (time_us >= place->from_us && time_us < place->to_us)
        return place;
    int64_t from_us = ring_key(&windows->levels[LEVEL_SECOND], time_us) * US_PER_S;
    *place = (struct place){.from_us = from_us, .to_us = from_us + US_PER_S};
    for (int i = 0; i < LEVELS; i++)
        place->tallies[i] = windows_cell(windows, (enum level)i, time_us);
    find_minute(windows, time_us, place);
    find_slice(windows, time_us, place);
    find_latencies(windows, time_us, place);
    return place;
}

/* ---- counting ---- */

static void count_arm(const struct observation *observation, struct tally *tally)
{
    if (observation->arm != NO_ARM)
        tally->arms[observation->arm]++;
}

static void count_outcome(const struct windows *windows, const struct observation *observation,
                          struct tally *tally)
{
    tally->accepted++;
    tally->decisions[observation->decision]++;
    tally->score_bins[observation->score_bin]++;
    count_arm(observation, tally);
    for (int i = 0; observation->custom.counted >> i; i++) {
        tally->custom_counted[i] += observation->custom.counted >> i & 1;
        tally->custom_bad[i] += observation->custom.bad >> i & 1;
    }
    if (observation->latency_us < 0)
        return;
    tally->measured++;
    for (int i = 0; i < MAX_LATENCY_LIMITS; i++)
        tally->slow[i] += windows->options.latency_limits_us[i] > 0 &&
                          observation->latency_us >= windows->options.latency_limits_us[i];
}

static void count_one(const struct windows *windows, const struct observation *observation,
                      struct tally *tally)
{
    switch ((enum observation_kind)observation->kind) {
    case OBSERVED_OUTCOME:
        count_outcome(windows, observation, tally);
        break;
    case OBSERVED_QUARANTINE:
        tally->quarantined++;
        break;
    case OBSERVED_DUPLICATE:
        tally->duplicates++;
        break;
    case OBSERVED_ERROR:
        tally->errors++;
        break;
    case OBSERVED_SHADOW:
        count_arm(observation, tally);
        break;
    }
}

static void count_latency(const struct place *place, const struct observation *observation)
{
    if (observation->latency_us < 0)
        return;
    if (place->recent)
        histogram_add(&place->recent[0], observation->latency_us);
    if (place->recent && observation->arm != NO_ARM)
        histogram_add(&place->recent[1 + observation->arm], observation->latency_us);
    if (place->hour)
        histogram_add(place->hour, observation->latency_us);
}

static void count_run(struct windows *windows, const struct place *place,
                      const struct observation *list, int n)
{
    struct tally run = {0};
    for (int i = 0; i < n; i++)
        count_one(windows, &list[i], &run);
    for (int i = 0; i < LEVELS; i++) {
        if (place->tallies[i])
            tally_add(place->tallies[i], &run);
    }
    tally_add(&windows->ever, &run);
}

static void count_each(struct windows *windows, const struct place *place,
                       const struct observation *list, int n)
{
    for (int k = 0; k < n; k++) {
        for (int i = 0; i < LEVELS; i++) {
            if (place->tallies[i])
                count_one(windows, &list[k], place->tallies[i]);
        }
        count_one(windows, &list[k], &windows->ever);
    }
}

static void count_codes(struct windows *windows, const struct place *place,
                        const struct observations *observations, int first, int end)
{
    uint8_t stage[BIN_STAGE_BYTES];
    int n_columns = windows->options.n_columns, staged = 0;
    memset(stage, 0, bin_stage_size(n_columns));
    for (int i = first; i < end; i++) {
        const uint8_t *codes = observation_codes(observations, i);
        if (!codes)
            continue;
        bin_stage_add(stage, codes, n_columns);
        ++*place->binned;
        if (++staged == BIN_STAGE_ROWS) {
            bin_stage_pour32(stage, n_columns, place->bins);
            staged = 0;
        }
    }
    if (staged > 0)
        bin_stage_pour32(stage, n_columns, place->bins);
}

static void count_few_codes(struct windows *windows, const struct place *place,
                            const struct observations *observations, int first, int end)
{
    for (int i = first; i < end; i++) {
        const uint8_t *codes = observation_codes(observations, i);
        for (int column = 0; codes && column < windows->options.n_columns; column++) {
            if (codes[column] != NO_BIN)
                place->bins[column][codes[column]]++;
        }
        *place->binned += codes != NULL;
    }
}

/* The place of the first observation that is not of the second in which that at `first` lies. The
 * clock stands at the newest of the run then: within a second nothing is judged and no ring moves,
 * but for the very first. */
static int run_end(struct windows *windows, const struct observations *observations, int first)
{
    const struct observation *list = observations->list;
    int64_t from_us = ring_key(&windows->levels[LEVEL_SECOND], list[first].at_us) * US_PER_S;
    int64_t newest_us = list[first].at_us;
    int end = first + 1;
    windows_advance(windows, newest_us);
    for (; end < observations->n && list[end].at_us >= from_us &&
           list[end].at_us - from_us < US_PER_S;
         end++) {
        if (list[end].at_us > newest_us)
            newest_us = list[end].at_us;
    }
    windows_advance(windows, newest_us);
    return end;
}

int windows_put(struct windows *windows, const struct observations *observations, int first)
{
    const struct observation *list = observations->list;
    int end = run_end(windows, observations, first);
    const struct place *place = find_place(windows, list[first].at_us);
    bool is_long = end - first >= LONG_RUN;
    (is_long ? count_run : count_each)(windows, place, list + first, end - first);
    for (int i = first; i < end; i++) {
        if (list[i].kind != OBSERVED_OUTCOME)
            continue;
        if (place->youngest_us && list[i].age_us < *place->youngest_us)
            *place->youngest_us = list[i].age_us;
        count_latency(place, &list[i]);
    }
    if (observations->codes && windows->binnings && place->bins)
        (is_long ? count_codes : count_few_codes)(windows, place, observations, first, end);
    return end;
}
