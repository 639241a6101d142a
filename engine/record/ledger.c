/* The ledger as its callers see it: opening and closing it, where its sources were, the features it
 * names, the people its rows speak of. How rows reach the disk: queue.c. */
#include "engine/record/ledger_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/folder.h"
#include "engine/record/files_priv.h"

static void destroy_chunks(struct chunk *chunk)
{
    while (chunk) {
        struct chunk *next = chunk->next;
        chunk_destroy(chunk);
        chunk = next;
    }
}

static void destroy_subjects(struct pending_subject *subject)
{
    while (subject) {
        struct pending_subject *next = subject->next;
        explicit_bzero(subject->original, subject->size);
        free(subject);
        subject = next;
    }
}

static void ledger_destroy(struct ledger *ledger)
{
    writer_destroy(ledger->writer);
    head_file_close(ledger->head_file);
    pseudonyms_destroy(ledger->pseudonyms);
    subjects_close(ledger->subjects_db);
    destroy_chunks(ledger->head);
    destroy_chunks(ledger->spare);
    destroy_subjects(ledger->subjects);
    for (int i = 0; i < ledger->n_sources; i++)
        free((void *)(uintptr_t)ledger->sources[i]);
    free(ledger->places);
    if (ledger->lock_fd >= 0)
        close(ledger->lock_fd);
    if (atomic_load(&ledger->watch) >= 0)
        close(atomic_load(&ledger->watch));
    pthread_cond_destroy(&ledger->work);
    pthread_cond_destroy(&ledger->room);
    pthread_cond_destroy(&ledger->subjects_changed);
    lock_destroy(&ledger->lock);
    lock_destroy(&ledger->subjects_lock);
    explicit_bzero(ledger->quarantine_key, KEY_SIZE);
    free(ledger->dir);
    ledger->magic = 0;
    free(ledger);
}

bool ledger_is_interrupted(const struct ledger *ledger)
{
    return ledger->interrupted && ledger->interrupted(ledger->context);
}

/* A value was not in the pseudonym cache: the writer adds it to subjects.db if it is new, before
 * the next group of rows. */
static enum status note_subject(void *context, const char pseudonym[PSEUDONYM_SIZE],
                                struct slice original)
{
    struct ledger *ledger = context;
    struct pending_subject *subject = malloc(sizeof *subject + original.size);
    if (!subject)
        return STATUS_MEMORY;
    *subject =
        (struct pending_subject){.at_us = clock_now_us(ledger->clock), .size = original.size};
    memcpy(subject->pseudonym, pseudonym, PSEUDONYM_SIZE);
    if (original.size > 0)
        memcpy(subject->original, original.data, original.size);
    enum status status = STATUS_OK;
    lock_take(&ledger->lock);
    /* Only a source comes this far: ledger_reserve() refuses the others long before. */
    ledger->stats.subjects_full += ledger->n_subjects >= ledger->most_subjects;
    while (ledger->n_subjects >= ledger->most_subjects && !ledger->closing &&
           ledger->stats.health != LEDGER_FAILED && !ledger_is_interrupted(ledger)) {
        pthread_cond_signal(&ledger->work);
        condition_wait(&ledger->room, &ledger->lock, ROOM_LOOK_AGAIN_MS);
    }
    if (ledger->n_subjects >= ledger->most_subjects) {
        status = ledger->closing || ledger_is_interrupted(ledger) ? STATUS_END : STATUS_IO;
    } else {
        if (ledger->subjects)
            ledger->subjects_tail->next = subject;
        else
            ledger->subjects = subject;
        ledger->subjects_tail = subject;
        ledger->n_subjects++;
    }
    lock_release(&ledger->lock);
    if (status != STATUS_OK) {
        subject->next = NULL;
        destroy_subjects(subject);
    }
    return status;
}

/* Keys are made before the first day file. Beside one, a new key would part every person from what
 * is on record about them, and what the old one sealed could not be opened: then none is made. */
