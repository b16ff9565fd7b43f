/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The worker's side of its mailbox. The other side is in mailbox_control.c.
 */
#include "worker/mailbox.h"

#include <rte_ring.h>
#include <rte_ring_elem.h>

bool
bp_mailbox_take(struct bp_mailbox *mailbox, struct bp_mail *mail)
{
	return rte_ring_sc_dequeue_elem(mailbox->ring, mail, sizeof(*mail)) == 0;
}

void
bp_mailbox_acknowledge(struct bp_mailbox *mailbox, const struct bp_mail *mail)
{
	__atomic_store_n(&mailbox->acknowledged, mail->number, __ATOMIC_RELEASE);
}
