/* Lines from files. Bytes come through a block buffer, from a descriptor or through zlib's
 * inflate (several gzip members one after another are one file, as gzip has it). A line that lies
 * within the block is given out where it stands, without a copy. One thread at a time. */
#include "engine/base/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "engine/base/buffer.h"

#define BLOCK_SIZE  ((size_t)256 << 10)
#define PACKED_SIZE ((size_t)64 << 10)
#define LINE_MARGIN 5         /* byte order mark, CR, and one byte that tells of more */
#define GZIP_WINDOW (15 + 16) /* the largest window, gzip framing only */

struct input {
    char *path;
    int fd;
    bool gzip;
    bool inflating; /* inside a gzip member */
    bool any_member;
    bool at_end;
    int64_t position;
    int64_t size;
    int64_t line_number;
    size_t max_line;
    struct buffer line; /* a line that spans blocks */
    z_stream stream;
    unsigned char *packed;
    char *block;
    size_t start, end; /* of the unread part of the block */
};

static bool ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text), n = strlen(ending);
    return length >= n && strcmp(text + length - n, ending) == 0;
}

static enum status open_descriptor(struct input *input, const char *path, struct error *error)
{
    if (strcmp(path, "-") == 0) {
        input->fd = STDIN_FILENO;
        return STATUS_OK;
    }
    input->fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (input->fd < 0 || fstat(input->fd, &about) != 0)
        return error_set(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "%s: %s",
                         input->path, strerror(errno));
    if (S_ISDIR(about.st_mode))
        return error_set(error, STATUS_IO, "%s: %s", input->path, strerror(EISDIR));
    if (S_ISREG(about.st_mode))
        input->size = about.st_size;
    input->gzip = ends_with(path, ".gz");
    return STATUS_OK;
}

enum status input_open(const char *path, size_t max_line, struct input **input, struct error *error)
{
    return input_open_as(path, path, max_line, input, error);
}

enum status input_open_as(const char *path, const char *name, size_t max_line, struct input **input,
                          struct error *error)
{
    *input = NULL;
    struct input *opened = calloc(1, sizeof *opened);
    if (!opened)
        return error_set(error, STATUS_MEMORY, "%s: out of memory", name);
    opened->fd = -1;
    opened->max_line = max_line;
    buffer_init(&opened->line, max_line + LINE_MARGIN);
    enum status status = STATUS_MEMORY;
    opened->path = strdup(name);
    opened->block = malloc(BLOCK_SIZE);
    opened->packed = malloc(PACKED_SIZE);
    if (!opened->path || !opened->block || !opened->packed)
        error_set(error, STATUS_MEMORY, "%s: out of memory", name);
    else
        status = open_descriptor(opened, path, error);
    if (status)
        input_close(opened);
    else
        *input = opened;
    return status;
}

void input_close(struct input *input)
{
    if (!input)
        return;
    if (input->inflating)
        inflateEnd(&input->stream);
    if (input->fd > STDIN_FILENO)
        close(input->fd);
    buffer_free(&input->line);
    free(input->packed);
    free(input->block);
    free(input->path);
    free(input);
}

