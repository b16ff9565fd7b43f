/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every key of the configuration file, once: the tables behind the reader and behind
 * docs/configuration.md. Which struct a row fills is in file.h.
 */
#include "byepass/counters.h"
#include "config/file.h"

#define MS 1000ull
#define S 1000000ull
#define HOUR (3600 * S)
#define DAY (24 * HOUR)
#define CAPACITY_MAX 100000000 /* the engine's memory is 128 GiB at most */

#define FIELD(type, field) .offset = offsetof(struct type, field), .size = sizeof(((struct type *)0)->field)
#define LIST(type, field, item) .offset = offsetof(struct type, field), .size = sizeof(item)
#define ROWS(name) .rows = name, .count = sizeof(name) / sizeof(name[0])

/* clang-format off */
static const char *const AUTO[] = {"auto", NULL};
static const char *const NONE[] = {"none", NULL};
static const char *const HUGEPAGES[] = {"auto", "on", "off", NULL};   /* enum bp_hugepages */
static const char *const POLL[] = {"busy", "adaptive", NULL};         /* enum bp_poll */
static const char *const SPREAD[] = {"queues", "call_id", NULL};      /* enum bp_spread_by */
static const char *const TRUST[] = {"untrusted", "trusted", NULL};    /* enum bp_trust */
static const char *const PATH[] = {"supported", "always", "never", NULL}; /* enum bp_path */
static const char *const HASH[] = {"call_id", "none", NULL};
static const char *const NO[] = {"no", "yes", NULL};
static const char *const NAME_SERVERS[] = {"none", "system", NULL};   /* enum bp_dns_mode */
static const char *const CDR_FORMATS[] = {"json", "csv", NULL};       /* enum bp_cdr_format */
static const char *const FSYNC[] = {"never", "batch", NULL};          /* BP_CDR_FSYNC_NEVER, _BATCH */
static const char *const REAP[] = {"silent", "bye", NULL};
static const char *const FORK[] = {"serial", "parallel", NULL};

static const char *const METHODS[] = { /* enum bp_method */
#define X(token) #token,
	BP_METHODS(X)
#undef X
	NULL};

static const struct bp_schema_row worker_rows[] = {
	{.key = "cpus", .type = &bp_type_number, .shape = BP_SHAPE_MANY, .standard = "1", .max = 1023, .items_min = 1,
		.items_max = BP_CONFIG_WORKERS_MAX, LIST(bp_file_workers, cpus, uint16_t),
		.text = "CPUs that carry traffic, one polling worker on each."},
	{.key = "control_cpu", .type = &bp_type_number, .standard = "0", .max = 1023,
		FIELD(bp_file_workers, control_cpu),
		.text = "CPU of everything else: HTTP, timers of control, logs. One of `cpus` only with `poll: adaptive`."},
	{.key = "hugepages", .type = &bp_type_word, .standard = "auto", .words = HUGEPAGES,
		FIELD(bp_file_workers, hugepages),
		.text = "`on`: as many as are needed, those that are free and the rest from the kernel, or refuse to start."
			" `auto`: the same, but no more than 1 GiB is asked of the kernel, and plain memory is used where"
			" that does not do. `off`: plain memory. What was asked of the kernel is given back at the end."},
	{.key = "poll", .type = &bp_type_word, .standard = "adaptive", .words = POLL, FIELD(bp_file_workers, poll),
		.text = "`busy` never sleeps; `adaptive` sleeps for microseconds when there is nothing to do."},
	{.key = "spread", .type = &bp_type_word, .standard = "queues", .words = SPREAD, FIELD(bp_file_workers, spread),
		.text = "`queues`: a worker handles what the device puts into its queues. `call_id`: it hands each message to the"
			" worker that the Call-ID's hash names, for trunks that send all their calls from one port to one port."},
	{.key = "eal_args", .type = &bp_type_text, .standard = "", .max = BP_CONFIG_DEVICE_SIZE - 1,
		FIELD(bp_file_workers, eal_args),
		.text = "Appended to the arguments that DPDK's EAL is started with. An escape hatch."},
};

