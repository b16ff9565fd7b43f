# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# The Debian 12 packages that each job needs, and their installation when one is missing.

packages_build=(gcc libc6-dev binutils meson ninja-build pkg-config python3
	libdpdk-dev liburcu-dev libjemalloc-dev libcmocka-dev
	libyaml-dev libjansson-dev libmicrohttpd-dev libcurl4-openssl-dev libc-ares-dev
	libosip2-dev libsofia-sip-ua-dev) # the last two: to compare with
packages_clang=(clang libclang-rt-14-dev) # the second: sanitizers and libFuzzer
packages_fuzz=(llvm-14) # coverage, symbols in traces
packages_network=(iproute2 ethtool iputils-ping procps sip-tester curl)
packages_e2e=(kamailio prometheus baresip-core sipsak)
packages_bench=(kamailio dpdk-dev gnuplot-nox) # dpdk-dev: testpmd, what the wire carries
packages_tests=(valgrind) # counts instructions

# install_packages PACKAGE...: those that are missing. Services that come along are not started.
install_packages() {
	local missing=() package begin=$EPOCHREALTIME
	for package in "$@"; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) == installed ]] ||
			missing+=("$package")
	done
	[[ ${#missing[@]} -gt 0 ]] || return 0
	[[ $(id -u) -eq 0 ]] || die "these packages are missing, and only root can install them: ${missing[*]}"
	say "installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	quietly "apt-get update" apt-get -q -o Acquire::Retries=3 update
	quietly "apt-get install" without_services "${missing[*]}" apt-get -q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 \
		install --no-install-recommends "${missing[@]}"
	say "${dim}installed in $(seconds_since "$begin") s$plain"
}

# without_services PACKAGES COMMAND...: while policy-rc.d forbids packages to start their services; those that came
# with PACKAGES are disabled, too. A machine that runs the tests must not end up with a Prometheus of its own.
without_services() {
	local packages=$1 policy=/usr/sbin/policy-rc.d status=0 unit
	shift
	if [[ -e $policy ]]; then
		"$@" || status=$?
	else
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
		at_exit rm -f "$policy"
		"$@" || status=$?
		rm -f "$policy"
	fi
	for unit in prometheus kamailio; do
		[[ " $packages " != *" $unit "* ]] || systemctl disable "$unit" >/dev/null 2>&1 || true
	done
	return "$status"
}
