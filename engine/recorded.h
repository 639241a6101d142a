/* What the ledger holds, as it was then: of a source, for those downstream who may have missed it
 * (sent again, never decided again); and the event of one row. */
#ifndef BINNACLE_ENGINE_RECORDED_H
#define BINNACLE_ENGINE_RECORDED_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/engine.h"
#include "engine/event/decoder.h"
#include "engine/record/reader.h"

/* Borrowed for the visit. */
struct recorded {
    bool decided; /* false: quarantined */
    int64_t offset;
    struct slice entity;     /* decided; pseudonym where it is personal */
    struct slice body;       /* decided: answer_json(); else the bytes as they came */
    struct slice violations; /* quarantined: event_violations_json() */
};
typedef enum status recorded_visitor(void *context, const struct recorded *recorded,
                                     struct error *error);

/* Visits what came from offsets first to last of a source's part: decisions by ledger index, then
 * quarantined events. `source` counts in engine_parts.sources. Anything but STATUS_OK from `each`
 * ends it and is returned. Reads back only as far as the ledger holds rows of these offsets. */
MUST_USE enum status engine_recorded(struct engine *engine, int source, int32_t part, int64_t first,
                                     int64_t last, recorded_visitor *each, void *context,
                                     struct error *error);

/* A recorded decision's event again, its personal fields pseudonymised. Lives in `arena`.
 * STATUS_MEMORY. */
MUST_USE enum status engine_decode_row(const struct schema *schema, struct decoder *decoder,
                                       struct arena *arena, const struct ledger_row *row,
                                       struct event *event);

/* A recorded decision's outcome again, without its event. It points into the row and to *texts,
 * which lives as long. `features`: of today; NULL, and a row with another number of them: they are
 * left out. */
struct recorded_texts {
    char model[NAME_SIZE], version[NAME_SIZE], rule[NAME_SIZE];
    char shadow_models[MAX_SHADOWS][NAME_SIZE], shadow_versions[MAX_SHADOWS][NAME_SIZE];
};
void engine_recorded_outcome(const struct ledger_row *row, const struct feature_schema *features,
                             struct recorded_texts *texts, struct outcome *outcome);

#endif
