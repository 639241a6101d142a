/* Views of one's own: the `views:` of binnacle.yaml, a list of {name, title, panels}, each panel
 * {title, expression, kind}. Both screens show them; the values come from the history. */
#ifndef BINNACLE_VIEW_OWN_H
#define BINNACLE_VIEW_OWN_H

#include "engine/base/buffer.h"
#include "engine/base/json.h"
#include "engine/base/status.h"
#include "engine/base/yaml.h"
#include "engine/observe/snapshot.h"

#define OWN_VIEWS       8
#define OWN_PANELS      12
#define OWN_EXPRESSION  400
#define OWN_MOST_SERIES 8

enum own_kind { OWN_LINE, OWN_NUMBER, OWN_HEAT };

struct own_panel {
    char title[NAME_SIZE];
    char expression[OWN_EXPRESSION]; /* of heat: latency, score or a column */
    enum own_kind kind;
};
struct own_view {
    char name[NAME_SIZE], title[NAME_SIZE];
    struct own_panel panels[OWN_PANELS];
    int n_panels;
};
struct own_views {
    struct own_view views[OWN_VIEWS];
    int n;
};

/* The `views:` node; NULL: none. The error names file, line and column, also of what is wrong in an
 * expression; whether its series exist is known only when they are asked for. */
MUST_USE enum status own_views_read(const struct yaml_node *list, struct own_views *views,
                                    struct error *error);
/* {"views":[{"name","title","panels":[{"title","expression","kind"}]}]} */
void own_views_json(const struct own_views *views, struct buffer *out);

/* An expression over series of the history, as "100 * decline / accepted": names of series, and the
 * expression language's numbers, operators and functions. */
struct own_expression;
MUST_USE enum status own_expression_create(const char *text, struct own_expression **expression,
                                           struct error *error);
void own_expression_destroy(struct own_expression *expression); /* NULL is ignored */
/* The series it reads, as /api/v1/history takes them: "decline,accepted". */
const char *own_expression_series(const struct own_expression *expression);
/* The answer of the history for those series, made into an answer of the same shape whose one
 * series is the expression, point by point; null where any part is null or the result is no number.
 * Its unit is that of the series where `name`, the expression's text, is only one. */
void own_expression_json(const struct own_expression *expression, const struct json *history,
                         const char *name, struct buffer *out);

#endif
