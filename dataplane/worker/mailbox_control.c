/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Control's side of a worker's mailbox: making it, posting, waiting for the acknowledgement.
 */
#include "worker/mailbox.h"

#include <rte_ring.h>
#include <rte_ring_elem.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define LOOK_NS 50000 /* between two looks at the acknowledgement */

int
bp_mailbox_create(struct bp_mailbox *mailbox)
{
	ssize_t size = rte_ring_get_memsize_elem(sizeof(struct bp_mail), BP_MAILBOX_SIZE);

	mailbox->posted = 0;
	mailbox->acknowledged = 0;
	mailbox->ring = size > 0 ? aligned_alloc(RTE_CACHE_LINE_SIZE, (size_t)size) : NULL;
	if (!mailbox->ring)
		return -ENOMEM;
	return rte_ring_init(mailbox->ring, "mailbox", BP_MAILBOX_SIZE, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

void
bp_mailbox_free(struct bp_mailbox *mailbox)
{
	free(mailbox->ring);
	mailbox->ring = NULL;
}

int
bp_mailbox_post(struct bp_mailbox *mailbox, enum bp_command command, uint64_t *number)
{
	struct bp_mail mail = {.number = mailbox->posted + 1, .command = command};

	if (rte_ring_sp_enqueue_elem(mailbox->ring, &mail, sizeof(mail)))
		return -ENOBUFS;
	mailbox->posted = mail.number;
	*number = mail.number;
	return 0;
}

int
bp_mailbox_offer(struct bp_mailbox *mailbox, enum bp_command command, uint64_t argument)
{
	struct bp_mail mail = {.number = mailbox->posted + 1, .command = command, .argument = argument};

	if (mailbox->posted - __atomic_load_n(&mailbox->acknowledged, __ATOMIC_ACQUIRE) >= BP_MAILBOX_SIZE / 2)
		return -EAGAIN;
	if (rte_ring_sp_enqueue_elem(mailbox->ring, &mail, sizeof(mail)))
		return -EAGAIN;
	mailbox->posted = mail.number;
	return 0;
}

static uint64_t
clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int
bp_mailbox_wait(const struct bp_mailbox *mailbox, uint64_t number, uint64_t timeout_us)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	uint64_t end = clock_us() + timeout_us;

	while (__atomic_load_n(&mailbox->acknowledged, __ATOMIC_ACQUIRE) < number) {
		if (clock_us() >= end)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
	return 0;
}
