/* What the files that compile share. */
#ifndef BINNACLE_EXPR_COMPILER_PRIV_H
#define BINNACLE_EXPR_COMPILER_PRIV_H

#include "engine/expr/expr_priv.h"

struct compiler {
    struct expr *expr;
    const struct expr_scope *scope;
    struct lexer lexer;
    struct token token; /* the one to be read next */
    int nesting;
    int depth; /* values on the stack where the program now ends */
    struct error *error;
};

/* A part of the expression that has been compiled. */
struct part {
    enum value_type type;
    size_t start; /* its first operation */
    struct token token;
};

#define fail_at(compiler, at, ...)                                                                 \
    place_error((compiler)->error, (at)->line, (at)->column, __VA_ARGS__)

/* Reads the next token into compiler->token. */
MUST_USE enum status compiler_next(struct compiler *compiler);
bool token_is_word(const struct token *token, const char *word);
bool token_is_sign(const struct token *token, const char *sign);
/* "expected WANTED, found ..." at the token at hand. */
enum status compiler_unexpected(struct compiler *compiler, const char *wanted);
/* Goes past a sign that must be there. */
MUST_USE enum status compiler_expect(struct compiler *compiler, const char *sign);

/* Appends an operation and returns its index. `grows` is what it leaves on the stack less what it
 * takes. There is always room: the arrays were made for twice as many operations as the text has
 * bytes. */
size_t compiler_emit(struct compiler *compiler, enum op_code code, size_t n, size_t operand,
                     int grows);
/* An operation that puts a value on the stack, if there is room. */
MUST_USE enum status compiler_push(struct compiler *compiler, enum op_code code, size_t n,
                                   size_t operand);
/* Lets a jump lead to where the program now ends. */
void compiler_land(struct compiler *compiler, size_t jump);
size_t compiler_add_constant(struct compiler *compiler, struct value value);
/* The constant of a part that is one literal and ends before operation `end`, else NULL. */
struct value *compiler_literal(struct compiler *compiler, const struct part *part, size_t end);
/* A text literal becomes the time that it names. */
MUST_USE enum status compiler_read_time(struct compiler *compiler, struct value *literal,
                                        const struct token *token);
/* The same for a part where a time is wanted, if it is a text literal. */
MUST_USE enum status compiler_adapt(struct compiler *compiler, struct part *part, size_t end,
                                    enum value_type wanted);
/* Null fits everywhere, and everything fits where any type is wanted. */
bool type_fits(enum value_type type, enum value_type wanted);

/* NULL when the scope and the language have no such thing. */
const struct expr_function *compiler_find_function(const struct expr_scope *scope,
                                                   struct slice name);
const struct expr_symbol *compiler_find_symbol(const struct expr_scope *scope, struct slice name);
enum status compiler_unknown_function(struct compiler *compiler, const struct token *name);
enum status compiler_unknown_name(struct compiler *compiler, const struct token *name);

/* A whole expression, down to its lowest precedence; part of a larger one. */
MUST_USE enum status parser_expression(struct compiler *compiler, struct part *part);
/* The text from beginning to end. */
MUST_USE enum status parser_run(struct compiler *compiler, enum value_type wanted);
/* A call whose "(" is the token at hand. */
MUST_USE enum status parser_call(struct compiler *compiler, const struct token *name,
                                 struct part *part);

#endif
