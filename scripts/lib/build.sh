# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# meson and ninja, quietly. One build directory per kind of build, beside each other in the checkout.

# build DIRECTORY [MESON-OPTION...] [-- TARGET...]: configures it, again when the options or CC are others than last
# time; compiles everything, or only the targets.
build() {
	local directory=$1 wanted options=()
	shift
	while [[ $# -gt 0 && $1 != -- ]]; do
		options+=("$1")
		shift
	done
	[[ $# -eq 0 ]] || shift
	wanted="${CC:-} ${options[*]}"
	if [[ ! -f $directory/build.ninja || $(cat "$directory/options" 2>/dev/null) != "$wanted" ]]; then
		rm -rf "$directory"
		quietly "meson setup" meson setup "$directory" "$BYP_TOP" "${options[@]}" || return 1
		echo "$wanted" >"$directory/options"
	fi
	quietly "compilation" ninja -C "$directory" "$@"
}
