/* Answers questions about the record with a reader for each, so that none waits for another or for
 * the writer; actions leave a row in the ledger with the name and the reason. Any thread. */
#include "app/inquiry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/entity.h"
#include "app/inquiry_act.h"
#include "engine/base/json.h"
#include "engine/reasons.h"
#include "engine/record/reader.h"
#include "engine/record/row_proof.h"

#define MAX_TEXTS 257 /* rules and the default */

static const char *ledger_of(const struct inquiry *inquiry)
{
    return engine_parts(inquiry->parts.engine)->ledger_dir;
}

static enum status open_reader(const struct inquiry *inquiry, struct reader **reader,
                               struct error *error)
{
    *reader = NULL;
    if (!ledger_of(inquiry))
        return error_set(error, STATUS_UNSUPPORTED,
                         "recorded decisions need a ledger; start with --ledger DIR");
    return reader_open(ledger_of(inquiry), reader, error);
}

/* ---- decisions ---- */

/* The word's place among the names; -1 for NULL, -2 for none of them. */
static int place_of(const char *word, int n, const char *(*name)(int i))
{
    if (!word)
        return -1;
    for (int i = 0; i < n; i++) {
        if (strcmp(name(i), word) == 0)
            return i;
    }
    return -2;
}

static const char *decision_word(int i)
{
    return decision_name((enum decision)i);
}

static const char *variant_word(int i)
{
    return variant_name((enum variant)i);
}

static bool read_filter(const struct web_decision_query *query, struct query_filter *filter,
                        struct error *error)
{
    query_filter_init(filter);
    filter->from_us = query->from_us;
    filter->to_us = query->to_us;
    filter->event_id = slice_of(query->event_id);
    filter->entity = slice_of(query->entity);
    filter->reason = slice_of(query->reason);
    filter->min_score = query->min_score;
    filter->max_score = query->max_score;
    filter->cursor = query->cursor;
    filter->newest_first = query->newest_first;
    filter->limit = query->limit + 1; /* one more tells whether there are more */
    filter->decision = place_of(query->decision, DECISION_COUNT, decision_word);
    filter->variant = place_of(query->variant, VARIANT_COUNT, variant_word);
    if (filter->decision == -2)
        (void)error_set(error, STATUS_INVALID, "decision is approve, review or decline");
    else if (filter->variant == -2)
        (void)error_set(error, STATUS_INVALID, "variant is champion or canary");
    return filter->decision != -2 && filter->variant != -2;
}

struct page {
    struct json_writer json;
    int n, limit;
    int64_t last;
    bool more;
};

static enum status put_rows(struct reader *reader, const struct query_filter *filter,
                            struct page *page, struct error *error)
{
    struct query *query = NULL;
    struct ledger_row row;
    struct buffer line;
    buffer_init(&line, (size_t)1 << 20);
    enum status status = query_open(reader, filter, &query, error);
    while (status == STATUS_OK && (status = query_next(query, &row, error)) == STATUS_OK) {
        page->more = page->n == page->limit;
        if (page->more)
            break;
        buffer_reset(&line);
        row_query_json(&row, &line);
        json_raw(&page->json, NULL, buffer_slice(&line));
        page->last = (int64_t)row.index;
        page->n++;
    }
    query_close(query);
    buffer_free(&line);
    return status == STATUS_END ? STATUS_OK : status;
}

/* Under its own name, or where that is found nowhere, under its pseudonym. */
static enum status put_found(const struct inquiry *inquiry, struct reader *reader,
                             struct query_filter *filter, struct page *page, struct error *error)
{
    char pseudonym[PSEUDONYM_SIZE];
    enum status status = put_rows(reader, filter, page, error);
    if (status != STATUS_OK || filter->entity.size == 0 || page->n > 0)
        return status;
    if (entity_pseudonym(ledger_of(inquiry), filter->entity, pseudonym, error) != STATUS_OK)
        return STATUS_OK; /* nobody is called that, and nobody can be looked up */
    filter->entity = slice_of(pseudonym);
    status = put_rows(reader, filter, page, error);
    filter->entity = slice_of(NULL); /* it ends with this function */
    return status;
}