static const struct bp_schema_row capacity_rows[] = {
	{.key = "transactions", .type = &bp_type_number, .standard = "auto", .words = AUTO, .min = 1024,
		.max = CAPACITY_MAX, FIELD(bp_file_capacity, transactions),
		.text = "Relay records: requests under way or kept for the RFC's timers, each for 64*t1; a call has two. So a"
			" call a second needs 64. A record and its dialog take about 2 KiB."},
	{.key = "dialogs", .type = &bp_type_number, .standard = "auto", .words = AUTO, .min = 1024,
		.max = CAPACITY_MAX, FIELD(bp_file_capacity, dialogs), .text = "Calls that are up at the same time."},
	{.key = "kept", .type = &bp_type_number, .standard = "auto", .words = AUTO, .min = 64, .max = 65536,
		FIELD(bp_file_capacity, kept),
		.text = "Bytes of memory for messages, for each transaction on the average: a request under way and what"
			" its branches need, then the response that may be asked for again. `auto`: 1024, for calls that ring"
			" for ten seconds. Less where calls are short: one that is over keeps about 100."},
};

static const struct bp_schema_row secret_rows[] = {
	{.key = "file", .type = &bp_type_path, .standard = "none", .words = NONE, .min = 1,
		.max = BP_CONFIG_PATH_SIZE - 1, FIELD(bp_file_one_path, path),
		.text = "Keys of the route tokens: 32 hexadecimal digits a line, the first signs. Not readable by"
			" others. Relative to the configuration file. `none`: a random key, calls that are up do not"
			" survive a restart."},
};

static const struct bp_schema_row timer_rows[] = {
	{.key = "t1", .type = &bp_type_duration, .standard = "500ms", .min = 10 * MS, .max = 10 * S,
		FIELD(bp_file_timers, t1_us),
		.text = "Round-trip estimate (RFC 3261 17.1.1.1). Timers B, F and H are 64 times this."},
	{.key = "t2", .type = &bp_type_duration, .standard = "4s", .min = 10 * MS, .max = 60 * S,
		FIELD(bp_file_timers, t2_us),
		.text = "Longest interval between retransmissions of a non-INVITE request or an INVITE response."},
	{.key = "t4", .type = &bp_type_duration, .standard = "5s", .min = 10 * MS, .max = 60 * S,
		FIELD(bp_file_timers, t4_us), .text = "How long a message may stay in the network."},
	{.key = "c", .type = &bp_type_duration, .standard = "180s", .min = 1 * S, .max = 1 * HOUR,
		FIELD(bp_file_timers, c_us),
		.text = "Timer C: how long an INVITE may ring without a provisional response (RFC 3261 16.6)."},
	{.key = "d", .type = &bp_type_duration, .standard = "auto", .words = AUTO, .min = 1 * S, .max = 600 * S,
		FIELD(bp_file_timers, d_us),
		.text = "Timer D: how long a failed INVITE is remembered for its repeated responses. `auto`: 64*t1."
			" Never less than that."},
};

static const struct bp_schema_row dialog_rows[] = {
	{.key = "max_age", .type = &bp_type_duration, .standard = "12h", .min = 1 * S, .max = 7 * DAY,
		FIELD(bp_file_dialogs, max_age_us), .text = "Longest life of a call that nobody ends."},
	{.key = "reap", .type = &bp_type_word, .standard = "silent", .words = REAP, FIELD(bp_file_dialogs, reap),
		.text = "How the edge ends a call whose ACK never came, whose session timer ran out, whose refresh failed, or that"
			" is older than `max_age`. `silent`: it forgets it. `bye`: it also sends BYE to whoever may still be there,"
			" and ACK before it; a call then takes about 480 bytes instead of 350."},
};

