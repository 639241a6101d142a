/* Incidents: from the moment an objective burns or drift is found until none of that is left, each
 * with what explained it. Kept beside the ledger, so that a restart forgets none. */
#ifndef BINNACLE_APP_INCIDENTS_H
#define BINNACLE_APP_INCIDENTS_H

#include "engine/base/log.h"
#include "engine/base/status.h"
#include "engine/observe/snapshot.h"

struct incidents;
struct json_writer;

/* `path`: its file, made when missing; NULL: memory only. One that cannot be opened or read is left
 * as it is, and said to the log: only STATUS_MEMORY fails. */
MUST_USE enum status incidents_open(const char *path, struct log *log, struct incidents **incidents,
                                    struct error *error);
void incidents_close(struct incidents *incidents); /* NULL is ignored */

/* Whether something burns or drifts that did not at the last tick: it is to be explained now. */
bool incidents_triggered(const struct incidents *incidents, const struct snapshot *snapshot);
/* Opens and closes by the snapshot. `last`: the last trouble that was explained, over or not
 * (n_causes 0: none was). Fills snapshot->incident. */
void incidents_tick(struct incidents *incidents, const struct explanation *last,
                    struct snapshot *snapshot);
/* Writes down what changed, and what could not be written before. One thread, which may be another
 * than that of incidents_tick(): only this one waits for the disk. */
void incidents_save(struct incidents *incidents);

/* "incidents": the newest first. Any thread. */
void incidents_json(struct incidents *incidents, struct json_writer *json);

#endif
