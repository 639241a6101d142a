/* Events from a file or standard input: CSV with a header, or JSON lines; both also gzipped. */
#ifndef BINNACLE_EVENT_FILE_SOURCE_H
#define BINNACLE_EVENT_FILE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/event/decoder.h"

enum file_format { FILE_AUTO, FILE_JSON, FILE_CSV };

/* One line as it stood in the file. */
struct file_record {
    struct slice raw;
    int64_t line;  /* from 1, the header counted */
    bool too_long; /* raw holds the first MAX_EVENT_BYTES + 1 bytes, which the decoder refuses */
};

struct file_source;

/* FILE_AUTO goes by the name (.csv, .json, .jsonl, .ndjson, each with or without .gz) and, for
 * "-" and other names, by the first byte that is not a space: '{' or '[' means JSON. A CSV file's
 * header line is read here; STATUS_INVALID when there is none. One thread at a time. */
MUST_USE enum status file_source_open(const char *path, enum file_format format,
                                      struct file_source **source, struct error *error);
void file_source_close(struct file_source *source); /* NULL is ignored */

enum event_format file_source_format(const struct file_source *source);
/* For decoder_csv_header(); empty for JSON. Lives as long as the source. */
struct slice file_source_header(const struct file_source *source);

/* Goes on after line `line` (of the last record that was dealt with; 0: from the start). Only
 * forward. A file that has become shorter simply ends. */
MUST_USE enum status file_source_resume(struct file_source *source, int64_t line,
                                        struct error *error);
/* The next record that is not blank, copied into `arena`, or, when that is NULL, valid until the
 * next call. STATUS_END at the end, STATUS_CORRUPT for a broken .gz, STATUS_FULL when the arena is
 * (the record is given again by the next call). */
MUST_USE enum status file_source_next(struct file_source *source, struct arena *arena,
                                      struct file_record *record, struct error *error);

/* Bytes of the (compressed) file consumed and its size, for progress bars; size 0 if unknown. */
int64_t file_source_position(const struct file_source *source);
int64_t file_source_size(const struct file_source *source);

#endif
