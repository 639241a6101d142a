/* Summaries: text with {names} of the vocabulary, filled with a snapshot's values. */
#ifndef BINNACLE_ALERTS_TEMPLATE_H
#define BINNACLE_ALERTS_TEMPLATE_H

#include "alerts/vocabulary.h"
#include "engine/base/status.h"
#include "engine/base/value.h"

struct template; /* immutable */

/* `{{` is a brace. A name that the vocabulary has not is an error with the nearest one. */
MUST_USE enum status template_compile(const char *text, const struct vocabulary *vocabulary,
                                      struct template **template, struct error *error);
void template_destroy(struct template *template); /* NULL is ignored */
/* Numbers with three significant digits (whole ones as they are), null as "no data". Cut to size;
 * always terminated, never within a UTF-8 character. */
void template_render(const struct template *template, const struct value *slots, char *out,
                     size_t size);

#endif
