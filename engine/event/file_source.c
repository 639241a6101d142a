/* Events from a file: engine/base/input.h gives the lines, this tells CSV from JSON, keeps the CSV
 * header and counts places, so that a replay can go on where it stopped. One thread. */
#include "engine/event/file_source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/input.h"

#define FILE_SOURCE_MAGIC 0xF11E50CEu

struct file_source {
    unsigned magic;
    struct input *input;
    enum event_format format;
    char *header; /* CSV: the first line, header_size bytes */
    size_t header_size;
    struct file_record pending; /* read but not given out yet */
    bool has_pending;
};

static bool ends_in(struct slice name, const char *ending)
{
    size_t size = strlen(ending);
    return name.size >= size && memcmp(name.data + name.size - size, ending, size) == 0;
}

static enum file_format format_of_name(const char *path)
{
    static const struct {
        const char *ending;
        enum file_format format;
    } endings[] = {
        {".csv", FILE_CSV}, {".json", FILE_JSON}, {".jsonl", FILE_JSON}, {".ndjson", FILE_JSON}};
    struct slice name = slice_of(path);
    if (ends_in(name, ".gz"))
        name.size -= 3;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (ends_in(name, endings[i].ending))
            return endings[i].format;
    return FILE_AUTO;
}

/* The next line that is not blank, into source->pending. */
static enum status read_line(struct file_source *source, struct error *error)
{
    for (;;) {
        struct slice line;
        enum status status = input_line(source->input, &line, error);
        if (status != STATUS_OK && status != STATUS_FULL)
            return status;
        if (slice_trim(line).size == 0)
            continue;
        source->pending = (struct file_record){.raw = line,
                                               .line = input_line_number(source->input),
                                               .too_long = status == STATUS_FULL};
        source->has_pending = true;
        return STATUS_OK;
    }
}

static enum status keep_header(struct file_source *source, const char *path, struct error *error)
{
    struct slice line = source->pending.raw;
    if (!source->has_pending)
        return error_set(error, STATUS_INVALID, "%s: empty; a CSV file begins with a header line",
                         path);
    if (source->pending.too_long)
        return error_set(error, STATUS_INVALID, "%s: the header line is over %zu bytes long", path,
                         MAX_EVENT_BYTES);
    source->header = malloc(line.size);
    if (!source->header)
        return error_set(error, STATUS_MEMORY, "no memory to read %s", path);
    memcpy(source->header, line.data, line.size);
    source->header_size = line.size;
    source->has_pending = false;
    return STATUS_OK;
}

/* Reads the first line and settles the format by it, if the name has not. */
static enum status begin(struct file_source *source, const char *path, enum file_format format,
                         struct error *error)
{
    if (format == FILE_AUTO)
        format = format_of_name(path);
    enum status status = read_line(source, error);
    if (status != STATUS_OK && status != STATUS_END)
        return status;
    if (format == FILE_AUTO) {
        char first = source->has_pending ? slice_trim(source->pending.raw).data[0] : '{';
        format = first == '{' || first == '[' ? FILE_JSON : FILE_CSV;
    }
    source->format = format == FILE_CSV ? FORMAT_CSV : FORMAT_JSON;
    return source->format == FORMAT_CSV ? keep_header(source, path, error) : STATUS_OK;
}

enum status file_source_open(const char *path, enum file_format format, struct file_source **out,
                             struct error *error)
{
    *out = NULL;
    struct file_source *source = calloc(1, sizeof *source);
    if (!source)
        return error_set(error, STATUS_MEMORY, "no memory to read %s", path);
    source->magic = FILE_SOURCE_MAGIC;
    /* One byte more than an event may have, so that the decoder sees what is too long. */
    enum status status = input_open(path, MAX_EVENT_BYTES + 1, &source->input, error);
    if (status == STATUS_OK)
        status = begin(source, path, format, error);
    if (status != STATUS_OK) {
        file_source_close(source);
        return status;
    }
    *out = source;
    return STATUS_OK;
}

void file_source_close(struct file_source *source)
{
    if (!source)
        return;
    assert(source->magic == FILE_SOURCE_MAGIC);
    source->magic = 0;
    if (source->input)
        input_close(source->input);
    free(source->header);
    free(source);
}

enum event_format file_source_format(const struct file_source *source)
{
    return source->format;
}

struct slice file_source_header(const struct file_source *source)
{
    return slice_make(source->header, source->header_size);
}

enum status file_source_resume(struct file_source *source, int64_t line, struct error *error)
{
    int64_t behind = line - input_line_number(source->input);
    if (source->has_pending && source->pending.line <= line)
        source->has_pending = false;
    if (behind <= 0)
        return STATUS_OK;
    enum status status = input_skip(source->input, behind, error);
    return status == STATUS_END ? STATUS_OK : status;
}

enum status file_source_next(struct file_source *source, struct arena *arena,
                             struct file_record *record, struct error *error)
{
    assert(source->magic == FILE_SOURCE_MAGIC);
    if (!source->has_pending) {
        enum status status = read_line(source, error);
        if (status != STATUS_OK)
            return status;
    }
    *record = source->pending;
    if (arena) {
        char *copy = arena_alloc(arena, record->raw.size);
        if (!copy)
            return error_set(error, STATUS_FULL, "no room in the batch for line %lld",
                             (long long)record->line);
        memcpy(copy, record->raw.data, record->raw.size);
        record->raw.data = copy;
    }
    source->has_pending = false;
    return STATUS_OK;
}

int64_t file_source_position(const struct file_source *source)
{
    return input_position(source->input);
}

int64_t file_source_size(const struct file_source *source)
{
    return input_size(source->input);
}
