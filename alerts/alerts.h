/* Conditions over the snapshot, and messages to people when one holds: rules, their state, and a
 * durable outbox from which a thread delivers each transition to every channel. */
#ifndef BINNACLE_ALERTS_ALERTS_H
#define BINNACLE_ALERTS_ALERTS_H

#include <stdbool.h>
#include <stdint.h>

#include "alerts/vocabulary.h"
#include "engine/base/log.h"
#include "engine/base/status.h"
#include "engine/base/yaml.h"
#include "engine/observe/snapshot.h"

struct alerts;

/* What alerts are made of. Borrowed for the call, except log, which must outlive them. */
struct alerts_options {
    const struct yaml_node *rules;      /* `alerts:`; NULL: the built-in ones */
    const struct yaml_node *channels;   /* `channels:`; NULL: none, alerts are only shown */
    const char *service;                /* who speaks: configuration's name */
    const char *link;                   /* address of the page; NULL: messages carry none */
    const char *path;                   /* alerts.db; NULL: state and outbox are in memory only */
    const struct alert_objective *slos; /* the objectives, for expressions and built-in rules */
    int n_slos;
    const char *const *columns; /* "score" and the features, likewise */
    int n_columns;
    const char *folder;      /* of binnacle.yaml: url_file is relative to it; NULL: "." */
    struct log *log;         /* may be NULL */
    int64_t disk_timeout_us; /* how long people wait for the disk; 0: 5 s */
};

/* Reads rules and channels, opens the database, takes up the state it left, starts the sender when
 * there is a channel. The error says file, line and column of what is wrong. */
MUST_USE enum status alerts_create(const struct alerts_options *options, struct alerts **alerts,
                                   struct error *error);
/* Gives the sender up to two seconds to deliver what waits; the rest waits in the outbox for the
 * next start. NULL is ignored. */
void alerts_destroy(struct alerts *alerts);

/* Only reads and checks, as `binnacle doctor` and start-up want to before anything runs. */
MUST_USE enum status alerts_check(const struct alerts_options *options, struct error *error);

/* Evaluates every rule on this snapshot, in its time, and waits for no disk. Transitions are
 * committed to alerts.db, by a thread of its own, before they are told; while that takes more than
 * half a second or fails they are told from memory, and written as soon as they can be. One thread.
 */
void alerts_evaluate(struct alerts *alerts, const struct snapshot *snapshot);

/* What people do about an alert; on the disk when it returns, or else it is not done: the disk's
 * error, or STATUS_UNAVAILABLE when that does not answer within disk_timeout_us, in which those who
 * asked before are answered first. Names are those of the rules. Any thread but that of
 * alerts_evaluate(). */
bool alerts_has(const struct alerts *alerts, const char *name);
/* It is judged and shown, but until then nobody is told of it; if it still fires then, that is
 * told. A moment that has passed ends a silence. STATUS_NOT_FOUND. */
MUST_USE enum status alerts_silence(struct alerts *alerts, const char *name, int64_t until_us,
                                    struct error *error);
/* `who` has it in hand, which everybody sees until it is over. STATUS_CONFLICT: it does not fire.
 */
MUST_USE enum status alerts_acknowledge(struct alerts *alerts, const char *name, const char *who,
                                        struct error *error);

/* Fills alerts and outbox: pages first, newest first. The thread of alerts_evaluate(). */
void alerts_fill(struct alerts *alerts, struct snapshot *snapshot);

#endif
