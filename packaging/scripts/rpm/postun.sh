# After an upgrade: stopping saves, starting loads.
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    if [ "$1" -ge 1 ]; then
        systemctl try-restart cloakroom-server.service 'cloakroom-server@*.service' || :
    fi
fi
