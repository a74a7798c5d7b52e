#!/bin/sh
# Writes a program's man page and completions into a folder like /usr/share: share.sh PROGRAM
# FOLDER
set -eu
umask 022

program=$1 folder=$2

made() { # made FILE COMMAND…: FILE is what the program's command prints
	mkdir -p "$folder/${1%/*}"
	file=$folder/$1
	shift
	"$program" "$@" >"$file"
}

made man/man1/nstfilter.1 man
made bash-completion/completions/nstfilter completion bash
made zsh/site-functions/_nstfilter completion zsh
made fish/vendor_completions.d/nstfilter.fish completion fish