static enum status read_bytes(struct input *input, void *into, size_t size, size_t *got,
                              struct error *error)
{
    ssize_t n;
    do
        n = read(input->fd, into, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_set(error, STATUS_IO, "%s: %s", input->path, strerror(errno));
    *got = (size_t)n;
    input->position += n;
    return STATUS_OK;
}

static enum status corrupt(struct input *input, struct error *error, const char *why)
{
    input->at_end = true;
    return error_set(error, STATUS_CORRUPT, "%s: not a whole gzip file: %s after line %lld",
                     input->path, why, (long long)input->line_number);
}

/* More packed bytes. At the end of the file `avail_in` stays 0. */
static enum status refill_packed(struct input *input, struct error *error)
{
    size_t got = 0;
    enum status status = read_bytes(input, input->packed, PACKED_SIZE, &got, error);
    input->stream.next_in = input->packed;
    input->stream.avail_in = (uInt)got;
    return status;
}

static enum status start_member(struct input *input, struct error *error)
{
    z_stream last = input->stream;
    input->stream = (z_stream){.next_in = last.next_in, .avail_in = last.avail_in};
    if (inflateInit2(&input->stream, GZIP_WINDOW) != Z_OK)
        return error_set(error, STATUS_MEMORY, "%s: out of memory", input->path);
    input->inflating = true;
    return STATUS_OK;
}

/* Runs inflate once over what is there. */
static enum status inflate_some(struct input *input, struct error *error)
{
    int result = inflate(&input->stream, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
        inflateEnd(&input->stream);
        input->inflating = false;
        input->any_member = true;
        return STATUS_OK;
    }
    if (result == Z_OK || result == Z_BUF_ERROR)
        return STATUS_OK;
    if (result == Z_MEM_ERROR)
        return error_set(error, STATUS_MEMORY, "%s: out of memory", input->path);
    return corrupt(input, error, input->stream.msg ? input->stream.msg : "bad data");
}

static enum status fill_from_gzip(struct input *input, struct error *error)
{
    size_t produced = 0;
    while (produced == 0) {
        if (input->stream.avail_in == 0) {
            enum status status = refill_packed(input, error);
            if (status)
                return status;
            if (input->stream.avail_in == 0) {
                if (input->inflating || !input->any_member)
                    return corrupt(input, error, "it ends too early");
                input->at_end = true;
                return STATUS_OK;
            }
        }
        enum status status = input->inflating ? STATUS_OK : start_member(input, error);
        if (status)
            return status;
        input->stream.next_out = (unsigned char *)input->block;
        input->stream.avail_out = (uInt)BLOCK_SIZE;
        status = inflate_some(input, error);
        if (status)
            return status;
        produced = BLOCK_SIZE - input->stream.avail_out;
    }
    input->end = produced;
    return STATUS_OK;
}

/* A fresh block, once the last one is used up. */
static enum status fill(struct input *input, struct error *error)
{
    input->start = input->end = 0;
    if (input->gzip)
        return fill_from_gzip(input, error);
    enum status status = read_bytes(input, input->block, BLOCK_SIZE, &input->end, error);
    if (!status && input->end == 0)
        input->at_end = true;
    return status;
}

static void skip_byte_order_mark(struct input *input, struct slice *line)
{
    if (input->line_number == 1 && line->size >= 3 && memcmp(line->data, "\xef\xbb\xbf", 3) == 0) {
        line->data += 3;
        line->size -= 3;
    }
}

static struct slice without_return(struct slice line)
{
    if (line.size > 0 && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

/* Adds to the line that spans blocks as much as fits; what is cut was too long anyway. */
static bool keep(struct input *input, const char *data, size_t size)
{
    size_t room = input->line.maximum - input->line.size;
    return buffer_append(&input->line, data, size < room ? size : room);
}

static enum status give(struct input *input, struct slice *line, struct error *error)
{
    input->line_number++;
    skip_byte_order_mark(input, line);
    *line = without_return(*line);
    if (line->size <= input->max_line)
        return STATUS_OK;
    line->size = input->max_line;
    return error_set(error, STATUS_FULL, "%s:%lld: a line of more than %zu bytes", input->path,
                     (long long)input->line_number, input->max_line);
}

enum status input_line(struct input *input, struct slice *line, struct error *error)
{
    bool spans = false;
    buffer_reset(&input->line);
    for (;;) {
        if (input->start == input->end) {
            enum status status = input->at_end ? STATUS_OK : fill(input, error);
            if (status)
                return status;
        }
        if (input->at_end) {
            *line = buffer_slice(&input->line);
            return spans ? give(input, line, error) : STATUS_END;
        }
        const char *data = input->block + input->start;
        size_t size = input->end - input->start;
        const char *newline = memchr(data, '\n', size);
        if (newline)
            size = (size_t)(newline - data);
        input->start += size + (newline != NULL);
        if (newline && !spans) {
            *line = slice_make(data, size);
            return give(input, line, error);
        }
        if (!keep(input, data, size))
            return error_set(error, STATUS_MEMORY, "%s: out of memory", input->path);
        spans = true;
        if (newline) {
            *line = buffer_slice(&input->line);
            return give(input, line, error);
        }
    }
}

enum status input_read(struct input *input, void *into, size_t size, size_t *got,
                       struct error *error)
{
    *got = 0;
    if (input->start == input->end && !input->at_end) {
        enum status status = fill(input, error);
        if (status)
            return status;
    }
    size_t there = input->end - input->start;
    *got = there < size ? there : size;
    if (*got)
        memcpy(into, input->block + input->start, *got);
    input->start += *got;
    return STATUS_OK;
}

enum status input_skip(struct input *input, int64_t n_lines, struct error *error)
{
    for (int64_t i = 0; i < n_lines; i++) {
        struct slice line;
        enum status status = input_line(input, &line, error);
        if (status != STATUS_OK && status != STATUS_FULL)
            return status;
    }
    return STATUS_OK;
}

int64_t input_line_number(const struct input *input)
{
    return input->line_number;
}

int64_t input_position(const struct input *input)
{
    return input->position -
           (input->gzip ? (int64_t)input->stream.avail_in : (int64_t)(input->end - input->start));
}

int64_t input_size(const struct input *input)
{
    return input->size;
}
