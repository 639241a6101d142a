/* Decisions on their way into a day file: some dozens are gathered and inserted by one statement,
 * which is cheaper than as many statements. Texts stay where the queue has them; the rest is packed
 * here. Writer thread only. */
#include "engine/record/codec_priv.h"
#include "engine/record/day_file_priv.h"

enum status day_offer_decisions(struct day *day, struct error *error)
{
    day->decisions = (struct db_rows){.n_columns = DECISION_COLUMNS, .values = day->values};
    return db_offer_rows(day->db, DECISION_ROWS, &day->decisions, error);
}

void day_forget_decisions(struct day *day)
{
    day->decisions.n = 0;
    buffer_reset(&day->decision_bytes);
}

enum status day_flush_rows(struct day *day, struct error *error)
{
    static const int columns[DECISION_PARTS] = {
        [PACKED_FEATURES] = 12, [PACKED_REASONS] = 17, [PACKED_SHADOWS] = 21, [PACKED_TRACE] = 22};
    if (day->decisions.n == 0)
        return STATUS_OK;
    for (size_t i = 0; i < day->decisions.n; i++) {
        const size_t *at = day->parts[i].at;
        for (int part = 0; part < DECISION_PARTS; part++)
            day->values[i * DECISION_COLUMNS + (size_t)columns[part]].bytes =
                slice_make(day->decision_bytes.data + at[part], at[part + 1] - at[part]);
    }
    enum status status = db_run(day->statements[INSERT_DECISIONS], error);
    day_forget_decisions(day);
    return status;
}

/* ---- one decision ---- */

static enum status pack_reasons(struct day *day, const struct ledger_row *row, struct error *error)
{
    struct buffer *out = &day->decision_bytes;
    for (int i = 0; i < row->n_reasons; i++) {
        uint32_t code;
        enum status status = day_name_id(day, row->reasons[i].code, &code, error);
        if (status != STATUS_OK)
            return status;
        put_u32(out, code);
        put_i32(out, row->reasons[i].feature);
        put_float(out, row->reasons[i].value);
        put_float(out, row->reasons[i].contribution);
    }
    return STATUS_OK;
}

static enum status pack_shadows(struct day *day, const struct ledger_row *row, struct error *error)
{
    struct buffer *out = &day->decision_bytes;
    for (int i = 0; i < row->n_shadows; i++) {
        uint32_t model, version;
        enum status status = day_name_id(day, row->shadows[i].model, &model, error);
        if (status == STATUS_OK)
            status = day_name_id(day, row->shadows[i].version, &version, error);
        if (status != STATUS_OK)
            return status;
        put_u32(out, model);
        put_u32(out, version);
        put_float(out, row->shadows[i].score);
    }
    return STATUS_OK;
}

static enum status pack(struct day *day, const struct ledger_row *row, struct error *error)
{
    struct buffer *out = &day->decision_bytes;
    size_t *at = day->parts[day->decisions.n].at;
    at[PACKED_FEATURES] = out->size;
    put_bytes(out, row->features, row->n_features * sizeof(float));
    at[PACKED_REASONS] = out->size;
    enum status status = pack_reasons(day, row, error);
    at[PACKED_SHADOWS] = out->size;
    if (status == STATUS_OK)
        status = pack_shadows(day, row, error);
    at[PACKED_TRACE] = out->size;
    put_bytes(out, row->trace_id, sizeof row->trace_id);
    at[DECISION_PARTS] = out->size;
    if (status == STATUS_OK && out->overflow)
        status = error_set(error, STATUS_MEMORY, "out of memory for rows");
    return status;
}

/* Most often the names are those of the decision before. */
static enum status name_ids(struct day *day, const struct ledger_row *row, struct error *error)
{
    const struct slice names[DECISION_NAMES] = {
        [NAME_SOURCE] = row->source,
        [NAME_CONTRACT] = row->contract,
        [NAME_CONTRACT_VERSION] = row->contract_version,
        [NAME_RULE] = row->rule,
        [NAME_MODEL] = row->model,
        [NAME_MODEL_VERSION] = row->model_version,
    };
    enum status status = STATUS_OK;
    for (int i = 0; i < DECISION_NAMES && status == STATUS_OK; i++) {
        uint32_t *id = &day->usual_names[i];
        if (*id == 0 || !slice_equal(names_text(&day->names, *id), names[i]))
            status = day_name_id(day, names[i], id, error);
    }
    return status;
}

static struct db_value integer(int64_t value)
{
    return (struct db_value){.type = DB_INT, .integer = value};
}

static struct db_value real(float value)
{
    return (struct db_value){.type = DB_REAL, .real = (double)value};
}

static struct db_value text(struct slice value)
{
    return (struct db_value){.type = DB_TEXT, .bytes = value};
}

/* In the order of the table's columns. */
static void set_values(struct day *day, const struct ledger_row *row,
                       const uint8_t leaf_hash[SHA256_SIZE], struct db_value *values)
{
    const uint32_t *names = day->usual_names;
    const struct db_value packed = {.type = DB_BLOB}; /* where it is shows when it is inserted */
    const struct db_value hash = {.type = DB_BLOB, .bytes = slice_make(leaf_hash, SHA256_SIZE)};
    const struct db_value all[DECISION_COLUMNS] = {
        integer((int64_t)row->index),
        text(row->event_id),
        text(row->entity),
        integer(row->event_us),
        integer(row->at_us),
        integer(names[NAME_SOURCE]),
        integer(row->part),
        integer(row->offset),
        integer(names[NAME_CONTRACT]),
        integer(names[NAME_CONTRACT_VERSION]),
        text(row->input),
        integer(day_feature_set_id(day, row->feature_set)),
        packed, /* features */
        real(row->score),
        real(row->margin),
        integer(row->decision),
        integer(names[NAME_RULE]),
        packed, /* reasons */
        integer(names[NAME_MODEL]),
        integer(names[NAME_MODEL_VERSION]),
        integer(row->variant),
        packed, /* shadows */
        packed, /* trace_id */
        integer(row->latency_us),
        hash,
    };
    memcpy(values, all, sizeof all);
}

enum status day_add_decision(struct day *day, const struct ledger_row *row,
                             const uint8_t leaf_hash[SHA256_SIZE], struct error *error)
{
    enum status status = pack(day, row, error);
    if (status == STATUS_OK)
        status = name_ids(day, row, error);
    if (status != STATUS_OK)
        return status;
    set_values(day, row, leaf_hash, &day->values[day->decisions.n * DECISION_COLUMNS]);
    if (day_add_key(day, row->event_id, row->index) != STATUS_OK)
        return error_set(error, STATUS_MEMORY, "out of memory for the event index");
    return ++day->decisions.n == DECISIONS_AT_ONCE ? day_flush_rows(day, error) : STATUS_OK;
}
