/* The one thread that writes the ledger.
 *
 * It takes everything that waits, and commits it group by group: personal values met for the first
 * time go into subjects.db first, then rows, quarantine, marks, source positions and the tree's
 * state into the current day file in one transaction. A group never spans two day files: the file
 * is that of the row's own time on the engine's clock, and only ever moves forward.
 *
 * When anything fails the transaction is rolled back, the file is closed, checked and opened again
 * (writer_file.c), and everything is tried again after a pause: the entries stay where they are. A
 * commit that failed may still have happened; the count of commits in the file that was checked
 * tells, and then the group counts as written. What another try is not likely to mend (people that
 * are gone, a newer format) is told to everybody, and still tried now and then. */
#include "engine/record/writer_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/record/files_priv.h"

#define RETRY_MIN_MS 50
#define RETRY_MAX_MS 2000

#define ANSWERED_PART   2 /* of the time that a group took */
#define ANSWERED_MAX_NS INT64_C(2000000)

enum status writer_load_place(void *context, struct slice source, int32_t part, int64_t offset)
{
    struct ledger *ledger = context;
    char name[256];
    int number;
    if (source.size >= sizeof name)
        return STATUS_CORRUPT;
    memcpy(name, source.data, source.size);
    name[source.size] = '\0';
    enum status status = ledger_source(ledger, name, &number);
    if (status != STATUS_OK)
        return status;
    lock_take(&ledger->lock);
    size_t i = 0;
    while (i < ledger->n_places &&
           (ledger->places[i].source != number || ledger->places[i].part != part))
        i++;
    if (i < ledger->n_places)
        ledger->places[i].committed = ledger->places[i].reached = offset;
    else
        status = place_add(ledger, number, part, offset);
    lock_release(&ledger->lock);
    return status;
}

static void publish_state(struct ledger *ledger, const struct day_state *state)
{
    lock_assert_held(&ledger->lock);
    ledger->stats.tree_size = state->tree.size;
    ledger->stats.high_us = state->high_us;
    if (tree_root(&state->tree, ledger->stats.root) != STATUS_OK)
        memset(ledger->stats.root, 0, sizeof ledger->stats.root);
}

enum status writer_create(struct ledger *ledger, struct writer **writer, struct error *error)
{
    struct writer *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->ledger = ledger;
    made->state = (struct day_state){.next_quarantine = 1, .high_us = NO_TIME};
    made->storage = malloc(sizeof *made->storage);
    enum status status =
        made->storage ? STATUS_OK : error_set(error, STATUS_MEMORY, "out of memory");
    if (status == STATUS_OK)
        status = checkpointer_create(ledger->log_pages, &made->checkpointer, error);
    if (status == STATUS_OK)
        status = file_find_last(made, error);
    if (status == STATUS_OK)
        status = signer_start(made, error);
    if (status != STATUS_OK) {
        writer_destroy(made);
        return status;
    }
    ledger->next_index = made->state.tree.size;
    ledger->next_quarantine = made->state.next_quarantine;
    lock_take(&ledger->lock);
    publish_state(ledger, &made->state);
    lock_release(&ledger->lock);
    *writer = made;
    return STATUS_OK;
}

static void free_subject(struct pending_subject *subject)
{
    explicit_bzero(subject->original, subject->size);
    free(subject);
}

void writer_destroy(struct writer *writer)
{
    if (!writer)
        return;
    while (writer->head) {
        struct chunk *next = writer->head->next;
        chunk_destroy(writer->head);
        writer->head = next;
    }
    while (writer->subjects) {
        struct pending_subject *next = writer->subjects->next;
        free_subject(writer->subjects);
        writer->subjects = next;
    }
    checkpointer_destroy(
        writer->checkpointer); /* first: who closes the file last empties its log */
    if (writer->suspect)
        day_abandon(writer->day);
    else
        day_close(writer->day);
    clock_destroy(writer->signer.wall);
    explicit_bzero(&writer->signer.key, sizeof writer->signer.key);
    free(writer->storage);
    free(writer);
}

static enum status add_subjects(struct subjects *subjects, const struct pending_subject *pending,
                                size_t *n, struct error *error)
{
    enum status status = subjects_begin(subjects, error);
    for (; pending && status == STATUS_OK; pending = pending->next, (*n)++)
        status = subjects_add(subjects, slice_of(pending->pseudonym),
                              slice_make(pending->original, pending->size), pending->at_us, error);
    if (status == STATUS_OK)
        status = subjects_commit(subjects, error);
    if (status != STATUS_OK)
        subjects_rollback(subjects);
    return status;
}

