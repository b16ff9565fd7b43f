/* SPDX-License-Identifier: BSD-3-Clause
 *
 * DPDK's log: lines from warning up to stderr, and the first of them kept, so that
 * an error can say what DPDK said. Any thread may log; open and close are control's.
 */
#ifndef BYEPASS_WORKER_EAL_LOG_H
#define BYEPASS_WORKER_EAL_LOG_H

void bp_eal_log_open(void);
void bp_eal_log_close(void);

/* Takes over what libbpf and libxdp print, if net_af_xdp has loaded them: warnings join DPDK's lines. */
void bp_eal_log_libraries(void);

#endif
