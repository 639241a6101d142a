/* The current split, and the pure function that gives an event its model.
 *
 * Plans are immutable. Readers find the current one without a lock by hazard pointers (Michael
 * 2004, IEEE Transactions on Parallel and Distributed Systems 15(6), 491-504): a reader writes the
 * plan it is about to use into its own slot and looks again whether that is still the current one.
 * Whoever replaces a plan (the operator, under a lock) frees the old one only when no slot has it;
 * until then it waits in a list, which holds at most one plan per reader. */
#include "engine/traffic/traffic.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/base/thread.h"

#define SHARE_TOLERANCE 1e-6 /* percent: for sums of decimal fractions */

struct traffic_plan {
    size_t n_arms;
    size_t n_canaries;
    struct traffic_arm arms[TRAFFIC_MAX_ARMS]; /* champion, canaries, shadows */
    uint64_t salts[TRAFFIC_MAX_ARMS];
    double chance[TRAFFIC_MAX_ARMS]; /* canary: of what is left; shadow: of all */
    struct traffic_plan *next_retired;
};

struct traffic_reader {
    struct traffic *traffic;
    _Atomic(struct traffic_plan *) plan; /* in hand, or NULL */
    atomic_bool taken;
};

struct traffic {
    _Atomic(struct traffic_plan *) current;
    struct lock lock; /* over setting and describing */
    struct traffic_plan *retired;
    void (*release)(void *handle);
    size_t n_readers;
    struct traffic_reader readers[];
};

static const char *const role_names[TRAFFIC_ROLES] = {
    [TRAFFIC_CHAMPION] = "champion",
    [TRAFFIC_CANARY] = "canary",
    [TRAFFIC_SHADOW] = "shadow",
};

const char *traffic_role_name(enum traffic_role role)
{
    return (unsigned)role < TRAFFIC_ROLES ? role_names[role] : "unknown";
}

bool traffic_role_parse(struct slice word, enum traffic_role *role)
{
    for (int i = 0; i < TRAFFIC_ROLES; i++)
        if (slice_is(word, role_names[i])) {
            *role = (enum traffic_role)i;
            return true;
        }
    return false;
}

/* ---- plans ---- */

size_t traffic_plan_size(const struct traffic_plan *plan)
{
    return plan->n_arms;
}

const struct traffic_arm *traffic_plan_arm(const struct traffic_plan *plan, size_t index)
{
    assert(index < plan->n_arms);
    return &plan->arms[index];
}

static enum status check_arm(const struct traffic_arm *arms, size_t index, struct error *error)
{
    const struct traffic_arm *arm = &arms[index];
    double share = arm->share_percent;
    if (!arm->model[0] || !arm->version[0])
        return error_set(error, STATUS_INVALID, "a %s needs a model and a version",
                         traffic_role_name(arm->role));
    bool within = arm->role == TRAFFIC_CANARY ? share >= 0 && share <= 100
                                              : isnan(share) || (share >= 0 && share <= 100);
    if (!within)
        return error_set(error, STATUS_INVALID, "the %s %s %s has a share of %g %%, not 0 to 100",
                         traffic_role_name(arm->role), arm->model, arm->version, share);
    for (size_t i = 0; i < index; i++)
        if (strcmp(arms[i].model, arm->model) == 0 && strcmp(arms[i].version, arm->version) == 0)
            return error_set(error, STATUS_INVALID, "%s %s is there as %s and as %s", arm->model,
                             arm->version, traffic_role_name(arms[i].role),
                             traffic_role_name(arm->role));
    return STATUS_OK;
}

/* What the canaries leave, in percent. */
static double champion_share(const struct traffic_arm *arms, size_t n_arms)
{
    double left = 100;
    for (size_t i = 0; i < n_arms; i++)
        if (arms[i].role == TRAFFIC_CANARY)
            left -= arms[i].share_percent;
    return left < 0 && left > -SHARE_TOLERANCE ? 0 : left;
}

