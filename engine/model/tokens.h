/* JSON and UBJSON as one stream of tokens, read without a tree in memory. */
#ifndef BINNACLE_MODEL_TOKENS_H
#define BINNACLE_MODEL_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/base/slice.h"
#include "engine/base/status.h"

enum token_kind {
    TOKEN_END, /* the document is complete and nothing follows it */
    TOKEN_OBJECT,
    TOKEN_OBJECT_END,
    TOKEN_ARRAY,
    TOKEN_ARRAY_END,
    TOKEN_KEY,
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_BOOL,
    TOKEN_NULL,
};

struct token {
    enum token_kind kind;
    struct slice text; /* keys and strings, UTF-8 without zeros; valid until the next token */
    float real;        /* numbers, rounded once; NaN and infinities are possible */
    int64_t integer;   /* numbers that are integers, booleans as 0 and 1 */
    bool is_integer;
    bool boolean;
};

#define TOKENS_MAX_DEPTH 64
#define TOKENS_MAX_TEXT  ((size_t)1 << 20) /* of one string */

/* What is open: one object or array. */
struct token_frame {
    bool object;
    bool key_read; /* an object's key was given, its value is due */
    bool started;  /* JSON: something stands before, so a comma is due */
    bool counted;  /* UBJSON: `left` items follow and no end marker */
    uint8_t type;  /* UBJSON: of every item, 0 when each says its own */
    uint64_t left;
};

/* Keep on the stack; the bytes are borrowed. */
struct tokens {
    const uint8_t *start, *at, *end;
    bool ubjson;
    bool done;
    int depth;
    struct token_frame frames[TOKENS_MAX_DEPTH];
    struct buffer text;
    struct error *error;
};

/* Bytes that begin with '{' and, after spaces, '"' or '}' are JSON, others that begin with '{' are
 * UBJSON (draft 12), and all else is neither: STATUS_INVALID. `error` is filled by the calls. */
MUST_USE enum status tokens_init(struct tokens *tokens, struct slice bytes, struct error *error);
void tokens_free(struct tokens *tokens);
/* The next token. STATUS_INVALID names the byte, from 1. Work and memory are bounded by the bytes
 * consumed. */
MUST_USE enum status tokens_next(struct tokens *tokens, struct token *token);
/* Skips the value that begins with `first`, which tokens_next() just gave. */
MUST_USE enum status tokens_skip(struct tokens *tokens, const struct token *first);
/* "byte 123: " and the message into the error; returns STATUS_INVALID. */
enum status tokens_error(const struct tokens *tokens, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
