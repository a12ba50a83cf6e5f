# The last one goes; an upgrade leaves the server running.
if [ "$1" -eq 0 ] && [ -d /run/systemd/system ]; then
    systemctl --no-reload disable --now cloakroom-server.service 'cloakroom-server@*.service' || :
fi
