/* Joined outcomes kept over a restart: rows, periods and counts in a state file that names the
 * options they were made with. What can be made again from these (buckets, the estimator, the
 * detector) is made again. */
#include "engine/monitor/truth_priv.h"

#include <stdio.h>
#include <string.h>

#include "engine/base/state_file.h"

static const struct state_file_kind kind = {"BNTRUTH", 2};

struct header {
    struct truth_mark mark;
    char options[256]; /* as text: of other options nothing can be used */
    struct truth_counts counts;
    uint64_t n, n_periods, n_cohorts;
    uint64_t n_errors, n_detections;
    struct truth_detection detections[TRUTH_DETECTIONS];
    char cohorts[TRUTH_MAX_COHORTS][TRUTH_COHORT];
};

static void describe(const struct truth_options *options, char out[256])
{
    memset(out, 0, 256);
    snprintf(out, 256, "%lld %lld %.17g %.80s %.80s %s", (long long)options->keep,
             (long long)options->period_us, options->threshold,
             options->amount ? options->amount : "-", options->cohort ? options->cohort : "-",
             options->detector);
}

enum status truth_save(const struct truth *truth, const char *path, const struct truth_mark *mark,
                       struct error *error)
{
    struct header header;
    struct state_file *file = NULL;
    memset(&header, 0, sizeof header);
    header.mark = *mark;
    header.counts = truth->counts;
    header.n = truth->n;
    header.n_periods = truth->n_periods;
    header.n_cohorts = truth->n_cohorts;
    header.n_errors = truth->n_errors;
    header.n_detections = truth->n_detections;
    memcpy(header.detections, truth->detections, sizeof header.detections);
    memcpy(header.cohorts, truth->cohorts, sizeof header.cohorts);
    describe(&truth->options, header.options);
    enum status status = state_file_create(path, &kind, &file, error);
    if (status == STATUS_OK)
        status = state_file_put(file, &header, sizeof header, error);
    for (size_t i = 0; status == STATUS_OK && i < truth->n; i++)
        status = state_file_put(file, truth_row(truth, i), sizeof(struct truth_row), error);
    if (status == STATUS_OK)
        status =
            state_file_put(file, truth->periods, truth->n_periods * sizeof *truth->periods, error);
    if (status == STATUS_OK)
        return state_file_commit(file, error);
    state_file_abandon(file);
    return status;
}

static enum status check_header(const struct truth *truth, const struct state_file *file,
                                const struct header *header, struct error *error)
{
    char options[256];
    describe(&truth->options, options);
    if (memcmp(options, header->options, sizeof options) != 0)
        return error_set(error, STATUS_UNSUPPORTED, "%s was made with other settings",
                         state_file_path(file));
    if (header->n > (uint64_t)truth->options.keep || header->n_periods > TRUTH_PERIODS ||
        header->n_cohorts > TRUTH_MAX_COHORTS)
        return state_file_damaged(file, error);
    return STATUS_OK;
}

static enum status load_rows(struct truth *truth, struct state_file *file,
                             const struct header *header, struct error *error)
{
    enum status status = STATUS_OK;
    for (uint64_t i = 0; status == STATUS_OK && i < header->n; i++) {
        struct truth_row row;
        status = state_file_get(file, &row, sizeof row, error);
        if (status == STATUS_OK &&
            (row.variant >= TRUTH_VARIANTS || row.cohort >= header->n_cohorts))
            status = state_file_damaged(file, error);
        if (status == STATUS_OK)
            truth_restore_row(truth, &row);
    }
    if (status == STATUS_OK)
        status =
            state_file_get(file, truth->periods, header->n_periods * sizeof *truth->periods, error);
    return status == STATUS_OK ? state_file_end(file, error) : status;
}

static enum status load(struct truth *truth, struct state_file *file, struct truth_mark *mark,
                        struct error *error)
{
    struct header header;
    enum status status = state_file_get(file, &header, sizeof header, error);
    if (status == STATUS_OK)
        status = check_header(truth, file, &header, error);
    if (status == STATUS_OK)
        status = load_rows(truth, file, &header, error);
    if (status != STATUS_OK)
        return status;
    truth->counts = header.counts;
    truth->n_periods = header.n_periods;
    truth->n_cohorts = header.n_cohorts;
    truth->n_errors = header.n_errors;
    truth->n_detections = header.n_detections;
    memcpy(truth->detections, header.detections, sizeof truth->detections);
    memcpy(truth->cohorts, header.cohorts, sizeof truth->cohorts);
    *mark = header.mark;
    return STATUS_OK;
}

enum status truth_load(struct truth *truth, const char *path, struct truth_mark *mark,
                       struct error *error)
{
    struct state_file *file;
    enum status status = state_file_open(path, &kind, &file, error);
    if (status != STATUS_OK)
        return status;
    truth_reset(truth);
    status = load(truth, file, mark, error);
    if (status != STATUS_OK)
        truth_reset(truth);
    state_file_close(file);
    return status;
}
