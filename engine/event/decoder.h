/* Bytes to event in one pass, driven by the schema: JSON objects and CSV records. */
#ifndef BINNACLE_EVENT_DECODER_H
#define BINNACLE_EVENT_DECODER_H

#include "engine/base/buffer.h"
#include "engine/base/status.h"
#include "engine/event/event.h"

enum event_format { FORMAT_JSON, FORMAT_CSV };

/* One per thread. */
struct decoder;
MUST_USE enum status decoder_create(const struct schema *schema, bool additional_fields,
                                    struct decoder **decoder, struct error *error);
void decoder_destroy(struct decoder *decoder);

/* Fills event->values and violations from one flat JSON object. Strings without escapes point
 * into `raw`; others into `arena`. Never fails: what is wrong becomes a violation. */
void decoder_json(struct decoder *decoder, struct slice raw, struct arena *arena,
                  struct event *event);

/* Reads the header line: columns by the schema's names, others ignored. Missing required columns
 * are an error that names them and the nearest columns that are there. */
MUST_USE enum status decoder_csv_header(struct decoder *decoder, struct slice header,
                                        struct error *error);
/* One record under the last header. Empty cells are null. */
void decoder_csv(struct decoder *decoder, struct slice raw, struct arena *arena,
                 struct event *event);

/* Writes an accepted event as the canonical flat JSON object (schema order, nulls kept). PII
 * fields are taken from `replacements` by field index when that is not NULL. */
void event_json(const struct event *event, const struct slice *replacements, struct buffer *out);

#endif
