/* Expectations: conditions over windows of recent minutes, such as null_share('country') < 0.01
 * over the last 15 minutes. README.md of this folder lists the functions. */
#ifndef BINNACLE_MONITOR_EXPECT_H
#define BINNACLE_MONITOR_EXPECT_H

#include "engine/base/yaml.h"
#include "engine/monitor/spans.h"

#define MAX_EXPECTATIONS 64

struct expectations; /* immutable */

/* One as a document has it, whose texts live as long as the expectations. */
struct expectation_rule {
    const char *name, *check;
    int64_t over_us;
    const struct yaml_node *node; /* its entry, for messages */
};

/* The `expectations:` node: a list of {name, check, over} (NULL: none), and rules from elsewhere: a
 * contract's checks over windows. The schema must outlive it. Errors name file, line and column,
 * within the checks too. */
MUST_USE enum status expectations_read(const struct yaml_node *node, const struct schema *schema,
                                       const struct expectation_rule *rules, size_t n_rules,
                                       struct expectations **expectations, struct error *error);
void expectations_destroy(struct expectations *expectations);    /* NULL is ignored */
int expectations_count(const struct expectations *expectations); /* NULL: 0 */

struct expectation_state {
    const char *name, *check; /* live with the expectations */
    int64_t over_us;
    enum { EXPECTATION_NODATA, EXPECTATION_OK, EXPECTATION_FAILED } state;
};
/* "nodata", "ok", "failed". */
const char *expectation_state_name(const struct expectation_state *state);
/* One of them as of the view's end. A window that reaches further back than is known is judged by
 * what is known once half of it is. Any thread. */
void expectation_judge(const struct expectations *expectations, int i, const struct span_sums *sums,
                       struct expectation_state *out);

#endif
