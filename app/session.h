/* A configuration made into an engine: what every command that scores begins with. */
#ifndef BINNACLE_APP_SESSION_H
#define BINNACLE_APP_SESSION_H

#include "app/cli.h"
#include "app/config.h"
#include "app/heads.h"
#include "app/interrupt.h"
#include "engine/engine.h"
#include "engine/event/file_source.h"
#include "engine/pipeline.h"

struct session_options {
    const char *config_dir;
    const char *model_file; /* takes the place of the configured champion; NULL: as configured */
    /* With model_file: a canary by the same name that has no traffic yet. */
    const char *canary_file;
    const char *model_name, *model_version; /* what it is called; NULL: its file's name, "file" */
    const char *ledger_dir; /* NULL: nothing is written, unless the configuration names one */
    bool use_configured_ledger;
    bool event_time;
    bool own_windows;                 /* in this process, whatever online store is configured */
    bool features_only;               /* no model, no decisions: answers carry the features */
    const char *sources[MAX_SOURCES]; /* names of the sources, for their positions */
    int n_sources;
    const char *source_kind; /* for the screens; NULL: "file" */
    bool choose_source; /* as the configuration says, or `input` when that is not NULL: sets the
                           clock, the source's name and its kind */
    const char *input;
    bool (*interrupted)(
        void *context); /* ends waiting for a disk that takes nothing; NULL: never */
    void *context;
};

struct session {
    struct config *config;
    struct log *log;
    struct clock *clock;
    struct heads *heads; /* NULL: signed heads stay in the ledger */
    struct engine *engine;
    size_t batch;                       /* events taken from a file at a time; 0: CACHED_BATCH */
    char *paths[MAX_ENGINE_MODELS + 3]; /* owned texts that the engine's parts borrow */
    int n_paths;
};

MUST_USE enum status session_open(const struct session_options *options, struct session *session,
                                  struct error *error);
/* Safe on a session that was never or only half opened (all zero). */
void session_close(struct session *session);

/* How the configuration wants workers to give reasons. */
struct worker_options session_worker_options(const struct session *session);

/* Takes batches of a file's events through a worker. `each` sees the answers of a batch before the
 * next one is read; anything but STATUS_OK ends the run and is returned. */
typedef enum status answers_visitor(void *context, struct worker *worker,
                                    const struct answer *answers, size_t n,
                                    const struct file_source *file, struct error *error);

/* Runs the file from where the ledger's position for `source` says. A signal (`interrupt` may
 * be NULL) ends the run after the batch. */
MUST_USE enum status session_run_file(struct session *session, struct worker *worker,
                                      const char *path, int source, struct interrupt *interrupt,
                                      answers_visitor *each, void *context, struct error *error);

/* Until everything submitted is on the disk. One that refuses at present is waited for; a signal
 * (`interrupt` may be NULL) or a ledger that will not recover ends that: STATUS_IO. */
MUST_USE enum status session_await_disk(struct session *session, struct interrupt *interrupt,
                                        struct error *error);

/* Returns when the ledger is written again, or when the session is interrupted: what a source has
 * is not decided meanwhile, to wait in memory. Whether it had to wait. */
bool session_await_writing(const struct session *session);

/* What a file's position is kept under: its name without folders, so that a moved file goes on. */
const char *source_name(const char *path);

#endif
