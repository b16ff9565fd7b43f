/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Device strings. Drivers that need to be known by name are net_af_packet and net_ring, for the
 * reasons that device.h gives, and nobody else.
 */
#include "worker/device.h"

#include <stdlib.h>
#include <string.h>

/* Frames of the ring: the largest SIP message that IPv4 fragments bring through net_af_packet, with its
 * headers. Two rings of 512 frames each are locked in memory. */
#define RING_FRAME "16384"

bool
bp_device_is_virtual(const char *device)
{
	return strncmp(device, "net_", 4) == 0;
}

void
bp_device_name(const char *device, char *name, size_t size)
{
	size_t length = strcspn(device, ",");

	if (length >= size)
		length = size - 1;
	memcpy(name, device, length);
	name[length] = '\0';
}

bool
bp_device_is_memory(const char *device)
{
	return strncmp(device, "net_ring", strlen("net_ring")) == 0;
}

static bool
has_ring_frames(const char *device)
{
	return strncmp(device, "net_af_packet", strlen("net_af_packet")) == 0;
}

/* The value of ",key=" in @device, NULL: not there. */
static const char *
value(const char *device, const char *key)
{
	const char *found = strstr(device, key);

	return found ? found + strlen(key) : NULL;
}

const char *
bp_device_extra_arguments(const char *device)
{
	if (!has_ring_frames(device) || value(device, ",framesz=") || value(device, ",blocksz="))
		return "";
	return ",blocksz=" RING_FRAME ",framesz=" RING_FRAME;
}

uint32_t
bp_device_longest_frame(const char *device)
{
	const char *frame = value(device, ",framesz=");

	if (!has_ring_frames(device))
		return 0;
	if (!frame)
		frame = value(device, ",blocksz=") ? "2048" : RING_FRAME; /* 2048: the driver's own */
	return (uint32_t)strtoul(frame, NULL, 10);
}

unsigned
bp_device_queue_pairs(const char *device)
{
	const char *count = value(device, ",qpairs=");

	if (!count)
		count = value(device, ",queue_count=");
	return count ? (unsigned)strtoul(count, NULL, 10) : 0;
}