static const struct bp_schema_row session_rows[] = {
	{.key = "expires", .type = &bp_type_duration, .standard = "none", .words = NONE, .min = 90 * S, .max = 1 * DAY,
		FIELD(bp_file_sessions, expires_us),
		.text = "Session interval that the edge asks for where none is asked for, and the longest that it lets pass;"
			" whole seconds. `none`: session timers are watched, not asked for."},
	{.key = "min", .type = &bp_type_duration, .standard = "90s", .min = 90 * S, .max = 1 * DAY,
		FIELD(bp_file_sessions, min_us),
		.text = "Shortest session interval: below it is 422 for who knows session timers, and raised for others."},
};

static const struct bp_schema_row limit_rows[] = {
	{.key = "headers", .type = &bp_type_number, .standard = "128", .min = 16, .max = 255,
		FIELD(bp_file_limits, headers), .text = "Header lines of one message."},
	{.key = "vias", .type = &bp_type_number, .standard = "70", .min = 2, .max = 255, FIELD(bp_file_limits, vias),
		.text = "Via values of one message."},
	{.key = "uri", .type = &bp_type_number, .standard = "2048", .min = 64, .max = 16384,
		FIELD(bp_file_limits, uri), .text = "Bytes of one URI."},
	{.key = "message", .type = &bp_type_number, .standard = "65507", .min = 1300, .max = 65507,
		FIELD(bp_file_limits, message), .text = "Bytes of one message."},
};

static const struct bp_schema_row trace_rows[] = {
	{.key = "messages", .type = &bp_type_number, .standard = "0", .max = 1000000,
		FIELD(bp_file_one_number, value),
		.text = "Messages kept in memory for ladder diagrams, 10000 for a start. Each message is parsed once more for"
			" it. 0: tracing is off."},
};

static const struct bp_schema_row dns_rows[] = {
	{.key = "servers", .type = &bp_type_name_server, .shape = BP_SHAPE_ONE_OR_MANY, .standard = "none",
		.words = NAME_SERVERS, .items_min = 1, .items_max = BP_CONFIG_DNS_SERVERS_MAX,
		LIST(bp_file_dns, servers, struct bp_endpoint),
		.text = "Name servers, reached through the kernel's network; the port is 53 unless written. `system`: those of"
			" /etc/resolv.conf at start. `none`: names are not resolved, a request to one gets 404."},
	{.key = "timeout", .type = &bp_type_duration, .standard = "1s", .min = 50 * MS, .max = 10 * S,
		FIELD(bp_file_dns, timeout_us), .text = "For how long a name server is waited for; longer with each further try."},
	{.key = "tries", .type = &bp_type_number, .standard = "2", .min = 1, .max = 10, FIELD(bp_file_dns, tries),
		.text = "How often each name server is asked."},
	{.key = "cache", .type = &bp_type_number, .standard = "10000", .min = 16, .max = 1000000,
		FIELD(bp_file_dns, cache), .text = "Names that are known at the same time; targets of trunks stay, of the others"
			" those that are not used make room."},
	{.key = "parked", .type = &bp_type_number, .standard = "1000", .min = 1, .max = 100000,
		FIELD(bp_file_dns, parked), .text = "Requests of each worker that may wait for a name; beyond it 503."},
	{.key = "wait", .type = &bp_type_duration, .standard = "4s", .min = 100 * MS, .max = 30 * S,
		FIELD(bp_file_dns, wait_us), .text = "For how long a request may wait; then 503."},
	{.key = "negative_ttl", .type = &bp_type_duration, .standard = "30s", .min = 1 * S, .max = 1 * HOUR,
		FIELD(bp_file_dns, negative_ttl_us),
		.text = "For how long it is remembered at most that there is no such name (RFC 2308); 5s when no server answered."},
	{.key = "min_ttl", .type = &bp_type_duration, .standard = "5s", .min = 1 * S, .max = 1 * HOUR,
		FIELD(bp_file_dns, min_ttl_us), .text = "An answer is used for at least so long, whatever its TTL."},
	{.key = "max_ttl", .type = &bp_type_duration, .standard = "1h", .min = 1 * S, .max = 7 * DAY,
		FIELD(bp_file_dns, max_ttl_us), .text = "The same, at most."},
};

