/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The life of the daemon: start, the main loop, the drain, the end.
 */
#ifndef BYEPASS_DAEMON_H
#define BYEPASS_DAEMON_H

#include "byepass/config.h"

/* Runs until SIGTERM or SIGINT and the drain that follows. @config is taken over. Returns the exit code: 0
 * after a drain, 1 when it could not start (said on stderr, nothing left behind). Thread: main, with no other
 * thread yet. */
int bp_daemon_run(struct bp_config *config);

#endif
