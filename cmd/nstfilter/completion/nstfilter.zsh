#compdef nstfilter
# Completion of nstfilter for zsh: source <(nstfilter completion zsh), or as _nstfilter in $fpath.
_nstfilter() {
	local line files
	local -a values texts
	for line in "${(@f)$($words[1] complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
		case $line in
		'') ;;
		:files) files=1 ;;
		*) values+=("${line%%$'\t'*}") texts+=("${line/$'\t'/  }") ;;
		esac
	done
	(( $#values )) && compadd -d texts -a values
	if [[ -n $files ]]; then
		compset -P '--*='
		_files
	fi
}
if [[ $funcstack[1] == _nstfilter ]]; then
	_nstfilter "$@"
else
	compdef _nstfilter nstfilter
fi
