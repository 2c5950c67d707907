/* Stands in for libnvidia-ml.so.1 and libnvidia-nscq.so.2: answers with the files of the folder in
 * LEASEHOLD_SHIM (gpu0.report, gpu0.pem, switch0.report, switch0.pem, state, driver), in the libraries' own
 * structures. A report is given only for the nonce it was made for, as a device would make it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 0, NOT_SUPPORTED = 3, NO_DRIVER = 9, NONCE_AT = 4, NONCE = 32 };

static long load(const char *kind, unsigned index, const char *suffix, void *into, size_t most) {
    char path[1024];
    const char *folder = getenv("LEASEHOLD_SHIM");
    if (!folder) return -1;
    if (index < 100) snprintf(path, sizeof path, "%s/%s%u.%s", folder, kind, index, suffix);
    else snprintf(path, sizeof path, "%s/%s", folder, kind);
    FILE *file = fopen(path, "rb");
    if (!file) return -1;
    long size = (long)fread(into, 1, most, file);
    fclose(file);
    return size;
}

static unsigned count(const char *kind) {
    char byte;
    unsigned found = 0;
    while (load(kind, found, "report", &byte, 1) == 1) found++;
    return found;
}

/* NVML */
int nvmlInitWithFlags(unsigned flags) { return getenv("LEASEHOLD_SHIM") ? OK : NO_DRIVER; }
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { return code == NOT_SUPPORTED ? "Not Supported" : "Driver Not Loaded"; }
int nvmlDeviceGetCount_v2(unsigned *found) { *found = count("gpu"); return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    *handle = (void *)(uintptr_t)(index + 1);
    return OK;
}
int nvmlSystemGetDriverVersion(char *version, unsigned most) {
    long size = load("driver", 100, "", version, most - 1);
    if (size < 0) return NOT_SUPPORTED;
    version[size] = 0;
    return OK;
}
typedef struct { unsigned version, environment, cc, devtools, multi; } Settings;
int nvmlSystemGetConfComputeSettings(Settings *settings) {
    unsigned char state[3];
    if (settings->version != 0x1000014 || load("state", 100, "", state, 3) != 3) return NOT_SUPPORTED;
    settings->environment = 2;
    settings->cc = state[0] - '0';
    settings->devtools = state[1] - '0';
    settings->multi = state[2] - '0';
    return OK;
}
typedef struct { unsigned size, attestation_size; uint8_t chain[0x1000], attestation[0x1400]; } Certificate;
int nvmlDeviceGetConfComputeGpuCertificate(void *device, Certificate *certificate) {
    unsigned index = (unsigned)(uintptr_t)device - 1;
    long size = load("gpu", index, "pem", certificate->attestation, sizeof certificate->attestation);
    certificate->attestation_size = (unsigned)size;
    return size < 0 ? NOT_SUPPORTED : OK;
}
typedef struct {
    unsigned has_cec, size, cec_size;
    uint8_t nonce[NONCE], report[0x2000], cec[0x1000];
} Report;
int nvmlDeviceGetConfComputeGpuAttestationReport(void *device, Report *report) {
    unsigned index = (unsigned)(uintptr_t)device - 1;
    long size = load("gpu", index, "report", report->report, sizeof report->report);
    report->size = (unsigned)size;
    return size < 0 || memcmp(report->report + NONCE_AT, report->nonce, NONCE) ? NOT_SUPPORTED : OK;
}

/* NSCQ */
typedef struct { int8_t code; void *session; } Session;
typedef struct { uint8_t bytes[16]; } Uuid;
typedef struct { uint8_t chain[0x1400]; uint32_t size; } SwitchCertificate;
typedef struct { uint32_t size; uint8_t report[0x2000]; } SwitchReport;
static uint8_t asked[NONCE];

Session nscq_session_create(uint32_t flags) {
    Session made = {getenv("LEASEHOLD_SHIM") ? 0 : -6, asked};
    return made;
}
void nscq_session_destroy(void *session) {}
int8_t nscq_session_set_input(void *session, uint32_t flags, const void *input, uint32_t size) {
    if (session != asked || size != NONCE) return -5;
    memcpy(asked, input, NONCE);
    return 0;
}
int8_t nscq_session_path_observe(void *session, const char *path, void *callback, void *data, uint32_t flags) {
    if (session != asked) return -5;
    /* Backwards: the order is nobody's promise. */
    for (unsigned index = count("switch"); index-- > 0;) {
        Uuid uuid = {{(uint8_t)(index + 1)}};
        if (!strcmp(path, "/{nvswitch}/config/certificate")) {
            SwitchCertificate value;
            value.size = (uint32_t)load("switch", index, "pem", value.chain, sizeof value.chain);
            ((void (*)(Uuid *, int8_t, SwitchCertificate, void *))callback)(&uuid, 0, value, data);
        } else if (!strcmp(path, "/{nvswitch}/config/attestation_report")) {
            SwitchReport value;
            value.size = (uint32_t)load("switch", index, "report", value.report, sizeof value.report);
            int8_t code = memcmp(value.report + NONCE_AT, asked, NONCE) ? -7 : 0;
            ((void (*)(Uuid *, int8_t, SwitchReport, void *))callback)(&uuid, code, value, data);
        } else {
            return -1;
        }
    }
    return 0;
}
