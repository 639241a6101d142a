/* Starts the keeper for a service and tells the screens what it says. Any thread. */
#include "app/tiers.h"

#include <stdio.h>

enum status tiers_start(const struct session *session, struct keeper **keeper, struct error *error)
{
    const struct engine_parts *parts = engine_parts(session->engine);
    *keeper = NULL;
    if (!parts->ledger_dir)
        return STATUS_OK;
    struct keeper_options options = {.dir = parts->ledger_dir,
                                     .ledger = engine_ledger(session->engine),
                                     .clock = session->clock,
                                     .log = session->log,
                                     .policy = session->config->ledger.policy};
    enum status status = keeper_create(&options, keeper, error);
    return status == STATUS_OK ? keeper_start(*keeper, error) : status;
}

void tiers_fill(struct keeper *keeper, struct snapshot *snapshot)
{
    struct keeper_stats stats;
    if (!keeper)
        return;
    keeper_stats(keeper, &stats);
    for (int i = 0; i < TIER_COUNT; i++) {
        struct tier_status *tier = &snapshot->tiers[snapshot->n_tiers++];
        snprintf(tier->name, sizeof tier->name, "%s", tier_name((enum tier)i));
        tier->days = stats.days[i];
        tier->bytes = stats.bytes[i];
    }
    snapshot->tiers_behind_s = stats.seconds_behind;
    snprintf(snapshot->tiers_problem, sizeof snapshot->tiers_problem, "%.199s", stats.problem);
}
