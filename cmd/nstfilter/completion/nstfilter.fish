# Completion of nstfilter for fish: nstfilter completion fish | source
function __nstfilter_complete
	set -l before (commandline -opc)
	set -l word (commandline -ct)
	for line in ($before[1] complete -- $before[2..-1] "$word" 2>/dev/null)
		if test "$line" = :files
			set -l option (string match -r -- '^--[^=]*=' "$word")
			for file in (__fish_complete_path (string replace -- "$option" '' "$word"))
				echo "$option$file"
			end
		else
			echo $line
		end
	end
end
complete -c nstfilter -f -a '(__nstfilter_complete)'
