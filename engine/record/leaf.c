/* A row's canonical bytes: what the hash tree is built over. The format, version 1, is written
 * down in README.md; it is fixed for good, and a change makes version 2. Any thread. */
#include "engine/record/row.h"

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

static void encode_decision(const struct ledger_row *row, struct buffer *out)
{
    put_text(out, row->event_id);
    put_text(out, row->entity);
    put_i64(out, row->event_us);
    put_text(out, row->contract);
    put_text(out, row->contract_version);
    put_text(out, row->input);
    put_bytes(out, row->feature_set, FEATURE_SET_SIZE);
    put_u32(out, (uint32_t)row->n_features);
    for (size_t i = 0; i < row->n_features; i++)
        put_float(out, row->features[i]);
    put_float(out, row->score);
    put_float(out, row->margin);
    put_u8(out, (uint8_t)row->decision);
    put_text(out, row->rule);
    put_u32(out, (uint32_t)row->n_reasons);
    for (int i = 0; i < row->n_reasons; i++) {
        put_text(out, row->reasons[i].code);
        put_i32(out, row->reasons[i].feature);
        put_float(out, row->reasons[i].value);
        put_float(out, row->reasons[i].contribution);
    }
    put_text(out, row->model);
    put_text(out, row->model_version);
    put_u8(out, (uint8_t)row->variant);
    put_u32(out, (uint32_t)row->n_shadows);
    for (int i = 0; i < row->n_shadows; i++) {
        put_text(out, row->shadows[i].model);
        put_text(out, row->shadows[i].version);
        put_float(out, row->shadows[i].score);
    }
    put_bytes(out, row->trace_id, sizeof row->trace_id);
    put_i64(out, row->latency_us);
}

bool leaf_encode(const struct ledger_row *row, struct buffer *out)
{
    put_u8(out, LEAF_VERSION);
    put_u8(out, (uint8_t)row->kind);
    put_i64(out, row->at_us);
    put_text(out, row->source);
    put_i32(out, row->part);
    put_i64(out, row->offset);
    switch (row->kind) {
    case ROW_DECISION:
        encode_decision(row, out);
        break;
    case ROW_LABEL:
        put_text(out, row->event_id);
        put_u8(out, (uint8_t)row->label);
        put_i64(out, row->observed_us);
        break;
    case ROW_ACTION:
        put_text(out, row->who);
        put_text(out, row->what);
        put_text(out, row->arguments);
        break;
    }
    return !out->overflow;
}

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
