/* A stand-in for libnvidia-ml.so.1 that tells what a state file says.
 *
 * $NVML_STAND_IN names a file of "key value" lines, read anew at every call, so that a test can change a GPU
 * while a program watches it:
 *
 *   count N                GPUs there are
 *   N.name, N.uuid, N.total, N.free, N.reserved, N.temp, N.util, N.power_mw, N.power_limit_mw
 *   N.margin C             degrees left to the slowdown point (newer GPUs); without it not supported
 *   N.slowdown C           the slowdown point itself (older GPUs); without it not supported
 *   N.reasons MASK         clocks event reasons, such as 0x20 or 0x40 for heat; without it not supported
 *   N.processes LIST       who computes on it, such as 123:1048576,124:- with bytes, or - where the driver does not
 *                          tell; N.graphics likewise for who draws on it
 *   N.mig 0|1              MIG mode; without it the GPU does not know MIG
 *   N.slices K             MIG slices of GPU N; slice J is called "N:J" in keys: 0:1.uuid, 0:1.free, 0:1.processes
 *   error.SYMBOL CODE      what a function returns for every GPU; N.error.SYMBOL for one
 *   error.all CODE         the same for all functions; N.error.all 15 for a GPU (with its slices) that is lost
 *   delay_ms.SYMBOL MS     how long a function takes
 *   hang 1                 every call sleeps until the key is taken back; N.hang 1 those for one GPU
 *   hang.SYMBOL 1          those of one function
 *
 * Numbers may be hexadecimal. Without a state file, or a key, a GPU is a cool one with 20 of 24 GiB free.
 * Compiled with -DALIVE=N it reads no file: N GPUs whose figures change every second.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, WRONG_VERSION = 25 };
enum { MAX_GPUS = 64, MAX_SLICES = 8, TEXT = 1024, STATE = 1 << 16 };

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

static __thread char state[STATE];

/* What the state file says now; it holds for one call of one thread. */
static void read_state(void)
{
    const char *path = state_file();
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t size = fd < 0 ? 0 : read(fd, state, sizeof state - 1);

    state[size > 0 ? size : 0] = 0;
    if (fd >= 0)
        close(fd);
}

static int look_up(const char *key, char *value)
{
    size_t length = strlen(key);

    for (const char *line = state; line && *line; line = strchr(line, '\n'), line += line != NULL)
        if (!strncmp(line, key, length) && line[length] == ' ') {
            const char *start = line + length + 1;
            snprintf(value, TEXT, "%.*s", (int)strcspn(start, "\n"), start);
            return 1;
        }
    return 0;
}

static long long number(const char *prefix, const char *name, long long otherwise)
{
    char key[TEXT], value[TEXT];

    snprintf(key, sizeof key, "%s%s", prefix, name);
    return look_up(key, value) ? strtoll(value, NULL, 0) : otherwise;
}

static long long of(const device *d, const char *name, long long otherwise)
{
    char prefix[sizeof d->key + 1];

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

static int hangs(const char *symbol, const device *d)
{
    read_state();
    return number("", "hang", 0) || number("hang.", symbol, 0) || (d && of(d, "hang", 0));
}

static int error_of(const device *d, const char *symbol)
{
    char name[TEXT];
    int code = (int)of(d, "error.all", OK);

    snprintf(name, sizeof name, "error.%s", symbol);
    return code == OK ? (int)of(d, name, OK) : code;
}

/* Whatever the state file wants to happen in this function; returns what it shall say. */
static int enter(const char *symbol, const device *d)
{
    int code;
    long long ms;

    while (hangs(symbol, d))
        usleep(10000);
    if ((ms = number("delay_ms.", symbol, 0)) > 0) {
        usleep((useconds_t)ms * 1000);
        read_state();
    }
    if ((code = (int)number("error.", "all", OK)) || (code = (int)number("error.", symbol, OK)))
        return code;
    if (d && d->slice >= 0 && (code = (int)of(&gpus[d->gpu], "error.all", OK)))
        return code;
    return d ? error_of(d, symbol) : OK;
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
    read_state();
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

struct margin { unsigned version; int celsius; };

int nvmlDeviceGetMarginTemperature(device *d, struct margin *margin)
{
    ENTER(d);
    if (margin->version != (sizeof *margin | 1U << 24))
        return WRONG_VERSION;
    margin->celsius = (int)of(d, "margin", INT_MIN);
    return margin->celsius == INT_MIN ? NOT_SUPPORTED : OK;
}

int nvmlDeviceGetTemperatureThreshold(device *d, int which, unsigned *celsius)
{
    ENTER(d);
    *celsius = (unsigned)of(d, "slowdown", 0);
    return which == 1 && *celsius ? OK : NOT_SUPPORTED;
}

int nvmlDeviceGetCurrentClocksEventReasons(device *d, unsigned long long *reasons)
{
    long long mask;

    ENTER(d);
    mask = of(d, "reasons", -1);
    *reasons = (unsigned long long)mask;
    return mask < 0 ? NOT_SUPPORTED : OK;
}

struct process { unsigned pid; unsigned long long used; unsigned instance, slice; };

/* The list of a key, in the protocol of both functions below: asked with too small an array, it tells the size. */
static int list(const device *d, const char *name, unsigned *size, struct process *out)
{
    char text[TEXT];
    unsigned count = 0;
    int code = copy(d, name, "", text, sizeof text);

    for (char *save, *word = strtok_r(text, ",", &save); code == OK && word; word = strtok_r(NULL, ",", &save)) {
        char *used = strchr(word, ':');
        if (count < *size && out)
            out[count] = (struct process){
                .pid = (unsigned)atoll(word),
                .used = used && used[1] != '-' ? strtoull(used + 1, NULL, 0) : ~0ULL,
            };
        count++;
    }
    code = code == OK && count > *size ? TOO_SMALL : code;
    *size = count;
    return code;
}

int nvmlDeviceGetComputeRunningProcesses_v3(device *d, unsigned *size, struct process *out)
{
    ENTER(d);
    return list(d, "processes", size, out);
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(device *d, unsigned *size, struct process *out)
{
    ENTER(d);
    return list(d, "graphics", size, out);
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
    long long mode;

    ENTER(d);
    mode = of(d, "mig", -1);
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
