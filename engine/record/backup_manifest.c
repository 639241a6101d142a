/* backup.json: what a backup is made of and the head that it leads to. Any thread. */
#include "engine/base/array.h"
#include "engine/base/file.h"
#include "engine/record/backup_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"

#define MANIFEST_FORMAT 1
#define MANIFEST_BYTES  ((size_t)64 << 20)

void manifest_free(struct manifest *manifest)
{
    free(manifest->files);
    *manifest = (struct manifest){0};
}

enum status manifest_add(struct manifest *manifest, const char *name, const struct file_sum *sum,
                         struct error *error)
{
    struct backup_file *files =
        array_grow(manifest->files, manifest->n_files, &manifest->capacity, sizeof *files);
    if (!files)
        return error_set(error, STATUS_MEMORY, "out of memory");
    manifest->files = files;
    struct backup_file *file = &files[manifest->n_files++];
    *file = (struct backup_file){.sum = *sum};
    snprintf(file->name, sizeof file->name, "%s", name);
    return STATUS_OK;
}

const struct backup_file *manifest_find(const struct manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->n_files; i++)
        if (strcmp(manifest->files[i].name, name) == 0)
            return &manifest->files[i];
    return NULL;
}

/* ---- writing ---- */

static void put_manifest(const struct manifest *manifest, struct buffer *out)
{
    struct json_writer json;
    json_begin(&json, out);
    json_object(&json, NULL);
    json_int(&json, "format", MANIFEST_FORMAT);
    json_text_or_null(&json, "ledger", manifest->identity);
    json_int(&json, "tree_size", (int64_t)manifest->tree_size);
    json_hex(&json, "root", manifest->root, SHA256_SIZE);
    if (manifest->has_head)
        head_json(&manifest->head, &json, "head");
    else
        json_null(&json, "head");
    json_bool(&json, "keys", manifest->has_keys);
    json_array(&json, "files");
    for (size_t i = 0; i < manifest->n_files; i++) {
        const struct backup_file *file = &manifest->files[i];
        buffer_append_char(out, '\n');
        json_object(&json, NULL);
        json_text(&json, "name", file->name);
        json_int(&json, "bytes", file->sum.bytes);
        json_hex(&json, "sha256", file->sum.sha256, SHA256_SIZE);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    buffer_append_char(out, '\n');
}

enum status manifest_write(const char *dir, const struct manifest *manifest, struct error *error)
{
    char path[PATH_SIZE];
    struct buffer text;
    if (!path_join(path, dir, MANIFEST_NAME))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
    buffer_init(&text, MANIFEST_BYTES);
    put_manifest(manifest, &text);
    FILE *file = text.overflow ? NULL : fopen(path, "wxe");
    bool written = file && fwrite(text.data, 1, text.size, file) == text.size;
    written = file && fclose(file) == 0 && written;
    buffer_free(&text);
    return written ? file_sync(path, error) : file_error(path, "write", error);
}

/* ---- reading ---- */

static bool take_hash(const struct json *json, const char *key, uint8_t hash[SHA256_SIZE])
{
    const char *text = json_as_text(json_get(json, key), "");
    return strlen(text) == (size_t)2 * SHA256_SIZE && hex_decode(slice_of(text), hash, SHA256_SIZE);
}

/* Names are joined to folders: nothing but what a backup holds may be one. */
static bool name_good(const char *name)
{
    if (record_file_kind(name) != FILE_OTHER)
        return true;
    for (size_t i = 0; LEDGER_KEYS[i]; i++)
        if (strncmp(name, "keys/", 5) == 0 && strcmp(name + 5, LEDGER_KEYS[i]) == 0)
            return true;
    return false;
}

static enum status take_files(const struct json *files, struct manifest *manifest,
                              struct error *error)
{
    enum status status = STATUS_OK;
    for (const struct json *item = json_first(files); item && status == STATUS_OK;
         item = json_next(item)) {
        struct file_sum sum;
        const char *name = json_as_text(json_get(item, "name"), "");
        double bytes = json_as_number(json_get(item, "bytes"), -1);
        if (!name_good(name) || bytes < 0 || bytes > 9e15 || !take_hash(item, "sha256", sum.sha256))
            return error_set(error, STATUS_CORRUPT, "a file's name, bytes or sha256 is malformed");
        sum.bytes = (int64_t)bytes;
        status = manifest_add(manifest, name, &sum, error);
    }
    return status;
}

static enum status take_manifest(const struct json *json, struct manifest *manifest,
                                 struct error *error)
{
    const struct json *head = json_get(json, "head");
    double format = json_as_number(json_get(json, "format"), 0);
    double tree_size = json_as_number(json_get(json, "tree_size"), -1);
    if (format > MANIFEST_FORMAT)
        return error_set(error, STATUS_UNSUPPORTED,
                         "made by a newer binnacle: upgrade this one to read it");
    if (format < 1 || tree_size < 0 || tree_size > 9e15 || !take_hash(json, "root", manifest->root))
        return error_set(error, STATUS_CORRUPT, "format, tree_size or root is malformed");
    manifest->tree_size = (uint64_t)tree_size;
    snprintf(manifest->identity, sizeof manifest->identity, "%s",
             json_as_text(json_get(json, "ledger"), ""));
    manifest->has_keys = json_as_bool(json_get(json, "keys"), false);
    manifest->has_head = head && json_kind(head) == JSON_OBJECT;
    enum status status = STATUS_OK;
    if (manifest->has_head)
        status = head_parse(head, &manifest->head, error);
    return status == STATUS_OK ? take_files(json_get(json, "files"), manifest, error) : status;
}

enum status manifest_read(const char *dir, struct manifest *manifest, struct error *error)
{
    char path[PATH_SIZE];
    struct buffer text;
    struct json *json = NULL;
    *manifest = (struct manifest){0};
    if (!path_join(path, dir, MANIFEST_NAME))
        return error_set(error, STATUS_INVALID, "%s: the path is too long", dir);
    buffer_init(&text, MANIFEST_BYTES);
    enum status status = file_read_whole(path, &text, error);
    if (status == STATUS_OK) {
        status = json_parse(buffer_slice(&text), &json, error);
        if (status == STATUS_OK)
            status = take_manifest(json, manifest, error);
        else if (status == STATUS_INVALID)
            error->code = status = STATUS_CORRUPT;
        if (status != STATUS_OK)
            error_prefix(error, "%s", path);
    }
    json_destroy(json);
    buffer_free(&text);
    if (status != STATUS_OK)
        manifest_free(manifest);
    return status;
}
