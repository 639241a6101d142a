/* Writes checkpoints. The state belongs to many threads, which change it with every batch: they are
 * kept out (gate.h) for as long as it takes to note where the ledger stands, to encode the counters
 * and to fork; the forked process then has all of the memory as it was, the system copies the pages
 * that are changed meanwhile, and windows and ids are written by it. It takes no lock and no
 * memory, closes what it has inherited, and ends with its parent. (The same way as Redis keeps its
 * snapshots; its manual page on persistence tells what it costs.)
 *
 * The ledger makes a group end at that row (ledger_fence). When the group is on the disk and the
 * files are whole, the mark takes the place of the one before and says which files count. */
#include "engine/checkpoint.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/state_file.h"

#define GATE_MS        100
#define CHILD_LOOK_MS  INT64_C(5)
#define CHILD_MAX_MS   INT64_C(600000)
#define COMMIT_MS      5000
#define COMMIT_LOOK_MS 500
#define CHILD_NICE     10

static const char *const NAMES[CHECKPOINT_FILES] = {"windows", "counts", "ids"};
static const struct state_file_kind MARK_KIND = {"BNMARK", 2};

static enum status no_memory(struct error *error)
{
    return error_set(error, STATUS_MEMORY, "out of memory");
}

static char *mark_path(const struct engine *engine)
{
    char *path = NULL;
    return asprintf(&path, "%s/ledger.checkpoint", engine->parts.ledger_dir) < 0 ? NULL : path;
}

char *checkpoint_path(const struct engine *engine, enum checkpoint_file file, uint64_t set)
{
    char *path = NULL;
    int size = asprintf(&path, "%s/%s-%d.checkpoint", engine->parts.ledger_dir, NAMES[file],
                        set == 0 ? 1 : 2);
    return size < 0 ? NULL : path;
}

/* ---- the mark ---- */

enum status checkpoint_load_mark(const struct engine *engine, struct checkpoint_mark *mark,
                                 struct error *error)
{
    struct state_file *file;
    char *path = mark_path(engine);
    enum status status = path ? state_file_open(path, &MARK_KIND, &file, error) : no_memory(error);
    free(path);
    if (status != STATUS_OK)
        return status;
    status = state_file_get(file, mark, sizeof *mark, error);
    if (status == STATUS_OK)
        status = state_file_end(file, error);
    if (status == STATUS_OK && mark->set > 1)
        status = state_file_damaged(file, error);
    state_file_close(file);
    return status;
}

static enum status save_mark(const struct engine *engine, const struct checkpoint_mark *mark,
                             struct error *error)
{
    struct state_file *file;
    char *path = mark_path(engine);
    enum status status =
        path ? state_file_create(path, &MARK_KIND, &file, error) : no_memory(error);
    free(path);
    if (status != STATUS_OK)
        return status;
    status = state_file_put(file, mark, sizeof *mark, error);
    if (status == STATUS_OK)
        return state_file_commit(file, error);
    state_file_abandon(file);
    return status;
}

/* ---- one of them ---- */

struct writing {
    struct engine *engine;
    struct checkpoint_mark mark;
    char *paths[CHECKPOINT_FILES];
    struct state_file *windows, *ids; /* NULL: in its place, or none */
    struct buffer counts;
    uint64_t ticket;
    pid_t child; /* 0: none */
};

static enum status begin(struct writing *writing, struct error *error)
{
    struct engine *engine = writing->engine;
    struct checkpoint_mark before;
    struct error none;
    if (checkpoint_load_mark(engine, &before, &none) == STATUS_OK)
        writing->mark.set = 1 - before.set;
    snprintf(writing->mark.identity, sizeof writing->mark.identity, "%s",
             ledger_identity(engine->ledger));
    for (int i = 0; i < CHECKPOINT_FILES; i++)
        if (!(writing->paths[i] =
                  checkpoint_path(engine, (enum checkpoint_file)i, writing->mark.set)))
            return no_memory(error);
    enum status status = feature_store_create_file(
        engine->store, writing->paths[CHECKPOINT_WINDOWS], &writing->windows, error);
    if (status == STATUS_OK && engine->unique)
        status = unique_create_file(writing->paths[CHECKPOINT_IDS], &writing->ids, error);
    return status;
}

static enum status write_files(struct writing *writing, struct error *error)
{
    const struct engine *engine = writing->engine;
    uint64_t upto = writing->mark.tree_size;
    enum status status = feature_store_write(engine->store, writing->windows, upto, error);
    if (status == STATUS_OK)
        status = state_file_finish(writing->windows, error);
    if (status == STATUS_OK && writing->ids)
        status = unique_write(engine->unique, writing->ids, upto, error);
    if (status == STATUS_OK && writing->ids)
        status = state_file_finish(writing->ids, error);
    return status;
}

/* Locks on files, sockets that listen: none of it must outlive the parent. */
static void close_inherited(int keep, int keep_too)
{
    int low = keep < keep_too ? keep : keep_too, high = keep < keep_too ? keep_too : keep;
    if (low < 0)
        low = high;
    if (low > 3)
        close_range(3, (unsigned)low - 1, 0);
    if (high > low + 1)
        close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    close_range((unsigned)high + 1, ~0u, 0);
}

