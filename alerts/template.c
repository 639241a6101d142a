/* Summary templates: compiled once into pieces of text and slots. Any thread. */
#include "alerts/template.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/buffer.h"
#include "engine/base/utf8.h"

#define MAX_PIECES 64
#define MAX_TEXT   1024

struct piece {
    struct slice text; /* before the slot; borrowed from the template's copy */
    int slot;          /* -1: none follows */
};

struct template
{
    char *text;
    struct piece pieces[MAX_PIECES];
    int n_pieces;
};

static enum status unknown_name(const char *name, const char *nearest, struct error *error)
{
    if (nearest)
        return error_set(error, STATUS_INVALID, "unknown name {%s}; did you mean {%s}?", name,
                         nearest);
    return error_set(error, STATUS_INVALID, "unknown name {%s}", name);
}

/* The name between the braces at `open`; *end is set behind the closing one. */
static enum status read_name(const char *open, const struct vocabulary *vocabulary, int *slot,
                             const char **end, struct error *error)
{
    char name[2 * NAME_SIZE];
    const char *close = strchr(open, '}');
    if (!close)
        return error_set(error, STATUS_INVALID, "a { without its }; write {{ for a brace");
    size_t size = (size_t)(close - open - 1);
    if (size == 0 || size >= sizeof name)
        return error_set(error, STATUS_INVALID, "no name between { and }; write {{ for a brace");
    memcpy(name, open + 1, size);
    name[size] = '\0';
    const char *nearest = NULL;
    *slot = vocabulary_find(vocabulary, name, &nearest);
    *end = close + 1;
    return *slot >= 0 ? STATUS_OK : unknown_name(name, nearest, error);
}

static enum status add_piece(struct template *template, const char *text, size_t size, int slot,
                             struct error *error)
{
    if (template->n_pieces == MAX_PIECES)
        return error_set(error, STATUS_INVALID, "more than %d names", MAX_PIECES - 1);
    template->pieces[template->n_pieces++] = (struct piece){slice_make(text, size), slot};
    return STATUS_OK;
}

static enum status compile(struct template *template, const struct vocabulary *vocabulary,
                           struct error *error)
{
    const char *at = template->text;
    for (;;) {
        size_t size = strcspn(at, "{");
        enum status status;
        if (at[size] == '\0')
            return add_piece(template, at, size, -1, error);
        if (at[size + 1] == '{') { /* the first brace ends the text, the second is skipped */
            status = add_piece(template, at, size + 1, -1, error);
            at += size + 2;
        } else {
            int slot = -1;
            const char *end = at;
            status = read_name(at + size, vocabulary, &slot, &end, error);
            if (status == STATUS_OK)
                status = add_piece(template, at, size, slot, error);
            at = end;
        }
        if (status != STATUS_OK)
            return status;
    }
}

enum status template_compile(const char *text, const struct vocabulary *vocabulary,
                             struct template **template, struct error *error)
{
    if (strlen(text) > MAX_TEXT)
        return error_set(error, STATUS_INVALID, "longer than %d characters", MAX_TEXT);
    struct template *made = calloc(1, sizeof *made);
    if (made)
        made->text = strdup(text);
    enum status status = made && made->text
                             ? compile(made, vocabulary, error)
                             : error_set(error, STATUS_MEMORY, "out of memory for alert rules");
    if (status != STATUS_OK)
        template_destroy(made);
    else
        *template = made;
    return status;
}

void template_destroy(struct template *template)
{
    if (!template)
        return;
    free(template->text);
    free(template);
}

static void render_number(double number, struct buffer *out)
{
    bool whole = number == floor(number) && fabs(number) < 1e15;
    if (whole || fabs(number) >= 999.5) /* %.3g would write 1e+03 */
        buffer_printf(out, "%.0f", number);
    else
        buffer_printf(out, "%.3g", number);
}

static void render_value(const struct value *value, struct buffer *out)
{
    switch (value->type) {
    case VALUE_NUMBER:
        render_number(value->number, out);
        break;
    case VALUE_BOOL:
        buffer_append_text(out, value->boolean ? "yes" : "no");
        break;
    case VALUE_STRING:
        buffer_append_slice(out, value->string);
        break;
    case VALUE_NULL:
    case VALUE_TIME:
        buffer_append_text(out, "no data");
        break;
    }
}

static void copy_whole_characters(struct slice text, char *out, size_t size)
{
    size_t used = 0;
    while (used < text.size) {
        size_t step = utf8_length(slice_make(text.data + used, text.size - used));
        step = step ? step : 1;
        if (used + step >= size)
            break;
        memcpy(out + used, text.data + used, step);
        used += step;
    }
    out[used] = '\0';
}

void template_render(const struct template *template, const struct value *slots, char *out,
                     size_t size)
{
    struct buffer text;
    buffer_init(&text, (size_t)16 * 1024);
    for (int i = 0; i < template->n_pieces; i++) {
        buffer_append_slice(&text, template->pieces[i].text);
        if (template->pieces[i].slot >= 0)
            render_value(&slots[template->pieces[i].slot], &text);
    }
    copy_whole_characters(buffer_slice(&text), out, size);
    buffer_free(&text);
}
