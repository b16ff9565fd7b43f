# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# meson and ninja, quietly. One build directory per kind of build, beside each other in the checkout.

# build DIRECTORY [MESON-OPTION...]: configures it once, then compiles. CC is honoured when it is configured.
build() {
	local directory=$1
	shift
	if [[ ! -f $directory/build.ninja ]]; then
		quietly "meson setup" meson setup "$directory" "$BYP_TOP" "$@"
	fi
	quietly "compilation" ninja -C "$directory"
}
