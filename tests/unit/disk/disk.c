/* What happened to the files, in order. Every call here but the public ones is made with the lock
 * held. */
#include "tests/unit/disk/disk_priv.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct disk the_disk = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                               .let_go = PTHREAD_COND_INITIALIZER};

struct disk *disk_get(void)
{
    return &the_disk;
}

void disk_lock(void)
{
    pthread_mutex_lock(&the_disk.mutex);
}

void disk_unlock(void)
{
    pthread_mutex_unlock(&the_disk.mutex);
}

static void *grown(void *list, size_t n, size_t size)
{
    if (n & (n - 1))
        return list;
    list = realloc(list, (n ? 2 * n : 1) * size);
    if (!list)
        abort();
    return list;
}

const char *disk_name(const char *path)
{
    const char *root = the_disk.root;
    size_t size = root ? strlen(root) : 0;
    if (!root || !path || strncmp(path, root, size) != 0)
        return NULL;
    if (path[size] == '/')
        return path + size + 1;
    return path[size] == '\0' ? path + size : NULL;
}

static struct name *find_name(const char *name)
{
    for (size_t i = 0; i < the_disk.n_names; i++)
        if (strcmp(the_disk.names[i].name, name) == 0)
            return &the_disk.names[i];
    return NULL;
}

int disk_find(const char *name)
{
    struct name *found = *name ? find_name(name) : NULL;
    return found ? found->file : *name ? NO_FILE : DIRECTORY;
}

static void add_name(const char *name, int file)
{
    the_disk.names = grown(the_disk.names, the_disk.n_names, sizeof *the_disk.names);
    the_disk.names[the_disk.n_names++] = (struct name){strdup(name), file};
}

static void drop_name(const char *name)
{
    struct name *found = find_name(name);
    if (!found)
        return;
    free(found->name);
    *found = the_disk.names[--the_disk.n_names];
}

void disk_folder_of(const char *name, char *out, size_t size)
{
    const char *slash = strrchr(name, '/');
    snprintf(out, size, "%.*s", slash ? (int)(slash - name) : 0, name);
}

/* ---- putting down ---- */

static struct operation *put(enum operation_kind kind, int file, const char *name)
{
    struct disk *disk = &the_disk;
    disk->operations = grown(disk->operations, disk->n_operations, sizeof *disk->operations);
    struct operation *made = &disk->operations[disk->n_operations++];
    *made = (struct operation){.kind = kind, .file = file, .name = name ? strdup(name) : NULL};
    return made;
}

int disk_put_new(const char *name, int file)
{
    if (file == NO_FILE)
        file = the_disk.n_files++;
    drop_name(name);
    add_name(name, file);
    put(OP_NAME, file, name);
    return file;
}

void disk_put_write(int file, const void *bytes, size_t size, int64_t at)
{
    struct operation *made = put(OP_WRITE, file, NULL);
    made->at = at;
    made->size = size;
    made->bytes = malloc(size ? size : 1);
    if (!made->bytes)
        abort();
    memcpy(made->bytes, bytes, size);
}

void disk_put_truncate(int file, int64_t size)
{
    put(OP_TRUNCATE, file, NULL)->at = size;
}

void disk_put_sync(int file)
{
    if (the_disk.syncing != SYNCING_LIES)
        put(OP_SYNC, file, NULL);
}

void disk_put_failed_sync(int file, const char *path)
{
    put(OP_SYNC_FAILED, file, NULL)->lost = the_disk.fault.evicted;
    if (!the_disk.fault.evicted)
        return;
    struct content left = disk_content(file);
    disk_write_file(path, left);
    free(left.bytes);
}

void disk_put_unname(const char *name)
{
    drop_name(name);
    put(OP_UNNAME, NO_FILE, name);
}

void disk_put_rename(const char *name, const char *to)
{
    struct name *found = find_name(name);
    if (!found)
        return;
    int file = found->file;
    drop_name(name);
    drop_name(to);
    add_name(to, file);
    put(OP_RENAME, file, name)->to = strdup(to);
}

void disk_put_sync_folder(const char *name)
{
    if (the_disk.syncing != SYNCING_LIES)
        put(OP_SYNC_FOLDER, NO_FILE, name);
}

/* ---- faults ---- */

static bool ends_in(const char *name, const char *end)
{
    size_t size = strlen(name), wanted = strlen(end);
    return size >= wanted && strcmp(name + size - wanted, end) == 0;
}

