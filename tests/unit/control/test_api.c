/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The HTTP API without HTTP, on a fake data path: routes, errors, the values behind
 * /metrics and /v1. argv[1]: tests/config/good.
 */
#include "config/load.h"
#include "fake_dataplane.h"
#include "http/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *folder;
static struct bp_config *config;
static struct bp_dataplane dataplane;
static struct bp_control control;
static struct bp_reply reply;
static const char *query_text; /* "name=value", one parameter */

static int
setup(void **state)
{
	struct bp_report report;
	char path[512];

	snprintf(path, sizeof(path), "%s/minimal.yaml", folder);
	if (bp_config_load(&config, path, &report) != 0)
		return -1;
	memset(&dataplane, 0, sizeof(dataplane));
	dataplane.config = config;
	dataplane.workers = 2;
	memset(&control, 0, sizeof(control));
	control.dataplane = &dataplane;
	control.config = config;
	control.started_us = bp_now_utc_us();
	atomic_store(&control.alive_us, bp_now_monotonic_us());
	query_text = NULL;
	return bp_trace_store_create(&control.trace, 100);
}

static int
teardown(void **state)
{
	free(reply.body);
	reply.body = NULL;
	bp_trace_store_free(control.trace);
	bp_config_free(config);
	return 0;
}

static const char *
query(const struct bp_request *request, const char *name)
{
	size_t size = strlen(name);

	if (query_text == NULL || strncmp(query_text, name, size) != 0 || query_text[size] != '=')
		return NULL;
	return query_text + size + 1;
}

static void
ask(const char *method, const char *path)
{
	struct bp_request request = {.method = method, .path = path, .query = query};

	free(reply.body);
	bp_api_handle(&control, &request, &reply);
	assert_non_null(reply.body);
	assert_int_equal(strlen(reply.body), reply.size);
}

