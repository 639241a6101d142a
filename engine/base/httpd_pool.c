/* The few threads that run what would hold up a loop: requests that work for long or wait for a
 * disk. Jobs wait in the order in which they came, a bounded number of them; what is done is
 * fetched by the loop's thread. */
#include <stdlib.h>

#include "engine/base/httpd_loop_priv.h"

#define THREADS 8

struct http_pool {
    struct http_loop *loop;
    struct thread *threads[THREADS];
    struct lock lock; /* all below */
    pthread_cond_t work;
    struct connection *first, *last; /* not yet begun */
    size_t n_jobs;
    struct connection *finished;
    bool closing;
};

static struct connection *take_job(struct http_pool *pool)
{
    lock_take(&pool->lock);
    while (!pool->first && !pool->closing)
        condition_wait(&pool->work, &pool->lock, -1);
    struct connection *job = pool->first;
    if (job) {
        pool->first = job->next_job;
        atomic_store(&pool->loop->httpd->jobs, --pool->n_jobs);
    }
    lock_release(&pool->lock);
    return job;
}

static void run(void *context)
{
    struct http_pool *pool = context;
    struct connection *job;
    while ((job = take_job(pool))) {
        job->run(pool->loop->httpd->context, &job->exchange);
        lock_take(&pool->lock);
        job->next_job = pool->finished;
        pool->finished = job;
        lock_release(&pool->lock);
        http_loop_wake(pool->loop);
    }
}

enum status http_pool_create(struct http_loop *loop, struct http_pool **out, struct error *error)
{
    struct http_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return error_set(error, STATUS_MEMORY, "out of memory");
    pool->loop = loop;
    lock_init(&pool->lock, "httpd_pool");
    condition_init(&pool->work);
    enum status status = STATUS_OK;
    for (int i = 0; i < THREADS && status == STATUS_OK; i++)
        status = thread_start("http-slow", run, pool, &pool->threads[i], error);
    if (status != STATUS_OK) {
        http_pool_destroy(pool);
        return status;
    }
    *out = pool;
    return STATUS_OK;
}

void http_pool_destroy(struct http_pool *pool)
{
    if (!pool)
        return;
    lock_take(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work);
    lock_release(&pool->lock);
    for (int i = 0; i < THREADS; i++)
        thread_join(pool->threads[i]);
    pthread_cond_destroy(&pool->work);
    lock_destroy(&pool->lock);
    free(pool);
}

bool http_pool_run(struct http_pool *pool, struct connection *connection)
{
    lock_take(&pool->lock);
    bool room = pool->n_jobs < LOOP_MAX_JOBS;
    if (room) {
        connection->next_job = NULL;
        if (pool->first)
            pool->last->next_job = connection;
        else
            pool->first = connection;
        pool->last = connection;
        atomic_store(&pool->loop->httpd->jobs, ++pool->n_jobs);
        pthread_cond_signal(&pool->work);
    } else {
        atomic_fetch_add(&pool->loop->httpd->jobs_refused, 1);
    }
    lock_release(&pool->lock);
    return room;
}

struct connection *http_pool_finished(struct http_pool *pool)
{
    lock_take(&pool->lock);
    struct connection *finished = pool->finished;
    pool->finished = NULL;
    lock_release(&pool->lock);
    return finished;
}
