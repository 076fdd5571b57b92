/* A stand-in for libnvidia-ml.so.1 that tells what a state file says.
 *
 * $NVML_STAND_IN names a file of "key value" lines, read anew at every call, so that a test can change a GPU
 * while a program watches it:
 *
 *   count N                GPUs there are
 *   N.name, N.uuid, N.total, N.free, N.reserved, N.temp, N.util, N.power_mw
 *   N.mig 0|1              MIG mode; without it the GPU does not know MIG
 *   N.slices K             MIG slices of GPU N; slice J is called "N:J" in keys: 0:1.uuid, 0:1.free
 *   error.SYMBOL CODE      what a function returns for every GPU; N.error.SYMBOL for one
 *   delay_ms.SYMBOL MS     how long a function takes
 *
 * Compiled with -DALIVE=N it reads no file: N GPUs whose figures change every second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, WRONG_VERSION = 25 };
enum { MAX_GPUS = 64, MAX_SLICES = 8, TEXT = 256 };

typedef struct { char key[32]; int gpu; int slice; } device;

static device gpus[MAX_GPUS];
static device slices[MAX_GPUS][MAX_SLICES];
static int users;

#ifdef ALIVE
enum { DEFAULT_COUNT = ALIVE };
static const char *state_file(void) { return NULL; }
/* Differs by up to `span` from one `every` seconds to the next. */
static long long pulse(const device *d, int span, int every)
{
    return ((long long)time(NULL) / every * 7919 + d->gpu * 104729) % (span + 1);
}
#else
enum { DEFAULT_COUNT = 1 };
static const char *state_file(void) { return getenv("NVML_STAND_IN"); }
static long long pulse(const device *d, int span, int every) { (void)d; (void)span; (void)every; return 0; }
#endif

static int look_up(const char *key, char *value)
{
    const char *path = state_file();
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[2 * TEXT];
    int found = 0;

    while (file && fgets(line, sizeof line, file)) {
        char *space = strchr(line, ' ');
        if (!space)
            continue;
        *space++ = 0;
        space[strcspn(space, "\n")] = 0;
        if (!strcmp(line, key)) {
            snprintf(value, TEXT, "%s", space);
            found = 1;
        }
    }
    if (file)
        fclose(file);
    return found;
}

static long long number(const char *prefix, const char *name, long long otherwise)
{
    char key[TEXT], value[TEXT];

    snprintf(key, sizeof key, "%s%s", prefix, name);
    return look_up(key, value) ? atoll(value) : otherwise;
}

static long long of(const device *d, const char *name, long long otherwise)
{
    char prefix[40];

    snprintf(prefix, sizeof prefix, "%s.", d->key);
    return number(prefix, name, otherwise);
}

static int copy(const device *d, const char *name, const char *otherwise, char *out, unsigned size)
{
    char key[TEXT], value[TEXT];

    snprintf(key, sizeof key, "%s.%s", d->key, name);
    if (!look_up(key, value))
        snprintf(value, sizeof value, "%s", otherwise);
    if (strlen(value) >= size)
        return TOO_SMALL;
    strcpy(out, value);
    return OK;
}

static int enter(const char *symbol, const device *d)
{
    char name[TEXT];
    long long ms = number("delay_ms.", symbol, 0);
    int code = (int)number("error.", symbol, OK);

    if (ms > 0)
        usleep((useconds_t)ms * 1000);
    snprintf(name, sizeof name, "error.%s", symbol);
    return code == OK && d ? (int)of(d, name, OK) : code;
}

#define ENTER(d)                                 \
    do {                                         \
        int code_ = enter(__func__, (d));        \
        if (code_ != OK)                         \
            return code_;                        \
        if (!users)                              \
            return UNINITIALIZED;                \
    } while (0)

int nvmlInitWithFlags(unsigned flags)
{
    int code = enter(__func__, NULL);

    (void)flags;
    users += code == OK;
    return code;
}

int nvmlShutdown(void)
{
    ENTER(NULL);
    users--;
    return OK;
}

const char *nvmlErrorString(int code)
{
    static char text[64];

    snprintf(text, sizeof text, "stand-in error %d", code);
    return text;
}

int nvmlDeviceGetCount_v2(unsigned *count)
{
    ENTER(NULL);
    *count = (unsigned)number("", "count", DEFAULT_COUNT);
    return OK;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, device **handle)
{
    if (index >= MAX_GPUS || index >= number("", "count", DEFAULT_COUNT))
        return INVALID;
    gpus[index].gpu = (int)index;
    gpus[index].slice = -1;
    snprintf(gpus[index].key, sizeof gpus[index].key, "%u", index);
    ENTER(&gpus[index]);
    *handle = &gpus[index];
    return OK;
}

