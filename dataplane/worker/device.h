/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a port's device string says: DPDK's name of the device and its arguments. The only place that knows a
 * driver by name. Pure; control thread only.
 */
#ifndef BYEPASS_WORKER_DEVICE_H
#define BYEPASS_WORKER_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True for a device that EAL must make (net_tap0,iface=x), false for one on a bus (0000:03:00.0). */
bool bp_device_is_virtual(const char *device);

/* The name that ethdev knows a device by: @device up to the first comma. Cut off to fit. */
void bp_device_name(const char *device, char *name, size_t size);

/* True for a device whose frames never leave this machine's memory: no wire can damage them, so UDP checksums are left
 * out, as a device with offloads would take them off our hands. */
bool bp_device_is_memory(const char *device);

/* Arguments to append to @device, with their comma, or "".
 * The kernel reassembles IPv4 fragments before an AF_PACKET socket of net_af_packet sees them (it always asks
 * for PACKET_FANOUT_FLAG_DEFRAG), and cuts off what is longer than a frame of its ring: so frames are larger
 * than a packet. */
const char *bp_device_extra_arguments(const char *device);

/* The longest frame that the device may hand over, bytes, where that has nothing to do with the MTU; else 0.
 */
uint32_t bp_device_longest_frame(const char *device);

/* How many queue pairs the arguments ask for (qpairs of net_af_packet, queue_count of net_af_xdp); 0: they do
 * not say. All of them receive, whether somebody looks or not. */
unsigned bp_device_queue_pairs(const char *device);

#endif
