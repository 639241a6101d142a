/* Events for `bench`: synthetic ones, or those of a file. */
#ifndef BINNACLE_APP_BENCH_EVENTS_H
#define BINNACLE_APP_BENCH_EVENTS_H

#include <stddef.h>

#include "engine/base/status.h"
#include "engine/contract/contract.h"
#include "engine/pipeline.h"

struct bench_events;

/* `path` NULL: synthetic ones. At most `most` (or MAX_BATCH, if that is more) at a time. */
MUST_USE enum status bench_events_create(const char *path, size_t most,
                                         struct bench_events **events, struct error *error);
void bench_events_destroy(struct bench_events *events); /* NULL is ignored */
/* Tells the worker the file's CSV header, if it has one. */
MUST_USE enum status bench_events_prepare(const struct bench_events *events, struct worker *worker,
                                          struct error *error);

/* Takes the place of those at hand by the next n, or, at the file's end, fewer. */
MUST_USE enum status bench_events_fill(struct bench_events *events, size_t n, struct error *error);
size_t bench_events_count(const struct bench_events *events);
const struct raw_event *bench_events_at(const struct bench_events *events, size_t index);
int bench_events_label(const struct bench_events *events, size_t index); /* -1: not known */

/* An error that says why none of these events was accepted. */
enum status bench_events_refused(const struct bench_events *events, const struct answer *answers,
                                 size_t n, struct error *error);

/* What decoding the events at hand, and then checking them, takes of a core per event: medians. */
MUST_USE enum status bench_events_time(const struct bench_events *events,
                                       const struct contract *contract, double *parse_ns,
                                       double *contract_ns, struct error *error);

#endif
