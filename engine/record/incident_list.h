/* Incidents and what explained them, kept across restarts beside the ledger: for people, not for
 * proof. Bounded. One thread at a time. */
#ifndef BINNACLE_RECORD_INCIDENT_LIST_H
#define BINNACLE_RECORD_INCIDENT_LIST_H

#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"

#define INCIDENTS_NAME "incidents.db"
#define INCIDENTS_KEPT 100 /* the oldest go beyond that */

struct incident_row {
    int64_t opened_us; /* which one it is */
    int64_t closed_us; /* 0: open */
    struct slice triggers;
    struct slice explanation; /* JSON */
};

struct incident_list;
/* `path`: the file, made when missing; NULL: memory only. */
MUST_USE enum status incident_list_open(const char *path, struct incident_list **list,
                                        struct error *error);
void incident_list_close(struct incident_list *list); /* NULL is ignored */

/* Adds it, or puts it in the place of the one with the same beginning. */
MUST_USE enum status incident_list_put(struct incident_list *list, const struct incident_row *row,
                                       struct error *error);
/* Calls `each` with the newest `most`, oldest first; texts live during the call. */
MUST_USE enum status incident_list_read(struct incident_list *list, size_t most,
                                        void (*each)(void *context, const struct incident_row *row),
                                        void *context, struct error *error);

#endif
