/* What `binnacle bench` measures. */
#ifndef BINNACLE_APP_BENCH_H
#define BINNACLE_APP_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include "app/interrupt.h"
#include "engine/base/status.h"
#include "engine/pipeline.h"

struct bench_options {
    const char *config_dir; /* NULL: the demo's */
    const char *model_file; /* NULL: the configured ones, else one is trained on the events */
    const char *input;      /* events; NULL: synthetic ones */
    size_t n_events;        /* of each run, 1 to 1 million */
    struct interrupt *interrupt;
};

/* Times are nanoseconds on one core, medians over the runs; NaN: not measured. */
struct bench_figures {
    char model[256], kernel[32];
    size_t n_trees, n_features;
    int n_runs;
    size_t n_events;                /* of a run */
    int64_t n_accepted, n_answered; /* of all measured runs */
    double parse_ns, contract_ns;   /* per event; both are part of STAGE_ACCEPT */
    double stage_ns[STAGE_COUNT];   /* per event */
    double writer_ns;               /* per event: the ledger's own thread */
    double total_ns;                /* per event, all of the above */
    double durable_per_s;           /* events by the wall clock, until all are on the disk */
    double explained_ns;            /* total_ns with all reasons of every decision in line */
    double explained_durable_per_s; /* durable_per_s likewise */
    double one_row_ns;              /* a score alone */
    double batch_row_ns;            /* a score in a batch of n_rows */
    double contribs_row_ns;         /* contributions of one row */
    size_t n_rows;
};

/* Runs everything in a new temporary folder and removes it. Takes some seconds. STATUS_INVALID when
 * the events do not fit the contract, STATUS_END when interrupted. */
MUST_USE enum status bench_run(const struct bench_options *options, struct bench_figures *figures,
                               struct error *error);

#endif
