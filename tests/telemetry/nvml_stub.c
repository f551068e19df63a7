/* A libnvidia-ml.so.1 that says what a text file says, read anew with every call: one line a key and a value.

   driver 580.65.06           cards 2             init 0              (a return code of nvml.h)
   card0.used 20900           card0.lost 1        card0.mig 1         (MiB; flags)
   card0.processes 1234:20000,99:500              card0.no_processes 1 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned int version; unsigned long long total, reserved, free, used; } memory_v2_t;
typedef struct { unsigned int gpu, memory; } utilization_t;
typedef struct { unsigned int pid; unsigned long long used; unsigned int gpu, compute; } process_t;

enum { OK = 0, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, SMALL = 7, LOST = 15 };
#define MIB (1ull << 20)

static int handles[64];

static int text(const char *key, char *value, size_t size) {
    FILE *file = fopen(getenv("NVML_STUB"), "r");
    char line[512];
    size_t length = strlen(key);
    int found = 0;
    if (!file) return 0;
    while (!found && fgets(line, sizeof line, file))
        if (!strncmp(line, key, length) && line[length] == ' ') {
            line[strcspn(line, "\n")] = 0;
            snprintf(value, size, "%s", line + length + 1);
            found = 1;
        }
    fclose(file);
    return found;
}

static long number(const char *key, long otherwise) {
    char value[512];
    return text(key, value, sizeof value) ? strtol(value, NULL, 10) : otherwise;
}

static int index_of(void *device) { return (int)((int *)device - handles) % 32; }
static int is_instance(void *device) { return (int *)device - handles >= 32; }

static long of(void *device, const char *name, long otherwise) {
    char key[64];
    snprintf(key, sizeof key, "card%d.%s", index_of(device), name);
    return number(key, otherwise);
}

static int state(void *device) { return of(device, "lost", 0) ? LOST : OK; }

int nvmlInitWithFlags(unsigned int flags) { (void)flags; return (int)number("init", OK); }
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { (void)code; return "stub"; }

int nvmlSystemGetDriverVersion(char *value, unsigned int size) {
    return text("driver", value, size) ? OK : NOT_SUPPORTED;
}
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = (int)number("cuda", 13000); return OK; }
int nvmlDeviceGetCount_v2(unsigned int *count) {
    int code = (int)number("count", OK);
    *count = (unsigned int)number("cards", 1);
    return code;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device) {
    *device = &handles[index];
    return state(*device);
}
int nvmlDeviceGetName(void *device, char *name, unsigned int size) {
    char key[64];
    snprintf(key, sizeof key, "card%d.name", index_of(device));
    if (!text(key, name, size)) snprintf(name, size, "NVIDIA A10");
    return state(device);
}
int nvmlDeviceGetMemoryInfo(void *device, memory_t *memory) {
    memory->total = (unsigned long long)of(device, "total", 23028) * MIB;
    memory->used = (unsigned long long)of(device, "used", 1000) * MIB;
    memory->free = memory->total - memory->used;
    return state(device);
}
int nvmlDeviceGetMemoryInfo_v2(void *device, memory_v2_t *memory) {
    if (of(device, "old", 0)) return NOT_SUPPORTED;
    memory->total = (unsigned long long)of(device, is_instance(device) ? "slice" : "total", 23028) * MIB;
    memory->reserved = 297 * MIB;
    memory->used = (unsigned long long)of(device, "used", 1000) * MIB;
    memory->free = memory->total - memory->used - memory->reserved;
    return state(device);
}
int nvmlDeviceGetUtilizationRates(void *device, utilization_t *rates) {
    rates->gpu = (unsigned int)of(device, "utilisation", 7);
    return of(device, "no_rates", 0) || is_instance(device) ? NOT_SUPPORTED : state(device);
}
int nvmlDeviceGetTemperature(void *device, int sensor, unsigned int *celsius) {
    (void)sensor;
    *celsius = (unsigned int)of(device, "temperature", 45);
    return state(device);
}
int nvmlDeviceGetPowerUsage(void *device, unsigned int *milliwatts) {
    *milliwatts = (unsigned int)of(device, "power", 61500);
    return of(device, "no_power", 0) ? NOT_SUPPORTED : state(device);
}
int nvmlDeviceGetMigMode(void *device, unsigned int *current, unsigned int *pending) {
    *current = *pending = (unsigned int)(of(device, "mig", 0) > 0);
    return state(device);
}
int nvmlDeviceGetMaxMigDeviceCount(void *device, unsigned int *count) {
    *count = (unsigned int)of(device, "mig", 0);
    return state(device);
}
int nvmlDeviceGetMigDeviceHandleByIndex(void *device, unsigned int index, void **instance) {
    if (of(device, "no_instances", 0)) return NO_PERMISSION;
    if (index > 0) return NOT_FOUND;
    *instance = &handles[32 + index_of(device)];
    return OK;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned int *count, process_t *entries) {
    char key[64], value[512];
    unsigned int found = 0;
    if (of(device, "no_processes", 0)) return NO_PERMISSION;
    snprintf(key, sizeof key, "card%d.processes", index_of(device));
    if (text(key, value, sizeof value))
        for (char *part = strtok(value, ","); part; part = strtok(NULL, ",")) {
            if (entries && found < *count) {
                char *rest;
                entries[found].pid = (unsigned int)strtoul(part, &rest, 10);
                entries[found].used = *rest == ':' ? strtoull(rest + 1, NULL, 10) * MIB : ~0ull;
            }
            found++;
        }
    int code = entries && found <= *count ? state(device) : found ? SMALL : state(device);
    *count = found;
    return code;
}
