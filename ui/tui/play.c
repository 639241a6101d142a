/* Recordings: JSON lines {"at":ms,"target":"/api/v1/...","code":200,"body":{...}}, appended as
 * documents come, read back whole and looked up by target and by the picture that is shown. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "engine/base/input.h"
#include "ui/tui/tape.h"

#define MOST_LINE ((size_t)64 << 20)

/* ---- recording ---- */

struct recorder {
    FILE *file;
    char *path;
    struct buffer line;
    bool any;   /* line was written */
    int failed; /* errno of the first that was not */
};

enum status recorder_create(const char *path, struct recorder **recorder, struct error *error)
{
    struct recorder *made = calloc(1, sizeof *made);
    if (!made || !(made->path = strdup(path))) {
        free(made);
        return error_set(error, STATUS_MEMORY, "no memory for a recording");
    }
    /* Pictures name events and people's pseudonyms: nobody else's to read. */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || !(made->file = fdopen(fd, "w"))) {
        error_set(error, STATUS_IO, "%.200s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        free(made->path);
        free(made);
        return error->code;
    }
    buffer_init(&made->line, MOST_LINE);
    *recorder = made;
    return STATUS_OK;
}

/* What stands between us and a binnacle may refuse in HTML. */
static struct slice body_of(const struct feed_arrival *arrival)
{
    struct json *json = NULL;
    if (arrival->code == 200)
        return arrival->text; /* read already */
    enum status status = json_parse(arrival->text, &json, NULL);
    json_destroy(json);
    return status == STATUS_OK ? arrival->text : slice_of("{}");
}

void recorder_note(struct recorder *recorder, const struct feed_arrival *arrival)
{
    struct json_writer json;
    if (!recorder || arrival->code == 0)
        return;
    buffer_reset(&recorder->line);
    json_begin(&json, &recorder->line);
    json_object(&json, NULL);
    json_int(&json, "at", arrival->at_us / 1000);
    json_text(&json, "target", arrival->target);
    json_int(&json, "code", arrival->code);
    json_raw(&json, "body", body_of(arrival));
    json_object_end(&json);
    buffer_append_char(&recorder->line, '\n');
    struct slice line = buffer_slice(&recorder->line);
    bool fits = !recorder->line.overflow;
    recorder->any = true;
    if (fits && fwrite(line.data, 1, line.size, recorder->file) == line.size)
        return;
    if (!recorder->failed)
        recorder->failed = fits ? errno : EFBIG;
}

void recorder_note_snapshot(struct recorder *recorder, const struct snapshot *snapshot)
{
    struct buffer text;
    if (!recorder)
        return;
    buffer_init(&text, MOST_LINE);
    snapshot_json(snapshot, &text);
    struct feed_arrival arrival = {FEED_SNAPSHOT, 200, buffer_slice(&text), wall_us()};
    if (!text.overflow)
        recorder_note(recorder, &arrival);
    buffer_free(&text);
}

enum status recorder_close(struct recorder *recorder, struct error *error)
{
    if (!recorder)
        return STATUS_OK;
    int failed = recorder->failed;
    if (fclose(recorder->file) != 0 && !failed)
        failed = errno;
    if (!recorder->any)
        (void)unlink(recorder->path);
    enum status status = STATUS_OK;
    if (failed)
        status = error_set(error, STATUS_IO, "%s: %s", recorder->path, strerror(failed));
    buffer_free(&recorder->line);
    free(recorder->path);
    free(recorder);
    return status;
}

/* ---- playing ---- */

struct entry {
    int64_t at_us;
    int code;
    char *target, *body; /* owned */
};

struct player {
    struct entry *entries;
    size_t n, capacity;
    int *pictures; /* entries that are pictures */
    int n_pictures, shown;
    bool cut;
};

void player_destroy(struct player *player)
{
    if (!player)
        return;
    for (size_t i = 0; i < player->n; i++) {
        free(player->entries[i].target);
        free(player->entries[i].body);
    }
    free(player->entries);
    free(player->pictures);
    free(player);
}

static bool make_room(struct player *player)
{
    if (player->n < player->capacity)
        return true;
    size_t capacity = player->capacity ? 2 * player->capacity : 64;
    struct entry *entries = realloc(player->entries, capacity * sizeof *entries);
    if (entries)
        player->entries = entries;
    int *pictures = realloc(player->pictures, capacity * sizeof *pictures);
    if (pictures)
        player->pictures = pictures;
    if (entries && pictures)
        player->capacity = capacity;
    return entries && pictures;
}