static _Noreturn void be_child(struct writing *writing, pid_t parent)
{
    close_inherited(state_file_number(writing->windows),
                    writing->ids ? state_file_number(writing->ids) : -1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    setpriority(PRIO_PROCESS, 0, CHILD_NICE);
    /* Without an error to word: strerror() may take a lock that another thread held. */
    _exit(write_files(writing, NULL) == STATUS_OK ? 0 : 1);
}

static enum status begin_child(struct writing *writing, struct error *error)
{
    pid_t parent = getpid(), child = fork();
    if (child == 0)
        be_child(writing, parent);
    if (child < 0)
        return error_set(error, STATUS_UNAVAILABLE, "no process for a checkpoint: %s",
                         strerror(errno));
    writing->child = child;
    return STATUS_OK;
}

/* While nobody changes the state. */
static enum status capture(struct writing *writing, enum checkpoint_way way, struct error *error)
{
    struct engine *engine = writing->engine;
    /* Again, now that no batch can add to them. */
    enum status status = feature_store_may_save(engine->store, error);
    if (status != STATUS_OK)
        return status;
    ledger_fence(engine->ledger, &writing->mark.tree_size, &writing->ticket);
    writing->mark.start_us = atomic_load(&engine->start_us);
    buffer_free(&writing->counts);
    observe_encode(engine->observe, writing->mark.tree_size, &writing->counts);
    return way == CHECKPOINT_ASIDE ? begin_child(writing, error) : write_files(writing, error);
}

static enum status wait_for_child(struct writing *writing, struct error *error)
{
    int outcome = 0;
    pid_t ended = 0;
    for (int64_t ms = 0; ms < CHILD_MAX_MS && !atomic_load(&writing->engine->ending) &&
                         (ended = waitpid(writing->child, &outcome, WNOHANG)) == 0;
         ms += CHILD_LOOK_MS)
        pause_us(CHILD_LOOK_MS * 1000);
    if (ended == 0) {
        kill(writing->child, SIGKILL);
        while (waitpid(writing->child, &outcome, 0) < 0 && errno == EINTR)
            ;
        return error_set(error, STATUS_UNAVAILABLE, "the checkpoint was given up");
    }
    if (ended > 0 && WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0)
        return STATUS_OK;
    return error_set(error, STATUS_IO, "the checkpoint's process could not write it");
}

static enum status install(struct writing *writing, struct error *error)
{
    struct state_file *windows = writing->windows, *ids = writing->ids;
    writing->windows = NULL;
    enum status status = state_file_install(windows, error);
    if (status == STATUS_OK && ids) {
        writing->ids = NULL;
        status = state_file_install(ids, error);
    }
    if (status == STATUS_OK)
        status = observe_write(&writing->counts, writing->paths[CHECKPOINT_COUNTS], error);
    return status;
}

/* The row that it ends with is on the disk: the root over all of them. */
static enum status find_root(struct writing *writing, struct error *error)
{
    struct engine *engine = writing->engine;
    struct reader *reader = NULL;
    enum status status = STATUS_UNAVAILABLE;
    for (int64_t ms = 0; status == STATUS_UNAVAILABLE && ms < COMMIT_MS; ms += COMMIT_LOOK_MS)
        status = ledger_wait(engine->ledger, writing->ticket, COMMIT_LOOK_MS, error);
    if (status == STATUS_OK)
        status = reader_open(engine->parts.ledger_dir, &reader, error);
    if (status == STATUS_OK)
        status = reader_root_at(reader, writing->mark.tree_size, writing->mark.root, error);
    reader_close(reader);
    return status;
}

/* What nobody will read again; before there were two sets it had other names. */
static void remove_others(const struct writing *writing)
{
    static const char *const former[] = {"windows.checkpoint", "counts.checkpoint",
                                         "ids.checkpoint"};
    for (size_t i = 0; i < sizeof former / sizeof *former; i++) {
        char *path = NULL;
        if (asprintf(&path, "%s/%s", writing->engine->parts.ledger_dir, former[i]) >= 0)
            unlink(path);
        free(path);
    }
    for (int i = 0; i < CHECKPOINT_FILES; i++) {
        char *path =
            checkpoint_path(writing->engine, (enum checkpoint_file)i, 1 - writing->mark.set);
        if (path)
            unlink(path);
        free(path);
    }
}

static void end(struct writing *writing)
{
    state_file_abandon(writing->windows);
    state_file_abandon(writing->ids);
    buffer_free(&writing->counts);
    for (int i = 0; i < CHECKPOINT_FILES; i++)
        free(writing->paths[i]);
}

enum status checkpoint_write(struct engine *engine, enum checkpoint_way way, struct error *error)
{
    struct writing writing = {.engine = engine};
    buffer_init(&writing.counts, 1);
    enum status status = begin(&writing, error);
    if (status == STATUS_OK && !gate_close(&engine->gate, GATE_MS))
        status = error_set(error, STATUS_UNAVAILABLE, "a batch takes long");
    else if (status == STATUS_OK) {
        status = capture(&writing, way, error);
        gate_open(&engine->gate);
    }
    if (status == STATUS_OK && writing.child > 0)
        status = wait_for_child(&writing, error);
    if (status == STATUS_OK)
        status = install(&writing, error);
    if (status == STATUS_OK)
        status = find_root(&writing, error);
    if (status == STATUS_OK)
        status = save_mark(engine, &writing.mark, error);
    if (status == STATUS_OK)
        remove_others(&writing);
    end(&writing);
    return status;
}
