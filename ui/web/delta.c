/* Two texts walked side by side: what is the same byte by byte is passed over, objects with the
 * same members and lists of as many parts are looked into, everything else is told whole. */
#include "ui/web/delta.h"

#include <stdio.h>
#include <string.h>

#define PLACE_SIZE   512
#define LONGEST_MOVE 8 /* values that leave a list at its front */

struct walk {
    struct buffer *out;
    char place[PLACE_SIZE];
    size_t length; /* of place */
    bool any, too_long;
};

/* ---- reading ---- */

static const char *skip_string(const char *at)
{
    for (at++; *at != '"'; at++)
        at += *at == '\\';
    return at + 1;
}

static const char *skip_nested(const char *at)
{
    int depth = 0;
    do {
        if (*at == '"') {
            at = skip_string(at);
            continue;
        }
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        at++;
    } while (depth > 0);
    return at;
}

static struct slice value_at(const char *at)
{
    const char *end = at;
    if (*at == '"')
        end = skip_string(at);
    else if (*at == '{' || *at == '[')
        end = skip_nested(at);
    else
        end += strcspn(at, ",]}");
    return slice_make(at, (size_t)(end - at));
}

/* A part of an object or list. `at` stands on '{', '[' or behind the part before; false: no more.
 */
struct part {
    struct slice key; /* with its quotes; empty in a list */
    struct slice value;
};

static bool next_part(const char **at, bool object, struct part *part)
{
    const char *place = *at + 1; /* over '{', '[' or ',' */
    if (**at == '}' || **at == ']' || *place == '}' || *place == ']')
        return false;
    part->key = slice_make(place, 0);
    if (object) {
        part->key = value_at(place);
        place += part->key.size + 1;
    }
    part->value = value_at(place);
    *at = place + part->value.size;
    return true;
}

/* ---- telling ---- */

static void begin(struct walk *walk)
{
    buffer_append_text(walk->out, walk->any ? ",[\"" : "[\"");
    buffer_append(walk->out, walk->place, walk->length);
    buffer_append_char(walk->out, '"');
    walk->any = true;
}

static void tell(struct walk *walk, struct slice value)
{
    begin(walk);
    buffer_append_char(walk->out, ',');
    buffer_append_slice(walk->out, value);
    buffer_append_char(walk->out, ']');
}

/* A list that moved on by some values. */
static bool tell_moved(struct walk *walk, struct slice old, struct slice new)
{
    const char *at = old.data;
    struct part part;
    for (int n = 1; n <= LONGEST_MOVE && next_part(&at, false, &part); n++) {
        if (part.value.data[0] == '{' || part.value.data[0] == '[' || *at != ',')
            return false;
        size_t kept = (size_t)(old.data + old.size - 1 - (at + 1)); /* without the last bracket */
        if (kept + 2 >= new.size || memcmp(at + 1, new.data + 1, kept) != 0 ||
            new.data[1 + kept] != ',')
            continue;
        begin(walk);
        buffer_printf(walk->out, ",%d,[", n);
        buffer_append(walk->out, new.data + kept + 2, new.size - kept - 2); /* ends the list */
        buffer_append_char(walk->out, ']');
        return true;
    }
    return false;
}

/* "~" and "/" of a key are escaped; what JSON escaped already stays so. */
static bool step_into(struct walk *walk, struct slice key, int index)
{
    char number[16];
    if (key.size == 0)
        key = slice_make(number, (size_t)snprintf(number, sizeof number, "%d", index));
    else
        key = slice_make(key.data + 1, key.size - 2);
    if (walk->length + 2 * key.size + 1 >= PLACE_SIZE)
        return false;
    walk->place[walk->length++] = '/';
    for (size_t i = 0; i < key.size; i++) {
        bool special = key.data[i] == '~' || key.data[i] == '/';
        if (special)
            walk->place[walk->length++] = '~';
        walk->place[walk->length++] = key.data[i];
        if (special)
            walk->place[walk->length - 1] = key.data[i] == '/' ? '1' : '0';
    }
    return true;
}

static bool is_same(struct slice a, struct slice b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* Whether both have the same members, or as many parts that are worth looking into. */
static bool is_alike(struct slice old, struct slice new)
{
    const char *a = old.data, *b = new.data;
    struct part old_part, new_part;
    bool object = *a == '{', plain = false;
    if (*a != *b || (*a != '{' && *a != '['))
        return false;
    for (;;) {
        bool more = next_part(&a, object, &old_part);
        if (more != next_part(&b, object, &new_part))
            return false;
        if (!more)
            return !plain;
        if (!is_same(old_part.key, new_part.key))
            return false;
        plain =
            plain || (!object && old_part.value.data[0] != '{' && old_part.value.data[0] != '[');
    }
}

/* Recursion goes as deep as the text does, which the writer bounds. */
static void compare(struct walk *walk, struct slice old,
                    struct slice new) // NOLINT(misc-no-recursion)
{
    const char *a = old.data, *b = new.data;
    struct part old_part, new_part;
    bool object = *b == '{';
    if (is_same(old, new))
        return;
    if (!is_alike(old, new)) {
        if (*a != '[' || *b != '[' || !tell_moved(walk, old, new))
            tell(walk, new);
        return;
    }
    for (int i = 0; next_part(&a, object, &old_part) && next_part(&b, object, &new_part); i++) {
        size_t length = walk->length;
        if (step_into(walk, new_part.key, i))
            compare(walk, old_part.value, new_part.value);
        else
            walk->too_long = true;
        walk->length = length;
    }
}

bool delta_write(struct slice old, struct slice new, struct buffer *out)
{
    struct walk walk = {.out = out};
    buffer_append_char(out, '[');
    compare(&walk, old, new);
    buffer_append_char(out, ']');
    return !out->overflow && !walk.too_long;
}
