/* Digests over what is not in leaves: quarantined events, marks, names, the list of groups, source
 * positions. Each group's digest goes on from the one before, so that nothing can be taken out or
 * put in between. Pure computation; any thread. */
#include "engine/record/rest_priv.h"

#include "engine/record/codec_priv.h"

static enum status hash_scratch(const struct buffer *scratch, uint8_t digest[SHA256_SIZE])
{
    if (scratch->overflow)
        return STATUS_MEMORY;
    return crypto_sha256(buffer_slice(scratch), (struct slice){0}, (struct slice){0}, digest);
}

enum status quarantine_digest(const struct day_quarantine *event, struct buffer *scratch,
                              uint8_t digest[SHA256_SIZE])
{
    buffer_reset(scratch);
    put_i64(scratch, (int64_t)event->id);
    put_i64(scratch, event->received_us);
    put_text(scratch, event->source);
    put_i32(scratch, event->part);
    put_i64(scratch, event->offset);
    put_text(scratch, event->contract);
    put_text(scratch, event->contract_version);
    put_text(scratch, event->violations);
    put_text(scratch, event->sealed);
    return hash_scratch(scratch, digest);
}

enum status rest_add(uint8_t rest[SHA256_SIZE], const struct rest_group *group,
                     struct buffer *scratch)
{
    const struct day_group *fields = group->group;
    bool timed = fields->low_us <= fields->high_us;
    buffer_reset(scratch);
    put_bytes(scratch, rest, SHA256_SIZE);
    put_i64(scratch, (int64_t)fields->commit);
    put_i64(scratch, (int64_t)fields->first_index);
    put_i64(scratch, (int64_t)fields->tree_size);
    put_u8(scratch, timed);
    put_i64(scratch, timed ? fields->low_us : 0);
    put_i64(scratch, timed ? fields->high_us : 0);
    put_i64(scratch, fields->committed_us);
    put_bytes(scratch, fields->root, SHA256_SIZE);
    put_i64(scratch, (int64_t)group->names);
    put_text(scratch, group->new_names);
    put_i64(scratch, (int64_t)group->next_quarantine);
    put_text(scratch, group->new_quarantine);
    put_i64(scratch, (int64_t)group->marks);
    put_text(scratch, group->new_marks);
    return hash_scratch(scratch, rest);
}

enum status rest_state(const struct day_state *state, struct slice edges,
                       const uint8_t root[SHA256_SIZE], struct slice positions,
                       struct buffer *scratch, uint8_t digest[SHA256_SIZE])
{
    buffer_reset(scratch);
    put_bytes(scratch, state->rest, SHA256_SIZE);
    put_i64(scratch, (int64_t)state->commits);
    put_i64(scratch, (int64_t)state->first_index);
    put_i64(scratch, (int64_t)state->next_quarantine);
    put_i64(scratch, state->high_us);
    put_i64(scratch, (int64_t)state->tree.size);
    put_text(scratch, edges);
    put_bytes(scratch, root, SHA256_SIZE);
    put_text(scratch, positions);
    return hash_scratch(scratch, digest);
}
