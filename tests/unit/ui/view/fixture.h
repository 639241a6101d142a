/* What tests of the views share: a snapshot of a service at work, and the view that is made of it.
 */
#ifndef BINNACLE_TESTS_VIEW_FIXTURE_H
#define BINNACLE_TESTS_VIEW_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "ui/view/view.h"

#define T "\xe2\x80\x89" /* thin space */

struct pair {
    struct snapshot *snapshot;
    struct view *view;
};

static inline int make(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);
    pair->snapshot = calloc(1, sizeof *pair->snapshot);
    pair->view = calloc(1, sizeof *pair->view);
    struct snapshot *snapshot = pair->snapshot;
    snapshot->seq = 7;
    snapshot->ready = true;
    (void)time_parse(slice_of("2026-01-02T14:03:22Z"), &snapshot->time_us);
    snapshot->started_us = snapshot->time_us - 26 * US_PER_HOUR;
    snapshot->events_per_s = 12480;
    snapshot->latency_us = (struct latency_summary){.p50 = NAN, .p95 = NAN, .p99 = NAN};
    snprintf(snapshot->service, sizeof snapshot->service, "fraud-eu");
    *state = pair;
    return 0;
}

static inline int drop(void **state)
{
    struct pair *pair = *state;
    free(pair->snapshot);
    free(pair->view);
    free(pair);
    return 0;
}

static inline struct slo_status *add_slo(struct snapshot *snapshot, const char *name,
                                         enum health health)
{
    struct slo_status *slo = &snapshot->slos[snapshot->n_slos++];
    snprintf(slo->name, sizeof slo->name, "%s", name);
    slo->target = 0.95;
    slo->attainment = 0.912;
    slo->budget_left = 0.38;
    slo->n = 32000000;
    slo->state = health;
    slo->burn[BURN_1H] = 16.2;
    slo->burn[BURN_5M] = 17.6;
    slo->burn[BURN_1D] = 3.4;
    slo->burn[BURN_6H] = 3.1;
    slo->since_us = snapshot->time_us - 12 * US_PER_MIN;
    return slo;
}

static inline struct arm_status *add_arm(struct snapshot *snapshot, enum variant variant,
                                         const char *version, double share, double p95)
{
    struct arm_status *arm = &snapshot->arms[snapshot->n_arms++];
    arm->variant = variant;
    snprintf(arm->model, sizeof arm->model, "fraud");
    snprintf(arm->version, sizeof arm->version, "%s", version);
    arm->share_wanted = arm->share_measured = share;
    arm->n = arm->latency_us.n = 100000;
    arm->latency_us.p50 = arm->latency_us.p95 = arm->latency_us.p99 = p95;
    return arm;
}

static inline const char *evidence(const struct view_attention *item, const char *label)
{
    for (int i = 0; i < item->n_evidence; i++) {
        if (strcmp(item->evidence[i].label, label) == 0)
            return item->evidence[i].text;
    }
    return "";
}

#endif
