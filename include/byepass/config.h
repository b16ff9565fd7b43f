/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The configuration snapshot: what control hands to the workers. Control builds
 * it (control/config), validates it whole, and never writes to it again; workers
 * read it under RCU. Every array is owned by the snapshot and freed with it.
 * Names are NUL-terminated; times are microseconds.
 */
#ifndef BYEPASS_CONFIG_H
#define BYEPASS_CONFIG_H

#include "byepass/flow.h"
#include "byepass/health.h"
#include "byepass/route_index.h"

#include <stddef.h>

struct bp_name_key; /* byepass/names.h */

#define BP_CONFIG_NAME_SIZE 32
#define BP_CONFIG_DEVICE_SIZE 256
#define BP_CONFIG_PATH_SIZE 256
#define BP_CONFIG_WORKERS_MAX 64
#define BP_CONFIG_OLD_SECRETS_MAX 7
#define BP_CONFIG_PORTS_MAX 32 /* RTE_MAX_ETHPORTS of Debian's DPDK */
#define BP_CONFIG_LISTENERS_MAX 4096 /* in all; there are no more addresses than that either */
#define BP_CONFIG_DNS_SERVERS_MAX 8
#define BP_CONFIG_NONE UINT16_MAX /* "no index" in the 16-bit index fields below */

enum bp_poll { BP_POLL_BUSY, BP_POLL_ADAPTIVE };
enum bp_spread_by { BP_SPREAD_QUEUES, BP_SPREAD_CALL_ID };
enum bp_hugepages { BP_HUGEPAGES_AUTO, BP_HUGEPAGES_ON, BP_HUGEPAGES_OFF };
enum bp_path { BP_PATH_SUPPORTED, BP_PATH_ALWAYS, BP_PATH_NEVER };
enum bp_trust { BP_TRUST_UNTRUSTED, BP_TRUST_TRUSTED };

struct bp_config_workers {
	uint16_t cpus[BP_CONFIG_WORKERS_MAX];
	uint16_t count;
	uint16_t control_cpu;
	enum bp_hugepages hugepages;
	enum bp_poll poll;
	enum bp_spread_by spread;
	char eal_args[BP_CONFIG_DEVICE_SIZE]; /* appended to EAL's arguments; an escape hatch */
};

struct bp_config_capacity {
	uint32_t transactions; /* relay records; 0 = auto: from memory, resolved by the data path */
	uint32_t dialogs;      /* 0 = auto */
	uint32_t kept;         /* bytes of kept memory for each transaction, on the average; 0 = auto */
};

struct bp_config_timers { /* RFC 3261 table 4, RFC 6026 */
	uint64_t t1_us;
	uint64_t t2_us;
	uint64_t t4_us;
	uint64_t c_us;
	uint64_t d_us; /* at least 32 s on UDP by the RFC; default 64*T1 and never less than that */
};

struct bp_config_port {
	char name[BP_CONFIG_NAME_SIZE];
	char device[BP_CONFIG_DEVICE_SIZE]; /* DPDK device with its arguments */
	uint16_t mtu;                       /* bytes of an IP packet */
};

/* One address of one realm on one port: what the wire answers ARP, ND and ping for. Two realms may share an
 * address (same port, VLAN and prefix length) when they listen on different UDP ports. */
struct bp_config_interface {
	uint16_t realm;
	uint16_t port; /* index into ports */
	uint16_t vlan; /* 802.1Q id, 0 = untagged */
	uint8_t prefix; /* bits; of 32 for IPv4, of 128 for IPv6 */
	uint8_t family; /* 4 or 6 */
	struct bp_ip ip;
	struct bp_ip gateway; /* all zero: none, on-link only */
};

struct bp_config_realm {
	char name[BP_CONFIG_NAME_SIZE];
	enum bp_trust trust;
	enum bp_path path; /* whether a REGISTER from here gets a Path (RFC 3327) */
};

/* A UDP port that SIP is taken on, one per interface and `listen` entry. */
struct bp_config_listener {
	uint16_t realm;
	uint16_t interface;
	uint16_t port; /* host byte order */
	uint8_t transport;
	uint8_t family;
	struct bp_ip ip;
	uint8_t text_size;
	char text[62]; /* "192.0.2.1:5060" or "[2001:db8::1]:5060", as written into Via and Record-Route */
};

struct bp_config_target {
	struct bp_flow flow; /* ready to send to: listener of the trunk's realm with the target's family; not of a name */
	struct bp_name_key *name; /* resolved all the time; NULL: an address. Owned */
	uint16_t weight;     /* share among targets of equal priority */
	uint16_t priority;   /* lowest is tried first */
	bool draining;       /* no new requests */
	char uri[BP_CONFIG_DEVICE_SIZE];
};

/* What live traffic does to a target. */
struct bp_config_health {
	uint32_t failures;       /* so many in succession hold it; 0: they do not count */
	uint64_t hold_us;        /* for so long */
	uint64_t retry_after_us; /* the longest that a 503 holds it by its Retry-After; 0: not at all */
};

/* OPTIONS to each target. */
struct bp_config_probe {
	uint64_t interval_us; /* 0: none */
	uint64_t timeout_us;
	uint32_t up, down; /* so many in succession change its state */
};