/* The body is the line's last member: its text is kept as it stands. */
static enum status add_entry(struct player *player, struct slice line, struct error *error)
{
    static const char mark[] = "\"body\":";
    struct json *json;
    enum status status = json_parse(line, &json, error);
    if (status != STATUS_OK)
        return status;
    const char *target = json_as_text(json_get(json, "target"), NULL);
    const char *body = memmem(line.data, line.size, mark, sizeof mark - 1);
    if (!make_room(player)) {
        status = error_set(error, STATUS_MEMORY, "no memory for the recording");
    } else if (!target || !body || !json_get(json, "body")) {
        status = error_set(error, STATUS_INVALID, "is no line of a recording");
    } else {
        body += sizeof mark - 1;
        size_t size = (size_t)(line.data + line.size - body) - 1; /* without the last brace */
        player->entries[player->n] = (struct entry){
            .at_us = (int64_t)json_as_number(json_get(json, "at"), 0) * 1000,
            .code = (int)json_as_number(json_get(json, "code"), 0),
            .target = strdup(target),
            .body = strndup(body, size),
        };
        const struct entry *entry = &player->entries[player->n++];
        if (!entry->target || !entry->body)
            status = error_set(error, STATUS_MEMORY, "no memory for the recording");
        else if (strcmp(target, FEED_SNAPSHOT) == 0 && entry->code == 200)
            player->pictures[player->n_pictures++] = (int)player->n - 1;
    }
    json_destroy(json);
    return status;
}

static bool is_last(struct input *input)
{
    struct slice line;
    return input_line(input, &line, NULL) == STATUS_END;
}

static enum status read_entries(struct player *player, struct input *input, struct error *error)
{
    struct slice line;
    enum status status;
    while ((status = input_line(input, &line, error)) == STATUS_OK) {
        line = slice_trim(line);
        if (line.size == 0 || (status = add_entry(player, line, error)) == STATUS_OK)
            continue;
        int64_t number = input_line_number(input);
        if (status != STATUS_MEMORY && player->n_pictures > 0 && is_last(input)) {
            player->cut = true; /* whoever wrote it was killed, or the disk was full */
            return STATUS_OK;
        }
        return error_prefix(error, "line %lld", (long long)number);
    }
    if (status == STATUS_FULL)
        return error_set(error, STATUS_INVALID, "line %lld is too long",
                         (long long)input_line_number(input));
    if (status != STATUS_END)
        return status;
    return player->n_pictures ? STATUS_OK
                              : error_set(error, STATUS_INVALID, "there is no picture in it");
}

enum status player_create(const char *path, struct player **player, struct error *error)
{
    struct input *input;
    enum status status = input_open(path, MOST_LINE, &input, error);
    if (status != STATUS_OK)
        return status;
    struct player *made = calloc(1, sizeof *made);
    if (!made)
        status = error_set(error, STATUS_MEMORY, "no memory for the recording");
    else if ((status = read_entries(made, input, error)) != STATUS_OK)
        error_prefix(error, "%.200s", path);
    input_close(input);
    if (status != STATUS_OK) {
        player_destroy(made);
        return status;
    }
    *player = made;
    return STATUS_OK;
}

/* The target without from, to and step, which depend on the size of whoever looks. */
static void without_range(const char *target, char out[FEED_TARGET_SIZE])
{
    static const char *const names[] = {"from=", "to=", "step="};
    size_t size = 0;
    while (*target && size + 1 < FEED_TARGET_SIZE) {
        size_t skipped = 0;
        bool begins = target[0] == '?' || target[0] == '&';
        for (size_t i = 0; i < 3 && begins; i++)
            if (strncmp(target + 1, names[i], strlen(names[i])) == 0)
                skipped = 1 + strcspn(target + 1, "&");
        if (!skipped)
            out[size++] = *target;
        target += skipped ? skipped : 1;
    }
    out[size] = '\0';
}

/* The newest that had come before the next picture did. */
static int ask_player(void *context, const char *method, const char *target, struct slice body,
                      struct buffer *reply, struct error *error)
{
    (void)method, (void)body, (void)error;
    const struct player *player = context;
    size_t end = player->shown + 1 < player->n_pictures
                     ? (size_t)player->pictures[player->shown + 1]
                     : player->n;
    char wanted[FEED_TARGET_SIZE], had[FEED_TARGET_SIZE];
    without_range(target, wanted);
    for (size_t i = end; i-- > 0;) {
        const struct entry *entry = &player->entries[i];
        without_range(entry->target, had);
        if (strcmp(had, wanted) == 0) {
            buffer_append_text(reply, entry->body);
            return entry->code;
        }
    }
    buffer_append_text(reply, "{\"detail\":\"it is not in the recording\"}");
    return 404;
}

struct feed_source player_source(struct player *player)
{
    return (struct feed_source){
        .ask = ask_player, .context = player, .direct = true, .fixed = true};
}

bool player_is_cut(const struct player *player)
{
    return player->cut;
}

int player_pictures(const struct player *player)
{
    return player->n_pictures;
}

enum status player_picture(struct player *player, int index, struct snapshot *snapshot,
                           struct error *error)
{
    player->shown = index;
    return snapshot_read(slice_of(player->entries[player->pictures[index]].body), snapshot, error);
}
