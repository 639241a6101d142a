/* Heads over the tree as it grows: at most one a second, within a second after the last row, when a
 * day's file begins and ends, and when the ledger closes. A head that falls due while rows are
 * written goes into their transaction; one over a tree that stands still has a transaction of its
 * own, which holds nobody up. Writer thread only. */
#include "engine/record/files_priv.h"
#include "engine/record/rest_head_priv.h"
#include "engine/record/writer_priv.h"

#define HEAD_EVERY_NS INT64_C(1000000000)

enum status signer_start(struct writer *writer, struct error *error)
{
    enum status status = STATUS_NOT_FOUND;
    writer->signer.wall = clock_create_wall();
    if (!writer->signer.wall)
        return error_set(error, STATUS_MEMORY, "out of memory");
    bool unread = writer->has_day && !writer->day; /* damaged, and left */
    struct rest_head rest;
    if (writer->day && rest_head_read(day_db(writer->day), &rest, error) == STATUS_OK)
        writer->signer.rest_commits = rest.commits;
    if (writer->day)
        status = day_newest_head(writer->day, &writer->signer.newest, error);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    writer->signer.known = status == STATUS_OK;
    writer->signer.signed_ns = monotonic_ns() - HEAD_EVERY_NS;
    status = head_key_load(writer->ledger->dir, !writer->signer.known && !unread,
                           &writer->signer.key, error);
    if (status == STATUS_OK && writer->signer.known &&
        strcmp(writer->signer.newest.key_id, writer->signer.key.key_id) != 0)
        log_write(
            writer->ledger->log, LOG_WARN, "record", "head_key_changed",
            "heads were signed with key %s and are signed with %s from now on: whoever checks "
            "them needs the new public key",
            writer->signer.newest.key_id, writer->signer.key.key_id);
    return status;
}

static bool tree_is_signed(const struct writer *writer, const struct tree *tree)
{
    return tree->size == 0 ||
           (writer->signer.known && writer->signer.newest.tree_size == tree->size);
}

int64_t signer_due_ms(const struct writer *writer)
{
    if (!writer->has_day || (tree_is_signed(writer, &writer->state.tree) &&
                             writer->signer.rest_commits == writer->state.commits))
        return -1;
    int64_t left_ns = writer->signer.signed_ns + HEAD_EVERY_NS - monotonic_ns();
    return left_ns > 0 ? left_ns / 1000000 + 1 : 0;
}

bool signer_wanted(const struct writer *writer, bool new_file)
{
    return new_file || monotonic_ns() - writer->signer.signed_ns >= HEAD_EVERY_NS;
}

static enum status write_head(struct writer *writer, const struct tree *tree, int64_t now_ms,
                              struct error *error)
{
    struct signed_head *head = &writer->signer.drafted;
    *head = (struct signed_head){.tree_size = tree->size, .timestamp_ms = now_ms};
    enum status status = tree_root(tree, head->root);
    if (status == STATUS_OK)
        status = head_sign(&writer->signer.key, head);
    if (status != STATUS_OK)
        return error_set(error, status, "cannot sign the ledger's tree head");
    return day_insert_head(writer->day, head, writer->signer.key.public_key, error);
}

enum status signer_write(struct writer *writer, const struct day_state *state, bool new_file,
                         struct error *error)
{
    enum status status = STATUS_OK;
    int64_t now_ms = clock_now_us(writer->signer.wall) / 1000;
    /* A clock that was set back does not make a later head older than an earlier one. */
    if (writer->signer.known && now_ms < writer->signer.newest.timestamp_ms)
        now_ms = writer->signer.newest.timestamp_ms;
    writer->signer.drafted_head =
        state->tree.size > 0 && (new_file || !tree_is_signed(writer, &state->tree));
    writer->signer.drafted_commits = state->commits;
    if (writer->signer.drafted_head)
        status = write_head(writer, &state->tree, now_ms, error);
    return status == STATUS_OK ? rest_head_write(writer->day, &writer->signer.key, now_ms, error)
                               : status;
}

void signer_committed(struct writer *writer)
{
    writer->signer.signed_ns = monotonic_ns();
    writer->signer.rest_commits = writer->signer.drafted_commits;
    if (!writer->signer.drafted_head)
        return;
    writer->signer.newest = writer->signer.drafted;
    writer->signer.known = true;
    bool new_day = writer->signer.posted_day != writer->day_number;
    head_file_add(writer->ledger->head_file, &writer->signer.newest);
    for (size_t i = 0; i < writer->ledger->n_head_posts; i++)
        head_post_add(writer->ledger->head_posts[i], &writer->signer.newest, new_day);
    writer->signer.posted_day = writer->day_number;
}

void signer_sign_alone(struct writer *writer)
{
    struct error error;
    writer->signer.signed_ns = monotonic_ns();
    if (!writer->day || day_number(writer->day) != writer->day_number)
        return;
    enum status status = day_begin(writer->day, &error);
    if (status == STATUS_OK)
        status = signer_write(writer, &writer->state, false, &error);
    if (status == STATUS_OK)
        status = day_commit(writer->day, &error);
    if (status == STATUS_OK) {
        signer_committed(writer);
        return;
    }
    file_drop(writer);
    log_write(
        writer->ledger->log, LOG_WARN, "record", "head_not_signed",
        "no signed head over the newest rows (%s); they are recorded, and the head comes with "
        "the next ones",
        error.message);
}
