/* From compressed to archived, and back for who asks.
 *
 * An object is named by its day and the first digits of what was sealed, so that one that was sent
 * twice is the same object, and another ledger's day is not taken for ours. Nothing is believed of
 * what a store says of itself: before the local file goes, the object is fetched whole and its
 * SHA-256 compared, and again whenever it is read. */
#include "engine/record/archive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/encoding.h"
#include "engine/base/folder.h"
#include "engine/base/secret.h"

#define OBJECT_NAME_SIZE 400
#define MAX_PREFIX       300

/* ---- which store ---- */

static struct slice text_or_empty(const char *text)
{
    return slice_of(text ? text : "");
}

enum status archive_remember(struct tiers *tiers, const struct archive_options *options,
                             int64_t *id, struct error *error)
{
    static const char *const SQL =
        "INSERT INTO stores(endpoint, region, bucket, prefix, access_key_file, secret_key_file)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(endpoint, bucket, prefix) DO UPDATE SET"
        " region = ?2, access_key_file = ?5, secret_key_file = ?6 RETURNING id";
    const struct slice values[] = {slice_of(options->endpoint),
                                   slice_of(options->region),
                                   slice_of(options->bucket),
                                   text_or_empty(options->prefix),
                                   text_or_empty(options->access_key_file),
                                   text_or_empty(options->secret_key_file)};
    struct db_stmt *put;
    if (strlen(text_or_empty(options->prefix).data) > MAX_PREFIX)
        return error_set(error, STATUS_INVALID, "prefix: longer than %d characters", MAX_PREFIX);
    enum status status = db_prepare(tiers_db(tiers), SQL, &put, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        db_bind_text(put, (int)i + 1, values[i]);
    status = db_step(put, error);
    if (status == STATUS_OK) {
        *id = db_int(put, 0);
        status = db_step(put, error); /* the row is written when the statement has ended */
    }
    db_finish(put);
    return status == STATUS_END ? STATUS_OK : status;
}

/* A key out of its file, or else out of the environment. */
static enum status read_key(const char *file, const char *variable, char *out, size_t size,
                            struct error *error)
{
    const char *value = getenv(variable);
    enum status status = STATUS_NOT_FOUND;
    if (file[0])
        status = secret_read("/", file, true, out, size, error);
    if (status == STATUS_OK || !value || !value[0])
        return status == STATUS_NOT_FOUND && !file[0]
                   ? error_set(error, STATUS_UNAVAILABLE,
                               "no key for the archive: %s is not set, and no file is configured",
                               variable)
                   : status;
    if ((size_t)snprintf(out, size, "%s", value) >= size)
        return error_set(error, STATUS_INVALID, "%s is too long", variable);
    return STATUS_OK;
}

static enum status read_keys(struct object_store *store, const char *access, const char *secret,
                             struct error *error)
{
    const char *token = getenv("AWS_SESSION_TOKEN");
    enum status status =
        read_key(access, "AWS_ACCESS_KEY_ID", store->access_key, sizeof store->access_key, error);
    if (status == STATUS_OK)
        status = read_key(secret, "AWS_SECRET_ACCESS_KEY", store->secret_key,
                          sizeof store->secret_key, error);
    if (token && !access[0])
        snprintf(store->token, sizeof store->token, "%s", token);
    return status;
}

static bool take_text(struct db_stmt *stmt, int column, char *out, size_t size)
{
    struct slice text = db_text(stmt, column);
    return snprintf(out, size, SLICE_FORMAT, SLICE_ARGS(text)) < (int)size;
}

static enum status load_store(struct tiers *tiers, int64_t id, struct object_store *store,
                              char prefix[MAX_PREFIX + 1], struct error *error)
{
    char access[PATH_SIZE], secret[PATH_SIZE];
    struct db_stmt *select;
    enum status status =
        db_prepare(tiers_db(tiers),
                   "SELECT endpoint, region, bucket, prefix, access_key_file, secret_key_file"
                   " FROM stores WHERE id = ?1",
                   &select, error);
    if (status != STATUS_OK)
        return status;
    db_bind_int(select, 1, id);
    status = db_step(select, error);
    bool good = status == STATUS_OK && take_text(select, 0, store->endpoint, 512) &&
                take_text(select, 1, store->region, sizeof store->region) &&
                take_text(select, 2, store->bucket, sizeof store->bucket) &&
                take_text(select, 3, prefix, MAX_PREFIX + 1) &&
                take_text(select, 4, access, sizeof access) &&
                take_text(select, 5, secret, sizeof secret);
    db_finish(select);
    if (status == STATUS_OK || status == STATUS_END)
        status = good ? read_keys(store, access, secret, error)
                      : error_set(error, STATUS_CORRUPT,
                                  "%s/tiers.db: there is no sound archive %lld: put the file back "
                                  "from a backup",
                                  tiers_dir(tiers), (long long)id);
    return status;
}

/* What a request needs. */
struct object {
    struct object_store store;
    char name[OBJECT_NAME_SIZE];
    char day[11];
};

static enum status find_object(struct tiers *tiers, const struct tier_day *day, int64_t store,
                               struct object *object, struct error *error)
{
    char prefix[MAX_PREFIX + 1], sum[17], text[TIME_TEXT_SIZE];
    *object = (struct object){.name = ""};
    time_format(day->day * US_PER_DAY, text);
    snprintf(object->day, sizeof object->day, "%.10s", text);
    enum status status = load_store(tiers, store, &object->store, prefix, error);
    snprintf(object->name, sizeof object->name, "%s%s-%s.db.zst", prefix, object->day,
             hex_encode(day->plain.sha256, 8, sum));
    return status;
}

static void forget_object(struct object *object)
{
    explicit_bzero(&object->store, sizeof object->store);
}

static enum status compare(const struct object *object, const struct tier_day *day,
                           const struct file_sum *found, struct error *error)
{
    return found->bytes == day->packed.bytes &&
                   memcmp(found->sha256, day->packed.sha256, SHA256_SIZE) == 0
               ? STATUS_OK
               : error_set(error, STATUS_CORRUPT,
                           "%s/%s: %s is not what was put there: its SHA-256 is another",
                           object->store.endpoint, object->store.bucket, object->name);
}

/* ---- there ---- */

static enum status send(const struct object *object, const char *path, const struct tier_day *day,
                        struct error *error)
{
    struct file_sum found;
    enum status status = file_sum(path, &found, error);
    if (status == STATUS_OK && memcmp(found.sha256, day->packed.sha256, SHA256_SIZE) != 0)
        return error_set(error, STATUS_CORRUPT,
                         "%s was changed since it was compressed, and is left as it is; put it "
                         "back from a backup",
                         path);
    if (status == STATUS_OK)
        status = object_put(&object->store, object->name, path, &day->packed, error);
    if (status == STATUS_OK)
        status = object_get(&object->store, object->name, NULL, day->packed.bytes, &found, error);
    return status == STATUS_OK ? compare(object, day, &found, error) : status;
}

enum status archive_tidy(struct tiers *tiers, int64_t day, struct error *error)
{
    char path[PATH_SIZE];
    if (!tier_file(path, tiers_dir(tiers), day, PACKED_ENDING))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", tiers_dir(tiers));
    if (access(path, F_OK) != 0)
        return STATUS_OK;
    return unlink(path) == 0 ? folder_sync_of(path, error)
                             : error_set(error, STATUS_IO, "%s: %s", path, strerror(errno));
}

enum status archive_move(struct tiers *tiers, int64_t day, int64_t store, int64_t now_us,
                         struct error *error)
{
    char path[PATH_SIZE];
    struct object object;
    struct tier_day moved = *tiers_find(tiers, day);
    if (!tier_file(path, tiers_dir(tiers), day, PACKED_ENDING))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", tiers_dir(tiers));
    enum status status = find_object(tiers, &moved, store, &object, error);
    if (status == STATUS_OK)
        status = send(&object, path, &moved, error);
    forget_object(&object);
    moved.tier = TIER_ARCHIVED;
    moved.store = store;
    moved.moved_us = now_us;
    if (status == STATUS_OK)
        status = tiers_put(tiers, &moved, NULL, error);
    return status == STATUS_OK ? archive_tidy(tiers, day, error) : status;
}

/* ---- and back ---- */

enum status archive_fetch(struct tiers *tiers, const struct tier_day *day, const char *path,
                          struct error *error)
{
    struct object object;
    struct file_sum found;
    enum status status = find_object(tiers, day, day->store, &object, error);
    if (status == STATUS_OK)
        status = object_get(&object.store, object.name, path, day->packed.bytes, &found, error);
    if (status == STATUS_OK)
        status = compare(&object, day, &found, error);
    if (status == STATUS_CORRUPT)
        unlink(path);
    /* Not there, or not for these keys: for who asks for the day's rows the store is away. */
    if (status == STATUS_NOT_FOUND || status == STATUS_DENIED || status == STATUS_INVALID)
        status = STATUS_UNAVAILABLE;
    if (status != STATUS_OK)
        error_prefix(error, "day %s is in the archive", object.day);
    forget_object(&object);
    return status;
}

enum status archive_delete(struct tiers *tiers, const struct tier_day *day, struct error *error)
{
    struct object object;
    enum status status = find_object(tiers, day, day->store, &object, error);
    if (status == STATUS_OK)
        status = object_delete(&object.store, object.name, error);
    forget_object(&object);
    return status;
}
