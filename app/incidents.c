/* The newest incidents in memory, each as a row of a file. One thread changes and writes them, with
 * no lock held while it writes; when the file cannot be written, memory goes on. */
#include "app/incidents.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/buffer.h"
#include "engine/base/clock.h"
#include "engine/base/json.h"
#include "engine/base/thread.h"
#include "engine/record/incident_list.h"

#define SHOWN            20
#define LOOK_BACK_US     US_PER_HOUR     /* trouble may be over when a budget's windows burn */
#define SAME_US          US_PER_MIN      /* another first cause this soon is a better one */
#define LATER_US         (10 * US_PER_S) /* what begins so long after it was opened did not open it */
#define REOPEN_US        (5 * US_PER_MIN) /* judged on the edge of what is allowed */
#define CONCEPT_DRIFT_US US_PER_HOUR      /* since it was detected */
#define SAVE_EVERY_US    US_PER_MIN       /* of what an open one has touched */
#define DOCUMENT_BYTES   ((size_t)64 << 10)
#define MOST_TRIGGERS    (MAX_SNAPSHOT_SLOS + MAX_SNAPSHOT_DRIFT + 3)
#define TRIGGER_SIZE     (NAME_SIZE + 16)
#define OTHERS           "others"

/* All that burns or drifts at one moment. */
struct triggers {
    char names[MOST_TRIGGERS][TRIGGER_SIZE]; /* "latency burns" */
    int n;
};

struct incidents {
    struct incident_list *list;
    struct log *log;
    bool failing;             /* the file could not be written last time: said once */
    struct triggers triggers; /* at the last tick */
    int64_t saved_us;
    struct lock lock;              /* of what follows; never held while the file is written */
    int n_unsaved;                 /* of the newest */
    uint64_t n_notes;              /* how often there was something to save */
    struct incident recent[SHOWN]; /* oldest first */
    int n;
};

/* ---- what makes one ---- */

static void add_trigger(struct triggers *triggers, const char *what, const char *how)
{
    snprintf(triggers->names[triggers->n++], TRIGGER_SIZE, "%s%s", what, how);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void find_triggers(const struct snapshot *snapshot, struct triggers *triggers)
{
    triggers->n = 0;
    for (int i = 0; i < snapshot->n_slos; i++) {
        if (snapshot->slos[i].state >= HEALTH_TICKET)
            add_trigger(triggers, snapshot->slos[i].name, " burns");
    }
    int first = triggers->n;
    for (int i = 0; i < snapshot->n_drift; i++) {
        if (snapshot->drift[i].state >= HEALTH_TICKET)
            add_trigger(triggers, snapshot->drift[i].feature, " drifts");
    }
    /* A snapshot puts the largest first, which is another one from tick to tick. */
    qsort(triggers->names[first], (size_t)(triggers->n - first), TRIGGER_SIZE, by_name);
    if (snapshot->decision_drift.state >= HEALTH_TICKET)
        add_trigger(triggers, snapshot->decision_drift.feature, " drift");
    if (snapshot->performance.drift_at_us > snapshot->time_us - CONCEPT_DRIFT_US)
        add_trigger(triggers, "the error rate", " drifts");
    if (snapshot->quality.state >= HEALTH_TICKET)
        add_trigger(triggers, "the data", " is not sound");
}

static bool is_among(const struct triggers *triggers, const char *name)
{
    for (int i = 0; i < triggers->n; i++) {
        if (strcmp(triggers->names[i], name) == 0)
            return true;
    }
    return false;
}

bool incidents_triggered(const struct incidents *incidents, const struct snapshot *snapshot)
{
    struct triggers now;
    find_triggers(snapshot, &now);
    for (int i = 0; i < now.n; i++) {
        if (!is_among(&incidents->triggers, now.names[i]))
            return true;
    }
    return false;
}

/* Whether the text, names with commas between, has this one. */
static bool names(const char *text, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = text; (at = strstr(at, name)) != NULL; at += size) {
        bool begins = at == text || (at - text >= 2 && at[-2] == ',' && at[-1] == ' ');
        if (begins && (at[size] == '\0' || at[size] == ','))
            return true;
    }
    return false;
}

