/* A row's canonical bytes: what the hash tree is built over. The format, version 1, is written
 * down in README.md; it is fixed for good, and a change makes version 2. Any thread. */
#include "engine/record/row.h"

#include <assert.h>

#include "engine/base/crypto.h"
#include "engine/record/codec_priv.h"

#define LEAF_VERSION 1

enum status feature_set_digest(const struct feature_schema *names, uint8_t digest[FEATURE_SET_SIZE])
{
    struct buffer all;
    buffer_init(&all, (size_t)16 << 20);
    for (size_t i = 0; i < names->n_features; i++)
        put_bytes(&all, names->names[i], strlen(names->names[i]) + 1);
    uint8_t hash[SHA256_SIZE];
    enum status status = STATUS_MEMORY;
    if (!all.overflow)
        status = crypto_sha256(buffer_slice(&all), (struct slice){0}, (struct slice){0}, hash);
    if (status == STATUS_OK)
        memcpy(digest, hash, FEATURE_SET_SIZE);
    buffer_free(&all);
    return status;
}

/* ---- encoding ---- */

#define LENGTH_BYTES 4   /* before each text */
#define FIXED_BYTES  192 /* more than all of a row but its texts, features, reasons and shadows */

static size_t text_room(struct slice text)
{
    return LENGTH_BYTES + text.size;
}

/* No row takes more than this: room is made once, and then each field is a copy and a step. */
static size_t leaf_room(const struct ledger_row *row)
{
    const struct slice texts[] = {
        row->source,           row->event_id, row->entity, row->contract,
        row->contract_version, row->input,    row->rule,   row->model,
        row->model_version,    row->who,      row->what,   row->arguments};
    size_t room = FIXED_BYTES + row->n_features * sizeof(float);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        room += text_room(texts[i]);
    for (int i = 0; i < row->n_reasons; i++)
        room += text_room(row->reasons[i].code) + sizeof(int32_t) + 2 * sizeof(float);
    for (int i = 0; i < row->n_shadows; i++)
        room +=
            text_room(row->shadows[i].model) + text_room(row->shadows[i].version) + sizeof(float);
    return room;
}

static char *write_explanation(char *at, const struct ledger_row *row)
{
    at = write_text(at, row->rule);
    at = write_u32(at, (uint32_t)row->n_reasons);
    for (int i = 0; i < row->n_reasons; i++) {
        at = write_text(at, row->reasons[i].code);
        at = write_i32(at, row->reasons[i].feature);
        at = write_float(at, row->reasons[i].value);
        at = write_float(at, row->reasons[i].contribution);
    }
    return at;
}

static char *write_models(char *at, const struct ledger_row *row)
{
    at = write_text(at, row->model);
    at = write_text(at, row->model_version);
    at = write_u8(at, (uint8_t)row->variant);
    at = write_u32(at, (uint32_t)row->n_shadows);
    for (int i = 0; i < row->n_shadows; i++) {
        at = write_text(at, row->shadows[i].model);
        at = write_text(at, row->shadows[i].version);
        at = write_float(at, row->shadows[i].score);
    }
    return at;
}

static char *write_decision(char *at, const struct ledger_row *row)
{
    at = write_text(at, row->event_id);
    at = write_text(at, row->entity);
    at = write_i64(at, row->event_us);
    at = write_text(at, row->contract);
    at = write_text(at, row->contract_version);
    at = write_text(at, row->input);
    at = write_bytes(at, row->feature_set, FEATURE_SET_SIZE);
    at = write_u32(at, (uint32_t)row->n_features);
    at = write_floats(at, row->features, row->n_features);
    at = write_float(at, row->score);
    at = write_float(at, row->margin);
    at = write_u8(at, (uint8_t)row->decision);
    at = write_explanation(at, row);
    at = write_models(at, row);
    at = write_bytes(at, row->trace_id, sizeof row->trace_id);
    return write_i64(at, row->latency_us);
}

static char *write_label(char *at, const struct ledger_row *row)
{
    at = write_text(at, row->event_id);
    at = write_u8(at, (uint8_t)row->label);
    return write_i64(at, row->observed_us);
}

