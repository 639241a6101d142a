/* Who may keep a worker that others wait for.
 *
 * A worker reads its connection's request, and so belongs to a peer that sends slowly, or nothing,
 * for as long as that may take. While other connections wait for a worker, a peer gets a tenth of a
 * second, and what time its body earns by its size: then the doorkeeper ends the reading, and the
 * worker goes on to who waits. As many are ended as wait. So a probe of /healthz is answered
 * however many slow peers there are. Nobody is hurried while a worker is free.
 *
 * Threads: the doorkeeper's own, which sleeps unless all workers are taken; workers say what they
 * are at. */
#include <assert.h>
#include <stdlib.h>

#include <civetweb_detach.h>

#include "engine/base/clock.h"
#include "engine/base/httpd_priv.h"

#define LOOK_MS 50

struct door {
    struct httpd *httpd;
    struct thread *thread;
    struct lock lock; /* of what follows */
    pthread_cond_t changed;
    struct worker *workers;
    bool stopping;
};

/* ---- what workers say ---- */

void door_add_worker(struct worker *worker)
{
    struct door *door = worker->httpd->door;
    lock_init(&worker->lock, "worker");
    lock_take(&door->lock);
    worker->next = door->workers;
    door->workers = worker;
    lock_release(&door->lock);
}

void door_remove_worker(struct worker *worker)
{
    struct door *door = worker->httpd->door;
    lock_take(&door->lock);
    struct worker **link = &door->workers;
    while (*link != worker)
        link = &(*link)->next;
    *link = worker->next;
    lock_release(&door->lock);
    lock_destroy(&worker->lock);
}

void door_enter(struct worker *worker, struct mg_connection *connection)
{
    struct httpd *httpd = worker->httpd;
    if (worker->connection)
        return; /* since its TLS handshake began */
    lock_take(&worker->lock);
    worker->connection = connection;
    worker->connected_ns = worker->waits_ns = monotonic_ns();
    worker->arrived = 0;
    worker->hung_up = false;
    lock_release(&worker->lock);
    if (atomic_fetch_add(&httpd->connections, 1) + 1 < httpd->threads)
        return;
    lock_take(&httpd->door->lock);
    pthread_cond_signal(&httpd->door->changed);
    lock_release(&httpd->door->lock);
}

void door_leave(struct worker *worker)
{
    if (!worker->connection)
        return;
    lock_take(&worker->lock);
    worker->connection = NULL;
    lock_release(&worker->lock);
    atomic_fetch_sub(&worker->httpd->connections, 1);
}

void door_wait(struct worker *worker)
{
    lock_take(&worker->lock);
    worker->waits_ns = monotonic_ns();
    worker->arrived = 0;
    lock_release(&worker->lock);
}

void door_arrived(struct worker *worker, size_t size)
{
    lock_take(&worker->lock);
    worker->arrived = size;
    lock_release(&worker->lock);
}

bool door_done(struct worker *worker)
{
    lock_take(&worker->lock);
    bool hung_up = worker->hung_up;
    worker->waits_ns = 0;
    lock_release(&worker->lock);
    return hung_up;
}

/* ---- the doorkeeper ---- */

static bool hang_up_if_overdue(struct worker *worker, int64_t now_ns)
{
    lock_take(&worker->lock);
    int64_t earned_ns = (int64_t)(worker->arrived / HTTPD_SLOWEST_BYTES_PER_MS) * 1000000;
    bool overdue = worker->connection && worker->waits_ns && !worker->hung_up &&
                   now_ns - worker->waits_ns > HTTPD_SHARE_NS + earned_ns;
    if (overdue) {
        mg_hang_up(worker->connection);
        worker->hung_up = true;
    }
    lock_release(&worker->lock);
    return overdue;
}

static void make_room(struct door *door)
{
    int64_t now_ns = monotonic_ns();
    int waiting = mg_count_waiting(door->httpd->mg);
    for (struct worker *each = door->workers; each && waiting > 0; each = each->next) {
        if (!hang_up_if_overdue(each, now_ns))
            continue;
        waiting--;
        atomic_fetch_add_explicit(&door->httpd->hung_up, 1, memory_order_relaxed);
    }
}

static void run(void *context)
{
    struct door *door = context;
    lock_take(&door->lock);
    while (!door->stopping) {
        bool full = atomic_load(&door->httpd->connections) >= door->httpd->threads;
        condition_wait(&door->changed, &door->lock, full ? LOOK_MS : -1);
        if (full && !door->stopping)
            make_room(door);
    }
    lock_release(&door->lock);
}

enum status door_create(struct httpd *httpd, struct error *error)
{
    struct door *door = calloc(1, sizeof *door);
    if (!door)
        return error_set(error, STATUS_MEMORY, "out of memory");
    door->httpd = httpd;
    lock_init(&door->lock, "door");
    condition_init(&door->changed);
    httpd->door = door;
    return STATUS_OK;
}

enum status door_open(struct door *door, struct error *error)
{
    return thread_start("doorkeeper", run, door, &door->thread, error);
}

void door_close(struct door *door)
{
    lock_take(&door->lock);
    door->stopping = true;
    pthread_cond_signal(&door->changed);
    lock_release(&door->lock);
    thread_join(door->thread);
    door->thread = NULL;
}

void door_destroy(struct door *door)
{
    if (!door)
        return;
    assert(!door->thread && !door->workers);
    pthread_cond_destroy(&door->changed);
    lock_destroy(&door->lock);
    free(door);
}