static void end_page(struct page *page)
{
    json_array_end(&page->json);
    if (page->more)
        json_int(&page->json, "next_cursor", page->last);
    else
        json_null(&page->json, "next_cursor");
    json_object_end(&page->json);
}

static int decisions(void *context, const struct web_decision_query *query, struct buffer *out,
                     struct error *error)
{
    const struct inquiry *inquiry = context;
    struct query_filter filter;
    struct reader *reader;
    struct page page = {.limit = query->limit};
    if (!read_filter(query, &filter, error))
        return 400;
    enum status status = open_reader(inquiry, &reader, error);
    if (status == STATUS_OK) {
        json_begin(&page.json, out);
        json_object(&page.json, NULL);
        json_array(&page.json, "decisions");
        status = put_found(inquiry, reader, &filter, &page, error);
        end_page(&page);
    }
    reader_close(reader);
    if (status != STATUS_OK)
        buffer_reset(out);
    return web_code(status);
}

/* ---- one decision in full ---- */

static void put_reasons(struct json_writer *json, const struct ledger_row *row)
{
    double sum = 0;
    json_array(json, "reasons");
    for (int i = 0; i < row->n_reasons; i++) {
        const struct row_reason *reason = &row->reasons[i];
        if (reason->feature < 0)
            continue; /* a rule's code */
        json_object(json, NULL);
        json_string(json, "code", reason->code);
        json_text(json, "feature", row->names->names[reason->feature]);
        json_float(json, "value", reason->value);
        json_float(json, "contribution", reason->contribution);
        json_object_end(json);
        sum += (double)reason->contribution;
    }
    json_array_end(json);
    json_number(json, "bias", (double)row->margin - sum);
}

/* Computed again by the model that decided; when that is not to be had, why. */
static void put_explained(const struct inquiry *inquiry, struct ledger_row *row,
                          struct json_writer *json)
{
    struct explainer *explainer = NULL;
    struct error error = {0};
    enum status status = explainer_create(inquiry->parts.engine, &explainer, &error);
    if (status == STATUS_OK)
        status = explainer_explain(explainer, MAX_FEATURES, row, &error); /* no zeros, as -1 has */
    if (status == STATUS_OK) {
        put_reasons(json, row);
        json_null(json, "reasons_problem");
    } else {
        json_null(json, "reasons");
        json_null(json, "bias");
        json_text(json, "reasons_problem", error.message);
    }
    explainer_destroy(explainer);
}

static const char *trace_word(size_t i, size_t fired)
{
    return i < fired ? "passed" : i == fired ? "fired" : "not reached";
}

/* The first rule that holds decides: those before it did not hold. Rules of today tell that only
 * while they have one of that name. */
