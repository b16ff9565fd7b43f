/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The kernel's interface behind a port, where there is one. Control thread only.
 */
#ifndef BYEPASS_WORKER_HOST_INTERFACE_H
#define BYEPASS_WORKER_HOST_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>

/* True when kernel interface @index is the other end of a wire whose near end this process holds (a TAP),
 * rather than the device itself (AF_PACKET, AF_XDP). Asks the kernel for the interface's driver. */
bool bp_host_interface_is_far_end(unsigned index);

/* MTU of kernel interface @index; 0: unknown, or there is no such interface. */
uint16_t bp_host_interface_mtu(unsigned index);

#endif