/* subjects.db comes first: a row must never mention a person whom nobody can look up. */
static enum status write_subjects(struct writer *writer, struct error *error)
{
    struct ledger *ledger = writer->ledger;
    lock_take(&ledger->lock);
    if (ledger->subjects && !writer->subjects) {
        writer->subjects = ledger->subjects;
        ledger->subjects = ledger->subjects_tail = NULL;
    } else if (ledger->subjects) {
        struct pending_subject *last = writer->subjects;
        while (last->next)
            last = last->next;
        last->next = ledger->subjects;
        ledger->subjects = ledger->subjects_tail = NULL;
    }
    lock_release(&ledger->lock);
    if (!writer->subjects)
        return STATUS_OK;
    size_t n = 0;
    lock_take(&ledger->subjects_lock);
    enum status status = add_subjects(ledger->subjects_db, writer->subjects, &n, error);
    lock_release(&ledger->subjects_lock);
    if (status != STATUS_OK)
        return status;
    while (writer->subjects) {
        struct pending_subject *next = writer->subjects->next;
        free_subject(writer->subjects);
        writer->subjects = next;
    }
    lock_take(&ledger->lock);
    ledger->n_subjects -= n;
    pthread_cond_broadcast(&ledger->room);
    pthread_cond_broadcast(&ledger->subjects_changed);
    lock_release(&ledger->lock);
    return STATUS_OK;
}

static void restore_places(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->n_places; i++)
        ledger->places[i].reached = ledger->places[i].committed;
}

/* The group is on the disk: lets go of its entries and tells those who wait. */
static void finish_attempt(struct writer *writer)
{
    struct ledger *ledger = writer->ledger;
    struct attempt *attempt = &writer->attempt;
    lock_take(&ledger->lock);
    while (writer->head != attempt->end.chunk) {
        struct chunk *done = writer->head;
        writer->head = done->next;
        chunk_release(ledger, done);
    }
    writer->item = attempt->end.item;
    if (!writer->head)
        writer->tail = NULL;
    for (size_t i = 0; i < ledger->n_places; i++)
        ledger->places[i].committed = ledger->places[i].reached;
    ledger->rows -= attempt->rows;
    ledger->bytes -= attempt->bytes;
    health_committed(ledger, writer->head);
    ledger->stats.commits++;
    ledger->stats.rows += attempt->rows;
    if (attempt->ticket > 0)
        ledger->stats.durable = attempt->ticket;
    publish_state(ledger, &attempt->state);
    health_resumed(ledger); /* before anybody is told that its rows are there */
    pthread_cond_broadcast(&ledger->room);
    struct waiter *waiters = waiters_take(ledger);
    lock_release(&ledger->lock);
    waiters_wake(ledger, waiters);
    file_remember(writer, !writer->has_day || writer->day_number != attempt->day);
    writer->state = attempt->state;
    writer->day_number = attempt->day;
    writer->has_day = true;
    writer->damaged = writer->left = 0;
    if (attempt->headed)
        signer_committed(writer);
    attempt->committing = false;
    writer->last_rows = attempt->rows;
    writer->done_ns = monotonic_ns();
    writer->took_ns =
        writer->done_ns - atomic_load_explicit(&ledger->group_began_ns, memory_order_relaxed);
}

static void begin_attempt(struct writer *writer, int64_t day, bool new_file)
{
    writer->attempt = (struct attempt){.state = writer->state, .day = day};
    struct attempt *attempt = &writer->attempt;
    attempt->state.commits++;
    if (new_file)
        attempt->state.first_index = writer->state.tree.size;
    attempt->group = (struct day_group){.commit = attempt->state.commits,
                                        .first_index = writer->state.tree.size,
                                        .low_us = INT64_MAX,
                                        .high_us = INT64_MIN};
    restore_places(writer->ledger);
}

