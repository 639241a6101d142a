/* Between the two readers and what they share. */
#ifndef BINNACLE_MODEL_TOKENS_PRIV_H
#define BINNACLE_MODEL_TOKENS_PRIV_H

#include "engine/model/tokens.h"

enum status tokens_json_next(struct tokens *tokens, struct token *token);
enum status tokens_ubjson_next(struct tokens *tokens, struct token *token);
/* Opens an object or array and gives its frame, zeroed but for `object`. */
enum status tokens_open(struct tokens *tokens, bool object, struct token *token,
                        struct token_frame **frame);
/* Closes the innermost one. */
enum status tokens_close(struct tokens *tokens, struct token *token);
/* Checks a text for UTF-8 and zeros and puts it into the token. */
enum status tokens_text(struct tokens *tokens, struct slice text, enum token_kind kind,
                        struct token *token);

static inline struct token_frame *tokens_frame(struct tokens *tokens)
{
    return tokens->depth ? &tokens->frames[tokens->depth - 1] : NULL;
}

#endif