int disk_fault_of(enum disk_call call, const char *name)
{
    struct disk_fault *fault = &the_disk.fault;
    if (fault->times == 0 || fault->call != call || !ends_in(name, fault->name))
        return 0;
    if (fault->after > 0) {
        fault->after--;
        return 0;
    }
    fault->times--;
    the_disk.failed++;
    return fault->error;
}

void disk_fail(const struct disk_fault *fault)
{
    disk_lock();
    the_disk.fault = fault ? *fault : (struct disk_fault){.times = 0};
    the_disk.failed = 0;
    disk_unlock();
}

void disk_hold_syncs(const char *name)
{
    disk_lock();
    the_disk.hold = name;
    pthread_cond_broadcast(&the_disk.let_go);
    disk_unlock();
}

unsigned disk_held(void)
{
    disk_lock();
    unsigned held = the_disk.held;
    disk_unlock();
    return held;
}

void disk_wait_held(const char *name)
{
    the_disk.held++;
    while (the_disk.hold && ends_in(name, the_disk.hold))
        pthread_cond_wait(&the_disk.let_go, &the_disk.mutex);
    the_disk.held--;
}

unsigned disk_failed(void)
{
    disk_lock();
    unsigned failed = the_disk.failed;
    disk_unlock();
    return failed;
}

/* ---- beginning and ending ---- */

static struct content read_file(const char *path)
{
    struct stat about;
    struct content content = {0};
    FILE *file = fopen(path, "rbe");
    if (!file || fstat(fileno(file), &about) != 0)
        abort();
    content.size = (size_t)about.st_size;
    content.bytes = malloc(content.size + 1);
    if (!content.bytes || fread(content.bytes, 1, content.size, file) != content.size)
        abort();
    if (fclose(file) != 0)
        abort();
    return content;
}

static void take_up(const char *below)
{
    char path[8192];
    snprintf(path, sizeof path, "%s/%s", the_disk.root, below);
    DIR *folder = opendir(path);
    if (!folder)
        abort();
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.' || ends_in(entry->d_name, "-shm"))
            continue;
        char name[4096];
        struct stat about;
        snprintf(name, sizeof name, "%s%s%s", below, *below ? "/" : "", entry->d_name);
        snprintf(path, sizeof path, "%s/%s", the_disk.root, name);
        if (stat(path, &about) != 0)
            abort();
        if (S_ISDIR(about.st_mode)) {
            add_name(name, DIRECTORY);
            take_up(name);
            continue;
        }
        add_name(name, the_disk.n_files);
        the_disk.contents =
            grown(the_disk.contents, (size_t)the_disk.n_files, sizeof *the_disk.contents);
        the_disk.contents[the_disk.n_files++] = read_file(path);
    }
    closedir(folder);
}

void disk_watch(const char *root)
{
    disk_lock();
    if (the_disk.root)
        abort();
    the_disk.root = strdup(root);
    take_up("");
    the_disk.n_contents = the_disk.n_files;
    the_disk.n_base = the_disk.n_names;
    the_disk.base = calloc(the_disk.n_base + 1, sizeof *the_disk.base);
    for (size_t i = 0; i < the_disk.n_base; i++)
        the_disk.base[i] = (struct name){strdup(the_disk.names[i].name), the_disk.names[i].file};
    disk_unlock();
}

static void free_names(struct name *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(names[i].name);
    free(names);
}

void disk_end(void)
{
    disk_lock();
    struct disk *disk = &the_disk;
    for (size_t i = 0; i < disk->n_operations; i++) {
        free(disk->operations[i].bytes);
        free(disk->operations[i].name);
        free(disk->operations[i].to);
    }
    for (int i = 0; i < disk->n_contents; i++)
        free(disk->contents[i].bytes);
    free(disk->contents);
    free(disk->operations);
    free_names(disk->names, disk->n_names);
    free_names(disk->base, disk->n_base);
    free(disk->root);
    disk->root = NULL;
    disk->syncing = SYNCING_WORKS;
    disk->contents = NULL;
    disk->operations = NULL;
    disk->names = disk->base = NULL;
    disk->n_operations = disk->n_names = disk->n_base = 0;
    disk->n_contents = disk->n_files = 0;
    disk->fault = (struct disk_fault){.times = 0};
    disk_unlock();
}

size_t disk_moment(void)
{
    disk_lock();
    size_t n = the_disk.n_operations;
    disk_unlock();
    return n;
}

void disk_set_syncing(enum disk_syncing syncing)
{
    disk_lock();
    the_disk.syncing = syncing;
    disk_unlock();
}
