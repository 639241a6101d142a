/* What explanations compare, in a file: the memory of those that were made as this machine has it,
 * then the slices. The trouble before a restart is no more what is usual than it was without one.
 */
#include <string.h>

#include "engine/base/buffer.h"
#include "engine/base/state_file.h"
#include "engine/monitor/explain.h"
#include "engine/observe/varint.h"

#define MAX_FILE   ((size_t)64 << 20)
#define BRIDGED_US ((SLICE_CELLS - 30) * SLICE_CELL_US)

static const struct state_file_kind kind = {"BNRECENT", 1};

enum status explain_save(struct slices *slices, const struct explain_memory *memory, int64_t now_us,
                         const char *path, struct error *error)
{
    struct buffer content;
    struct explain_memory kept = *memory;
    kept.symptom.series = NULL; /* it is known by its name */
    buffer_init(&content, MAX_FILE);
    varint_put(&content, sizeof kept);
    buffer_append(&content, &kept, sizeof kept);
    slices_encode(slices, now_us, &content);
    enum status status = state_file_write(path, &kind, &content, error);
    buffer_free(&content);
    return status;
}

/* Of another build the memory may be another. */
static bool take_memory(struct slice *bytes, struct explain_memory *memory)
{
    uint64_t size;
    return varint_take(bytes, &size) && size == sizeof *memory &&
           varint_take_bytes(bytes, memory, sizeof *memory) && memory->n_troubles >= 0 &&
           memory->n_troubles <= EXPLAIN_TROUBLES && memory->last.n_causes >= 0 &&
           memory->last.n_causes <= MAX_CAUSES && memory->symptom.kind < SYMPTOM_KINDS;
}

/* While nobody was there to look, an incident neither went on nor recovered; that can be told as
 * long as cells of it are known. What is of a time to come, after the clock was set back, says
 * nothing. */
static void bridge(struct explain_memory *memory, int64_t now_us)
{
    int64_t away_us = now_us - memory->last.at_us;
    if (away_us < 0)
        *memory = (struct explain_memory){.n_troubles = 0};
    else if (memory->last.n_causes > 0 && memory->last.until_us == 0 && away_us < BRIDGED_US)
        memory->last.at_us = now_us;
}

enum status explain_load(struct slices *slices, struct explain_memory *memory, int64_t now_us,
                         const char *path, struct error *error)
{
    struct buffer content;
    struct explain_memory kept;
    buffer_init(&content, MAX_FILE);
    enum status status = state_file_read(path, &kind, &content, error);
    struct slice bytes = buffer_slice(&content);
    if (status == STATUS_OK &&
        (!take_memory(&bytes, &kept) || !slices_decode(slices, &bytes, now_us)))
        status = error_set(error, STATUS_CORRUPT, "%s: damaged, or of another version", path);
    if (status == STATUS_OK) {
        bridge(&kept, now_us);
        *memory = kept;
    }
    buffer_free(&content);
    return status;
}