static const struct bp_schema_row control_rows[] = {
	{.key = "http", .type = &bp_type_http, .standard = "127.0.0.1:9060", .words = NONE, .min = 1, .max = 63,
		FIELD(bp_file_control, values.http), .text = "Where HTTP is served on TCP: /metrics and /v1, read-only."},
	{.key = "socket", .type = &bp_type_path, .standard = "/run/byepass/control.sock", .words = NONE, .min = 1,
		.max = 107, FIELD(bp_file_control, values.socket),
		.text = "Unix socket that serves the same, for byepassctl."},
	{.key = "token_file", .type = &bp_type_later, .standard = "none", .words = NONE,
		FIELD(bp_file_control, values.token_file), .text = "Token that permits changes over TCP."},
	{.key = "cdr", .type = &bp_type_path, .standard = "none", .words = NONE, .min = 1, .max = BP_CONFIG_PATH_SIZE - 1,
		FIELD(bp_file_control, cdr), .text = "Folder for call detail records: short for `cdr: { folder: ... }`."},
};

static const struct bp_schema_row cdr_rows[] = {
	{.key = "folder", .type = &bp_type_path, .standard = "none", .words = NONE, .min = 1, .max = BP_CONFIG_PATH_SIZE - 1,
		FIELD(bp_file_cdr, values.folder),
		.text = "Where the files are written; it must be there. `none`: no call detail records."},
	{.key = "format", .type = &bp_type_word, .standard = "json", .words = CDR_FORMATS, FIELD(bp_file_cdr, format),
		.text = "`json`: one object a line. `csv`: RFC 4180 with a line of names at the top of each file."},
	{.key = "rotate_size", .type = &bp_type_number, .standard = "268435456", .min = 4096, .max = 1099511627776,
		FIELD(bp_file_cdr, values.rotate_size), .text = "Bytes after which a file is closed and the next one begun."},
	{.key = "rotate_age", .type = &bp_type_duration, .standard = "1h", .min = 1 * S, .max = 7 * DAY,
		FIELD(bp_file_cdr, values.rotate_age_us), .text = "How old a file gets at most before it is closed."},
	{.key = "fsync", .type = &bp_type_flush, .standard = "1s", .words = FSYNC, .min = 100 * MS, .max = 1 * HOUR,
		FIELD(bp_file_cdr, values.fsync_us),
		.text = "When what was written is forced to the disk: `never` (the kernel decides), `batch` (after each write), or"
			" at most so long after it."},
	{.key = "queue", .type = &bp_type_number, .standard = "65536", .min = 1, .max = 16777216,
		FIELD(bp_file_cdr, values.queue),
		.text = "Records that wait for the disk at most; further ones are lost, and counted."},
};

static const struct bp_schema_row port_rows[] = {
	{.key = "name", .type = &bp_type_name, .required = true, .min = 1, .max = BP_CONFIG_NAME_SIZE - 1,
		FIELD(bp_file_port, name), .text = "What realms call it."},
	{.key = "device", .type = &bp_type_device, .required = true, .min = 1, .max = BP_CONFIG_DEVICE_SIZE - 1,
		FIELD(bp_file_port, device),
		.text = "PCI address or virtual device of DPDK with its arguments: `0000:01:00.0`,"
			" `net_tap0,iface=byp0`, `net_af_packet0,iface=eth1`, `net_af_xdp0,iface=eth1`."},
	{.key = "mtu", .type = &bp_type_number, .standard = "1500", .min = 1280, .max = 9000,
		FIELD(bp_file_port, mtu), .text = "Bytes of the largest IP packet."},
};

