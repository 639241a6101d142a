/* Rows, their order and which of them are shown. Texts stand one after the other in one buffer, a
 * zero after each, so that a row is one piece of memory for the filter's pattern. A change of
 * filter or order makes the list of shown rows again; drawing only walks it. One thread. */
#include "ui/tui/grid.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_TEXT  ((size_t)256 << 20)
#define FIRST_ROWS 64

void grid_init(struct grid *grid)
{
    memset(grid, 0, sizeof *grid);
    grid->sort = -1;
    buffer_init(&grid->texts, MOST_TEXT);
}

void grid_free(struct grid *grid)
{
    buffer_free(&grid->texts);
    free(grid->cells);
    free(grid->rows);
    free(grid->tags);
    free(grid->shown);
    regex_destroy(grid->regex);
    memset(grid, 0, sizeof *grid);
}

bool grid_is_of(struct grid *grid, uint64_t version)
{
    bool same = grid->version == version && version > 0;
    grid->version = version;
    return same;
}

/* ---- reading ---- */

const struct grid_cell *grid_cell(const struct grid *grid, size_t row, int column)
{
    size_t index = (size_t)grid->shown[row] * (size_t)grid->n_columns + (size_t)column;
    return &grid->cells[index];
}

const char *grid_cell_text(const struct grid *grid, size_t row, int column)
{
    return grid->texts.data + grid_cell(grid, row, column)->text;
}

int32_t grid_tag(const struct grid *grid)
{
    return grid->n_shown ? grid->tags[grid->shown[grid->selected]] : -1;
}

/* ---- filling ---- */

static bool grow(struct grid *grid)
{
    size_t capacity = grid->capacity ? grid->capacity * 2 : FIRST_ROWS;
    size_t columns = grid->n_columns > 0 ? (size_t)grid->n_columns : 1;
    struct grid_cell *cells = realloc(grid->cells, capacity * columns * sizeof *cells);
    if (cells)
        grid->cells = cells;
    uint32_t *rows = realloc(grid->rows, (capacity + 1) * sizeof *rows);
    if (rows)
        grid->rows = rows;
    int32_t *tags = realloc(grid->tags, capacity * sizeof *tags);
    if (tags)
        grid->tags = tags;
    uint32_t *shown = realloc(grid->shown, capacity * sizeof *shown);
    if (shown)
        grid->shown = shown;
    if (!cells || !rows || !tags || !shown)
        return false;
    grid->capacity = capacity;
    return true;
}

static bool is_kept(const struct grid *grid, size_t row)
{
    return strncmp(grid_cell_text(grid, row, 0), grid->kept, sizeof grid->kept - 1) == 0;
}

static void keep_selected(struct grid *grid)
{
    snprintf(grid->kept, sizeof grid->kept, "%s",
             grid->n_shown ? grid_cell_text(grid, grid->selected, 0) : "");
    grid->kept_same = 0;
    for (size_t i = 0; i < grid->selected && i < grid->n_shown; i++)
        grid->kept_same += is_kept(grid, i);
}

/* The row that was kept, of several alike the one in the same place, else the last before it. */
static bool find_kept(const struct grid *grid, size_t *row)
{
    size_t same = 0;
    bool found = false;
    for (size_t i = 0; grid->kept[0] && i < grid->n_shown && same <= grid->kept_same; i++) {
        if (!is_kept(grid, i))
            continue;
        *row = i;
        found = true;
        same++;
    }
    return found;
}

void grid_begin(struct grid *grid, const struct grid_column *columns, int n_columns)
{
    keep_selected(grid);
    if (n_columns != grid->n_columns) {
        free(grid->cells);
        grid->cells = NULL;
        grid->capacity = 0;
    }
    if (columns != grid->columns)
        grid->sort = -1;
    grid->columns = columns;
    grid->n_columns = n_columns;
    grid->n = grid->n_shown = 0;
    grid->truncated = false;
    grid->filled = n_columns;
    buffer_reset(&grid->texts);
}

static bool is_open(const struct grid *grid)
{
    return grid->n > 0 && !grid->truncated && grid->filled < grid->n_columns;
}

/* Cells that were left out are empty. */
static void close_row(struct grid *grid)
{
    while (is_open(grid))
        grid_text(grid, 0, "");
}

