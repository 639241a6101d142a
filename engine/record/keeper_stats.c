/* What the screens, /metrics and doctor are told of the ledger's tiers. */
#include "engine/record/keeper_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int64_t size_of(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? (int64_t)about.st_size : 0;
}

static void count_live(struct keeper *keeper, struct keeper_stats *stats)
{
    int64_t *days = NULL;
    size_t n = 0;
    struct error error;
    char path[PATH_SIZE];
    if (day_list(keeper->dir, &days, &n, &error) != STATUS_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        if (tiers_find(keeper->tiers, days[i]) || !day_path(path, keeper->dir, days[i]))
            continue;
        stats->days[TIER_LIVE]++;
        stats->bytes[TIER_LIVE] += size_of(path);
    }
    free(days);
}

void keeper_count(struct keeper *keeper, const struct error *problem)
{
    struct keeper_stats stats = {.failures = keeper->failures};
    count_live(keeper, &stats);
    for (size_t i = 0; i < tiers_count(keeper->tiers); i++) {
        const struct tier_day *day = tiers_at(keeper->tiers, i);
        stats.days[day->tier]++;
        if (day->tier != TIER_DELETED)
            stats.bytes[day->tier] +=
                day->tier == TIER_SEALED ? day->plain.bytes : day->packed.bytes;
    }
    if (problem)
        snprintf(stats.problem, sizeof stats.problem, "%.255s", problem->message);
    lock_take(&keeper->lock);
    stats.passes = keeper->stats.passes + 1;
    if (!problem || keeper->whole_ns == 0)
        keeper->whole_ns = monotonic_ns();
    keeper->stats = stats;
    lock_release(&keeper->lock);
}

void keeper_stats(struct keeper *keeper, struct keeper_stats *stats)
{
    lock_take(&keeper->lock);
    *stats = keeper->stats;
    stats->seconds_behind =
        stats->problem[0] ? (monotonic_ns() - keeper->whole_ns) / 1000000000 : 0;
    lock_release(&keeper->lock);
}