static const struct bp_schema_row realm_rows[] = {
	{.key = "name", .type = &bp_type_name, .required = true, .min = 1, .max = BP_CONFIG_NAME_SIZE - 1,
		FIELD(bp_file_realm, name), .text = "What trunks and routes call it."},
	{.key = "port", .type = &bp_type_name, .required = true, .min = 1, .max = BP_CONFIG_NAME_SIZE - 1,
		FIELD(bp_file_realm, port), .text = "Name of the port that leads there."},
	{.key = "vlan", .type = &bp_type_number, .standard = "none", .words = NONE, .min = 1, .max = 4094,
		FIELD(bp_file_realm, vlan), .text = "802.1Q VLAN on that port."},
	{.key = "address", .type = &bp_type_prefix, .shape = BP_SHAPE_ONE_OR_MANY, .required = true, .items_min = 1,
		.items_max = BP_FILE_ADDRESSES_MAX, LIST(bp_file_realm, address, struct bp_prefix),
		.text = "The edge's own addresses, IPv4 and IPv6 mixed."},
	{.key = "gateway", .type = &bp_type_ip, .shape = BP_SHAPE_ONE_OR_MANY, .items_min = 1,
		.items_max = BP_FILE_ADDRESSES_MAX, LIST(bp_file_realm, gateway, struct bp_endpoint),
		.text = "Next hop for what is not on-link; on-link itself. IPv6 link-local is good."},
	{.key = "listen", .type = &bp_type_listen, .shape = BP_SHAPE_ONE_OR_MANY, .standard = "udp:5060",
		.items_min = 1, .items_max = BP_FILE_LISTENS_MAX, .min = 1, .max = 65535,
		LIST(bp_file_realm, listen, uint16_t),
		.text = "Where SIP is taken, on every address of the realm. The first is also what requests leave from."},
	{.key = "trust", .type = &bp_type_word, .standard = "untrusted", .words = TRUST, FIELD(bp_file_realm, trust),
		.text = "Whether the network behind it is the operator's own."},
	{.key = "path", .type = &bp_type_word, .standard = "supported", .words = PATH, FIELD(bp_file_realm, path),
		.text = "Whether a REGISTER from here gets a Path (RFC 3327), by which the registrar reaches the user agent through the"
			" edge: when its Supported says `path`, `always`, or `never`."},
};

static const struct bp_schema_row target_rows[] = {
	{.key = "uri", .type = &bp_type_uri, .required = true, FIELD(bp_file_target, uri),
		.text = "Where requests are sent; the port is 5060 unless written."},
	{.key = "weight", .type = &bp_type_number, .standard = "1", .min = 1, .max = 65535,
		FIELD(bp_file_target, weight), .text = "Share among the targets of the same priority."},
	{.key = "priority", .type = &bp_type_number, .standard = "1", .max = 65535, FIELD(bp_file_target, priority),
		.text = "The lowest is tried first."},
	{.key = "drain", .type = &bp_type_word, .standard = "no", .words = NO, FIELD(bp_file_target, drain),
		.text = "`yes`: no new requests; calls that are up go on."},
};

static const struct bp_schema_row health_rows[] = {
	{.key = "failures", .type = &bp_type_number, .standard = "none", .words = NONE, .min = 1, .max = 1000,
		FIELD(bp_file_health, failures),
		.text = "So many requests in succession without an answer, with a 503 or an ICMP error hold a target. `none`: they do not."},
	{.key = "hold", .type = &bp_type_duration, .standard = "30s", .min = 1 * S, .max = 1 * HOUR,
		FIELD(bp_file_health, hold_us), .text = "For so long. The first failure after it holds the target again, an answer ends it."},
	{.key = "retry_after", .type = &bp_type_duration, .standard = "60s", .words = NONE, .min = 1 * S, .max = 1 * HOUR,
		FIELD(bp_file_health, retry_after_us),
		.text = "A 503 with Retry-After holds the target for as long as it says, and no longer than this. `none`: it does not."},
};

