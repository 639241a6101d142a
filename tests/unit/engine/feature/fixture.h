/* Events built by hand for the tests of features: six fields, label included. */
#ifndef TESTS_FEATURE_FIXTURE_H
#define TESTS_FEATURE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/state_file.h"
#include "engine/feature/store.h"

enum { F_ID, F_TIME, F_USER, F_SHOP, F_AMOUNT, F_LABEL, F_FIELDS };

static const struct field fixture_fields[F_FIELDS] = {
    {"id", FIELD_STRING, true, false, false},   {"at", FIELD_TIMESTAMP, true, false, false},
    {"user", FIELD_STRING, true, true, true},   {"shop", FIELD_STRING, true, true, false},
    {"amount", FIELD_FLOAT, true, true, false}, {"label", FIELD_INT, false, true, false},
};

static const struct schema fixture_schema = {.name = "test",
                                             .version = "1",
                                             .fields = fixture_fields,
                                             .n_fields = F_FIELDS,
                                             .id = F_ID,
                                             .time = F_TIME,
                                             .label = F_LABEL,
                                             .entity = F_USER};

/* An event with its memory; copying moves it, so fill it where it stays. */
struct fixture_event {
    struct event event;
    struct value values[F_FIELDS];
    char id[24], user[24], shop[24];
};

/* label -1: unknown; amount NaN: null. */
static inline struct event *fixture_fill(struct fixture_event *fixture, int64_t id, int64_t time_us,
                                         int64_t user, int64_t shop, double amount, int label)
{
    snprintf(fixture->id, sizeof fixture->id, "%lld", (long long)id);
    snprintf(fixture->user, sizeof fixture->user, "%lld", (long long)user);
    snprintf(fixture->shop, sizeof fixture->shop, "%lld", (long long)shop);
    fixture->values[F_ID] = value_string(slice_of(fixture->id));
    fixture->values[F_TIME] = value_time(time_us);
    fixture->values[F_USER] = value_string(slice_of(fixture->user));
    fixture->values[F_SHOP] = value_string(slice_of(fixture->shop));
    fixture->values[F_AMOUNT] = amount != amount ? value_null() : value_number(amount);
    fixture->values[F_LABEL] = label < 0 ? value_null() : value_number(label);
    fixture->event =
        (struct event){.schema = &fixture_schema, .values = fixture->values, .time_us = time_us};
    return &fixture->event;
}

static inline struct feature_views *fixture_views(const char *yaml)
{
    struct feature_views *views;
    struct error error;
    if (feature_views_load_text("test.yaml", slice_of(yaml), &fixture_schema, &views, &error) !=
        STATUS_OK)
        fail_msg("%s", error.message);
    return views;
}

static inline struct feature_store *fixture_store(const struct feature_views *views,
                                                  const struct feature_store_options *options,
                                                  struct feature_scratch **scratch)
{
    static const struct feature_store_options defaults = {0};
    struct feature_store *store;
    struct error error;
    if (feature_store_create(views, options ? options : &defaults, &store, &error) != STATUS_OK ||
        feature_scratch_create(store, scratch, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return store;
}

/* A checkpoint, as engine/checkpoint.c makes one. */
static inline enum status save_store(struct feature_store *store, const char *path,
                                     uint64_t upto_index, struct error *error)
{
    struct state_file *file = NULL;
    enum status status = feature_store_create_file(store, path, &file, error);
    if (status == STATUS_OK)
        status = feature_store_write(store, file, upto_index, error);
    if (status == STATUS_OK)
        return state_file_commit(file, error);
    state_file_abandon(file);
    return status;
}

#endif