enum status traffic_check(const struct traffic_arm *arms, size_t n_arms, struct error *error)
{
    size_t counts[TRAFFIC_ROLES] = {0};
    const struct traffic_arm *champion = NULL;
    if (n_arms > TRAFFIC_MAX_ARMS)
        return error_set(error, STATUS_INVALID, "%zu models are more than the %d of a split",
                         n_arms, TRAFFIC_MAX_ARMS);
    for (size_t i = 0; i < n_arms; i++) {
        enum status status = check_arm(arms, i, error);
        if (status)
            return status;
        counts[arms[i].role]++;
        if (arms[i].role == TRAFFIC_CHAMPION)
            champion = &arms[i];
    }
    if (counts[TRAFFIC_CHAMPION] != 1)
        return error_set(error, STATUS_INVALID, "a split has one champion, not %zu",
                         counts[TRAFFIC_CHAMPION]);
    if (counts[TRAFFIC_SHADOW] > TRAFFIC_MAX_SHADOWS)
        return error_set(error, STATUS_INVALID, "%zu shadows are more than %d",
                         counts[TRAFFIC_SHADOW], TRAFFIC_MAX_SHADOWS);
    double left = champion_share(arms, n_arms);
    if (left < 0)
        return error_set(error, STATUS_INVALID, "canaries take %g %% of 100", 100 - left);
    if (!isnan(champion->share_percent) && fabs(champion->share_percent - left) > SHARE_TOLERANCE)
        return error_set(error, STATUS_INVALID,
                         "the champion has %g %%, but the canaries leave it %g",
                         champion->share_percent, left);
    return STATUS_OK;
}

static uint64_t arm_salt(const struct traffic_arm *arm)
{
    char name[2 * TRAFFIC_NAME_SIZE + 2];
    int size = snprintf(name, sizeof name, "%s@%s", arm->model, arm->version);
    return hash64(name, (size_t)size, 0);
}

static struct traffic_plan *make_plan(const struct traffic_arm *arms, size_t n_arms)
{
    struct traffic_plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return NULL;
    for (int role = 0; role < TRAFFIC_ROLES; role++)
        for (size_t i = 0; i < n_arms; i++)
            if (arms[i].role == (enum traffic_role)role)
                plan->arms[plan->n_arms++] = arms[i];
    double left = 100;
    plan->arms[0].share_percent = champion_share(arms, n_arms);
    for (size_t i = 1; i < n_arms; i++) {
        struct traffic_arm *arm = &plan->arms[i];
        plan->salts[i] = arm_salt(arm);
        if (arm->role == TRAFFIC_SHADOW) {
            if (isnan(arm->share_percent))
                arm->share_percent = 100;
            plan->chance[i] = arm->share_percent / 100;
            continue;
        }
        plan->n_canaries++;
        plan->chance[i] = arm->share_percent < left ? arm->share_percent / left : 1;
        if (arm->share_percent == 0)
            plan->chance[i] = 0; /* kept to be given a share again */
        left -= arm->share_percent;
    }
    return plan;
}

static bool is_chosen(const struct traffic_plan *plan, size_t arm, struct slice entity)
{
    uint64_t hash = hash64(entity.data, entity.size, plan->salts[arm]);
    return (double)(hash >> 11) * 0x1p-53 < plan->chance[arm];
}

void traffic_route(const struct traffic_plan *plan, struct slice entity,
                   struct traffic_route *route)
{
    route->arm = 0;
    route->n_shadows = 0;
    for (size_t i = 1; i <= plan->n_canaries && route->arm == 0; i++)
        if (is_chosen(plan, i, entity))
            route->arm = (int)i;
    for (size_t i = plan->n_canaries + 1; i < plan->n_arms; i++)
        if (is_chosen(plan, i, entity))
            route->shadows[route->n_shadows++] = (int)i;
}

/* ---- the current one ---- */

