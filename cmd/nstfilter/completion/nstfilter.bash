# Completion of nstfilter for bash: source <(nstfilter completion bash)
_nstfilter() {
	local line word=${COMP_WORDS[COMP_CWORD]} files=
	COMPREPLY=()
	while IFS= read -r line; do
		case $line in
		:files) files=1 ;;
		*) COMPREPLY+=("${line%%$'\t'*}") ;;
		esac
	done < <("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	[[ $files ]] || return 0
	compopt -o filenames 2>/dev/null
	[[ $word == = ]] && word=
	while IFS= read -r line; do
		COMPREPLY+=("$line")
	done < <(compgen -f -- "$word")
}
complete -F _nstfilter nstfilter
