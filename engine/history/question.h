/* What a question asks for, as a range to be read. Private to engine/history. */
#ifndef BINNACLE_HISTORY_QUESTION_H
#define BINNACLE_HISTORY_QUESTION_H

#include "engine/history/answer.h"
#include "engine/history/range.h"

/* Takes the next word up to a comma off *list. */
struct slice question_word(struct slice *list);
/* Fills all but the sections, which it needs: what can be had depends on them. STATUS_INVALID says
 * what is wrong with the question. */
MUST_USE enum status question_read(struct history_store *history,
                                   const struct history_question *question, struct range *range,
                                   struct error *error);

#endif
