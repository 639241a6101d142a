/* dlopen() and dlsym(). */
#include "engine/base/shared_library.h"

#include <dlfcn.h>
#include <string.h>

enum status shared_library_load(const char *file, const struct shared_function *functions, size_t n,
                                void *table, struct error *error)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library)
        return error_set(error, STATUS_UNSUPPORTED, "%.300s", dlerror());
    for (size_t i = 0; i < n; i++) {
        void *address = dlsym(library, functions[i].name);
        if (!address)
            return error_set(error, STATUS_UNSUPPORTED, "%s: there is no %s in it", file,
                             functions[i].name);
        memcpy((char *)table + functions[i].offset, &address, sizeof address);
    }
    return STATUS_OK;
}
