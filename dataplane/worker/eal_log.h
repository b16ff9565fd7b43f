/* SPDX-License-Identifier: BSD-3-Clause
 *
 * DPDK's log: lines from warning up to stderr, and the first of them kept, so that
 * an error can say what DPDK said. Any thread may log; open and close are control's.
 */
#ifndef BYEPASS_WORKER_EAL_LOG_H
#define BYEPASS_WORKER_EAL_LOG_H

void bp_eal_log_open(void);
void bp_eal_log_close(void);

#endif
