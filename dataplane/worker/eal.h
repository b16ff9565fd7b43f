/* SPDX-License-Identifier: BSD-3-Clause
 *
 * EAL from the configuration: the user learns no EAL flags. Control thread only.
 * Lcore 0 is control, on control_cpu; worker n is lcore n + 1, on workers.cpus[n].
 */
#ifndef BYEPASS_WORKER_EAL_H
#define BYEPASS_WORKER_EAL_H

#include "byepass/config.h"

#define BP_EAL_LCORE(worker) ((unsigned)(worker) + 1)

struct bp_eal_arguments {
	char **argv; /* owned, NULL-terminated */
	int argc;
};

/* Builds EAL's argument vector; touches nothing else.
 * @huge:      take huge pages; false: plain memory.
 * @devices:   name the configuration's devices to EAL; false: who calls makes them.
 * @memory_mb: plain memory to reserve when @huge is false, MiB. Untouched pages cost nothing.
 * Returns 0 or -ENOMEM. bp_eal_arguments_free() in either case. */
int bp_eal_arguments_build(struct bp_eal_arguments *arguments, const struct bp_config *config, bool devices,
	bool huge, unsigned memory_mb);
void bp_eal_arguments_free(struct bp_eal_arguments *arguments);

/* Starts EAL on the calling thread, which becomes the main lcore and is pinned to control_cpu. Its threads
 * block all signals but SIGIO (net_tap listens to that one); the calling thread, and those that it makes
 * later, block SIGIO. On failure one line in @error. 0 or -errno. @arguments must live until bp_eal_stop. */
int bp_eal_start(
	struct bp_eal_arguments *arguments, const struct bp_config *config, char *error, size_t error_size);
void bp_eal_stop(void);

/* What DPDK complained about @device since the start: a line that names it or its interface, or the reason
 * before it; of "": its first complaint. "" when there is none. Static, valid until the next call. */
const char *bp_eal_complaint(const char *device);

/* While @held, as after bp_eal_start, DPDK's lines are only kept for bp_eal_complaint(); else those from
 * warning up go to stderr as they come. */
void bp_eal_log_hold(bool held);

#endif