int nvmlDeviceGetName(device *d, char *name, unsigned size)
{
    ENTER(d);
    return copy(d, "name", "Stand-In 9000", name, size);
}

int nvmlDeviceGetUUID(device *d, char *uuid, unsigned size)
{
    char otherwise[TEXT];

    ENTER(d);
    if (d->slice < 0)
        snprintf(otherwise, sizeof otherwise, "GPU-%08d-0000-4000-8000-5a5a5a5a5a5a", d->gpu);
    else
        snprintf(otherwise, sizeof otherwise, "MIG-%08d-%04d-4000-8000-5a5a5a5a5a5a", d->gpu, d->slice);
    return copy(d, "uuid", otherwise, uuid, size);
}

struct memory { unsigned long long total, free, used; };
struct memory_v2 { unsigned version; unsigned long long total, reserved, free, used; };

static const long long GIB = 1LL << 30;

int nvmlDeviceGetMemoryInfo(device *d, struct memory *memory)
{
    ENTER(d);
    memory->total = (unsigned long long)of(d, "total", 24 * GIB);
    memory->free = (unsigned long long)of(d, "free", 20 * GIB - pulse(d, 3, 10) * (GIB >> 3));
    memory->used = memory->total - memory->free;
    return OK;
}

int nvmlDeviceGetMemoryInfo_v2(device *d, struct memory_v2 *memory)
{
    ENTER(d);
    if (memory->version != (sizeof *memory | 2U << 24))
        return WRONG_VERSION;
    memory->total = (unsigned long long)of(d, "total", 24 * GIB);
    memory->reserved = (unsigned long long)of(d, "reserved", 0);
    memory->free = (unsigned long long)of(d, "free", 20 * GIB - pulse(d, 3, 10) * (GIB >> 3)) - memory->reserved;
    memory->used = memory->total - memory->free - memory->reserved;
    return OK;
}

struct temperature { unsigned version; int sensor; int celsius; };

int nvmlDeviceGetTemperatureV(device *d, struct temperature *temperature)
{
    ENTER(d);
    if (temperature->version != (sizeof *temperature | 1U << 24))
        return WRONG_VERSION;
    temperature->celsius = (int)of(d, "temp", 50 + pulse(d, 3, 4));
    return OK;
}

int nvmlDeviceGetTemperature(device *d, int sensor, unsigned *celsius)
{
    (void)sensor;
    ENTER(d);
    *celsius = (unsigned)of(d, "temp", 50 + pulse(d, 3, 4));
    return OK;
}

struct rates { unsigned gpu, memory; };

int nvmlDeviceGetUtilizationRates(device *d, struct rates *rates)
{
    ENTER(d);
    rates->gpu = (unsigned)of(d, "util", pulse(d, 30, 1));
    rates->memory = 0;
    return OK;
}

int nvmlDeviceGetPowerUsage(device *d, unsigned *milliwatts)
{
    ENTER(d);
    *milliwatts = (unsigned)of(d, "power_mw", 60000 + 1000 * pulse(d, 25, 1));
    return OK;
}

int nvmlDeviceGetEnforcedPowerLimit(device *d, unsigned *milliwatts)
{
    ENTER(d);
    *milliwatts = (unsigned)of(d, "power_limit_mw", 450000);
    return OK;
}

int nvmlDeviceGetMigMode(device *d, unsigned *current, unsigned *pending)
{
    long long mode = of(d, "mig", -1);

    ENTER(d);
    if (mode < 0)
        return NOT_SUPPORTED;
    *current = *pending = (unsigned)mode;
    return OK;
}

int nvmlDeviceGetMaxMigDeviceCount(device *d, unsigned *count)
{
    ENTER(d);
    *count = MAX_SLICES - 1;
    return OK;
}

int nvmlDeviceGetMigDeviceHandleByIndex(device *d, unsigned index, device **handle)
{
    device *slice;

    ENTER(d);
    if (index >= MAX_SLICES || index >= of(d, "slices", 0))
        return NOT_FOUND;
    slice = &slices[d->gpu][index];
    slice->gpu = d->gpu;
    slice->slice = (int)index;
    snprintf(slice->key, sizeof slice->key, "%d:%u", d->gpu, index);
    *handle = slice;
    return OK;
}