/* What opened it stays first; what comes later is named behind it, as far as there is room. */
static void note_trigger(struct incident *incident, const char *name)
{
    size_t used = strlen(incident->triggers), room = sizeof incident->triggers - used;
    const char *comma = used > 0 ? ", " : "";
    if (names(incident->triggers, name) || names(incident->triggers, OTHERS))
        return;
    bool fits = strlen(comma) + strlen(name) + sizeof ", " OTHERS <= room;
    snprintf(incident->triggers + used, room, "%s%s", comma, fits ? name : OTHERS);
}

/* ---- opened, explained, closed ---- */

static struct incident *newest(struct incidents *incidents)
{
    return incidents->n > 0 ? &incidents->recent[incidents->n - 1] : NULL;
}

static bool has_same_cause(const struct explanation *a, const struct explanation *b)
{
    return strcmp(a->causes[0].cause, b->causes[0].cause) == 0;
}

static bool is_same(const struct explanation *a, const struct explanation *b)
{
    return a->n_causes > 0 && b->n_causes > 0 && a->since_us == b->since_us && has_same_cause(a, b);
}

static void say_unexplained(struct explanation *explanation, int64_t now_us)
{
    *explanation = (struct explanation){.at_us = now_us,
                                        .requests = (double)NAN,
                                        .users = (double)NAN,
                                        .errors = (double)NAN,
                                        .money = (double)NAN,
                                        .decisions = (double)NAN,
                                        .n_causes = 1};
    struct explained_cause *cause = &explanation->causes[0];
    cause->share_of_excess = (double)NAN;
    snprintf(cause->cause, sizeof cause->cause, "none");
    snprintf(cause->evidence, sizeof cause->evidence,
             "nothing differed from the minutes before by more than chance when it was seen");
}

/* Whether something of what is seen now had a part in it. */
static bool shares_trigger(const struct incident *incident, const struct triggers *triggers)
{
    for (int i = 0; i < triggers->n; i++) {
        if (names(incident->triggers, triggers->names[i]))
            return true;
    }
    return names(incident->triggers, OTHERS);
}

static void open_one(struct incidents *incidents, const struct explanation *last, int64_t now_us)
{
    bool explains =
        explanation_names(last) && (!last->until_us || last->until_us > now_us - LOOK_BACK_US);
    struct incident *before = newest(incidents);
    if (before && before->closed_us > now_us - REOPEN_US &&
        (explains ? is_same(&before->explanation, last)
                  : shares_trigger(before, &incidents->triggers))) {
        before->closed_us = 0;
        return;
    }
    if (incidents->n == SHOWN)
        memmove(incidents->recent, incidents->recent + 1,
                (size_t)--incidents->n * sizeof *incidents->recent);
    struct incident *made = &incidents->recent[incidents->n++];
    *made = (struct incident){.opened_us = now_us};
    if (explains)
        made->explanation = *last;
    else
        say_unexplained(&made->explanation, now_us);
}

/* Whether it explains the incident that was closed when this one began: it goes on beside it. */
static bool goes_on_beside(const struct incidents *incidents, const struct explanation *last)
{
    const struct incident *before = incidents->n > 1 ? &incidents->recent[incidents->n - 2] : NULL;
    return before && explanation_names(&before->explanation) &&
           has_same_cause(&before->explanation, last) &&
           strcmp(before->explanation.causes[0].slice, last->causes[0].slice) == 0 &&
           last->since_us < before->closed_us;
}

/* Whether it explains how the open one began better than what was known of that: what began clearly
 * after it was opened is another trouble. */
static bool is_better(const struct incident *open, const struct explanation *last)
{
    const struct explanation *known = &open->explanation;
    return !explanation_names(known) ||
           (!known->until_us && last->since_us <= known->since_us + SAME_US &&
            (has_same_cause(known, last) || last->since_us <= open->opened_us + LATER_US));
}