static enum status may_make_keys(const struct ledger *ledger, bool *may, struct error *error)
{
    int64_t *days = NULL;
    size_t n = 0;
    enum status status = day_list(ledger->dir, &days, &n, error);
    free(days);
    *may = n == 0;
    return status;
}

static enum status open_people(struct ledger *ledger, size_t cache, struct error *error)
{
    uint8_t key[KEY_SIZE];
    bool make = false;
    enum status status = may_make_keys(ledger, &make, error);
    if (status == STATUS_OK)
        status = key_load(ledger->dir, "pseudonym.key", make, key, error);
    if (status == STATUS_OK)
        status = key_identity(key, ledger->identity);
    if (status == STATUS_OK)
        status = key_quarantine(ledger->dir, make, ledger->quarantine_key, error);
    if (status == STATUS_OK)
        status = subjects_open(ledger->dir, make, &ledger->subjects_db, error);
    if (status == STATUS_OK)
        status = pseudonyms_create(key, cache ? cache : 65536, note_subject, ledger,
                                   &ledger->pseudonyms, error);
    explicit_bzero(key, sizeof key);
    return status;
}

static struct ledger *ledger_create(const struct ledger_options *options)
{
    struct ledger *ledger = calloc(1, sizeof *ledger);
    if (!ledger)
        return NULL;
    ledger->magic = LEDGER_MAGIC;
    ledger->lock_fd = -1;
    atomic_init(&ledger->watch, -1);
    ledger->clock = options->clock;
    ledger->log = options->log;
    ledger->head_posts = options->head_posts;
    ledger->n_head_posts = options->n_head_posts;
    ledger->queue_rows = options->queue_rows ? options->queue_rows : 65536;
    ledger->queue_bytes = options->queue_bytes ? options->queue_bytes : (size_t)128 << 20;
    ledger->most_subjects = options->most_subjects ? options->most_subjects : (size_t)1 << 18;
    ledger->group_rows = options->group_rows ? options->group_rows : 4096;
    ledger->group_ms = options->group_ms;
    ledger->batch_ns = options->batch_us * 1000;
    ledger->interrupted = options->interrupted;
    ledger->context = options->context;
    ledger->log_pages = options->log_pages ? options->log_pages : 1000;
    ledger->stats.queue_capacity = ledger->queue_rows;
    lock_init(&ledger->lock, "ledger");
    lock_init(&ledger->subjects_lock, "subjects");
    condition_init(&ledger->work);
    condition_init(&ledger->room);
    condition_init(&ledger->subjects_changed);
    ledger->dir = strdup(options->dir);
    if (!ledger->dir) {
        ledger_destroy(ledger);
        return NULL;
    }
    return ledger;
}

enum status ledger_open(const struct ledger_options *options, struct ledger **ledger,
                        struct error *error)
{
    struct ledger *opened = ledger_create(options);
    if (!opened)
        return error_set(error, STATUS_MEMORY, "out of memory for the ledger");
    enum status status = folder_make(opened->dir, 0700, error);
    if (status == STATUS_OK)
        status = folder_lock(opened->dir, &opened->lock_fd, error);
    if (status == STATUS_OK)
        status = open_people(opened, options->pseudonym_cache, error);
    if (status == STATUS_OK && options->heads_file)
        status = head_file_open(options->heads_file, opened->log, &opened->head_file, error);
    if (status == STATUS_OK)
        status = writer_create(opened, &opened->writer, error);
    if (status == STATUS_OK)
        status = thread_start("ledger", writer_run, opened, &opened->thread, error);
    if (status != STATUS_OK) {
        ledger_destroy(opened);
        return status;
    }
    *ledger = opened;
    return STATUS_OK;
}

enum status ledger_close(struct ledger *ledger, struct error *error)
{
    if (!ledger)
        return STATUS_OK;
    assert(ledger->magic == LEDGER_MAGIC);
    lock_take(&ledger->lock);
    ledger->closing = true;
    pthread_cond_broadcast(&ledger->work);
    pthread_cond_broadcast(&ledger->room);
    lock_release(&ledger->lock);
    thread_join(ledger->thread);
    enum status status = STATUS_OK;
    if (ledger->rows > 0)
        status = error_set(error, STATUS_IO,
                           "%zu entries could not be written to the ledger %s and are given up: %s",
                           ledger->rows, ledger->dir, ledger->stats.problem);
    ledger_destroy(ledger);
    return status;
}

