/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What became of a packet. A value below BP_DROP_COUNT is a drop and its reason
 * (enum bp_drop); the others are below. The one who took the frame from the burst counts
 * it by this verdict, once: that is what keeps the frame law of counters.h exact.
 */
#ifndef BYEPASS_WIRE_VERDICT_H
#define BYEPASS_WIRE_VERDICT_H

#include "byepass/drops.h"

#define BP_VERDICT_HANDLED ((unsigned)BP_DROP_COUNT)       /* consumed here: ARP, ND, ICMP */
#define BP_VERDICT_DELIVERED ((unsigned)BP_DROP_COUNT + 1) /* went up as a SIP datagram */
#define BP_VERDICT_HELD ((unsigned)BP_DROP_COUNT + 2)      /* reassembly keeps the mbuf */
#define BP_VERDICT_WHOLE                                                                                     \
	((unsigned)BP_DROP_COUNT + 3) /* of reassembly: that was the last fragment, go on                    \
				       */

#endif