static const struct bp_schema_row probe_rows[] = {
	{.key = "interval", .type = &bp_type_duration, .standard = "none", .words = NONE, .min = 1 * S, .max = 1 * HOUR,
		FIELD(bp_file_probe, interval_us),
		.text = "Time from one OPTIONS to the next, a tenth more or less by chance. `none`: no probes."},
	{.key = "timeout", .type = &bp_type_duration, .standard = "2s", .min = 100 * MS, .max = 60 * S,
		FIELD(bp_file_probe, timeout_us),
		.text = "How long a target has for its answer; OPTIONS are repeated meanwhile as timer E would. Shorter than `interval`."},
	{.key = "up", .type = &bp_type_number, .standard = "2", .min = 1, .max = 100, FIELD(bp_file_probe, up),
		.text = "So many answers in succession make it up."},
	{.key = "down", .type = &bp_type_number, .standard = "3", .min = 1, .max = 100, FIELD(bp_file_probe, down),
		.text = "So many without one in succession make it down; a 503 and a 408 count as none."},
};

static const struct bp_schema health_schema = {"health", ROWS(health_rows), sizeof(struct bp_file_health)};
static const struct bp_schema probe_schema = {"a probe", ROWS(probe_rows), sizeof(struct bp_file_probe)};

static const struct bp_schema target_schema = {"a target", ROWS(target_rows), sizeof(struct bp_file_target)};

static const struct bp_schema_row trunk_rows[] = {
	{.key = "name", .type = &bp_type_name, .required = true, .min = 1, .max = BP_CONFIG_NAME_SIZE - 1,
		FIELD(bp_file_trunk, name), .text = "What routes call it."},
	{.key = "realm", .type = &bp_type_name, .required = true, .min = 1, .max = BP_CONFIG_NAME_SIZE - 1,
		FIELD(bp_file_trunk, realm), .text = "Realm that its targets are in."},
	{.key = "fork", .type = &bp_type_word, .standard = "serial", .words = FORK, FIELD(bp_file_trunk, fork),
		.text = "`serial`: one target after the other. `parallel`: all of the lowest priority at once, seven at most."},
	{.key = "timeout", .type = &bp_type_duration, .standard = "none", .words = NONE, .min = 100 * MS,
		.max = 5 * 60 * S, FIELD(bp_file_trunk, timeout_us),
		.text = "How long a target may be silent before the next one is tried; shorter than 64*t1. `none`: 64*t1."},
	{.key = "hash", .type = &bp_type_word, .standard = "call_id", .words = HASH, FIELD(bp_file_trunk, hash),
		.text = "`call_id`: the same call always takes the same order of targets. `none`: each request begins at the next"
			" target, in turn by weight, on each worker."},
	{.key = "health", .shape = BP_SHAPE_MAPPING, .inner = &health_schema, FIELD(bp_file_trunk, health),
		.text = "What becomes of a target that fails. All addresses of a name are one target."},
	{.key = "probe", .shape = BP_SHAPE_MAPPING, .inner = &probe_schema, FIELD(bp_file_trunk, probe),
		.text = "OPTIONS from the edge to each target; of a name, to its first address, and none while there is no such."},
	{.key = "targets", .shape = BP_SHAPE_MAPPINGS, .inner = &target_schema, .required = true, .items_min = 1,
		.items_max = 256, LIST(bp_file_trunk, targets, struct bp_file_target),
		.text = "Where it leads. They are tried by priority, among equals beginning at one chosen by weight; the"
			" next one is tried after a 503, an ICMP error or silence. Targets that are held, down or draining are"
			" skipped; when none is up, those that do not drain are tried as if all were."},
};

