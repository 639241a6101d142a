/* Bytes to event in one pass, driven by the schema: JSON objects and CSV records. */
#ifndef BINNACLE_EVENT_DECODER_H
#define BINNACLE_EVENT_DECODER_H

#include "engine/base/buffer.h"
#include "engine/base/status.h"
#include "engine/event/event.h"

enum event_format { FORMAT_JSON, FORMAT_CSV };

/* Longer ones are not looked into: VIOLATION_TOO_LONG. */
#define MAX_EVENT_BYTES ((size_t)64 * 1024)

/* One per thread. The schema must outlive it. With `additional_fields` false a member that the
 * schema does not name is a violation; CSV columns of other names are always ignored. */
struct decoder;
MUST_USE enum status decoder_create(const struct schema *schema, bool additional_fields,
                                    struct decoder **decoder, struct error *error);
void decoder_destroy(struct decoder *decoder); /* NULL is ignored */

/* Fills event->values, violations and, when the time field was read, time_us from one flat JSON
 * object (RFC 8259, strict: UTF-8 without lone surrogates, the number grammar, nothing after the
 * object). event->schema, values (schema->n_fields of them) are set by the caller or, when NULL,
 * here: values then come from the arena. `raw` must live as long as the event: strings without
 * escapes point into it, others into `arena`.
 *
 * Never fails: what is wrong becomes a violation and the field's value null; the rest is still
 * decoded until the text stops being JSON. Presence and null are judged here too (MISSING, NULL),
 * since only the decoder sees the difference: a field that is not required may be absent, only a
 * nullable one may be null. Types are exact: "12.5" is not a number, 1 is not true; an int is a
 * number without fraction of at most 2^53; a timestamp is ISO-8601 text or an epoch number.
 * Repeating a key that the schema names is a violation; of other keys nothing is kept. */
void decoder_json(struct decoder *decoder, struct slice raw, struct arena *arena,
                  struct event *event);

/* Reads the header line: columns by the schema's names, others ignored. Missing required columns
 * are an error that names them and the nearest columns that are there. */
MUST_USE enum status decoder_csv_header(struct decoder *decoder, struct slice header,
                                        struct error *error);
/* One record (one line, RFC 4180 quoting) under the last header. Empty cells are null; every cell
 * is text, so numbers, booleans (true, false, 1, 0) and times are read from text and any text is a
 * string. A record whose width is not the header's is VIOLATION_NOT_JSON. */
void decoder_csv(struct decoder *decoder, struct slice raw, struct arena *arena,
                 struct event *event);

/* What quarantine keeps of a refused event, so that it can be submitted again later: JSON as it
 * came; a CSV record with its header line before it, which is a CSV file of its own. */
void decoder_document(const struct decoder *decoder, enum event_format format, struct slice raw,
                      struct buffer *out);
/* Decodes such a document (JSON, or header and record; told apart by the first byte). The header
 * of a running CSV source is left as it was. */
void decoder_retry(struct decoder *decoder, struct slice document, struct arena *arena,
                   struct event *event);

/* Writes an accepted event as the canonical flat JSON object: schema order, no spaces, the
 * shortest number that reads back to the same double, times as ISO-8601 with Z; null is written
 * for nullable fields and left out for others, so the decoder accepts its own output. PII fields
 * are taken from `replacements` by field index when that is not NULL. Field names must need no
 * escaping (a contract's never do). Check out->overflow. Any thread. */
void event_json(const struct event *event, const struct slice *replacements, struct buffer *out);

#endif
