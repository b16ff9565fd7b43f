/* SPDX-License-Identifier: BSD-3-Clause
 *
 * byepass/dataplane.h without a data path. Linked with control it makes a daemon that
 * lives the life of the real one and carries no call. What such a daemon shows comes
 * from its environment:
 *   FAKE_START_FAILS  the data path refuses to start
 *   FAKE_NO_MEMORY    the capacity is more than the machine has
 *   FAKE_DIALOGS=N    N calls are up
 *   FAKE_ENDS_AFTER=N they end when they were looked at N times after the drain began
 *   FAKE_LOST         a message is not accounted for
 */
#include "fake_dataplane.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct bp_name_table *fake_names;

static uint64_t
environment(const char *name)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 10) : 0;
}

static void
fill(struct bp_dataplane *d)
{
	struct bp_counters *c = &d->counters[0];

	c->messages_received = 20;
	c->forwarded = 12;
	c->answered = 4;
	c->absorbed = 3;
	c->drops[BP_DROP_response_stale_branch] = environment("FAKE_LOST") ? 0 : 1;
	c->drops[BP_DROP_arp_foreign] = 7;
	c->requests[BP_IN][BP_METHOD_INVITE] = 2;
	c->responses[BP_OUT][487] = 1;
	c->transactions_created[BP_KIND_INVITE] = 2;
	c->transactions_ended[BP_KIND_INVITE] = 2;
	c->dialogs_created = 1 + environment("FAKE_DIALOGS");
	c->dialogs_ended[BP_DIALOG_END_bye] = 1;
	c->cancel_outcomes[BP_CANCEL_matched] = 1;
	c->busy_us = 1500000;
	c->timer_lag_us = 25;
	d->event_count = fake_answered_call(d->events, "answered/call?@192.0.2.10");
	d->event_count += fake_cancelled_call(d->events + d->event_count, "cancelled@192.0.2.10");
	fake_event(&d->events[d->event_count], 1763800100000000, "192.0.2.66:5060", 0, BP_IN, 0,
		BP_METHOD_OTHER, 7, "EV\x1bIL\xfe sip:\x07 SIP/2.0");
	snprintf(d->events[d->event_count++].call_id, 128, "evil\x1b[2J\xff\"\n");
}

int
bp_dataplane_start(struct bp_dataplane **out, const struct bp_config *config,
	void (*free_config)(const struct bp_config *), void (*notice)(const char *line), char *error,
	size_t error_size)
{
	struct bp_dataplane *d;

	if (getenv("FAKE_START_FAILS") != NULL) {
		snprintf(error, error_size, "port \"p0\": no such device");
		return -ENODEV;
	}
	d = aligned_alloc(64, sizeof(*d));
	if (d == NULL)
		return -ENOMEM;
	memset(d, 0, sizeof(*d));
	d->config = config;
	d->free_config = free_config;
	d->workers = config->workers.count < FAKE_WORKERS_MAX ? config->workers.count : FAKE_WORKERS_MAX;
	d->alive = true;
	d->ends_after = (unsigned)environment("FAKE_ENDS_AFTER");
	fill(d);
	if (notice != NULL)
		notice("no huge pages: \"slower\"");
	*out = d;
	return 0;
}

void
bp_dataplane_abandon(struct bp_dataplane *d)
{
	fprintf(stderr, "the data path was abandoned\n");
}

unsigned
bp_dataplane_cdrs(struct bp_dataplane *d, void (*take)(void *context, const struct bp_cdr *cdr, int64_t offset_us),
	void *context)
{
	return 0;
}

void
bp_dataplane_halt(struct bp_dataplane *d, void (*take)(void *context, const struct bp_cdr *cdr, int64_t offset_us),
	void *context)
{
}

void
bp_dataplane_kpi(const struct bp_dataplane *d, uint16_t trunk, struct bp_kpi *out)
{
	*out = (struct bp_kpi){.attempts = 10, .answered = 7, .user = 2, .ineffective = 1, .srd_good = 8, .srd_good_us = 1250000};
}

void
bp_dataplane_stop(struct bp_dataplane *d)
{
	if (d->free_config != NULL)
		d->free_config(d->config);
	free(d);
}

unsigned
bp_dataplane_worker_count(const struct bp_dataplane *d)
{
	return d->workers;
}

const struct bp_counters *
bp_dataplane_counters(const struct bp_dataplane *d, unsigned worker)
{
	if (d->on_counters != NULL)
		d->on_counters((struct bp_dataplane *)(uintptr_t)d);
	return &d->counters[worker];
}

void
bp_dataplane_sum(const struct bp_dataplane *d, struct bp_counters *out)
{
	struct bp_dataplane *own = (struct bp_dataplane *)(uintptr_t)d;
	uint64_t *sum = (uint64_t *)out;

	if (d->drained && d->ends_after > 0 && --own->ends_after == 0)
		own->counters[0].dialogs_ended[BP_DIALOG_END_bye] = d->counters[0].dialogs_created;
	memset(out, 0, sizeof(*out));
	for (unsigned w = 0; w < d->workers; w++) {
		for (size_t i = 0; i < sizeof(*out) / sizeof(uint64_t); i++)
			sum[i] += ((const uint64_t *)&d->counters[w])[i];
	}
}

int
bp_dataplane_drain(struct bp_dataplane *d)
{
	d->drained = true;
	return d->drain_result;
}

int
bp_dataplane_probe(struct bp_dataplane *d, uint16_t trunk, uint16_t target, uint32_t number)
{
	if (d->probe_count >= d->probe_room || d->probe_count >= 64)
		return -EAGAIN;
	d->probes[d->probe_count++] = bp_probe_argument(trunk, target, number);
	return 0;
}

uint64_t
bp_dataplane_now_us(const struct bp_dataplane *d)
{
	return d->now_us;
}

void
bp_dataplane_names(struct bp_dataplane *dataplane, struct bp_name_table *names)
{
	fake_names = names;
}

bool
bp_dataplane_alive(struct bp_dataplane *d)
{
	return d->alive;
}

unsigned
bp_dataplane_events(struct bp_dataplane *d, struct bp_event_message *events, unsigned max)
{
	unsigned count = d->event_count < max ? d->event_count : max;

	memcpy(events, d->events, count * sizeof(*events));
	memmove(d->events, d->events + count, (d->event_count - count) * sizeof(*events));
	d->event_count -= count;
	return count;
}

unsigned
bp_dataplane_port_count(const struct bp_dataplane *d)
{
	return d->config->port_count;
}

int
bp_dataplane_port(const struct bp_dataplane *d, unsigned port, struct bp_dataplane_port *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->name, d->config->ports[port].name, sizeof(out->name));
	out->link_up = true;
	out->rx_packets = 1000 + port;
	out->rx_missed = 3;
	return 0;
}

int
bp_dataplane_capacity_of(const struct bp_config *config, uint32_t *transactions, uint32_t *dialogs, char *error,
	size_t error_size)
{
	*transactions = config->capacity.transactions != 0 ? config->capacity.transactions : 262144;
	*dialogs = config->capacity.dialogs != 0 ? config->capacity.dialogs : 131072;
	if (getenv("FAKE_NO_MEMORY") == NULL)
		return 0;
	snprintf(error, error_size, "capacity: too much");
	return -ENOMEM;
}

const struct bp_config *
bp_dataplane_config(const struct bp_dataplane *d)
{
	return d->config;
}

void
bp_dataplane_capacity(const struct bp_dataplane *d, uint32_t *transactions, uint32_t *dialogs)
{
	char error[64];

	bp_dataplane_capacity_of(d->config, transactions, dialogs, error, sizeof(error));
}
