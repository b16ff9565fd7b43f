# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# meson and ninja, quietly. One build directory per kind of build, beside each other in the checkout.

# configure DIRECTORY [MESON-OPTION...]: anew when the options or CC are others than last time.
configure() {
	local directory=$1 wanted
	shift
	wanted="${CC:-} $*"
	[[ ! -f $directory/build.ninja || $(cat "$directory/options" 2>/dev/null) != "$wanted" ]] || return 0
	rm -rf "$directory"
	quietly "meson setup" meson setup "$directory" "$BYP_TOP" "$@" || return 1
	echo "$wanted" >"$directory/options"
}

# build DIRECTORY [MESON-OPTION...] [-- TARGET...]: configures it and compiles everything, or only the targets.
build() {
	local directory=$1 options=()
	shift
	while [[ $# -gt 0 && $1 != -- ]]; do
		options+=("$1")
		shift
	done
	[[ $# -eq 0 ]] || shift
	configure "$directory" "${options[@]}" || return 1
	quietly "compilation" ninja -C "$directory" "$@"
}