static const struct bp_schema_row route_rows[] = {
	{.key = "from", .type = &bp_type_name, .required = true, .min = 1, .max = BP_CONFIG_NAME_SIZE - 1,
		FIELD(bp_file_route, from), .text = "Realm that the request came from."},
	{.key = "trunk", .type = &bp_type_name, .min = 1, .max = BP_CONFIG_NAME_SIZE - 1,
		FIELD(bp_file_route, trunk), .text = "Trunk that it goes to. One of this, `realm` and `prefixes_file`."},
	{.key = "realm", .type = &bp_type_name, .min = 1, .max = BP_CONFIG_NAME_SIZE - 1,
		FIELD(bp_file_route, realm), .text = "Realm that it leaves by, to where its Request-URI says."},
	{.key = "method", .type = &bp_type_word, .shape = BP_SHAPE_ONE_OR_MANY, .words = METHODS, .items_min = 1,
		.items_max = BP_METHOD_COUNT, LIST(bp_file_route, methods, int),
		.text = "Only requests of these methods; `OTHER`: of one that is not in the list."},
	{.key = "user_prefix", .type = &bp_type_text, .min = 1, .max = 63, FIELD(bp_file_route, user_prefix),
		.text = "Only when the user part of the Request-URI begins so."},
	{.key = "prefixes_file", .type = &bp_type_path, .min = 1, .max = BP_CONFIG_PATH_SIZE - 1,
		FIELD(bp_file_route, prefixes_file),
		.text = "As many routes as this file has lines, each a prefix and a trunk. Relative to the configuration file."},
	{.key = "domain", .type = &bp_type_domain, .min = 1, .max = 127, FIELD(bp_file_route, domain),
		.text = "Only when the host of the Request-URI is this, upper and lower case the same."},
	{.key = "from_domain", .type = &bp_type_domain, .min = 1, .max = 127, FIELD(bp_file_route, from_domain),
		.text = "The same of the URI in From."},
	{.key = "to_domain", .type = &bp_type_domain, .min = 1, .max = 127, FIELD(bp_file_route, to_domain),
		.text = "The same of the URI in To."},
};

static const struct bp_schema worker_schema = {"workers", ROWS(worker_rows), sizeof(struct bp_file_workers)};
static const struct bp_schema capacity_schema = {"capacity", ROWS(capacity_rows), sizeof(struct bp_file_capacity)};
static const struct bp_schema secret_schema = {"secrets", ROWS(secret_rows), sizeof(struct bp_file_one_path)};
static const struct bp_schema timer_schema = {"timers", ROWS(timer_rows), sizeof(struct bp_file_timers)};
static const struct bp_schema dialog_schema = {"dialogs", ROWS(dialog_rows), sizeof(struct bp_file_dialogs)};
static const struct bp_schema session_schema = {"sessions", ROWS(session_rows), sizeof(struct bp_file_sessions)};
static const struct bp_schema limit_schema = {"limits", ROWS(limit_rows), sizeof(struct bp_file_limits)};
static const struct bp_schema trace_schema = {"trace", ROWS(trace_rows), sizeof(struct bp_file_one_number)};
static const struct bp_schema dns_schema = {"dns", ROWS(dns_rows), sizeof(struct bp_file_dns)};
static const struct bp_schema control_schema = {"control", ROWS(control_rows), sizeof(struct bp_file_control)};
static const struct bp_schema cdr_schema = {"cdr", ROWS(cdr_rows), sizeof(struct bp_file_cdr)};
static const struct bp_schema port_schema = {"a port", ROWS(port_rows), sizeof(struct bp_file_port)};
static const struct bp_schema realm_schema = {"a realm", ROWS(realm_rows), sizeof(struct bp_file_realm)};
static const struct bp_schema trunk_schema = {"a trunk", ROWS(trunk_rows), sizeof(struct bp_file_trunk)};
static const struct bp_schema route_schema = {"a route", ROWS(route_rows), sizeof(struct bp_file_route)};

