/* What a service remembers of itself: the list of changes, and what explanations are made from. */
#ifndef BINNACLE_APP_WATCH_H
#define BINNACLE_APP_WATCH_H

#include "app/session.h"
#include "engine/record/changes.h"
#include "ui/web/web.h"

struct watch;

/* Opens the list beside the ledger (memory only without one), and lists the start and what differs
 * from the configuration, contract, features, rules and models of the last start. The session is
 * borrowed. */
MUST_USE enum status watch_create(const struct session *session, struct watch **watch,
                                  struct error *error);
/* Lists the stop. NULL is ignored. */
void watch_destroy(struct watch *watch);

/* Judges the data's quality into the snapshot, which alerts are then held against; waits for no
 * disk. The judge's thread. */
void watch_quality(struct watch *watch, struct snapshot *snapshot);
/* What is wrong now, and the incident that is open, into the snapshot; that of alerts follows.
 * Waits for no disk. The judge's thread. */
void watch_explain(struct watch *watch, struct snapshot *snapshot);
/* All that may wait for a disk, after the alerts; nothing while the ledger's hangs. Alerts that
 * fire or are over since the last time go into the list, what changed is written down, and what the
 * next judgement looks at is read. A thread of its own, beside the judge's. */
void watch_tick(struct watch *watch, const struct snapshot *snapshot);

struct changes *watch_changes(struct watch *watch);
/* Adds what it answers to the table for web_start(); borrows the table's board. */
void watch_table(struct watch *watch, struct web_backend *table);

#endif