static enum status write_group(struct writer *writer, bool new_file, struct error *error)
{
    struct attempt *attempt = &writer->attempt;
    health_lock_wanted(writer->ledger);
    enum status status = day_begin(writer->day, error);
    health_lock_taken(writer->ledger);
    if (status == STATUS_OK)
        status = group_write_items(writer, error);
    if (status == STATUS_OK)
        status = group_write_positions(writer, new_file, error);
    if (status == STATUS_OK)
        status = day_write_run(writer->day, false, error);
    attempt->group.tree_size = attempt->state.tree.size;
    attempt->group.committed_us = clock_now_us(writer->ledger->clock);
    if (status == STATUS_OK && tree_root(&attempt->state.tree, attempt->group.root) != STATUS_OK)
        status = error_set(error, STATUS_MEMORY, "cannot hash the ledger's tree");
    if (status == STATUS_OK)
        status = day_insert_group(writer->day, &attempt->group, &attempt->state, error);
    if (status == STATUS_OK)
        status = day_write_state(writer->day, &attempt->state, error);
    if (status == STATUS_OK && signer_wanted(writer, new_file)) {
        status = signer_write(writer, &attempt->state, new_file, error);
        attempt->headed = true;
    }
    if (status != STATUS_OK)
        return status;
    attempt->committing = true;
    return day_commit(writer->day, error);
}

static enum status commit_rows(struct writer *writer, struct error *error)
{
    int64_t day = writer->attempt.committing ? writer->attempt.day : file_next_day(writer);
    bool new_file = !writer->has_day || day != writer->day_number;
    if (writer->day && day_number(writer->day) != day)
        file_seal(writer);
    if (!writer->day) {
        bool done;
        enum status status = file_open(writer, day, &done, error);
        if (status == STATUS_OK && done)
            finish_attempt(writer);
        if (status != STATUS_OK || done)
            return status;
    }
    begin_attempt(writer, day, new_file);
    enum status status = write_group(writer, new_file, error);
    if (status != STATUS_OK)
        return status;
    finish_attempt(writer);
    file_move_log(writer);
    return STATUS_OK;
}

static enum status commit_next_group(struct writer *writer, struct error *error)
{
    enum status status = write_subjects(writer, error);
    if (status != STATUS_OK || !writer->head)
        return status;
    status = commit_rows(writer, error);
    if (status == STATUS_OK)
        return STATUS_OK;
    file_drop(writer);
    error->code = status;
    /* Only a file can be left; what else is damaged has to be mended. */
    if (status == STATUS_CORRUPT && (file_leave(writer, error) || writer->damaged < 2))
        status = STATUS_IO;
    return status;
}

static bool can_retry(enum status status)
{
    return status == STATUS_IO || status == STATUS_UNAVAILABLE || status == STATUS_MEMORY ||
           status == STATUS_DENIED || status == STATUS_FULL || status == STATUS_NOT_FOUND;
}

static void note_failure(struct writer *writer, const struct error *error)
{
    struct ledger *ledger = writer->ledger;
    bool retry = can_retry(error->code);
    if (writer->retry_ms == 0 || (!retry && ledger->stats.health != LEDGER_FAILED))
        log_write(ledger->log, LOG_ERROR, "record", retry ? "write_failed" : "ledger_failed",
                  "%s; %s", error->message,
                  retry ? "rows wait and are tried again: make room or mend the disk"
                        : "nothing is recorded until that is put right; it is tried again");
    int64_t doubled = writer->retry_ms * 2;
    writer->retry_ms = doubled < RETRY_MIN_MS   ? RETRY_MIN_MS
                       : doubled > RETRY_MAX_MS ? RETRY_MAX_MS
                                                : doubled;
    lock_take(&ledger->lock);
    health_stopped(ledger, retry ? LEDGER_RETRYING : LEDGER_FAILED, error);
    pthread_cond_broadcast(&ledger->room);
    struct waiter *waiters = waiters_take(ledger);
    lock_release(&ledger->lock);
    waiters_wake(ledger, waiters);
}

static void note_recovery(struct writer *writer)
{
    if (writer->retry_ms == 0)
        return;
    writer->retry_ms = 0;
    log_write(writer->ledger->log, LOG_INFO, "record", "write_recovered",
              "the ledger is written again; nothing was lost");
    lock_take(&writer->ledger->lock);
    health_resumed(writer->ledger);
    pthread_cond_broadcast(&writer->ledger->room);
    lock_release(&writer->ledger->lock);
}

static bool has_work(const struct ledger *ledger)
{
    return ledger->head ||
           (ledger->n_subjects > 0 && (ledger->flushing || ledger->closing ||
                                       ledger->n_subjects >= ledger->most_subjects / 2));
}