static char *write_action(char *at, const struct ledger_row *row)
{
    at = write_text(at, row->who);
    at = write_text(at, row->what);
    return write_text(at, row->arguments);
}

static char *write_row(char *at, const struct ledger_row *row)
{
    at = write_u8(at, LEAF_VERSION);
    at = write_u8(at, (uint8_t)row->kind);
    at = write_i64(at, row->at_us);
    at = write_text(at, row->source);
    at = write_i32(at, row->part);
    at = write_i64(at, row->offset);
    switch (row->kind) {
    case ROW_DECISION:
        return write_decision(at, row);
    case ROW_LABEL:
        return write_label(at, row);
    case ROW_ACTION:
        return write_action(at, row);
    }
    return at;
}

bool leaf_encode(const struct ledger_row *row, struct buffer *out)
{
    size_t room = leaf_room(row);
    char *first = buffer_room(out, room);
    if (!first)
        return false;
    char *end = write_row(first, row);
    assert((size_t)(end - first) <= room);
    *end = '\0';
    out->size += (size_t)(end - first);
    return !out->overflow;
}

/* ---- decoding ---- */

static void decode_reasons(struct cursor *in, struct leaf_storage *storage, struct ledger_row *row)
{
    uint32_t n = get_u32(in);
    if (n > MAX_FEATURES) {
        in->bad = true;
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        storage->reasons[i].code = get_text(in);
        storage->reasons[i].feature = get_i32(in);
        storage->reasons[i].value = get_float(in);
        storage->reasons[i].contribution = get_float(in);
    }
    row->reasons = storage->reasons;
    row->n_reasons = (int)n;
}

static void decode_shadows(struct cursor *in, struct leaf_storage *storage, struct ledger_row *row)
{
    uint32_t n = get_u32(in);
    if (n > MAX_SHADOWS) {
        in->bad = true;
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        storage->shadows[i].model = get_text(in);
        storage->shadows[i].version = get_text(in);
        storage->shadows[i].score = get_float(in);
    }
    row->shadows = storage->shadows;
    row->n_shadows = (int)n;
}

static void decode_decision(struct cursor *in, struct leaf_storage *storage, struct ledger_row *row)
{
    row->event_id = get_text(in);
    row->entity = get_text(in);
    row->event_us = get_i64(in);
    row->contract = get_text(in);
    row->contract_version = get_text(in);
    row->input = get_text(in);
    get_into(in, row->feature_set, FEATURE_SET_SIZE);
    row->n_features = get_u32(in);
    if (row->n_features > MAX_FEATURES) {
        in->bad = true;
        return;
    }
    get_into(in, storage->features, row->n_features * sizeof(float));
    row->features = storage->features;
    row->score = get_float(in);
    row->margin = get_float(in);
    row->decision = (enum decision)get_u8(in);
    row->rule = get_text(in);
    decode_reasons(in, storage, row);
    row->model = get_text(in);
    row->model_version = get_text(in);
    row->variant = (enum variant)get_u8(in);
    decode_shadows(in, storage, row);
    get_into(in, row->trace_id, sizeof row->trace_id);
    row->latency_us = get_i64(in);
}

enum status leaf_decode(struct slice leaf, struct leaf_storage *storage, struct ledger_row *row)
{
    struct cursor in = cursor_of(leaf);
    memset(row, 0, sizeof *row);
    if (get_u8(&in) != LEAF_VERSION)
        return STATUS_CORRUPT;
    row->kind = (enum row_kind)get_u8(&in);
    row->at_us = get_i64(&in);
    row->source = get_text(&in);
    row->part = get_i32(&in);
    row->offset = get_i64(&in);
    switch (row->kind) {
    case ROW_DECISION:
        decode_decision(&in, storage, row);
        break;
    case ROW_LABEL:
        row->event_id = get_text(&in);
        row->label = get_u8(&in);
        row->observed_us = get_i64(&in);
        break;
    case ROW_ACTION:
        row->who = get_text(&in);
        row->what = get_text(&in);
        row->arguments = get_text(&in);
        break;
    default:
        return STATUS_CORRUPT;
    }
    return in.bad || in.at != in.end ? STATUS_CORRUPT : STATUS_OK;
}