struct bp_config_trunk {
	char name[BP_CONFIG_NAME_SIZE];
	uint64_t timeout_us; /* a target silent for so long is given up for the next; 0: timer B or F decides */
	bool parallel;       /* a request goes to all targets of the best priority at once (forking) */
	bool by_turn;        /* each request begins at the next target, not at one that its Call-ID names */
	bool draining;       /* some target is */
	bool named;          /* a target is a name */
	uint16_t realm;
	uint16_t target_count;
	struct bp_config_health health;
	struct bp_config_probe probe;
	struct bp_config_target *targets; /* sorted by priority */
	struct bp_trunk_health *state;    /* of the targets; NULL: all are up always */
};

/* Where a request outside a dialog goes. Those of a realm stand in the order of their precedence, so the first that
 * matches decides: the longer prefix first, then the one that asks for more (domain before From's domain before To's
 * before methods), then the order of the file. */
struct bp_config_route {
	uint16_t from;  /* realm */
	uint16_t trunk; /* index, or BP_CONFIG_NONE: send where the Request-URI says, out of `realm` */
	uint16_t realm; /* used when trunk is BP_CONFIG_NONE */
	uint16_t methods; /* bit n: enum bp_method n; 0: any */
	uint32_t order;   /* place in the file */
	bool listed;      /* prefixes and trunks come from a file: only bp_config.route_index knows them */
	uint8_t user_prefix_size;
	uint8_t domain_size;
	uint8_t from_domain_size;
	uint8_t to_domain_size;
	char user_prefix[64]; /* Request-URI user begins with it; empty: any */
	char domain[128];     /* Request-URI host equals it, lower case; empty: any */
	char from_domain[128]; /* the same of the URI in From, and in To */
	char to_domain[128];
};

struct bp_config_limits {
	uint16_t headers; /* header lines of one message */
	uint16_t vias;    /* Via values of one message */
	uint16_t uri;     /* bytes of one URI */
	uint32_t message; /* bytes of one message */
};

struct bp_config_trace {
	uint32_t messages; /* kept by control for ladders; 0 = tracing off */
};

enum bp_dns_mode { BP_DNS_OFF, BP_DNS_SYSTEM, BP_DNS_SERVERS };

struct bp_config_dns {
	enum bp_dns_mode mode;
	uint16_t server_count;
	uint8_t tries;    /* of each server */
	uint32_t cache;   /* names in the table */
	uint32_t parked;  /* requests of each worker that may wait for a name */
	uint64_t timeout_us; /* of the first try; longer for each further one */
	uint64_t wait_us;    /* longest time that a request waits */
	uint64_t negative_ttl_us, min_ttl_us, max_ttl_us;
	char servers[BP_CONFIG_DNS_SERVERS_MAX][64]; /* "192.0.2.53:53" or "[2001:db8::53]:53" */
};

struct bp_config_control {
	char http[64]; /* "127.0.0.1:9060"; empty: no TCP listener */
	char socket[108];
	char token_file[BP_CONFIG_PATH_SIZE];
};

enum bp_cdr_format { BP_CDR_JSON, BP_CDR_CSV };
#define BP_CDR_FSYNC_NEVER 0
#define BP_CDR_FSYNC_BATCH 1 /* any other value: microseconds */

struct bp_config_cdr {
	char folder[BP_CONFIG_PATH_SIZE]; /* empty: no call detail records */
	enum bp_cdr_format format;
	uint64_t rotate_size; /* bytes */
	uint64_t rotate_age_us;
	uint64_t fsync_us;
	uint32_t queue; /* records that wait for the disk */
};

struct bp_config {
	uint64_t generation;
	struct bp_config_workers workers;
	struct bp_config_capacity capacity;
	struct bp_config_timers timers;
	struct bp_config_limits limits;
	struct bp_config_trace trace;
	struct bp_config_dns dns;
	struct bp_config_control control;
	struct bp_config_cdr cdr;
	uint64_t drain_us;           /* longest time that a drain takes after SIGTERM */
	uint64_t dialog_us;          /* longest life of a dialog that nobody ends */
	bool reap_by_bye;            /* a dialog that the edge ends is ended by BYE */
	uint32_t session_s;          /* session interval that the edge asks for (RFC 4028); 0: none */
	uint32_t session_min_s;      /* shortest one that it lets pass, at least 90 */
	uint8_t secret[16];          /* signs route tokens; from the secrets file, or random */
	uint8_t old_secrets[BP_CONFIG_OLD_SECRETS_MAX][16]; /* its further lines, for checking only */
	uint8_t old_secret_count;
	uint16_t node_id;            /* 0..4095, names this node in tokens */
	uint16_t port_count;
	uint16_t realm_count;
	uint16_t interface_count;
	uint16_t listener_count;
	uint16_t trunk_count;
	uint32_t route_count;
	struct bp_config_port *ports;
	struct bp_config_realm *realms;
	struct bp_config_interface *interfaces;
	struct bp_config_listener *listeners;
	struct bp_config_trunk *trunks;
	struct bp_config_route *routes;
	struct bp_route_index *route_index; /* NULL: routes are few, and searched one by one */
};

#endif
