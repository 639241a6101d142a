/* Whether the data is sound: fields, ages, duplicates, expectations and key series, judged once a
 * few seconds for the snapshot and whenever somebody asks. */
#ifndef BINNACLE_APP_QUALITY_H
#define BINNACLE_APP_QUALITY_H

#include "app/session.h"

struct quality;
MUST_USE enum status quality_create(const struct session *session, struct quality **quality,
                                    struct error *error);
void quality_destroy(struct quality *quality); /* NULL is ignored */

/* Fills snapshot->quality; waits for no file. The tick's thread. */
void quality_tick(struct quality *quality, struct snapshot *snapshot);
/* Reads what the next ticks judge key series by out of the history's file. `changed_us`: when
 * something was last changed here; 0: never. The tick's thread. */
void quality_read(struct quality *quality, int64_t changed_us, int64_t now_us);
/* The answer of /api/v1/quality. Any thread. */
void quality_json(struct quality *quality, int64_t now_us, struct buffer *out);

#endif
