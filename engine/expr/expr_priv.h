/* What the files of this folder share: tokens, and the flat program. */
#ifndef BINNACLE_EXPR_EXPR_PRIV_H
#define BINNACLE_EXPR_EXPR_PRIV_H

#include <stdint.h>

#include "engine/base/buffer.h"
#include "engine/expr/expr.h"

#define MAX_TEXT  ((size_t)16 << 10)
#define MAX_DEPTH 64 /* of nesting, and values on the stack */

enum token_kind {
    TOKEN_END,
    TOKEN_NUMBER, /* also durations, in seconds */
    TOKEN_STRING,
    TOKEN_NAME,        /* also the words of the language */
    TOKEN_QUOTED_NAME, /* in backquotes: never a word of the language */
    TOKEN_SIGN,
};

struct token {
    enum token_kind kind;
    struct slice text; /* strings and quoted names: what is inside, unescaped */
    double number;
    int line, column; /* from 1; columns count characters */
};

struct lexer {
    const char *at;
    struct arena *arena; /* for strings with escapes */
    int line, column;
    struct error *error;
};

/* The next token, or an error with its place. */
MUST_USE enum status lexer_next(struct lexer *lexer, struct token *token);
/* Fills error with "line:column: message"; returns STATUS_INVALID. */
enum status place_error(struct error *error, int line, int column, const char *format, ...)
    PRINTF_LIKE(4, 5);

enum op_code {
    OP_CONSTANT, /* push constants[operand] */
    OP_SLOT,     /* push slots[operand], which should have type n */
    OP_NEGATE,
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_REMAINDER,
    OP_EQUAL,
    OP_NOT_EQUAL,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_IS_NULL,
    OP_NOT,
    OP_AND,
    OP_OR,
    OP_IN, /* among n constants from constants[operand] on */
    OP_LOWER,
    OP_UPPER,
    OP_CALL,            /* calls[operand] with n arguments */
    OP_JUMP,            /* to operand */
    OP_JUMP_IF_FALSE,   /* keeps the value: `and` is decided */
    OP_JUMP_IF_TRUE,    /* keeps the value: `or` is decided */
    OP_JUMP_UNLESS,     /* pops the value; jumps when it is false or null */
    OP_JUMP_UNLESS_NULL /* keeps a value and jumps; pops a null */
};

struct op {
    uint16_t code;
    uint16_t n;
    uint32_t operand;
};

struct call {
    struct expr_function function;
    void *bound;
};

/* A number in a slot against a constant. */
struct comparison {
    uint32_t slot, code; /* enum op_code: one of the comparisons */
    double constant;
};

#define MAX_COMPARISONS 4

#define EXPR_MAGIC 0x45585052u

struct expr {
    unsigned magic;
    struct arena *arena; /* everything below */
    char *text;
    enum value_type type;
    struct op *ops;
    size_t n_ops;
    struct value *constants;
    size_t n_constants;
    struct call *calls;
    size_t n_calls;
    struct comparison comparisons[MAX_COMPARISONS]; /* all of the program, if n_comparisons > 0 */
    size_t n_comparisons;
    bool is_call; /* the program is one call, of slots and constants */
};

/* Looks whether the finished program is some comparisons joined by `and`, or one call. */
void shortcut_find(struct expr *expr);

#endif
