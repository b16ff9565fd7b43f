/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The configuration file as written: what the schema's rows fill, with names not yet
 * looked up and every mapping's node at hand for error messages. build.c makes the
 * snapshot (byepass/config.h) of it.
 */
#ifndef BYEPASS_CONFIG_FILE_H
#define BYEPASS_CONFIG_FILE_H

#include "byepass/config.h"
#include "config/schema.h"

#define BP_FILE_ROUTES_MAX 1000000
#define BP_FILE_ADDRESSES_MAX 16
#define BP_FILE_LISTENS_MAX 16

struct bp_file_workers {
	const yaml_node_t *node;
	struct bp_schema_list cpus; /* of uint16_t */
	uint16_t control_cpu;
	int hugepages, poll, spread;
	char eal_args[BP_CONFIG_DEVICE_SIZE];
};

struct bp_file_capacity {
	const yaml_node_t *node;
	uint32_t transactions, dialogs;
	uint32_t kept;
};

struct bp_file_timers {
	const yaml_node_t *node;
	uint64_t t1_us, t2_us, t4_us, c_us, d_us;
};

struct bp_file_limits {
	const yaml_node_t *node;
	uint16_t headers, vias, uri;
	uint32_t message;
};

struct bp_file_port {
	const yaml_node_t *node;
	char name[BP_CONFIG_NAME_SIZE];
	char device[BP_CONFIG_DEVICE_SIZE];
	uint16_t mtu;
};

struct bp_file_realm {
	const yaml_node_t *node;
	char name[BP_CONFIG_NAME_SIZE];
	char port[BP_CONFIG_NAME_SIZE];
	uint16_t vlan;
	int trust;
	int path;
	struct bp_schema_list address; /* of struct bp_prefix */
	struct bp_schema_list gateway; /* of struct bp_endpoint */
	struct bp_schema_list listen;  /* of uint16_t */
};

struct bp_file_target {
	const yaml_node_t *node;
	struct bp_uri_value uri;
	uint16_t weight, priority;
	int drain;
};

struct bp_file_health {
	const yaml_node_t *node;
	uint32_t failures;
	uint64_t hold_us, retry_after_us;
};

struct bp_file_probe {
	const yaml_node_t *node;
	uint64_t interval_us, timeout_us;
	uint32_t up, down;
};

struct bp_file_trunk {
	const yaml_node_t *node;
	char name[BP_CONFIG_NAME_SIZE];
	char realm[BP_CONFIG_NAME_SIZE];
	int fork; /* 1: parallel */
	int hash; /* 1: none */
	struct bp_file_health health;
	struct bp_file_probe probe;
	uint64_t timeout_us;
	struct bp_schema_list targets; /* of struct bp_file_target */
};

struct bp_file_route {
	const yaml_node_t *node;
	char from[BP_CONFIG_NAME_SIZE];
	char trunk[BP_CONFIG_NAME_SIZE];
	char realm[BP_CONFIG_NAME_SIZE];
	struct bp_schema_list methods; /* of int: enum bp_method */
	char user_prefix[64];
	char prefixes_file[BP_CONFIG_PATH_SIZE];
	char domain[128];
	char from_domain[128];
	char to_domain[128];
};

struct bp_file_control {
	const yaml_node_t *node;
	struct bp_config_control values;
	char cdr[BP_CONFIG_PATH_SIZE];
};

struct bp_file_cdr {
	const yaml_node_t *node;
	struct bp_config_cdr values;
	int format;
};

struct bp_file_dns {
	const yaml_node_t *node;
	struct bp_schema_list servers; /* of struct bp_endpoint; family 0: its port is enum bp_dns_mode */
	uint64_t timeout_us, wait_us, negative_ttl_us, min_ttl_us, max_ttl_us;
	uint32_t cache, parked;
	uint8_t tries;
};

struct bp_file_one_path {
	const yaml_node_t *node;
	char path[BP_CONFIG_PATH_SIZE];
};

struct bp_file_one_number {
	const yaml_node_t *node;
	uint64_t value;
};

struct bp_file_dialogs {
	const yaml_node_t *node;
	uint64_t max_age_us;
	int reap; /* 1: bye */
};

struct bp_file_sessions {
	const yaml_node_t *node;
	uint64_t expires_us, min_us;
};

struct bp_file {
	const yaml_node_t *node;
	uint16_t node_id;
	uint64_t drain_us;
	struct bp_file_workers workers;
	struct bp_file_capacity capacity;
	struct bp_file_one_path secrets;
	struct bp_file_timers timers;
	struct bp_file_dialogs dialogs;
	struct bp_file_sessions sessions;
	struct bp_file_limits limits;
	struct bp_file_one_number trace; /* messages */
	struct bp_file_dns dns;
	struct bp_file_control control;
	struct bp_file_cdr cdr;
	struct bp_schema_list ports;  /* of struct bp_file_port */
	struct bp_schema_list realms; /* of struct bp_file_realm */
	struct bp_schema_list trunks; /* of struct bp_file_trunk */
	struct bp_schema_list routes; /* of struct bp_file_route */
};

/* The root of all tables. */
extern const struct bp_schema bp_file_schema;

#endif