enum status ledger_source(struct ledger *ledger, const char *name, int *source)
{
    enum status status = STATUS_OK;
    lock_take(&ledger->lock);
    int i = 0;
    while (i < ledger->n_sources && strcmp(ledger->sources[i], name) != 0)
        i++;
    if (i == MAX_SOURCES) {
        status = STATUS_FULL;
    } else if (i == ledger->n_sources) {
        ledger->sources[i] = strdup(name);
        if (ledger->sources[i])
            ledger->n_sources++;
        else
            status = STATUS_MEMORY;
    }
    lock_release(&ledger->lock);
    *source = i;
    return status;
}

int64_t ledger_position(struct ledger *ledger, const char *source, int32_t part)
{
    int64_t offset = -1;
    lock_take(&ledger->lock);
    for (size_t i = 0; i < ledger->n_places; i++) {
        const struct place *place = &ledger->places[i];
        if (place->part == part && strcmp(ledger->sources[place->source], source) == 0)
            offset = place->committed;
    }
    lock_release(&ledger->lock);
    return offset;
}

enum status ledger_use_features(struct ledger *ledger, const struct feature_schema *names,
                                struct error *error)
{
    struct known_features known = {.names = names};
    if (names->n_features > MAX_FEATURES)
        return error_set(error, STATUS_INVALID, "%zu features: at most %d", names->n_features,
                         MAX_FEATURES);
    enum status status = feature_set_digest(names, known.digest);
    if (status != STATUS_OK)
        return error_set(error, status, "cannot hash the feature names");
    lock_take(&ledger->lock);
    size_t n = atomic_load_explicit(&ledger->n_features, memory_order_relaxed);
    size_t i = 0;
    while (i < n && ledger->features[i].names != names)
        i++;
    if (i == MAX_FEATURE_SETS_KNOWN) {
        status = error_set(error, STATUS_FULL, "more than %d feature lists in one run: restart",
                           MAX_FEATURE_SETS_KNOWN);
    } else if (i == n) {
        ledger->features[n] = known;
        atomic_store_explicit(&ledger->n_features, n + 1, memory_order_release);
    }
    lock_release(&ledger->lock);
    return status;
}

const char *quarantine_status_name(enum quarantine_status status)
{
    static const char *const names[] = {"open", "retried", "resolved"};
    return (size_t)status < sizeof names / sizeof *names ? names[status] : "unknown";
}

const char *ledger_identity(const struct ledger *ledger)
{
    return ledger->identity;
}

struct pseudonyms *ledger_pseudonyms(struct ledger *ledger)
{
    return ledger->pseudonyms;
}

enum status ledger_reveal(struct ledger *ledger, struct slice pseudonym, struct buffer *original,
                          struct error *error)
{
    lock_take(&ledger->subjects_lock);
    enum status status = subject_reveal(ledger->subjects_db, pseudonym, original, error);
    lock_release(&ledger->subjects_lock);
    return status;
}

enum status ledger_erase(struct ledger *ledger, struct slice pseudonym, struct error *error)
{
    if (pseudonym.size != PSEUDONYM_LENGTH)
        return error_set(error, STATUS_INVALID, "not a pseudonym: p- and 32 hex digits");
    char text[PSEUDONYM_SIZE] = "";
    memcpy(text, pseudonym.data, PSEUDONYM_LENGTH);
    pseudonym_forget(ledger->pseudonyms, text);
    /* Whatever is on its way into subjects.db gets there first. */
    enum status status = ledger_flush(ledger, CLOSE_PATIENCE_MS, error);
    if (status != STATUS_OK)
        return status;
    lock_take(&ledger->subjects_lock);
    status = subject_erase(ledger->subjects_db, pseudonym, clock_now_us(ledger->clock), error);
    lock_release(&ledger->subjects_lock);
    return status;
}
