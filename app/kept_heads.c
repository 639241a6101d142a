/* What a file of heads or a public key holds, for commands that check a ledger. */
#include "app/kept_heads.h"

#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/base/input.h"

#define FILE_BYTES (1u << 20)

static enum status add_head(struct kept_heads *kept, struct slice line, struct error *error)
{
    struct json *json = NULL;
    struct signed_head *heads = array_grow(kept->heads, kept->n, &kept->capacity, sizeof *heads);
    if (!heads)
        return error_set(error, STATUS_MEMORY, "out of memory");
    kept->heads = heads;
    enum status status = json_parse(line, &json, error);
    if (status == STATUS_OK)
        status = head_parse(json, &kept->heads[kept->n], error);
    kept->n += status == STATUS_OK;
    json_destroy(json);
    return status;
}

static enum status read_heads(const char *path, struct kept_heads *kept, struct error *error)
{
    struct input *input = NULL;
    struct slice line;
    enum status status = input_open(path, FILE_BYTES, &input, error);
    while (status == STATUS_OK && (status = input_line(input, &line, error)) == STATUS_OK) {
        if (line.size == 0)
            continue;
        status = add_head(kept, line, error);
        if (status != STATUS_OK)
            error_prefix(error, "%s line %lld", path, (long long)input_line_number(input));
    }
    input_close(input);
    if (status != STATUS_END)
        return status;
    return kept->n > 0 ? STATUS_OK
                       : error_set(error, STATUS_INVALID, "%s: there is no head in it", path);
}

static enum status read_public_key(const char *path, struct kept_heads *kept, struct error *error)
{
    struct input *input = NULL;
    struct slice line;
    struct buffer text;
    buffer_init(&text, FILE_BYTES);
    enum status status = input_open(path, FILE_BYTES, &input, error);
    while (status == STATUS_OK && (status = input_line(input, &line, error)) == STATUS_OK) {
        buffer_append_slice(&text, line);
        buffer_append_char(&text, '\n');
    }
    input_close(input);
    if (status == STATUS_END) {
        status = public_key_parse(buffer_slice(&text), kept->public_key, error);
        if (status != STATUS_OK)
            error_prefix(error, "%s", path);
    }
    kept->has_key = status == STATUS_OK;
    buffer_free(&text);
    return status;
}

enum status kept_heads_read(const struct cli_args *args, struct kept_heads *kept,
                            struct error *error)
{
    enum status status = STATUS_OK;
    *kept = (struct kept_heads){0};
    if (cli_has(args, "head"))
        status = read_heads(cli_text(args, "head"), kept, error);
    if (status == STATUS_OK && cli_has(args, "public-key"))
        status = read_public_key(cli_text(args, "public-key"), kept, error);
    return status;
}

void kept_heads_free(struct kept_heads *kept)
{
    free(kept->heads);
    *kept = (struct kept_heads){0};
}
