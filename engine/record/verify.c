/* ledger verify: what leads from the rows to the signed heads, checked.
 *
 * Several threads read blocks of rows and hash them (verify_crew.c, verify_rows.c); this one goes
 * from file to file and group to group (verify_groups.c), takes the blocks in order and follows
 * the tree (verify_walk.c). */
#include "engine/record/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/record/files_priv.h"
#include "engine/record/reader_priv.h"
#include "engine/record/verify_walk_priv.h"

#define EXTRA_BAD 64

void verify_note(struct verify *verify, int64_t index, struct slice event_id, const char *format,
                 ...)
{
    struct verify_report *report = verify->report;
    char where[WHERE_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(where, sizeof where, format, list);
    va_end(list);
    lock_take(&verify->lock);
    report->n_bad++;
    /* What rows have in common comes after them, and must not be crowded out. */
    if (report->n_kept < verify->options->max_bad + (index < 0 ? EXTRA_BAD : 0)) {
        struct verify_bad *bad = &report->bad[report->n_kept];
        *bad = (struct verify_bad){
            .index = index,
            .event_id = event_id.size > 0 ? strndup(event_id.data, event_id.size) : NULL,
            .where = strdup(where)};
        report->n_kept += bad->where != NULL;
    }
    lock_release(&verify->lock);
}

void verify_report_free(struct verify_report *report)
{
    for (size_t i = 0; i < report->n_kept; i++) {
        free(report->bad[i].event_id);
        free(report->bad[i].where);
    }
    free(report->bad);
    *report = (struct verify_report){0};
}

/* The key that heads must be signed with. */
static void find_key(struct verify *verify, struct reader *reader)
{
    const struct verify_options *options = verify->options;
    struct head_key own;
    struct signed_head head;
    struct error error;
    verify->has_key = true;
    if (options->public_key) {
        memcpy(verify->public_key, options->public_key, PUBLIC_KEY_SIZE);
        return;
    }
    if (head_key_load(options->dir, false, &own, &error) == STATUS_OK)
        memcpy(verify->public_key, own.public_key, PUBLIC_KEY_SIZE);
    else if (reader_signed_head(reader, &head, verify->public_key, &error) != STATUS_OK)
        verify->has_key = false;
    explicit_bzero(&own, sizeof own);
}

static int compare_heads(const void *a, const void *b)
{
    const struct signed_head *left = a, *right = b;
    return (left->tree_size > right->tree_size) - (left->tree_size < right->tree_size);
}

/* Those that were signed with the ledger's key, in the order of their sizes. */
static enum status take_outside(struct verify *verify, struct walk *walk,
                                struct signed_head **sorted, struct error *error)
{
    const struct verify_options *options = verify->options;
    *sorted = calloc(options->n_heads + 1, sizeof **sorted);
    if (!*sorted)
        return error_set(error, STATUS_MEMORY, "out of memory");
    for (size_t i = 0; i < options->n_heads; i++) {
        const struct signed_head *head = &options->heads[i];
        if (verify->has_key && head_check(head, verify->public_key) == STATUS_OK)
            (*sorted)[walk->n_outside++] = *head;
        else
            verify_note(verify, -1, (struct slice){0},
                        "the head kept elsewhere over %" PRIu64
                        " rows, key %s, does not fit the ledger's key: the head was changed, or it "
                        "is another ledger's",
                        head->tree_size, head->key_id);
    }
    qsort(*sorted, walk->n_outside, sizeof **sorted, compare_heads);
    walk->outside = *sorted;
    return STATUS_OK;
}

static void end_walk(struct verify *verify, struct walk *walk)
{
    struct verify_report *report = verify->report;
    for (; walk->next_outside < walk->n_outside; walk->next_outside++)
        verify_note(verify, -1, (struct slice){0},
                    "the head kept elsewhere is over %" PRIu64 " rows, the ledger has %" PRIu64
                    ": rows were taken out, or an older copy was put back",
                    walk->outside[walk->next_outside].tree_size, walk->tree.size);
    report->n_rows = walk->rows;
    report->tree_size = walk->tree.size;
    if (tree_root(&walk->tree, report->root) != STATUS_OK)
        memset(report->root, 0, SHA256_SIZE);
}

static enum status verify_days(struct reader *reader, struct walk *walk, struct error *error)
{
    struct crew *crew = NULL;
    enum status status = crew_start(walk, reader->days, reader->n_days, &crew, error);
    for (size_t i = 0; i < reader->n_days && status == STATUS_OK; i++)
        status = verify_day(crew, walk, reader->days[i], error);
    crew_stop(crew);
    return status;
}

enum status ledger_verify(const struct verify_options *options, struct verify_report *report,
                          struct error *error)
{
    struct verify verify = {.options = options, .report = report};
    struct walk walk = {.verify = &verify,
                        .carry = {.rested = true,
                                  .quarantined = true,
                                  .next_quarantine = 1,
                                  .high_us = INT64_MIN,
                                  .timed = true}};
    struct reader *reader = NULL;
    struct signed_head *sorted = NULL;
    *report = (struct verify_report){0};
    enum status status = reader_open(options->dir, &reader, error);
    if (status != STATUS_OK)
        return status;
    lock_init(&verify.lock, "verify");
    report->bad = calloc(options->max_bad + EXTRA_BAD, sizeof *report->bad);
    if (!report->bad)
        status = error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK) {
        find_key(&verify, reader);
        status = take_outside(&verify, &walk, &sorted, error);
    }
    if (status == STATUS_OK) {
        verify.tiers = reader->tiers;
        verify_after_deleted(&walk, reader->tiers);
        status = verify_days(reader, &walk, error);
    }
    if (status == STATUS_OK) {
        end_walk(&verify, &walk);
        verify_tiers(&verify, reader->tiers, reader);
    }
    report->ok = status == STATUS_OK && report->n_bad == 0;
    reader_close(reader);
    free(sorted);
    lock_destroy(&verify.lock);
    return status;
}
