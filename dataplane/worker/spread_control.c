/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Making and freeing what spread.c works on. Control thread only.
 */
#include "worker/spread.h"

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

int
bp_spread_create(struct bp_spread **out, unsigned workers)
{
	struct bp_spread *spread = aligned_alloc(alignof(struct bp_spread), sizeof(*spread));
	char name[RTE_RING_NAMESIZE];
	int rc = -ENOMEM;

	if (!spread)
		return -ENOMEM;
	*spread = (struct bp_spread){.workers = workers, .ring_size = (size_t)rte_ring_get_memsize(BP_SPREAD_RING)};
	if (getrandom(&spread->key, sizeof(spread->key), 0) != sizeof(spread->key)) {
		rc = -EIO;
		goto fail;
	}
	spread->rings = aligned_alloc(RTE_CACHE_LINE_SIZE, spread->ring_size * workers * workers);
	if (!spread->rings)
		goto fail;
	memset(spread->rings, 0, spread->ring_size * workers * workers); /* a worker takes no page fault */
	for (unsigned i = 0; i < workers * workers; i++) {
		snprintf(name, sizeof(name), "spread_%u_%u", i % workers, i / workers);
		rc = rte_ring_init(bp_spread_ring(spread, i % workers, i / workers), name, BP_SPREAD_RING,
			RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (rc != 0)
			goto fail_rings;
	}
	*out = spread;
	return 0;
fail_rings:
	free(spread->rings);
fail:
	free(spread);
	return rc;
}

void
bp_spread_free(struct bp_spread *spread)
{
	if (!spread)
		return;
	for (unsigned i = 0; i < spread->workers * spread->workers; i++) {
		struct rte_ring *ring = bp_spread_ring(spread, i % spread->workers, i / spread->workers);
		struct rte_mbuf *frame;

		while (rte_ring_dequeue(ring, (void **)&frame) == 0)
			rte_pktmbuf_free(frame);
	}
	free(spread->rings);
	free(spread);
}
