/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Answers as tables for people.
 */
#include "ctl/ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The number at @key of @object; 0 when there is none. */
static json_int_t
number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *
text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static void
print_uptime(double seconds)
{
	unsigned long s = (unsigned long)seconds;

	if (s >= 86400)
		printf("%lud %luh", s / 86400, s % 86400 / 3600);
	else if (s >= 3600)
		printf("%luh %lum", s / 3600, s % 3600 / 60);
	else
		printf("%lum %lus", s / 60, s % 60);
}

static void
print_pairs(const char *title, json_t *object)
{
	const char *key;
	json_t *value;

	printf("%-14s", title);
	json_object_foreach(object, key, value)
		printf(" %s %" JSON_INTEGER_FORMAT, key, json_integer_value(value));
	printf("\n");
}

static void
print_lists(const json_t *answer)
{
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(answer, "workers"), i, item) printf(
		"worker %-7" JSON_INTEGER_FORMAT " cpu %" JSON_INTEGER_FORMAT
		", busy %.1f%%, timers %" JSON_INTEGER_FORMAT " us late\n",
		number(item, "worker"), number(item, "cpu"),
		100 * json_number_value(json_object_get(item, "busy_ratio")), number(item, "timer_lag_us"));
	json_array_foreach(json_object_get(answer, "ports"), i, item)
		printf("port %-9s %s, in %" JSON_INTEGER_FORMAT " packets, out %" JSON_INTEGER_FORMAT
		       ", missed %" JSON_INTEGER_FORMAT "\n",
			text(item, "name"), json_is_true(json_object_get(item, "link_up")) ? "up" : "down",
			number(item, "rx_packets"), number(item, "tx_packets"), number(item, "rx_missed"));
}

bool
bp_ctl_print_status(const struct bp_ctl *ctl, const json_t *answer)
{
	json_t *messages = json_object_get(answer, "messages"), *dialogs = json_object_get(answer, "dialogs");
	json_t *transactions = json_object_get(answer, "transactions");

	if (messages == NULL || dialogs == NULL || transactions == NULL)
		return false;
	printf("byepass %s  %s, up ", text(answer, "version"), text(answer, "state"));
	print_uptime(json_number_value(json_object_get(answer, "uptime_seconds")));
	printf(", configuration %" JSON_INTEGER_FORMAT "\n", number(answer, "config_generation"));
	printf("%-14s live %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT ", made %" JSON_INTEGER_FORMAT
	       "\n",
		"dialogs", number(dialogs, "live"), number(dialogs, "limit"), number(dialogs, "created"));
	printf("%-14s INVITE %" JSON_INTEGER_FORMAT ", others %" JSON_INTEGER_FORMAT
	       ", of %" JSON_INTEGER_FORMAT "\n",
		"transactions", number(transactions, "invite"), number(transactions, "non_invite"),
		number(transactions, "limit"));
	print_pairs("INVITE", json_object_get(json_object_get(transactions, "states"), "invite"));
	print_pairs("others", json_object_get(json_object_get(transactions, "states"), "non_invite"));
	print_pairs("bytes", json_object_get(transactions, "bytes"));
	print_pairs("messages", messages);
	print_pairs("ended", json_object_get(dialogs, "ended"));
	print_pairs("CANCEL", json_object_get(answer, "cancel_outcomes"));
	printf("%-14s %s\n", "counting law", text(answer, "counting_law"));
	print_lists(answer);
	return true;
}

bool
bp_ctl_print_drops(const struct bp_ctl *ctl, const json_t *answer)
{
	json_t *drops = json_object_get(answer, "drops"), *item;
	unsigned shown = 0;
	size_t i;

	if (!json_is_array(drops))
		return false;
	json_array_foreach(drops, i, item)
	{
		if (number(item, "count") == 0 && !ctl->all)
			continue;
		if (shown++ == 0)
			printf("%12s  %-8s %-8s %s\n", "COUNT", "SEVERITY", "SCOPE", "REASON");
		printf("%12" JSON_INTEGER_FORMAT "  %-8s %-8s %s: %s\n", number(item, "count"),
			text(item, "severity"), text(item, "scope"), text(item, "reason"),
			text(item, "text"));
	}
	if (shown == 0)
		printf("nothing was dropped\n");
	return true;
}

bool
bp_ctl_print_trace(const struct bp_ctl *ctl, const json_t *answer)
{
	json_t *messages = json_object_get(answer, "messages"), *item;
	size_t i;

	if (!json_is_array(messages))
		return false;
	json_array_foreach(messages, i, item)
	{
		json_int_t time_us = number(item, "time_us");
		time_t seconds = (time_t)(time_us / 1000000);
		char clock[16];
		struct tm tm;

		gmtime_r(&seconds, &tm);
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
		printf("%s.%03u %-8s %s %-21s %-32.48s %s\n", clock, (unsigned)(time_us / 1000 % 1000),
			text(item, "realm"), strcmp(text(item, "direction"), "in") == 0 ? "<-" : "->",
			text(item, "endpoint"), text(item, "start_line"), text(item, "call_id"));
	}
	if (json_array_size(messages) == 0)
		printf("no message was seen yet, or trace.messages is 0\n");
	return true;
}

static void
print_target(const char *trunk, const json_t *target)
{
	const json_t *probes = json_object_get(target, "probes");
	double held = json_number_value(json_object_get(target, "held_seconds"));

	printf("%-20.31s %-9s %8" JSON_INTEGER_FORMAT " %6" JSON_INTEGER_FORMAT "  %s", trunk, text(target, "state"),
		number(target, "priority"), number(target, "weight"), text(target, "uri"));
	if (held > 0)
		printf(", held for %.0f s", held);
	if (number(target, "failures") > 0)
		printf(", failed %" JSON_INTEGER_FORMAT " times in succession", number(target, "failures"));
	if (json_is_object(probes))
		printf(", probes %" JSON_INTEGER_FORMAT " answered, %" JSON_INTEGER_FORMAT " failed",
			number(probes, "answered"), number(probes, "failed"));
	printf("\n");
}

bool
bp_ctl_print_trunks(const struct bp_ctl *ctl, const json_t *answer)
{
	json_t *trunks = json_object_get(answer, "trunks"), *trunk, *target;
	size_t i, k;

	if (!json_is_array(trunks))
		return false;
	printf("%-20s %-9s %8s %6s  %s\n", "TRUNK", "STATE", "PRIORITY", "WEIGHT", "TARGET");
	json_array_foreach(trunks, i, trunk)
		json_array_foreach(json_object_get(trunk, "targets"), k, target) print_target(text(trunk, "name"), target);
	return true;
}