/* Asks and parses the JSON answer. */
static json_t *
ask_json(const char *path, unsigned status)
{
	json_t *json;

	ask("GET", path);
	assert_int_equal(reply.status, status);
	assert_string_equal(reply.type, "application/json");
	json = json_loads(reply.body, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	return json;
}

static void
assert_refused(const char *method, const char *path, unsigned status, const char *text)
{
	const char *message = NULL;
	json_t *json;
	int said = 0;

	ask(method, path);
	assert_int_equal(reply.status, status);
	json = json_loads(reply.body, 0, NULL);
	assert_int_equal(
		json_unpack(json, "{s:{s:i,s:s}}", "error", "status", &said, "message", &message), 0);
	assert_int_equal(said, status);
	if (strstr(message, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, message);
	json_decref(json);
}

/* Value of a sample, as it stands in the text; fails when it is not there exactly once. */
static double
sample(const char *name)
{
	size_t size = strlen(name);
	double value = -1;
	int found = 0;

	for (const char *line = reply.body; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1) {
		if (strncmp(line, name, size) == 0 && line[size] == ' ') {
			value = strtod(line + size, NULL);
			found++;
		}
	}
	if (found != 1)
		fail_msg("%s is there %d times", name, found);
	return value;
}

static void
test_routes(void **state)
{
	assert_refused("GET", "/", 404, "nothing at /");
	assert_refused("GET", "/v1/statu", 404, "/v1/statu");
	assert_refused("GET", "/v1/status/", 404, "/v1/status/");
	assert_refused("GET", "/v1/calls/ladder", 404, "nothing");
	assert_refused("GET", "/v1/calls//ladder", 404, "nothing");
	assert_refused("GET", "/\x1b[2J\xff\"", 404, "/?[2J?\"");
	assert_refused("POST", "/v1/status", 405, "POST");
	assert_refused("DELETE", "/nowhere", 405, "only GET and HEAD");
	ask("HEAD", "/v1/status");
	assert_int_equal(reply.status, 200);
}

static void
test_health(void **state)
{
	json_decref(ask_json("/healthz", 200));
	json_decref(ask_json("/readyz", 200));
	atomic_store(&control.draining, true);
	json_decref(ask_json("/healthz", 200));
	assert_refused("GET", "/readyz", 503, "draining");
	atomic_store(&control.draining, false);
	atomic_store(&control.alive_us, bp_now_monotonic_us() - 2 * BP_ALIVE_US);
	assert_refused("GET", "/healthz", 503, "does not turn");
	assert_refused("GET", "/readyz", 503, "does not turn");
}

static void
test_status(void **state)
{
	struct bp_counters *c = dataplane.counters;
	const char *law = NULL, *condition = NULL;
	json_int_t live = -1, transactions = -1, held = -1, dropped = -1, bye = -1, matched = -1;
	json_t *json;

	c[0].messages_received = 9;
	c[1].forwarded = 8;
	c[1].drops[BP_DROP_ack_unmatched] = 1;
	c[0].dialogs_created = 3;
	c[1].dialogs_ended[BP_DIALOG_END_bye] = 1;
	c[0].transactions_created[BP_KIND_INVITE] = 4;
	c[0].transactions_created[BP_KIND_NON_INVITE] = 2;
	c[1].transactions_ended[BP_KIND_NON_INVITE] = 1;
	c[0].cancel_outcomes[BP_CANCEL_matched] = 5;
	json = ask_json("/v1/status", 200);
	assert_int_equal(
		json_unpack(json, "{s:s,s:s,s:{s:I},s:{s:I,s:{s:I}},s:{s:I},s:{s:I},s:{s:I}}", "counting_law",
			&law, "state", &condition, "messages", "dropped", &dropped, "dialogs", "live", &live,
			"ended", "bye", &bye, "transactions", "invite", &transactions, "held", "transactions",
			&held, "cancel_outcomes", "matched", &matched),
		0);
	assert_string_equal(law, "holds");
	assert_string_equal(condition, "running");
	assert_int_equal(dropped, 1);
	assert_int_equal(live, 2);
	assert_int_equal(bye, 1);
	assert_int_equal(transactions, 4);
	assert_int_equal(held, 5);
	assert_int_equal(matched, 5);
	assert_int_equal(json_array_size(json_object_get(json, "workers")), 2);
	assert_int_equal(json_array_size(json_object_get(json, "ports")), 2);
	json_decref(json);
	c[0].messages_received++;
	json = ask_json("/v1/status", 200);
	assert_string_equal(json_string_value(json_object_get(json, "counting_law")),
		"off by 1: 10 received, 9 accounted for");
	json_decref(json);
}

static void
test_drops(void **state)
{
	json_t *json, *row, *list;
	size_t i;
	int found = 0;

	dataplane.counters[0].drops[BP_DROP_vlan_unknown] = 3;
	dataplane.counters[1].drops[BP_DROP_vlan_unknown] = 4;
	json = ask_json("/v1/drops", 200);
	list = json_object_get(json, "drops");
	assert_int_equal(json_array_size(list), BP_DROP_COUNT);
	json_array_foreach(list, i, row)
	{
		const char *reason = NULL, *scope = NULL;
		json_int_t count = 0, first = 0, second = 0;

		assert_int_equal(json_unpack(row, "{s:s,s:s,s:I,s:[I,I]}", "reason", &reason, "scope", &scope,
					 "count", &count, "workers", &first, &second),
			0);
		if (strcmp(reason, "vlan_unknown") != 0) {
			assert_int_equal(count, 0);
			continue;
		}
		found++;
		assert_string_equal(scope, "frame");
		assert_int_equal(count, 7);
		assert_int_equal(first, 3);
		assert_int_equal(second, 4);
	}
	assert_int_equal(found, 1);
	json_decref(json);
}

static void
test_metrics(void **state)
{
	struct bp_counters *c = dataplane.counters;

	c[0].requests[BP_IN][BP_METHOD_INVITE] = 5;
	c[1].requests[BP_IN][BP_METHOD_INVITE] = 6;
	c[1].requests[BP_OUT][BP_METHOD_PUBLISH] = 1;
	c[0].responses[BP_OUT][487] = 2;
	c[0].retransmissions[BP_OUT][BP_METHOD_OTHER] = 3;
	c[0].messages_received = 12;
	c[1].forwarded = 11;
	c[1].drops[BP_DROP_ack_unmatched] = 1;
	c[0].drops[BP_DROP_arp_foreign] = 8;
	c[1].transactions_created[BP_KIND_INVITE] = 9;
	c[0].transactions_ended[BP_KIND_INVITE] = 2;
	c[1].timer_lag_us = 1500;
	c[0].busy_us = 2000001;
	c[1].stage_cycles[BP_STAGE_engine] = 77;
	atomic_store(&control.busy_ppm[1], 250000);
	ask("GET", "/metrics");
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.type, "text/plain; version=0.0.4; charset=utf-8");
	assert_true(sample("byepass_sip_requests_total{direction=\"in\",method=\"INVITE\"}") == 11);
	assert_true(sample("byepass_sip_requests_total{direction=\"out\",method=\"PUBLISH\"}") == 1);
	assert_true(sample("byepass_sip_requests_total{direction=\"in\",method=\"PUBLISH\"}") == 0);
	assert_true(sample("byepass_sip_responses_total{direction=\"out\",code=\"487\"}") == 2);
	assert_true(sample("byepass_retransmissions_total{direction=\"out\",method=\"OTHER\"}") == 3);
	assert_true(sample("byepass_messages_received_total") == 12);
	assert_true(sample("byepass_messages_total{disposition=\"forwarded\"}") == 11);
	assert_true(sample("byepass_messages_total{disposition=\"dropped\"}") == 1);
	assert_true(sample("byepass_counting_law_holds") == 1);
	assert_true(sample("byepass_drops_total{reason=\"arp_foreign\",worker=\"0\"}") == 8);
	assert_true(sample("byepass_drops_total{reason=\"arp_foreign\",worker=\"1\"}") == 0);
	assert_true(sample("byepass_transactions{kind=\"invite\",state=\"terminated\"}") == 7);
	assert_true(sample("byepass_transaction_bytes{kind=\"invite\"}") == 7 * 128);
	assert_true(sample("byepass_timer_lag_seconds{worker=\"1\"}") == 0.0015);
	assert_true(sample("byepass_worker_busy_seconds_total{worker=\"0\"}") == 2.000001);
	assert_true(sample("byepass_worker_stage_cycles_total{worker=\"1\",stage=\"engine\"}") == 77);
	assert_true(sample("byepass_worker_busy_ratio{worker=\"1\"}") == 0.25);
	assert_true(sample("byepass_port_receive_missed_total{port=\"p1\"}") == 3);
	assert_true(sample("byepass_config_generation") == 1);
	assert_true(sample("byepass_transactions_limit") == 262144);
	c[1].states_entered[BP_MACHINE_IST][3] = 5;
	c[0].states_left[BP_MACHINE_IST][3] = 3;
	c[0].states_entered[BP_MACHINE_NICT][0] = 1;
	c[0].transactions_created[BP_KIND_NON_INVITE] = 1;
	c[0].states_entered[BP_MACHINE_NIST][0] = 1;
	c[1].states_left[BP_MACHINE_NIST][0] = 1;
	c[1].states_entered[BP_MACHINE_NIST][2] = 1;
	c[0].kept_taken_bytes[BP_KIND_INVITE] = 1000;
	c[1].kept_returned_bytes[BP_KIND_INVITE] = 360;
	c[1].kept_taken_bytes[BP_KIND_NON_INVITE] = 96;
	c[0].pool_taken_bytes[BP_POOL_KIND_kept] = 1000;
	c[1].pool_returned_bytes[BP_POOL_KIND_kept] = 400;
	c[0].pool_dry[BP_POOL_KIND_record] = 1;
	c[1].pool_dry[BP_POOL_KIND_record] = 2;
	c[1].frames_held = 2;
	c[0].messages_received++;
	ask("GET", "/metrics");
	assert_true(sample("byepass_machines{machine=\"ist\",state=\"accepted\"}") == 2);
	assert_true(sample("byepass_machines{machine=\"nict\",state=\"trying\"}") == 1);
	assert_true(sample("byepass_machines{machine=\"ict\",state=\"calling\"}") == 0);
	assert_null(strstr(reply.body, "byepass_machines{machine=\"ist\",state=\"terminated"));
	/* by the server's states, which come to as many as there are records */
	assert_true(sample("byepass_transactions{kind=\"invite\",state=\"accepted\"}") == 2);
	assert_true(sample("byepass_transactions{kind=\"invite\",state=\"proceeding\"}") == 0);
	assert_true(sample("byepass_transactions{kind=\"invite\",state=\"terminated\"}") == 5);
	assert_true(sample("byepass_transactions{kind=\"non_invite\",state=\"completed\"}") == 1);
	assert_true(sample("byepass_transactions{kind=\"non_invite\",state=\"terminated\"}") == 0);
	assert_null(strstr(reply.body, "byepass_transactions{kind=\"non_invite\",state=\"accepted"));
	assert_true(sample("byepass_transaction_bytes{kind=\"invite\"}") == 7 * 128 + 640);
	assert_true(sample("byepass_transaction_bytes{kind=\"non_invite\"}") == 128 + 96);
	assert_true(sample("byepass_pool_bytes{pool=\"kept\"}") == 600);
	assert_true(sample("byepass_pool_dry_total{pool=\"record\"}") == 3);
	assert_true(sample("byepass_frames_held{worker=\"1\"}") == 2);
	assert_true(sample("byepass_counting_law_holds") == 0);
}

static void
test_ladder(void **state)
{
	struct bp_event_message events[32];
	unsigned count = fake_cancelled_call(events, "a/b?c@d/ladder");
	json_t *json;

	config->trace.messages = 100;
	bp_trace_store_add(control.trace, events, count);
	ask("GET", "/v1/calls/a/b?c@d/ladder/ladder");
	assert_int_equal(reply.status, 200);
	assert_string_equal(reply.type, "text/plain; charset=utf-8");
	assert_non_null(strstr(reply.body, "|--- CANCEL ---"));
	query_text = "format=json";
	json = ask_json("/v1/calls/a/b?c@d/ladder/ladder", 200);
	assert_int_equal(json_array_size(json_object_get(json, "messages")), count);
	json_decref(json);
	query_text = "format=xml";
	assert_refused("GET", "/v1/calls/a/b?c@d/ladder/ladder", 400, "format=xml");
	query_text = "width=59";
	assert_refused("GET", "/v1/calls/a/b?c@d/ladder/ladder", 400, "from 60 to 400");
	query_text = NULL;
	assert_refused("GET", "/v1/calls/a/b/ladder", 404, "no message of call a/b");
	config->trace.messages = 0;
	assert_refused("GET", "/v1/calls/a/b/ladder", 404, "tracing is off");
}

static void
test_trace(void **state)
{
	struct bp_event_message events[32];
	unsigned count = fake_answered_call(events, "x@y");
	json_t *json, *last;
	const char *line = NULL, *realm = NULL, *endpoint = NULL;

	bp_trace_store_add(control.trace, events, count);
	memset(events[0].start_line, 0xfe, sizeof(events[0].start_line)); /* not UTF-8 */
	events[0].flow.listener = 999;
	bp_trace_store_add(control.trace, events, 1);
	json = ask_json("/v1/trace", 200);
	assert_int_equal(json_array_size(json_object_get(json, "messages")), count + 1);
	json_decref(json);
	query_text = "max=1";
	events[1].time_us += 60000000;
	bp_trace_store_add(control.trace, events + 1, 1);
	json = ask_json("/v1/trace", 200);
	last = json_array_get(json_object_get(json, "messages"), 0);
	assert_int_equal(json_unpack(last, "{s:s,s:s,s:s}", "start_line", &line, "realm", &realm, "endpoint",
				 &endpoint),
		0);
	assert_string_equal(line, "SIP/2.0 100 Trying");
	assert_string_equal(realm, "access");
	assert_string_equal(endpoint, "192.0.2.10:5060");
	json_decref(json);
	query_text = "max=0";
	assert_refused("GET", "/v1/trace", 400, "max=0");
	query_text = "max=x";
	assert_refused("GET", "/v1/trace", 400, "from 1 to 1000");
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_routes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_health, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drops, setup, teardown),
		cmocka_unit_test_setup_teardown(test_metrics, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ladder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trace, setup, teardown),
	};

	if (argc != 2)
		return 2;
	folder = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
