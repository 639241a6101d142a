/* Threads that read blocks of rows (verify_rows.c) ahead of the one that verifies, and one that
 * lets SQLite check the files meanwhile. Blocks lie in a ring and are given back in order; when it
 * is full the thread that verifies waits for the oldest one. */
#include "engine/record/verify_walk_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/record/files_priv.h"

#define MAX_THREADS 8

struct crew {
    struct verify *verify;
    struct walk *walk;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct block *ring;
    size_t n_ring, head, tail; /* blocks [tail, head) are on their way */
    bool closed;
    struct thread *threads[MAX_THREADS + 1];
    const int64_t *days;
    size_t n_days;
};

static void crew_run(void *context)
{
    struct crew *crew = context;
    struct row_reader rows;
    bool usable = row_reader_init(&rows, crew->verify);
    pthread_mutex_lock(&crew->mutex);
    for (;;) {
        struct block *block = NULL;
        for (size_t i = crew->tail; i < crew->head && !block; i++)
            if (crew->ring[i % crew->n_ring].state == BLOCK_WAITS)
                block = &crew->ring[i % crew->n_ring];
        if (!block && crew->closed)
            break;
        if (!block) {
            pthread_cond_wait(&crew->changed, &crew->mutex);
            continue;
        }
        block->state = BLOCK_READING;
        pthread_mutex_unlock(&crew->mutex);
        if (usable)
            row_reader_run(&rows, block);
        else
            snprintf(block->failure, sizeof block->failure, "out of memory");
        pthread_mutex_lock(&crew->mutex);
        block->state = BLOCK_DONE;
        pthread_cond_broadcast(&crew->changed);
    }
    pthread_mutex_unlock(&crew->mutex);
    row_reader_free(&rows);
}

/* Every file as a whole, beside the reading of rows. */
static void crew_check_files(void *context)
{
    struct crew *crew = context;
    char path[PATH_SIZE];
    day_files_check(crew->verify, crew->days, crew->n_days);
    if (path_join(path, crew->verify->options->dir, "subjects.db")) {
        file_check(crew->verify, "subjects.db", path);
        subjects_check(crew->verify, path);
    }
}

static int thread_count(const struct verify_options *options)
{
    long cores = options->threads > 0 ? options->threads : sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > MAX_THREADS ? MAX_THREADS : (int)cores;
}

enum status crew_start(struct walk *walk, const int64_t *days, size_t n_days, struct crew **out,
                       struct error *error)
{
    struct crew *crew = calloc(1, sizeof *crew);
    *out = crew;
    if (!crew)
        return error_set(error, STATUS_MEMORY, "out of memory");
    *crew = (struct crew){.verify = walk->verify, .walk = walk, .days = days, .n_days = n_days};
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->changed, NULL);
    int n = thread_count(crew->verify->options);
    crew->n_ring = (size_t)n * 3 + 2;
    crew->ring = calloc(crew->n_ring, sizeof *crew->ring);
    if (!crew->ring)
        return error_set(error, STATUS_MEMORY, "out of memory");
    enum status status =
        thread_start("verify-files", crew_check_files, crew, &crew->threads[MAX_THREADS], error);
    for (int i = 0; i < n && status == STATUS_OK; i++)
        status = thread_start("verify", crew_run, crew, &crew->threads[i], error);
    return status;
}

void crew_stop(struct crew *crew)
{
    if (!crew)
        return;
    pthread_mutex_lock(&crew->mutex);
    crew->closed = true;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->mutex);
    for (int i = 0; i <= MAX_THREADS; i++)
        thread_join(crew->threads[i]);
    for (size_t i = 0; crew->ring && i < crew->n_ring; i++)
        block_free(&crew->ring[i]);
    free(crew->ring);
    pthread_mutex_destroy(&crew->mutex);
    pthread_cond_destroy(&crew->changed);
    free(crew);
}

/* Takes the oldest block when it is done. */
static void crew_take(struct crew *crew)
{
    struct block *block = &crew->ring[crew->tail % crew->n_ring];
    pthread_mutex_lock(&crew->mutex);
    while (block->state != BLOCK_DONE)
        pthread_cond_wait(&crew->changed, &crew->mutex);
    pthread_mutex_unlock(&crew->mutex);
    walk_block(crew->walk, block);
    pthread_mutex_lock(&crew->mutex);
    block->state = BLOCK_FREE;
    crew->tail++;
    pthread_mutex_unlock(&crew->mutex);
}

void crew_drain(struct crew *crew)
{
    while (crew->tail < crew->head)
        crew_take(crew);
}

struct block *crew_next(struct crew *crew)
{
    if (crew->head - crew->tail == crew->n_ring)
        crew_take(crew);
    struct block *block = &crew->ring[crew->head % crew->n_ring];
    block->n_groups = 0;
    return block;
}

bool crew_push(struct crew *crew, struct block *block)
{
    size_t n = (size_t)(block->end - block->first);
    if (n > block->rows_capacity) {
        struct row_mark *rows = realloc(block->rows, n * sizeof *rows);
        if (!rows)
            return false;
        block->rows = rows;
        block->rows_capacity = n;
    }
    pthread_mutex_lock(&crew->mutex);
    block->state = BLOCK_WAITS;
    crew->head++;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->mutex);
    return true;
}