static const struct bp_schema_row root_rows[] = {
	{.key = "node", .type = &bp_type_number, .standard = "0", .max = 4095, FIELD(bp_file, node_id),
		.text = "Number of this edge among those that share secrets; it goes into route tokens."},
	{.key = "workers", .shape = BP_SHAPE_MAPPING, .inner = &worker_schema, FIELD(bp_file, workers),
		.text = "CPUs and memory."},
	{.key = "capacity", .shape = BP_SHAPE_MAPPING, .inner = &capacity_schema, FIELD(bp_file, capacity),
		.text = "How much is kept at most. `auto` comes from the memory of the machine."},
	{.key = "secrets", .shape = BP_SHAPE_MAPPING, .inner = &secret_schema, FIELD(bp_file, secrets),
		.text = "Keys."},
	{.key = "timers", .shape = BP_SHAPE_MAPPING, .inner = &timer_schema, FIELD(bp_file, timers),
		.text = "The timers of RFC 3261 table 4 that can be chosen."},
	{.key = "dialogs", .shape = BP_SHAPE_MAPPING, .inner = &dialog_schema, FIELD(bp_file, dialogs),
		.text = "Calls that are up."},
	{.key = "sessions", .shape = BP_SHAPE_MAPPING, .inner = &session_schema, FIELD(bp_file, sessions),
		.text = "Session timers (RFC 4028)."},
	{.key = "limits", .shape = BP_SHAPE_MAPPING, .inner = &limit_schema, FIELD(bp_file, limits),
		.text = "What a message may be at most; beyond it is refused or dropped."},
	{.key = "trace", .shape = BP_SHAPE_MAPPING, .inner = &trace_schema, FIELD(bp_file, trace),
		.text = "The memory behind `byepassctl ladder`."},
	{.key = "dns", .shape = BP_SHAPE_MAPPING, .inner = &dns_schema, FIELD(bp_file, dns),
		.text = "How names of next hops are resolved (RFC 3263): in a Request-URI or Route that a route sends on by `realm`,"
			" and in targets of trunks."},
	{.key = "control", .shape = BP_SHAPE_MAPPING, .inner = &control_schema, FIELD(bp_file, control),
		.text = "How the daemon is watched and driven."},
	{.key = "cdr", .shape = BP_SHAPE_MAPPING, .inner = &cdr_schema, FIELD(bp_file, cdr),
		.text = "Call detail records, see [cdr.md](cdr.md)."},
	{.key = "drain", .type = &bp_type_duration, .standard = "60s", .max = 1 * DAY, FIELD(bp_file, drain_us),
		.text = "After SIGTERM: how long calls that are up may go on."},
	{.key = "ports", .shape = BP_SHAPE_MAPPINGS, .inner = &port_schema, .required = true, .items_min = 1,
		.items_max = BP_CONFIG_PORTS_MAX, LIST(bp_file, ports, struct bp_file_port), .text = "Network devices, as DPDK names them."},
	{.key = "realms", .shape = BP_SHAPE_MAPPINGS, .inner = &realm_schema, .required = true, .items_min = 1,
		.items_max = 1024, LIST(bp_file, realms, struct bp_file_realm),
		.text = "Networks that the edge stands between, and its addresses in each."},
	{.key = "trunks", .shape = BP_SHAPE_MAPPINGS, .inner = &trunk_schema, .items_max = 10000,
		LIST(bp_file, trunks, struct bp_file_trunk), .text = "Groups of SIP servers to send requests to."},
	{.key = "routes", .shape = BP_SHAPE_MAPPINGS, .inner = &route_schema, .required = true, .items_min = 1,
		.items_max = BP_FILE_ROUTES_MAX, LIST(bp_file, routes, struct bp_file_route),
		.text = "Where a request outside a call goes: see [Which route](#which-route). None that matches: it is refused."},
};

const struct bp_schema bp_file_schema = {"the configuration", ROWS(root_rows), sizeof(struct bp_file)};
/* clang-format on */