static void put_trace(const struct inquiry *inquiry, const struct ledger_row *row,
                      struct json_writer *json)
{
    struct rule_text texts[MAX_TEXTS];
    size_t n = rules_texts(engine_parts(inquiry->parts.engine)->rules, texts, MAX_TEXTS);
    size_t fired = 0;
    while (fired < n && !slice_equal(row->rule, slice_of(texts[fired].name)))
        fired++;
    if (fired == n || texts[fired].decision != row->decision) {
        json_null(json, "rules");
        return;
    }
    json_array(json, "rules");
    for (size_t i = 0; i < n; i++) {
        json_object(json, NULL);
        json_text(json, "name", texts[i].name);
        json_text(json, "when", texts[i].when);
        json_text(json, "decision", decision_name(texts[i].decision));
        json_text(json, "code", texts[i].code);
        json_text(json, "state", trace_word(i, fired));
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_proof(struct reader *reader, uint64_t index, struct json_writer *json)
{
    struct error error = {0};
    struct buffer proof;
    buffer_init(&proof, (size_t)4 << 20);
    if (row_proof_json(reader, index, &proof, &error) == STATUS_OK) {
        json_raw(json, "proof", buffer_slice(&proof));
        json_null(json, "proof_problem");
    } else {
        json_null(json, "proof");
        json_text(json, "proof_problem", error.message);
    }
    buffer_free(&proof);
}

static void put_record(const struct inquiry *inquiry, struct reader *reader, struct ledger_row *row,
                       struct buffer *out)
{
    struct json_writer json;
    struct buffer line;
    uint64_t index = row->index;
    buffer_init(&line, (size_t)1 << 20);
    row_query_json(row, &line);
    json_begin(&json, out);
    json_object(&json, NULL);
    json_raw(&json, "row", buffer_slice(&line));
    put_trace(inquiry, row, &json);
    put_explained(inquiry, row, &json);
    put_proof(reader, index, &json); /* last: it moves the reader */
    json_object_end(&json);
    buffer_free(&line);
}

static int record(void *context, const char *event_id, struct buffer *out, struct error *error)
{
    const struct inquiry *inquiry = context;
    struct reader *reader;
    struct ledger_row row;
    enum status status = open_reader(inquiry, &reader, error);
    if (status == STATUS_OK)
        status = reader_find_event(reader, slice_of(event_id), &row, error);
    if (status == STATUS_NOT_FOUND)
        (void)error_set(error, status, "no decision on event %.200s is in the ledger", event_id);
    if (status == STATUS_OK)
        put_record(inquiry, reader, &row, out);
    reader_close(reader);
    return web_code(status);
}

/* ---- quarantine ---- */

static const char *status_word(int i)
{
    return quarantine_status_name((enum quarantine_status)i);
}

static enum status put_quarantined(void *context, const struct quarantine_row *row,
                                   struct error *error)
{
    (void)error;
    struct page *page = context;
    struct buffer line;
    page->more = page->n == page->limit;
    if (page->more)
        return STATUS_END;
    buffer_init(&line, (size_t)1 << 20);
    quarantine_json(row, &line);
    json_raw(&page->json, NULL, buffer_slice(&line));
    buffer_free(&line);
    page->last = (int64_t)row->id;
    page->n++;
    return STATUS_OK;
}

static int quarantine(void *context, const struct web_quarantine_query *query, struct buffer *out,
                      struct error *error)
{
    struct quarantine_filter filter;
    struct reader *reader;
    struct page page = {.limit = query->limit};
    bool all = query->status && strcmp(query->status, "all") == 0;
    quarantine_filter_init(&filter);
    filter.status = all ? -1 : query->status ? place_of(query->status, 3, status_word) : 0;
    if (filter.status == -2) {
        (void)error_set(error, STATUS_INVALID, "status is open, retried, resolved or all");
        return 400;
    }
    filter.reason = slice_of(query->reason);
    filter.field = slice_of(query->field);
    filter.from_us = query->from_us;
    filter.to_us = query->to_us;
    filter.before = query->before;
    filter.newest_first = true;
    enum status status = open_reader(context, &reader, error);
    if (status == STATUS_OK) {
        json_begin(&page.json, out);
        json_object(&page.json, NULL);
        json_array(&page.json, "quarantine");
        status = quarantine_scan(reader, &filter, false, put_quarantined, &page, error);
        end_page(&page);
    }
    reader_close(reader);
    if (status != STATUS_OK)
        buffer_reset(out);
    return web_code(status);
}

/* ---- making and ending ---- */

enum status inquiry_create(const struct inquiry_parts *parts, struct inquiry **inquiry,
                           struct error *error)
{
    struct inquiry *made = calloc(1, sizeof *made);
    *inquiry = made;
    if (!made)
        return error_set(error, STATUS_MEMORY, "out of memory");
    made->parts = *parts;
    lock_init(&made->retrying, "inquiry.retry");
    return STATUS_OK;
}

void inquiry_destroy(struct inquiry *inquiry)
{
    if (!inquiry)
        return;
    lock_destroy(&inquiry->retrying);
    free(inquiry);
}

void inquiry_table(struct inquiry *inquiry, struct web_backend *table)
{
    table->inquiry = inquiry;
    table->decisions = decisions;
    table->record = record;
    table->quarantine = quarantine;
    table->quarantine_retry = inquiry_retry;
    table->alert_act = inquiry->parts.alerts ? inquiry_alert : NULL;
}
