/* Holds each picture against the alert rules, on a thread of its own, and has what came of it
 * written down by another: a disk that hangs must keep neither the next judgement nor the screens
 * from going on. */
#ifndef BINNACLE_APP_JUDGE_H
#define BINNACLE_APP_JUDGE_H

#include "alerts/alerts.h"
#include "app/watch.h"
#include "engine/base/log.h"

struct judge;

/* Everything is borrowed until judge_stop(). `watch` may be NULL. */
MUST_USE enum status judge_start(struct alerts *alerts, struct watch *watch, struct log *log,
                                 struct judge **judge, struct error *error);
/* Ends with what it is at, written down. NULL is ignored. */
void judge_stop(struct judge *judge);

/* Has the snapshot judged, and puts what is wrong into it. When that takes longer than half a
 * second, what was known before is put in, and the judgement goes on beside; until it is done no
 * other begins. One thread at a time. */
void judge_tick(struct judge *judge, struct snapshot *snapshot);

#endif