/* Those who were just answered often ask again at once. A group that began before they are there
 * would make them wait for a whole one: it leaves them a part of the time that the last one took,
 * until as many rows are there as could come. Where more rows wait than that group had, they come
 * from somebody who does not wait for answers. */
static void await_answered(struct writer *writer, size_t behind)
{
    struct ledger *ledger = writer->ledger;
    int64_t part_ns = writer->took_ns / ANSWERED_PART;
    int64_t until_ns = writer->done_ns + (part_ns < ANSWERED_MAX_NS ? part_ns : ANSWERED_MAX_NS);
    lock_assert_held(&ledger->lock);
    if (behind >= writer->last_rows)
        return;
    while (ledger->rows < behind + writer->last_rows && !ledger->closing && !ledger->flushing &&
           monotonic_ns() < until_ns)
        condition_wait_until(&ledger->work, &ledger->lock, until_ns);
}

/* Waits for something to do, which may be no more than to sign a head, and takes all of it. False:
 * closing, and nothing is left. */
static bool take_work(struct writer *writer)
{
    struct ledger *ledger = writer->ledger;
    lock_take(&ledger->lock);
    size_t behind = ledger->rows;
    for (int64_t due_ms; !has_work(ledger) && !ledger->closing;) {
        ledger->flushing = false;
        if ((due_ms = signer_due_ms(writer)) == 0)
            break;
        condition_wait(&ledger->work, &ledger->lock, due_ms);
    }
    await_answered(writer, behind);
    int64_t deadline_ns = monotonic_ns() + ledger->group_ms * 1000000;
    for (int64_t left_ms = ledger->group_ms;
         left_ms > 0 && ledger->head && ledger->rows < ledger->group_rows && !ledger->closing &&
         !ledger->flushing;
         left_ms = (deadline_ns - monotonic_ns()) / 1000000)
        condition_wait(&ledger->work, &ledger->lock, left_ms);
    bool any = has_work(ledger) || !ledger->closing;
    writer->head = ledger->head;
    writer->tail = ledger->tail;
    writer->item = 0;
    ledger->head = ledger->tail = NULL;
    lock_release(&ledger->lock);
    return any;
}

/* A pause before the next try; false when it is closing time and patience has run out. */
static bool pause_before_retry(struct writer *writer, int64_t *closing_since_ns)
{
    struct ledger *ledger = writer->ledger;
    lock_take(&ledger->lock);
    bool failed = ledger->stats.health == LEDGER_FAILED;
    int64_t pause_ms = failed ? RETRY_MAX_MS : writer->retry_ms;
    int64_t until_ns = monotonic_ns() + pause_ms * 1000000;
    for (int64_t left_ms = pause_ms; left_ms > 0 && !(failed && ledger->closing);
         left_ms = (until_ns - monotonic_ns()) / 1000000)
        condition_wait(&ledger->work, &ledger->lock, left_ms);
    if (ledger->closing && *closing_since_ns == 0)
        *closing_since_ns = monotonic_ns();
    bool late = *closing_since_ns > 0 &&
                monotonic_ns() - *closing_since_ns > (int64_t)CLOSE_PATIENCE_MS * 1000000;
    bool hopeless = failed && ledger->closing;
    lock_release(&ledger->lock);
    return !hopeless && !late;
}

void writer_run(void *context)
{
    struct ledger *ledger = context;
    struct writer *writer = ledger->writer;
    int64_t closing_since_ns = 0;
    thread_ask_short_slices();
    while (take_work(writer)) {
        if (!writer->head && signer_due_ms(writer) == 0)
            signer_sign_alone(writer);
        do {
            struct error error = {.code = STATUS_OK};
            atomic_store_explicit(&ledger->group_began_ns, monotonic_ns(), memory_order_relaxed);
            enum status status = commit_next_group(writer, &error);
            atomic_store_explicit(&ledger->group_began_ns, 0, memory_order_relaxed);
            if (status == STATUS_OK) {
                note_recovery(writer);
                continue;
            }
            error.code = status;
            note_failure(writer, &error);
            if (!pause_before_retry(writer, &closing_since_ns))
                return;
        } while (writer->head || writer->subjects);
    }
    if (signer_due_ms(writer) >= 0)
        signer_sign_alone(writer);
}
