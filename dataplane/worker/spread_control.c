/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Making and freeing what spread.c works on. Control thread only.
 */
#include "worker/spread.h"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

int
bp_spread_create(struct bp_spread **out, unsigned workers)
{
	struct bp_spread *spread = calloc(1, sizeof(*spread));
	char name[RTE_RING_NAMESIZE];
	int rc = -ENOMEM;

	if (!spread)
		return -ENOMEM;
	spread->workers = workers;
	if (getrandom(&spread->key, sizeof(spread->key), 0) != sizeof(spread->key)) {
		rc = -EIO;
		goto fail;
	}
	for (unsigned i = 0; i < workers; i++) {
		snprintf(name, sizeof(name), "spread_%u", i);
		spread->inbox[i] = rte_ring_create(name, BP_SPREAD_RING, SOCKET_ID_ANY, RING_F_SC_DEQ);
		if (!spread->inbox[i]) {
			rc = rte_errno ? -rte_errno : -ENOMEM;
			goto fail;
		}
	}
	*out = spread;
	return 0;
fail:
	bp_spread_free(spread);
	return rc;
}

void
bp_spread_free(struct bp_spread *spread)
{
	if (!spread)
		return;
	for (unsigned i = 0; i < spread->workers; i++) {
		struct rte_mbuf *frame;

		while (spread->inbox[i] && rte_ring_dequeue(spread->inbox[i], (void **)&frame) == 0)
			rte_pktmbuf_free(frame);
		rte_ring_free(spread->inbox[i]);
	}
	free(spread);
}