/* The explanation follows its trouble; trouble that begins later is another incident's. */
static void explain_one(struct incidents *incidents, const struct explanation *last, int64_t now_us)
{
    struct incident *open = newest(incidents);
    struct explanation *known = &open->explanation;
    if (!explanation_names(last) || goes_on_beside(incidents, last))
        return;
    if (is_same(known, last) || (is_better(open, last) && !last->until_us)) {
        *known = *last;
    } else if (!last->until_us && last->since_us > known->since_us) {
        open->closed_us = now_us;
        open_one(incidents, last, now_us);
    }
}

static void step(struct incidents *incidents, const struct explanation *last, int64_t now_us)
{
    struct incident *open = newest(incidents);
    bool is_open = open && open->closed_us == 0;
    if (incidents->triggers.n > 0 && !is_open)
        open_one(incidents, last, now_us);
    else if (is_open)
        explain_one(incidents, last, now_us);
    open = newest(incidents);
    if (incidents->triggers.n == 0 && is_open)
        open->closed_us = now_us;
    for (int i = 0; i < incidents->triggers.n; i++)
        note_trigger(open, incidents->triggers.names[i]);
}

/* ---- the file ---- */

static enum status put(struct incidents *incidents, const struct incident *incident,
                       struct error *error)
{
    struct buffer document;
    struct json_writer json;
    buffer_init(&document, DOCUMENT_BYTES);
    json_begin(&json, &document);
    explanation_json(&incident->explanation, &json, NULL);
    struct incident_row row = {incident->opened_us, incident->closed_us,
                               slice_of(incident->triggers), buffer_slice(&document)};
    enum status status =
        document.overflow ? error_set(error, STATUS_MEMORY, "no memory for an explanation as JSON")
                          : incident_list_put(incidents->list, &row, error);
    buffer_free(&document);
    return status;
}

/* What readers of the file would miss; figures that grow are written now and then. */
static bool differs(const struct incident *a, const struct incident *b)
{
    return a->opened_us != b->opened_us || a->closed_us != b->closed_us ||
           strcmp(a->triggers, b->triggers) != 0 || !is_same(&a->explanation, &b->explanation) ||
           a->explanation.until_us != b->explanation.until_us;
}

static void load_one(void *context, const struct incident_row *row)
{
    struct incidents *incidents = context;
    struct json *document;
    struct error error;
    struct incident *made = &incidents->recent[incidents->n];
    if (json_parse(row->explanation, &document, &error) != STATUS_OK) {
        log_write(incidents->log, LOG_WARN, "incidents", "not_read",
                  "the incident opened at %lld us since 1970 is left out: %s",
                  (long long)row->opened_us, error.message);
        return;
    }
    *made = (struct incident){.opened_us = row->opened_us, .closed_us = row->closed_us};
    snprintf(made->triggers, sizeof made->triggers, SLICE_FORMAT, SLICE_ARGS(row->triggers));
    explanation_read(document, &made->explanation);
    json_destroy(document);
    incidents->n++;
}

/* Only the newest may be open: the service ended before it wrote that another one was over. */
static void close_older(struct incidents *incidents)
{
    for (int i = incidents->n - 2; i >= 0; i--) {
        if (incidents->recent[i].closed_us != 0)
            continue;
        incidents->recent[i].closed_us = incidents->recent[i + 1].opened_us;
        incidents->n_unsaved = incidents->n - i;
    }
}

static enum status open_list(struct incidents *incidents, const char *path, struct error *error)
{
    enum status status = incident_list_open(path, &incidents->list, error);
    if (status == STATUS_OK)
        status = incident_list_read(incidents->list, SHOWN, load_one, incidents, error);
    return status;
}