void grid_row(struct grid *grid, int32_t tag)
{
    close_row(grid);
    if (grid->truncated || (grid->n == grid->capacity && !grow(grid)) ||
        grid->texts.size > UINT32_MAX / 2) {
        grid->truncated = true;
        return;
    }
    grid->rows[grid->n] = (uint32_t)grid->texts.size;
    grid->tags[grid->n++] = tag;
    grid->filled = 0;
}

void grid_number(struct grid *grid, int style, double number, const char *text)
{
    if (!is_open(grid))
        return;
    size_t index = (grid->n - 1) * (size_t)grid->n_columns + (size_t)grid->filled;
    grid->cells[index] = (struct grid_cell){
        .text = (uint32_t)grid->texts.size, .style = (uint8_t)style, .number = number};
    if (!buffer_append(&grid->texts, text, strlen(text) + 1)) {
        grid->truncated = true;
        grid->n--;
        return;
    }
    grid->filled++;
}

void grid_text(struct grid *grid, int style, const char *text)
{
    grid_number(grid, style, NAN, text);
}

/* ---- order ---- */

struct sort_key {
    uint64_t rank; /* of a number, or of a text's first 8 bytes */
    uint32_t row;
    const char *text; /* NULL: the rank says all */
};

/* The order of doubles as that of integers; what is no number comes first. */
static uint64_t rank_of_number(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static uint64_t rank_of_text(const char *text)
{
    uint64_t rank = 0;
    for (int i = 0; i < 8; i++) {
        rank = rank << 8 | (unsigned char)*text;
        text += *text != '\0';
    }
    return rank;
}

static int compare_keys(const void *left, const void *right)
{
    const struct sort_key *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    int order = a->text && b->text ? strcmp(a->text, b->text) : 0;
    if (order)
        return order;
    return a->row < b->row ? -1 : a->row > b->row;
}

static struct sort_key key_of(const struct grid *grid, size_t row)
{
    const struct grid_cell *cell = grid_cell(grid, row, grid->sort);
    const char *text = grid->texts.data + cell->text;
    if (!isnan(cell->number))
        return (struct sort_key){rank_of_number(cell->number), grid->shown[row], NULL};
    return (struct sort_key){rank_of_text(text) >> 1, grid->shown[row], text};
}

static void sort_shown(struct grid *grid)
{
    if (grid->sort < 0 || grid->sort >= grid->n_columns || grid->n_shown < 2)
        return;
    struct sort_key *keys = malloc(grid->n_shown * sizeof *keys);
    if (!keys)
        return;
    for (size_t i = 0; i < grid->n_shown; i++)
        keys[i] = key_of(grid, i);
    qsort(keys, grid->n_shown, sizeof *keys, compare_keys);
    for (size_t i = 0; i < grid->n_shown; i++)
        grid->shown[grid->descending ? grid->n_shown - 1 - i : i] = keys[i].row;
    free(keys);
}

/* ---- which are shown ---- */

/* ASCII letters in either case. */
static bool holds(const char *text, size_t size, const char *word, size_t length)
{
    char small = word[0], large = (char)toupper((unsigned char)small);
    for (size_t i = 0; i + length <= size; i++) {
        if (text[i] != small && text[i] != large)
            continue;
        size_t same = 1;
        while (same < length && tolower((unsigned char)text[i + same]) == word[same])
            same++;
        if (same == length)
            return true;
    }
    return false;
}

static bool passes(const struct grid *grid, size_t row, size_t length)
{
    uint32_t begin = grid->rows[row], end = grid->rows[row + 1];
    if (length > 0)
        return holds(grid->texts.data + begin, end - begin, grid->plain, length) != grid->inverse;
    if (!grid->regex)
        return true;
    struct slice text = slice_make(grid->texts.data + begin, end - begin);
    return regex_match(grid->regex, text) != grid->inverse;
}

static void show_rows(struct grid *grid, bool keep)
{
    size_t length = strlen(grid->plain);
    grid->n_shown = 0;
    for (size_t i = 0; i < grid->n; i++)
        if (passes(grid, i, length))
            grid->shown[grid->n_shown++] = (uint32_t)i;
    sort_shown(grid);
    if (keep && find_kept(grid, &grid->selected))
        return;
    if (grid->selected >= grid->n_shown)
        grid->selected = grid->n_shown ? grid->n_shown - 1 : 0;
}

void grid_end(struct grid *grid)
{
    close_row(grid);
    if (grid->n > 0)
        grid->rows[grid->n] = (uint32_t)grid->texts.size;
    show_rows(grid, grid->selected > 0);
}

static void show_again(struct grid *grid)
{
    keep_selected(grid);
    show_rows(grid, true);
}

/* A mere word is looked for without the machinery of patterns: a hundred thousand rows at each
 * letter that is typed. */
static bool is_plain(const char *pattern)
{
    for (; *pattern; pattern++)
        if (!isalnum((unsigned char)*pattern) && !strchr(" -_:,/=", *pattern))
            return false;
    return true;
}

static void compile_filter(struct grid *grid, const char *pattern)
{
    char whole[GRID_FILTER_SIZE + 24];
    struct regex *alone = NULL;
    struct error error;
    snprintf(whole, sizeof whole, "(?si).*?(?:%s).*", pattern);
    /* Alone first, so that its parentheses are its own. */
    if (regex_compile(pattern, &alone, &error) != STATUS_OK ||
        regex_compile(whole, &grid->regex, &error) != STATUS_OK)
        snprintf(grid->wrong, sizeof grid->wrong, "%.110s", error.message);
    regex_destroy(alone);
}

void grid_set_filter(struct grid *grid, const char *pattern)
{
    regex_destroy(grid->regex);
    grid->regex = NULL;
    grid->wrong[0] = grid->plain[0] = '\0';
    snprintf(grid->filter, sizeof grid->filter, "%s", pattern);
    grid->inverse = pattern[0] == '!';
    pattern += grid->inverse;
    if (is_plain(pattern)) {
        size_t size = 0;
        for (; pattern[size] && size + 1 < sizeof grid->plain; size++)
            grid->plain[size] = (char)tolower((unsigned char)pattern[size]);
        grid->plain[size] = '\0';
    } else {
        compile_filter(grid, pattern);
    }
    if (grid->n_columns > 0)
        show_again(grid);
}

void grid_move(struct grid *grid, long by)
{
    long selected = (long)grid->selected + by, last = (long)grid->n_shown - 1;
    selected = selected > last ? last : selected;
    grid->selected = selected < 0 ? 0 : (size_t)selected;
}

void grid_sort_next(struct grid *grid)
{
    grid->sort = grid->sort + 1 >= grid->n_columns ? -1 : grid->sort + 1;
    if (grid->n_columns > 0)
        show_again(grid);
}

void grid_turn(struct grid *grid)
{
    grid->descending = !grid->descending;
    if (grid->n_columns > 0)
        show_again(grid);
}

/* ---- taking it away ---- */

/* Thin spaces are for eyes: between digits they go, before a unit a plain one stands. */
static size_t thin_space(const char *text, struct buffer *out)
{
    static const char thin[] = "\u2009";
    size_t size = sizeof thin - 1;
    if (strncmp(text, thin, size) != 0)
        return 0;
    if (!isdigit((unsigned char)text[size]))
        buffer_append_char(out, ' ');
    return size;
}

static void csv_text(const char *text, struct buffer *out)
{
    while (*text) {
        size_t skipped = thin_space(text, out);
        text += skipped;
        if (!skipped)
            buffer_append_char(out, *text++);
    }
}

void grid_csv_field(const char *text, struct buffer *out)
{
    bool formula = *text && strchr("=+-@\t\r", *text) && text[1] && !strchr("0123456789.", text[1]);
    if (!formula && !text[strcspn(text, ",\"\r\n")]) {
        csv_text(text, out);
        return;
    }
    buffer_append_text(out, formula ? "\"'" : "\"");
    for (; *text; text++) {
        if (*text == '"')
            buffer_append_char(out, '"');
        buffer_append_char(out, *text);
    }
    buffer_append_char(out, '"');
}

void grid_csv(const struct grid *grid, struct buffer *out)
{
    for (int i = 0; i < grid->n_columns; i++) {
        buffer_append_text(out, i ? "," : "");
        grid_csv_field(grid->columns[i].title, out);
    }
    buffer_append_text(out, "\r\n");
    for (size_t row = 0; row < grid->n_shown; row++) {
        for (int i = 0; i < grid->n_columns; i++) {
            buffer_append_text(out, i ? "," : "");
            grid_csv_field(grid_cell_text(grid, row, i), out);
        }
        buffer_append_text(out, "\r\n");
    }
}
