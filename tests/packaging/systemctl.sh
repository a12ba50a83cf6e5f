#!/bin/sh
# Stands in for systemctl where systemd does not run. Each running unit has a file in /run/units, with a line for each
# time that it was started; links in /etc/systemd/system show which units are enabled or masked, as for systemd.
units=/usr/lib/systemd/system
links=/etc/systemd/system
running=/run/units
mkdir -p $running

verb='' names='' now=''
set -f
for word; do
    case $word in
    --now) now=yes ;;
    -*) ;;
    *) if [ -z "$verb" ]; then verb=$word; else names="$names $word"; fi ;;
    esac
done

template_of() { echo "$1" | sed 's/@.*\./@./'; }
masked() { [ "$(readlink "$links/$1")" = /dev/null ] || [ "$(readlink "$links/$(template_of "$1")")" = /dev/null ]; }
known() { [ -e "$units/$(template_of "$1")" ] && ! masked "$1"; }
enabled() { [ -L "$links/multi-user.target.wants/$1" ]; }
begin() { echo started >>"$running/$1"; }
# Lists the running units that match a pattern.
matching() { (set +f; cd $running && for name in $1; do [ ! -e "$name" ] || echo "$name"; done); }

status=0
case $verb in
is-active)
    for name in $names; do [ -e "$running/$name" ] || status=3; done ;;
is-enabled)
    for name in $names; do
        if masked "$name"; then echo masked; status=1
        elif enabled "$name"; then echo enabled
        else echo disabled; status=1; fi
    done ;;
start | restart)
    for name in $names; do if known "$name"; then begin "$name"; else status=5; fi; done ;;
stop)
    for pattern in $names; do for name in $(matching "$pattern"); do rm "$running/$name"; done; done ;;
try-restart)
    for pattern in $names; do for name in $(matching "$pattern"); do begin "$name"; done; done ;;
enable | preset)
    # Debian's presets enable units.
    mkdir -p $links/multi-user.target.wants
    for name in $names; do ln -sf "$units/$(template_of "$name")" "$links/multi-user.target.wants/$name"; done ;;
disable)
    # Like the real one, it says that it accepts no pattern, and then that there is no unit of that exact name.
    for name in $names; do
        case $name in *[*?[]*) echo "Glob pattern passed to disable, but globs are not supported for this." >&2 ;; esac
        rm -f "$links/multi-user.target.wants/$name"
        [ -z "$now" ] || rm -f "$running/$name"
    done ;;
daemon-reload) ;;
*) echo "systemctl.sh: $verb" >&2; status=1 ;;
esac
exit $status
