/* A history made and ended: its options read, its file opened, its thread started. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/history/history_priv.h"

#define SECOND_BYTES ((size_t)4 << 20)

/* ---- options ---- */

void history_options_init(struct history_options *options)
{
    *options = (struct history_options){
        .minutes_us = INT64_C(400) * US_PER_DAY,
        .hours_us = INT64_C(1830) * US_PER_DAY,
        .labels = {"variant", "decision", "reason"},
        .n_labels = 3,
    };
}

static void default_fields(struct history_options *options)
{
    static const char *const usual[] = {"country", "device"};
    for (size_t i = 0; options->schema && i < sizeof usual / sizeof *usual; i++) {
        int field = schema_find(options->schema, usual[i]);
        if (field >= 0 && !options->schema->fields[field].pii)
            options->labels[options->n_labels++] = usual[i];
    }
}

/* The history: node as it stands in the file. */
struct history_entry {
    int64_t minutes_us, hours_us;
    const struct yaml_node *labels;
};

static const struct config_key history_keys[] = {
    {"minutes", CONFIG_DURATION, offsetof(struct history_entry, minutes_us), false, 86400, 3.2e9,
     "how long every minute is kept (400d)"},
    {"hours", CONFIG_DURATION, offsetof(struct history_entry, hours_us), false, 86400, 3.2e9,
     "how long every hour is kept (1830d)"},
    {"labels", CONFIG_NODE, offsetof(struct history_entry, labels), false, 0, 0,
     "what it can be told apart by: variant, decision, reason, fields of the contract (those, "
     "country and device)"},
    {NULL, CONFIG_STRING, 0, false, 0, 0, NULL},
};

static enum status read_labels(const struct yaml_node *list, struct history_options *options,
                               struct error *error)
{
    if (yaml_kind(list) != YAML_LIST || yaml_size(list) > MAX_LABELS - 2)
        return yaml_error(list, error, "labels is a list of up to %d names", MAX_LABELS - 2);
    struct labels *tried = labels_create();
    enum status status = tried ? STATUS_OK : error_set(error, STATUS_MEMORY, "out of memory");
    options->n_labels = 0;
    for (size_t i = 0; i < yaml_size(list) && status == STATUS_OK; i++) {
        const struct yaml_node *item = yaml_item(list, i);
        struct error cause;
        const char *name = yaml_text(item);
        if (labels_find(tried, name) >= 0)
            status = yaml_error(item, error, "\"%.60s\" stands twice in the labels", name);
        else if (labels_use(tried, name, options->schema, &cause) != STATUS_OK)
            status = yaml_error(item, error, "%s", cause.message);
        else
            options->labels[options->n_labels++] = name;
    }
    labels_destroy(tried);
    return status;
}

enum status history_read(const struct yaml_node *node, struct history_options *options,
                         struct error *error)
{
    struct history_entry entry = {options->minutes_us, options->hours_us, NULL};
    enum status status = node ? config_read(node, history_keys, &entry, error) : STATUS_OK;
    if (status != STATUS_OK)
        return status;
    options->minutes_us = entry.minutes_us;
    options->hours_us = entry.hours_us;
    if (entry.labels)
        return read_labels(entry.labels, options, error);
    default_fields(options);
    return STATUS_OK;
}

/* ---- life ---- */

static enum status open_file(struct history_store *history, struct error *error)
{
    struct disk_state state;
    enum status status =
        disk_open(history->path, !history->options.read_only, &history->disk, error);
    if (status == STATUS_OK)
        status = disk_load(history->disk, history->labels, &history->layouts, &state, error);
    if (status != STATUS_OK)
        return status;
    history->upto_us = state.upto_us;
    history->seq = state.seq;
    history->n_layouts_stored = history->layouts.n;
    history->n_labels_stored = labels_count(history->labels);
    for (int i = 0; i < history->n_labels_stored; i++)
        history->n_values_stored[i] = labels_values(history->labels, i);
    history->run.id = monotonic_ns() ^ (int64_t)(state.seq << 20);
    return STATUS_OK;
}