enum status incidents_open(const char *path, struct log *log, struct incidents **incidents,
                           struct error *error)
{
    *incidents = NULL;
    struct incidents *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->log = log;
    lock_init(&made->lock, "incidents");
    enum status status = open_list(made, path, error);
    if (path && status != STATUS_OK && status != STATUS_MEMORY) {
        log_write(log, LOG_WARN, "incidents", "not_opened",
                  "incidents are kept in memory only until the next start: %s; move the file away",
                  error->message);
        incident_list_close(made->list);
        made->n = 0;
        status = open_list(made, NULL, error);
    }
    if (status != STATUS_OK) {
        incidents_close(made);
        return status;
    }
    close_older(made);
    *incidents = made;
    return STATUS_OK;
}

void incidents_close(struct incidents *incidents)
{
    if (!incidents)
        return;
    incident_list_close(incidents->list);
    lock_destroy(&incidents->lock);
    free(incidents);
}

/* ---- outside ---- */

/* Where another one was opened the one before it was closed. */
static void note_unsaved(struct incidents *incidents, bool opened)
{
    int least = opened ? 2 : 1;
    incidents->n_notes++;
    incidents->n_unsaved += opened ? 1 : 0;
    if (incidents->n_unsaved < least)
        incidents->n_unsaved = least;
    if (incidents->n_unsaved > incidents->n)
        incidents->n_unsaved = incidents->n;
}

void incidents_tick(struct incidents *incidents, const struct explanation *last,
                    struct snapshot *snapshot)
{
    struct incident before = {.opened_us = 0};
    int64_t now_us = snapshot->time_us;
    find_triggers(snapshot, &incidents->triggers);
    lock_take(&incidents->lock);
    if (incidents->n > 0)
        before = *newest(incidents);
    step(incidents, last, now_us);
    struct incident *now = newest(incidents);
    bool is_open = now && now->closed_us == 0;
    if (now &&
        (differs(now, &before) || (is_open && now_us - incidents->saved_us >= SAVE_EVERY_US))) {
        note_unsaved(incidents, now->opened_us != before.opened_us);
        incidents->saved_us = now_us;
    }
    snapshot->incident = is_open ? *now : (struct incident){.opened_us = 0};
    lock_release(&incidents->lock);
}

/* NULL: there are none, or no memory. */
static struct incident *copy_unsaved(struct incidents *incidents, int *n, uint64_t *n_notes)
{
    lock_take(&incidents->lock);
    *n = incidents->n_unsaved;
    *n_notes = incidents->n_notes;
    struct incident *copy = *n > 0 ? calloc((size_t)*n, sizeof *copy) : NULL;
    if (copy)
        memcpy(copy, &incidents->recent[incidents->n - *n], (size_t)*n * sizeof *copy);
    lock_release(&incidents->lock);
    return copy;
}

void incidents_save(struct incidents *incidents)
{
    struct error error;
    enum status status = STATUS_OK;
    uint64_t n_notes;
    int n;
    struct incident *unsaved = copy_unsaved(incidents, &n, &n_notes);
    if (n > 0 && !unsaved)
        status = error_set(&error, STATUS_MEMORY, "out of memory");
    /* The older first: a file written in part has no two that are open. */
    for (int i = 0; i < n && status == STATUS_OK; i++)
        status = put(incidents, &unsaved[i], &error);
    free(unsaved);
    lock_take(&incidents->lock);
    if (status == STATUS_OK && incidents->n_notes == n_notes)
        incidents->n_unsaved = 0;
    lock_release(&incidents->lock);
    if (status != STATUS_OK && !incidents->failing)
        log_write(incidents->log, LOG_WARN, "incidents", "not_written",
                  "incidents are kept in memory only: %s", error.message);
    incidents->failing = status != STATUS_OK;
}

void incidents_json(struct incidents *incidents, struct json_writer *json)
{
    json_array(json, "incidents");
    lock_take(&incidents->lock);
    for (int i = incidents->n - 1; i >= 0; i--)
        incident_json(&incidents->recent[i], json, NULL);
    lock_release(&incidents->lock);
    json_array_end(json);
}
