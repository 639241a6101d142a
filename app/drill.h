/* Faults for drills, each through the door that a real one would come through. */
#ifndef BINNACLE_APP_DRILL_H
#define BINNACLE_APP_DRILL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/clock.h"
#include "engine/base/secret.h"
#include "engine/base/status.h"

#define DRILL_CALLERS 4

/* A drill under way. */
struct drill {
    const char *url;
    char authorization[SECRET_BEARER_SIZE]; /* "": none */
    char folder[1024];   /* the configuration's, on this machine; "": not known */
    char rules[2100];    /* its rules file */
    char ledger[1024];   /* the ledger's; "": none */
    char store[256];     /* "embedded", or redis://... */
    struct clock *clock; /* this machine's */
    uint64_t random;
    int64_t for_ms;
    atomic_bool over; /* told to every thread of it */
    /* What has to be put back. */
    struct buffer split, rules_before;
    bool split_changed, rules_changed;
};

/* In [0, 1); the same for the same seed. */
double drill_chance(struct drill *drill);
/* In [from, to). */
double drill_between(struct drill *drill, double from, double to);
/* The rest of the time, or until it is over, in small steps. */
void drill_pause(const struct drill *drill, int64_t ms);

/* ---- drill_traffic.c: events, as a caller posts them ---- */

/* How one event is spoiled; see the faults. */
struct spoiling {
    double share;      /* of the events */
    const char *only;  /* those that hold this text, such as "\"device\":\"web\""; NULL: any */
    const char *field; /* whose value is replaced; NULL: none is */
    const char *value; /* by this; NULL: the number is multiplied */
    double factor;
    int64_t older_ms; /* the event's time is so long ago */
};

struct traffic_mix {
    double rate_per_s;
    int callers; /* each waits for its answer before it goes on */
    struct spoiling spoiling;
    double positive_labels; /* each event is labelled, so many of them 1; NaN: none is */
};

/* Posts until the drill is over. */
MUST_USE enum status drill_post(struct drill *drill, const struct traffic_mix *mix,
                                struct error *error);

/* ---- drill_doors.c ---- */

/* Takes the lock on the newest day file again and again for `held_ms`, with `free_ms` between:
 * what a backup or a forgotten shell does. A thread of its own until the drill is over; held_ms <
 * 0: the whole time. */
struct drill_lock;
MUST_USE enum status drill_lock_start(struct drill *drill, int64_t held_ms, int64_t free_ms,
                                      struct drill_lock **lock, struct error *error);
void drill_lock_stop(struct drill_lock *lock); /* the drill is over; NULL is ignored */

/* The canary takes this share. The split of before is kept for drill_restore(). */
MUST_USE enum status drill_set_canary(struct drill *drill, double share_percent, const char *reason,
                                      struct error *error);
/* Puts a rule before all others into the rules file and has it read. */
MUST_USE enum status drill_add_rule(struct drill *drill, const char *rule, struct error *error);
/* Puts back what was changed. */
MUST_USE enum status drill_restore(struct drill *drill, struct error *error);

#endif
