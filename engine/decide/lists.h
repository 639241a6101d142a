/* Allow and block lists of a rules file: values that a rule asks for with in_list(). */
#ifndef BINNACLE_DECIDE_LISTS_H
#define BINNACLE_DECIDE_LISTS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/slice.h"
#include "engine/base/status.h"
#include "engine/base/yaml.h"
#include "engine/expr/expr.h"

/* All lists of one rules file. Immutable once read; texts belong to the YAML document. */
struct lists;

/* Reads the `lists:` node, [{name, note, entries: [VALUE | {value, until, note}]}]; NULL: no lists.
 */
MUST_USE enum status lists_read(const struct yaml_node *node, struct lists **lists,
                                struct error *error);
void lists_destroy(struct lists *lists); /* NULL is ignored */

/* The expression function in_list('NAME', text); its run context is the `int64_t now_us` of the
 * decision. The lists must outlive every expression compiled with it. */
struct expr_function lists_function(const struct lists *lists);

#endif
