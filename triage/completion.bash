# bash completion of heddle: verbs, options, scenarios and verdicts are those
# that the command itself lists, so nothing here has to be kept up.  Of programs
# that heddle-cc builds, too:  complete -F _heddle ./mine

_heddle_verbs()
{
	"$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'
	echo --help --version
}

_heddle_options() # command, verb
{
	"$1" "$2" --help 2>/dev/null |
		sed -nE 's/^  (-[a-z], )?(--[a-z-]+=?).*/\2/p'
	echo --help
}

_heddle_scenarios() # SCENARIO and SCENARIO:VARIANT
{
	"$1" list 2>/dev/null |
		sed -nE '/^[a-z]\w*: /{s/:.*//;h;p}
			/^  :/{s/^  (:\S+).*/\1/;G;s/(.*)\n(.*)/\2\1/p}'
}

_heddle_values() # command, verb, option
{
	case $3 in
	--want) "$1" list --verdicts 2>/dev/null | sed 's/ .*//' ;;
	--scenario) _heddle_scenarios "$1" ;;
	--strategy) echo portfolio rf hold eager urw pos surw random reluctant pct run-to-block ;;
	--lockdep) echo kernel exact; [[ $2 == run ]] && echo boot ;;
	--format) echo text mail json html chrome ftrace ;;
	--preemptions) echo none ;;
	esac
}

# The word that is completed.  bash cuts words at = and : (COMP_WORDBREAKS).
_heddle_word()
{
	local i=$COMP_CWORD

	word=${COMP_WORDS[i]}
	while ((i > 2)) && [[ ${COMP_WORDS[i]} == [=:]* ||
			      ${COMP_WORDS[i - 1]} == *[=:] ]]; do
		word=${COMP_WORDS[--i]}$word
	done
}

_heddle_words() # what may stand here
{
	case $COMP_CWORD,$verb,$word in
	1,*) _heddle_verbs "$command" ;;
	*,--*=*) _heddle_values "$command" "$verb" "${word%%=*}" ;;
	*,-*) _heddle_options "$command" "$verb" ;;
	*,run,* | *,explore,* | *,diff,* | *,fuzz,* | *,campaign,* | *,show,*)
		_heddle_scenarios "$command" ;;
	esac
}

_heddle()
{
	local command=${COMP_WORDS[0]} verb=${COMP_WORDS[1]} word head= cut
	local IFS=$' \t\n'

	_heddle_word
	[[ $word == --*=* ]] && head=${word%%=*}=
	COMPREPLY=($(compgen -P "$head" -W "$(_heddle_words)" -- "${word#"$head"}"))
	if ((!${#COMPREPLY[@]} && COMP_CWORD > 1)); then
		IFS=$'\n'
		COMPREPLY=($(compgen -P "$head" -f -- "${word#"$head"}"))
		compopt -o filenames 2>/dev/null
	elif [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
		compopt -o nospace 2>/dev/null
	fi
	# bash replaces only what stands behind the last = or :
	cut=${word%"${word##*[=:]}"}
	[[ $COMP_WORDBREAKS == *:* ]] || cut=$head
	COMPREPLY=("${COMPREPLY[@]#"$cut"}")
}

complete -F _heddle heddle