static enum status make_spans(struct history_store *history, struct error *error)
{
    history->open = span_create(MAX_CELLS);
    history->coming = span_create(MAX_CELLS);
    history->minute = span_create(MAX_ROW_CELLS);
    history->slice = span_create(MAX_ROW_CELLS);
    history->hour = span_create(MAX_ROW_CELLS);
    history->row = row_create();
    for (int i = 0; i < MINUTE_SHELVES; i++)
        history->minutes[i] = row_create();
    if (!history->options.event_time)
        history->second = span_create(MAX_CELLS);
    for (int i = 0; i < SECOND_SLOTS; i++) {
        buffer_init(&history->seconds[i].cells, SECOND_BYTES);
        history->seconds[i].start_s = NOT_KNOWN;
    }
    bool whole = history->open && history->coming && history->minute && history->slice &&
                 history->hour && history->row && history->minutes[0] && history->minutes[1] &&
                 (history->second || history->options.event_time);
    return whole ? STATUS_OK : error_set(error, STATUS_MEMORY, "out of memory for the history");
}

static enum status use_labels(struct history_store *history, struct error *error)
{
    const struct history_options *options = &history->options;
    enum status status = STATUS_OK;
    for (int i = 0; i < options->n_labels && status == STATUS_OK; i++)
        status = labels_use(history->labels, options->labels[i], options->schema, error);
    return status;
}

static enum status start(struct history_store *history, struct error *error)
{
    enum status status = make_spans(history, error);
    if (status == STATUS_OK && history->path)
        status = open_file(history, error);
    if (status == STATUS_OK)
        status = use_labels(history, error);
    if (status != STATUS_OK)
        return status;
    history_sink(history).cuts(history, NULL, 0);
    if (!history->layout)
        return error_set(error, STATUS_MEMORY, "out of memory for the history");
    bool writes = history->path && !history->options.read_only;
    return writes ? thread_start("history", history_keep, history, &history->writer, error)
                  : STATUS_OK;
}

enum status history_create(const struct history_options *options, struct history_store **history,
                           struct error *error)
{
    struct history_store *made = calloc(1, sizeof *made);
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory for the history");
    made->options = *options;
    lock_init(&made->lock, "history");
    lock_init(&made->reading, "history.reading");
    condition_init(&made->changed);
    condition_init(&made->returned);
    made->recovering = true;
    made->open_end_us = made->upto_us = NOT_KNOWN;
    made->minutes_s = made->slice_s = made->hour_s = NOT_KNOWN;
    made->labels = labels_create();
    for (int i = 0; i < options->n_columns && i < MAX_COLUMNS; i++) {
        snprintf(made->columns[i], NAME_SIZE, "%s", options->columns[i]);
        made->column_names[i] = made->columns[i];
    }
    made->options.columns = NULL; /* ours from here on */
    made->path = options->path ? strdup(options->path) : NULL;
    enum status status = made->labels && (made->path || !options->path)
                             ? start(made, error)
                             : error_set(error, STATUS_MEMORY, "out of memory for the history");
    if (status != STATUS_OK) {
        history_destroy(made);
        return status;
    }
    *history = made;
    return STATUS_OK;
}

static void stop_writer(struct history_store *history)
{
    if (!history->writer)
        return;
    if (!history->recovering) /* it came up: what it counted is whole */
        (void)history_flush(history, 0);
    lock_take(&history->lock);
    history->stopping = true;
    pthread_cond_broadcast(&history->changed);
    lock_release(&history->lock);
    thread_join(history->writer);
}

void history_destroy(struct history_store *history)
{
    if (!history)
        return;
    stop_writer(history);
    for (int i = 0; i < READERS; i++)
        disk_close(history->readers[i].disk); /* whoever closes last moves the log into the file */
    if (history->stats.problem[0])
        disk_abandon(history->disk);
    else
        disk_close(history->disk);
    while (history->first) {
        struct epoch *next = history->first->next;
        epoch_release(history->first);
        history->first = next;
    }
    struct span *spans[] = {history->open,   history->coming, history->spare, history->second,
                            history->minute, history->slice,  history->hour};
    for (size_t i = 0; i < sizeof spans / sizeof(struct span *); i++)
        span_destroy(spans[i]);
    row_destroy(history->row);
    for (int i = 0; i < MINUTE_SHELVES; i++)
        row_destroy(history->minutes[i]);
    for (int i = 0; i < SECOND_SLOTS; i++)
        buffer_free(&history->seconds[i].cells);
    for (int i = 0; i < history->layouts.n; i++)
        layout_destroy(history->layouts.list[i]);
    labels_destroy(history->labels);
    pthread_cond_destroy(&history->changed);
    pthread_cond_destroy(&history->returned);
    lock_destroy(&history->reading);
    lock_destroy(&history->lock);
    free(history->path);
    free(history);
}
