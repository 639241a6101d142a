/* Who gets which model: a champion, canaries that take a share from it, shadows that only watch. */
#ifndef BINNACLE_TRAFFIC_TRAFFIC_H
#define BINNACLE_TRAFFIC_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/base/yaml.h"

/* In the order of enum variant of engine/decide/outcome.h. */
enum traffic_role { TRAFFIC_CHAMPION, TRAFFIC_CANARY, TRAFFIC_SHADOW, TRAFFIC_ROLES };
const char *traffic_role_name(enum traffic_role role); /* "champion", "canary", "shadow" */
bool traffic_role_parse(struct slice word, enum traffic_role *role);

#define TRAFFIC_MAX_ARMS    8
#define TRAFFIC_MAX_SHADOWS 4
#define TRAFFIC_NAME_SIZE   64

/* One model's place in the split. */
struct traffic_arm {
    enum traffic_role role;
    char model[TRAFFIC_NAME_SIZE];
    char version[TRAFFIC_NAME_SIZE];
    /* Champion: NaN takes what the canaries leave, a number must agree with it. Canary: share of
     * all traffic. Shadow: share of all traffic that it sees; NaN: all. */
    double share_percent;
    void *handle; /* the caller's, e.g. a scorer */
};

/* An immutable split. The first arm is the champion, canaries follow, then shadows. */
struct traffic_plan;
size_t traffic_plan_size(const struct traffic_plan *plan);
const struct traffic_arm *traffic_plan_arm(const struct traffic_plan *plan, size_t index);

/* What one event gets. */
struct traffic_route {
    int arm; /* champion or canary */
    int shadows[TRAFFIC_MAX_SHADOWS];
    int n_shadows;
};

/* Pure: the same plan and entity always give the same route. For each canary in turn, u =
 * XXH3-64(entity, seed XXH3-64("MODEL@VERSION", 0)) / 2^64 is compared with the canary's share of
 * what those before it left; shadows likewise with their share, independently. So whoever is on a
 * canary stays on it while its share grows, and two canaries do not test the same people. Pass the
 * event's id where the entity is missing. Allocates nothing; any thread. */
void traffic_route(const struct traffic_plan *plan, struct slice entity,
                   struct traffic_route *route);

/* Holds the current plan. Readers never lock or wait; a plan is freed once it is neither current
 * nor in any reader's hand. */
struct traffic;
/* `release` (may be NULL) is called with the handle of each arm when its plan is freed, from the
 * thread that calls traffic_set(), traffic_collect() or traffic_destroy(). At most max_readers
 * readers. */
MUST_USE enum status traffic_create(size_t max_readers, void (*release)(void *handle),
                                    struct traffic **traffic, struct error *error);
/* Every reader has left beforehand. */
void traffic_destroy(struct traffic *traffic);

/* Puts a new split in place for every route that begins after it returns. Exactly one champion;
 * canary shares within [0, 100] that leave the champion at least 0; at most TRAFFIC_MAX_SHADOWS
 * shadows; a model and version appears once. The arms are copied, their
 * handles are taken on success and remain the caller's on failure. Any thread. */
MUST_USE enum status traffic_set(struct traffic *traffic, const struct traffic_arm *arms,
                                 size_t n_arms, struct error *error);
/* Frees replaced plans that no reader holds any more; traffic_set() does too. At most one plan per
 * reader waits for it. Call it now and then, so that a replaced model does not stay in memory. */
void traffic_collect(struct traffic *traffic);
/* Only the checks of traffic_set(). */
MUST_USE enum status traffic_check(const struct traffic_arm *arms, size_t n_arms,
                                   struct error *error);
/* Copies the current split for screens and the record: at most `max` arms, champion first, its
 * share filled in, handles NULL. Returns how many; 0 before the first traffic_set(). Any thread. */
size_t traffic_describe(struct traffic *traffic, struct traffic_arm *arms, size_t max);

/* One per worker thread. */
struct traffic_reader;
MUST_USE enum status traffic_reader_create(struct traffic *traffic, struct traffic_reader **reader,
                                           struct error *error);
void traffic_reader_destroy(struct traffic_reader *reader); /* has left; NULL is ignored */
/* The plan for one batch, NULL before the first traffic_set(). It and its handles stay until
 * traffic_leave(). Enter once per batch, so that a new split is seen with the next one. Wait-free
 * but for a retry when a set falls in between. */
const struct traffic_plan *traffic_enter(struct traffic_reader *reader);
void traffic_leave(struct traffic_reader *reader);

/* Reads the `traffic:` list of binnacle.yaml, [{variant, model, version, share}], into at most
 * TRAFFIC_MAX_ARMS arms with NULL handles, and checks it. */
MUST_USE enum status traffic_read(const struct yaml_node *list, struct traffic_arm *arms,
                                  size_t *n_arms, struct error *error);

#endif
