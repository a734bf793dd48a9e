# The verb `hook`: the guest's own files to run before the VF leaves and after it is back. The engine calls
# it, through the guest agent.
# shellcheck shell=sh disable=SC2154

HOOK_LIMIT_S=30

hook_verb() {
  case ${1:-} in
    before-unplug | after-plug) _event=$1 ;;
    *) refuse 'usage: handover-guest hook before-unplug|after-plug [--limit SECONDS]' ;;
  esac
  shift
  _limit=$HOOK_LIMIT_S
  if [ $# -gt 0 ]; then
    [ "$1" = --limit ] && [ $# -eq 2 ] && is_number_within "$2" 1 3600 ||
      refuse '--limit is 1 to 3600 seconds'
    _limit=$2
  fi
  read_known_pairs
  manager=$(manager_of_state)
  _input=$(status_document "$_event")
  _bad=0
  for _file in "$config/hooks.d"/*; do
    is_hook "$_file" || continue
    _name=${_file##*/}
    printf '%s\n' "$_input" |
      HANDOVER_EVENT=$_event HANDOVER_LIMIT_S=$_limit timeout -k 5 "$_limit" "$_file"
    _status=$?
    case $_status in
      0) say "$_name: done" ;;
      124 | 137 | 143) say "$_name: ended after its $_limit s"; _bad=1 ;;
      *) say "$_name: failed with status $_status"; _bad=1 ;;
    esac
  done
  return $_bad
}

# Executable, and no left-over of an editor or of dpkg.
is_hook() {
  [ -f "$1" ] && [ -x "$1" ] || return 1
  case ${1##*/} in .* | *~ | *.dpkg-* | *.rpm*) return 1 ;; esac
}
