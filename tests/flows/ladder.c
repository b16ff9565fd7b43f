/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The ladder of a flow, for whoever has to find out why a test failed.
 */
#include "world.h"

#include <stdio.h>

const char *
ladder_peer(const struct bp_flow *flow)
{
	const struct peer *const peers[] = {&alice, &mallory, &bob, &carol, &alice6, &bob6};

	for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
		struct bp_flow its = peer_flow(peers[i]);

		if (bp_flow_equal(&its, flow))
			return peers[i]->name;
	}
	if (bp_ip_is_v4(&flow->ip))
		return text_printf("%u.%u.%u.%u:%u@%u", flow->ip.bytes[12], flow->ip.bytes[13],
			flow->ip.bytes[14], flow->ip.bytes[15], flow->port, flow->listener);
	return text_printf(
		"[..%02x%02x]:%u@%u", flow->ip.bytes[14], flow->ip.bytes[15], flow->port, flow->listener);
}

static void
print_line(const struct world *w, const struct passed *passed)
{
	const char *name = ladder_peer(&passed->flow);
	uint64_t us = passed->time_us - w->start_us;
	bool left = passed->flow.listener == ACCESS || passed->flow.listener == ACCESS6;
	const char *start = text_copy(passed->text, strcspn(passed->text, "\r\n"));
	const char *arrow = (passed->out == left) ? "<--------" : "-------->";

	fprintf(stderr, "%6u.%06u w%u %s ", (unsigned)(us / 1000000), (unsigned)(us % 1000000),
		passed->worker, passed->out ? (passed->taken ? " " : "!") : " ");
	if (left)
		fprintf(stderr, "%10s %s |                    ", name, arrow);
	else
		fprintf(stderr, "                     | %s %-10s", arrow, name);
	fprintf(stderr, "  %.70s", start);
	if (strstr(passed->text, "CSeq:"))
		fprintf(stderr, " (%s)", text_header(passed->text, "CSeq"));
	fprintf(stderr, "\n");
}

void
ladder_print(const struct world *w)
{
	unsigned from = w->log_count > 120 ? w->log_count - 120 : 0, shown = 0;

	fprintf(stderr, "--- ladder (w: worker, !: sent and not yet expected) ---\n");
	for (unsigned i = from; i < w->log_count; i++)
		print_line(w, &w->log[i]);
	fprintf(stderr, "--- last message in, and messages that were not expected ---\n");
	for (unsigned i = w->log_count; i-- > 0;)
		if (!w->log[i].out) {
			fprintf(stderr, "%s\n", w->log[i].text);
			break;
		}
	for (unsigned i = 0; i < w->log_count && shown < 4; i++)
		if (w->log[i].out && !w->log[i].taken) {
			fprintf(stderr, "to %s:\n%s\n", ladder_peer(&w->log[i].flow), w->log[i].text);
			shown++;
		}
	fprintf(stderr, "---\n");
}
