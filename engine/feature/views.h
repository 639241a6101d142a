/* The view file: which features there are, how each comes from events, and in what order the model
 * takes them. README.md of this folder is the file's reference. */
#ifndef BINNACLE_FEATURE_VIEWS_H
#define BINNACLE_FEATURE_VIEWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/event/schema.h"
#include "engine/feature/vector.h"

/* Immutable once loaded; any thread. */
struct feature_views;

/* Reads a view file against the events' schema, which must outlive the views. The error names
 * file, line and column and, for an unknown key, field, feature or function, the nearest one. */
MUST_USE enum status feature_views_load(const char *path, const struct schema *schema,
                                        struct feature_views **views, struct error *error);
/* The same from text; `name` stands for the file in messages. */
MUST_USE enum status feature_views_load_text(const char *name, struct slice text,
                                             const struct schema *schema,
                                             struct feature_views **views, struct error *error);
void feature_views_destroy(struct feature_views *views); /* NULL is ignored */

/* The features in the model's order. Lives as long as the views. */
const struct feature_schema *feature_views_schema(const struct feature_views *views);
/* How far back events can matter to the feature: the longest window it is made of, its delay
 * included; 0 when the event alone says it. */
int64_t feature_views_reach_us(const struct feature_views *views, size_t feature);
/* Whether it is hour, weekday and the like, or made of them: different all day long. */
bool feature_views_is_calendar(const struct feature_views *views, size_t feature);

#endif