enum status traffic_create(size_t max_readers, void (*release)(void *handle),
                           struct traffic **traffic, struct error *error)
{
    struct traffic *made = calloc(1, sizeof *made + max_readers * sizeof made->readers[0]);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->n_readers = max_readers;
    made->release = release;
    atomic_init(&made->current, NULL);
    for (size_t i = 0; i < max_readers; i++) {
        made->readers[i].traffic = made;
        atomic_init(&made->readers[i].plan, NULL);
        atomic_init(&made->readers[i].taken, false);
    }
    lock_init(&made->lock, "traffic");
    *traffic = made;
    return STATUS_OK;
}

static void free_plan(const struct traffic *traffic, struct traffic_plan *plan)
{
    if (!plan)
        return;
    for (size_t i = 0; traffic->release && i < plan->n_arms; i++)
        traffic->release(plan->arms[i].handle);
    free(plan);
}

static bool is_in_hand(struct traffic *traffic, const struct traffic_plan *plan)
{
    for (size_t i = 0; i < traffic->n_readers; i++)
        if (atomic_load(&traffic->readers[i].plan) == plan)
            return true;
    return false;
}

static void collect(struct traffic *traffic)
{
    struct traffic_plan **link = &traffic->retired;
    while (*link) {
        struct traffic_plan *plan = *link;
        if (is_in_hand(traffic, plan)) {
            link = &plan->next_retired;
            continue;
        }
        *link = plan->next_retired;
        free_plan(traffic, plan);
    }
}

void traffic_collect(struct traffic *traffic)
{
    lock_take(&traffic->lock);
    collect(traffic);
    lock_release(&traffic->lock);
}

void traffic_destroy(struct traffic *traffic)
{
    if (!traffic)
        return;
    collect(traffic);
    assert(!traffic->retired);
    free_plan(traffic, atomic_load(&traffic->current));
    lock_destroy(&traffic->lock);
    free(traffic);
}

enum status traffic_set(struct traffic *traffic, const struct traffic_arm *arms, size_t n_arms,
                        struct error *error)
{
    enum status status = traffic_check(arms, n_arms, error);
    if (status)
        return status;
    struct traffic_plan *plan = make_plan(arms, n_arms);
    if (!plan)
        return error_set(error, STATUS_MEMORY, "out of memory");
    lock_take(&traffic->lock);
    struct traffic_plan *old = atomic_exchange(&traffic->current, plan);
    if (old) {
        old->next_retired = traffic->retired;
        traffic->retired = old;
    }
    collect(traffic);
    lock_release(&traffic->lock);
    return STATUS_OK;
}

size_t traffic_describe(struct traffic *traffic, struct traffic_arm *arms, size_t max)
{
    lock_take(&traffic->lock); /* only setting replaces it, so it stays */
    const struct traffic_plan *plan = atomic_load(&traffic->current);
    size_t n = plan ? plan->n_arms : 0;
    if (n > max)
        n = max;
    for (size_t i = 0; i < n; i++) {
        arms[i] = plan->arms[i];
        arms[i].handle = NULL;
    }
    lock_release(&traffic->lock);
    return n;
}

/* ---- readers ---- */

enum status traffic_reader_create(struct traffic *traffic, struct traffic_reader **reader,
                                  struct error *error)
{
    for (size_t i = 0; i < traffic->n_readers; i++) {
        bool taken = false;
        if (atomic_compare_exchange_strong(&traffic->readers[i].taken, &taken, true)) {
            *reader = &traffic->readers[i];
            return STATUS_OK;
        }
    }
    return error_set(error, STATUS_FULL, "all %zu readers of the traffic split are taken",
                     traffic->n_readers);
}

void traffic_reader_destroy(struct traffic_reader *reader)
{
    if (!reader)
        return;
    assert(!atomic_load(&reader->plan));
    atomic_store(&reader->taken, false);
}

const struct traffic_plan *traffic_enter(struct traffic_reader *reader)
{
    struct traffic_plan *plan = atomic_load(&reader->traffic->current);
    for (;;) {
        atomic_store(&reader->plan, plan);
        struct traffic_plan *again = atomic_load(&reader->traffic->current);
        if (again == plan)
            return plan;
        plan = again;
    }
}

void traffic_leave(struct traffic_reader *reader)
{
    atomic_store(&reader->plan, NULL);
}
