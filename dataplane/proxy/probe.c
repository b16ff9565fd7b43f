/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Probes: OPTIONS to a target when control says so, with everything that is to be known of it in a signed branch, so that
 * nothing is kept here. Control repeats it as timer E would (RFC 3261 17.1.2.2) and judges the answers.
 */
#include "proxy/context.h"

/* "z9hG4bKbo" trunk(4) target(4) number(8) check(16), hexadecimal digits. */
#define PREFIX_SIZE (sizeof(BP_PROBE_PREFIX) - 1)
#define BRANCH_SIZE (PREFIX_SIZE + 32)

static uint64_t
sign(const struct bp_engine *engine, uint16_t trunk, uint16_t target, uint32_t number)
{
	/* of this snapshot: in another one the same place may be another target's; 'o': no branch of a record has that */
	uint64_t block[2] = {
		engine->config->generation << 32 | (uint64_t)trunk << 16 | target, (uint64_t)'o' << 56 | number};

	return bp_prf64(&engine->edge->branch_key, block);
}

static void
write_branch(const struct bp_engine *engine, uint16_t trunk, uint16_t target, uint32_t number, char out[BRANCH_SIZE + 1])
{
	memcpy(out, BP_PROBE_PREFIX, PREFIX_SIZE);
	bp_hex_write(trunk, 4, out + PREFIX_SIZE);
	bp_hex_write(target, 4, out + PREFIX_SIZE + 4);
	bp_hex_write(number, 8, out + PREFIX_SIZE + 8);
	bp_hex_write(sign(engine, trunk, target, number), 16, out + PREFIX_SIZE + 16);
	out[BRANCH_SIZE] = '\0';
}

/* Appends; @at stays below @room, which every probe fits into. */
static unsigned
put_text(uint8_t *out, unsigned at, const char *text, unsigned size)
{
	memcpy(out + at, text, size);
	return at + size;
}

#define TEXT(literal) at = put_text(out, at, literal, sizeof(literal) - 1)
#define SPAN(text, size) at = put_text(out, at, text, size)

static unsigned
write_probe(const struct bp_config_listener *out_of, const struct bp_config_target *target, const char *branch, uint8_t *out)
{
	const char *call = branch + PREFIX_SIZE;
	unsigned uri = (unsigned)strlen(target->uri), at = 0;

	TEXT("OPTIONS ");
	SPAN(target->uri, uri);
	TEXT(" SIP/2.0\r\nVia: SIP/2.0/UDP ");
	SPAN(out_of->text, out_of->text_size);
	TEXT(";branch=");
	SPAN(branch, BRANCH_SIZE);
	TEXT(";rport\r\nMax-Forwards: 70\r\nFrom: <sip:");
	SPAN(out_of->text, out_of->text_size);
	TEXT(">;tag=");
	SPAN(call, 16);
	TEXT("\r\nTo: <");
	SPAN(target->uri, uri);
	TEXT(">\r\nCall-ID: ");
	SPAN(call, 32);
	TEXT("@");
	SPAN(out_of->text, out_of->text_size);
	TEXT("\r\nCSeq: 1 OPTIONS\r\nContact: <sip:");
	SPAN(out_of->text, out_of->text_size);
	TEXT(">\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n");
	return at;
}

static const struct bp_config_trunk *
trunk_at(const struct bp_engine *engine, uint64_t trunk, uint64_t target)
{
	const struct bp_config_trunk *at = trunk < engine->config->trunk_count ? &engine->config->trunks[trunk] : NULL;

	return at != NULL && at->state != NULL && target < at->target_count ? at : NULL;
}

void
bp_engine_probe(struct bp_engine *engine, uint16_t trunk, uint16_t target, uint32_t number, uint64_t now_us)
{
	const struct bp_config_listener *out_of;
	const struct bp_config_trunk *of;
	const struct bp_config_target *to;
	struct bp_flow flow;
	char branch[BRANCH_SIZE + 1];

	engine->now_us = now_us;
	bp_engine_configure(engine);
	of = trunk_at(engine, trunk, target);
	if (of == NULL)
		return;
	to = &of->targets[target];
	flow = to->flow;
	if (to->name != NULL && !bp_name_first(engine, to->name, of->realm, &flow)) {
		bp_health_set(&of->state->targets[target].answered, (uint64_t)number << 16 | BP_PROBE_SKIPPED);
		return;
	}
	out_of = bp_listener(engine, flow.listener);
	if (out_of == NULL)
		return;
	write_branch(engine, trunk, target, number, branch);
	bp_transmit_bytes(engine, &flow, engine->scratch, write_probe(out_of, to, branch, engine->scratch));
	bp_count_request(engine, BP_METHOD_OPTIONS);
	bp_count(&engine->counters->probes_sent, 1);
}

int
bp_probe_response(struct bp_engine *engine, const struct bp_sip_message *m)
{
	const char *branch = bp_sip_at(m, m->via.branch);
	const struct bp_config_trunk *trunk;
	uint64_t index, target, number, check;

	if (m->via.branch.size != BRANCH_SIZE || !bp_hex_read(branch + PREFIX_SIZE, 4, &index) ||
		!bp_hex_read(branch + PREFIX_SIZE + 4, 4, &target) || !bp_hex_read(branch + PREFIX_SIZE + 8, 8, &number) ||
		!bp_hex_read(branch + PREFIX_SIZE + 16, 16, &check) ||
		check != sign(engine, (uint16_t)index, (uint16_t)target, (uint32_t)number))
		return BP_DROP_response_forged_branch;
	trunk = trunk_at(engine, index, target);
	if (trunk == NULL)
		return BP_DROP_response_stale_branch;
	if (m->method != BP_METHOD_OPTIONS)
		return BP_DROP_response_method_mismatch;
	if (m->status < 200)
		return BP_VERDICT_ABSORBED;
	bp_count(&engine->counters->probes_answered, 1);
	bp_health_set(&trunk->state->targets[target].answered, number << 16 | m->status);
	return BP_VERDICT_ABSORBED;
}
