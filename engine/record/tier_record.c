/* The arguments of the actions that the keeper records. */
#include "engine/record/tier_record.h"

#include "engine/base/clock.h"
#include "engine/base/json.h"

static bool put_day(const struct tier_day *day, const char *when, int64_t at_us, struct buffer *out)
{
    struct json_writer json;
    char name[TIME_TEXT_SIZE];
    time_format(day->day * US_PER_DAY, name);
    json_begin(&json, out);
    json_object(&json, NULL);
    json_string(&json, "day", slice_make(name, 10));
    json_int(&json, "first_index", (int64_t)day->first_index);
    json_int(&json, "tree_size", (int64_t)day->tree_size);
    json_hex(&json, "root", day->root, SHA256_SIZE);
    json_int(&json, "bytes", day->plain.bytes);
    json_hex(&json, "sha256", day->plain.sha256, SHA256_SIZE);
    json_int(&json, "raw_deleted", (int64_t)day->raw_deleted);
    json_time(&json, when, at_us);
    json_object_end(&json);
    return !out->overflow;
}

bool seal_arguments(const struct tier_day *day, struct buffer *out)
{
    return put_day(day, "sealed_at", day->sealed_us, out);
}

bool delete_arguments(const struct tier_day *day, struct buffer *out)
{
    return put_day(day, "deleted_at", day->deleted_us, out);
}
